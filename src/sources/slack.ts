/**
 * Slack's Events API, slash commands and interactivity. References:
 * https://docs.slack.dev/authentication/verifying-requests-from-slack (signature),
 * https://docs.slack.dev/apis/events-api (events, retries, url_verification),
 * https://docs.slack.dev/interactivity/implementing-slash-commands (commands, ssl_check) and
 * https://docs.slack.dev/interactivity/handling-user-interaction (the form with a `payload`).
 */
import type { SourceRequest } from "../core/source.ts";
import { bareMediaType } from "../core/media-type.ts";
import type { MappedEvent, Webhook } from "./_webhook-event.ts";
import { textAt } from "./_webhook-payload.ts";
import { webhookSource } from "./_webhook-source.ts";

const API = "https://slack.com";
/** Slack's question whether the certificate is valid is a form of two short fields. */
export const SSL_CHECK_BYTES_MAX = 1_024;

export default webhookSource({
  kind: "slack",
  vendor: "Slack",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Slack-Signature" },
    prefix: "v0=",
    content: "v0:{timestamp}:{body}",
    values: { timestamp: { header: "X-Slack-Request-Timestamp" } },
    timestamp: { value: "timestamp", unit: "s" },
  },
  payloads: ["json", "form-payload"],
  type: "com.slack",
  source: API,
  // Anything but an empty 200 would be shown to whoever typed the command.
  answer: { status: 200 },
  greet: answerSslCheck,
  challenge({ json }) {
    if (textAt(json, "type") !== "url_verification") return undefined;
    return { status: 200, headers: { "content-type": "text/plain" }, body: textAt(json, "challenge") ?? "" };
  },
  map(webhook) {
    const { text } = webhook;
    if (text("command") !== undefined) return mapCommand(webhook);
    return text("event.type") === undefined ? mapInteraction(webhook) : mapEvent(webhook);
  },
});

/** Not signed, as Slack's own libraries have it. */
function answerSslCheck({ headers, body }: SourceRequest) {
  if (body.length > SSL_CHECK_BYTES_MAX) return undefined;
  if (bareMediaType(headers.get("content-type")) !== "application/x-www-form-urlencoded") return undefined;
  const fields = new URLSearchParams(new TextDecoder().decode(body));
  return fields.get("ssl_check") === "1" ? { status: 200 } : undefined;
}

function teamOf(id: string | undefined): string | undefined {
  return id && `${API}/teams/${id}`;
}

/** Retries (X-Slack-Retry-Num) have the same event_id. */
function mapEvent({ text }: Webhook): MappedEvent {
  return {
    type: text("event.type"),
    id: text("event_id"),
    source: teamOf(text("team_id")),
    subject: text("event.channel") ?? text("event.channel.id") ?? text("event.item.channel") ?? text("event.user"),
    time: { s: text("event_time") },
  };
}

function mapCommand({ text }: Webhook): MappedEvent {
  return { type: "command", id: text("trigger_id"), source: teamOf(text("team_id")), subject: text("command") };
}

/** `block_actions`, `view_submission`, `shortcut` and their like, and what the Events API sends beside events. */
function mapInteraction({ text }: Webhook): MappedEvent {
  return {
    type: text("type"),
    id: text("trigger_id"),
    source: teamOf(text("team.id") ?? text("team_id")),
    subject: text("callback_id") ?? text("view.callback_id") ?? text("actions.0.action_id"),
    time: { s: text("action_ts") ?? text("actions.0.action_ts") },
  };
}
