/**
 * Twilio's webhooks: forms of messages, calls and the rest, and JSON such as that of Event Streams. Reference:
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security (signature) and
 * https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides (retries). The secret is the account's auth token.
 */
import { decodeUtf8, toHex } from "../core/event.ts";
import { bareMediaType } from "../core/media-type.ts";
import type { SourceContext, SourceRequest } from "../core/source.ts";
import type { MappedEvent, Webhook } from "./_webhook-event.ts";
import { webhookSource } from "./_webhook-source.ts";

/** What a form is about, by the first of these fields that it has. */
const STATUSES = [
  { field: "RecordingStatus", name: "recording", subject: "RecordingSid" },
  { field: "TranscriptionStatus", name: "transcription", subject: "TranscriptionSid" },
  { field: "MessageStatus", name: "message", subject: "MessageSid" },
  { field: "SmsStatus", name: "message", subject: "MessageSid" },
  { field: "StatusCallbackEvent", name: "callback", subject: "ConferenceSid" },
  { field: "CallStatus", name: "call", subject: "CallSid" },
] as const;

export default webhookSource({
  kind: "twilio",
  vendor: "Twilio",
  signature: {
    algorithm: "hmac-sha1",
    encoding: "base64",
    signature: { header: "X-Twilio-Signature" },
    content: "{urlAndForm}",
  },
  payloads: ["form", "json-array"],
  type: "com.twilio",
  source: "https://api.twilio.com",
  map: (webhook) => (webhook.text("specversion") === undefined ? mapForm(webhook) : mapCloudEvent(webhook)),
  // Fields are signed without anything between them: other fields may have the same signature, and count as the same.
  hasUnsignedId: { signed: "urlAndForm" },
  // Twilio asks what to do next, too: nothing.
  answer: { status: 200, headers: { "content-type": "text/xml" }, body: "<Response/>" },
  rawHeaders: ["i-twilio-idempotency-token"],
  signedParts: (request, context) => ({
    urlAndForm:
      bareMediaType(request.headers.get("content-type")) === "application/x-www-form-urlencoded"
        ? request.url + sortedFields(decodeUtf8(request.body) ?? "")
        : urlOfBody(request, context),
  }),
});

function mapForm({ text, header }: Webhook): MappedEvent {
  const status = STATUSES.find(({ field }) => text(field) !== undefined);
  const account = text("AccountSid");
  return {
    // TaskRouter and Conversations name their events.
    type: text("EventType") ?? (status && `${status.name}.${text(status.field)}`),
    // The same in every try; a call may say the same twice.
    id: header("i-twilio-idempotency-token"),
    source: account && `https://api.twilio.com/2010-04-01/Accounts/${account}`,
    subject: (status && text(status.subject)) ?? text("TaskSid") ?? text("ConversationSid") ?? text("RoomSid"),
  };
}

/** Event Streams sends CloudEvents, as a list. */
function mapCloudEvent({ text }: Webhook): MappedEvent {
  const source = text("source");
  return {
    type: text("type")?.replace(/^com\.twilio\./, ""),
    id: text("id"),
    source: source?.startsWith("/") === true ? `https://api.twilio.com${source}` : source,
    subject: text("subject") ?? text("data.messageSid") ?? text("data.callSid"),
    time: { text: text("time") },
  };
}

/** The fields in the order of their names, each name and value without anything between; the same twice counts once. */
function sortedFields(form: string): string {
  const fields = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(form)) {
    fields.set(name, (fields.get(name) ?? new Set()).add(value));
  }
  const names = [...fields.keys()].toSorted();
  return names
    .map((name) =>
      [...(fields.get(name) ?? [])]
        .toSorted()
        .map((value) => name + value)
        .join(""),
    )
    .join("");
}

/**
 * What is signed for a body that is no form: the URL with the body's hash in it. The hash of what really came is put in, so that
 * a request without one, or with another's, is not right.
 */
function urlOfBody({ url, body }: SourceRequest, { hashing }: SourceContext): string {
  const hash = `bodySHA256=${toHex(hashing.sha256(body))}`;
  const [, before, after] = /^(.*[?&])bodySHA256=[^&#]*(.*)$/.exec(url) ?? [];
  if (before !== undefined && after !== undefined) return before + hash + after;
  return `${url}${url.includes("?") ? "&" : "?"}${hash}`;
}
