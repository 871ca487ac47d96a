/**
 * Posts to a Slack channel by an incoming webhook.
 *
 * ```yaml
 * chat:
 *   slack: SLACK_WEBHOOK_URL          # the secret that holds the webhook's URL
 *   thread: "1700000000.123456"       # answers in this thread
 *   mentions: true                    # lets texts call people: <!channel>, <@U…>
 * ```
 *
 * Sources: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (payload, errors),
 * https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks (status and text of each error),
 * https://docs.slack.dev/apis/web-api/rate-limits (one message a second and channel; 429 with Retry-After),
 * https://docs.slack.dev/messaging/formatting-message-text (escaping), https://docs.slack.dev/reference/methods/chat.postMessage
 * (Slack cuts `text` at 40,000 characters). GovSlack's host: https://docs.slack.dev/govslack
 */
import entry from "#entry/targets/_slack-entry.ts";
import type { Outcome } from "../core/outcome.ts";
import { ok, ownMember } from "../core/result.ts";
import type { JsonObject, Result } from "../core/result.ts";
import type { Shipment } from "../core/target.ts";
import { outcomeOfAnswer } from "./_answer.ts";
import type { HttpAnswer } from "./_answer.ts";
import {
  delivered,
  failedNow,
  isSuccess,
  jsonOf,
  overRate,
  refused,
  retryAfterOf,
  shortWords,
} from "./_preset-answer.ts";
import { contentOf, withinChars, wrongPayload } from "./_preset-content.ts";
import type { MessageProblem } from "./_preset-content.ts";
import { cutText, summaryText, utf16Units, withMembers } from "./_preset-text.ts";
import { presetTarget } from "./_preset.ts";
import type { SlackConfig } from "./_slack-entry.ts";
import { webhookUrl } from "./_webhook-url.ts";

const VENDOR = "Slack";

const HOSTS = ["hooks.slack.com", "hooks.slack-gov.com"];

export const SLACK_TEXT_CHARS_MAX = 40_000;

/** https://docs.slack.dev/reference/block-kit/blocks: up to 50 blocks in each message. */
export const SLACK_BLOCKS_MAX = 50;

function message(shipment: Shipment, { mentions, members }: SlackConfig): Result<string, MessageProblem> {
  const content = contentOf(shipment, VENDOR);
  if (!content.ok) return content;
  switch (content.value.kind) {
    case "none": {
      const text = summaryText(shipment, { text: escapeSlack, link: escapeSlack });
      return ok(JSON.stringify({ ...members, text, mrkdwn: false }));
    }
    case "text": {
      const text = mentions ? content.value.text : withoutMentions(content.value.text);
      return ok(JSON.stringify({ ...members, text: cutText(text, SLACK_TEXT_CHARS_MAX, utf16Units) }));
    }
    case "payload": {
      const { json, value } = content.value;
      const problem = payloadProblem(value);
      return problem ?? ok(withMembers(json, value, members));
    }
  }
}

function payloadProblem(value: JsonObject): Result<never, MessageProblem> | undefined {
  const text = ownMember(value, "text");
  const blocks = ownMember(value, "blocks");
  if (typeof text === "string") {
    const tooLong = withinChars(text, SLACK_TEXT_CHARS_MAX, "the message's text", VENDOR);
    if (tooLong !== undefined) return { ok: false, error: tooLong };
  }
  if (Array.isArray(blocks) && blocks.length > SLACK_BLOCKS_MAX) {
    const detail = `the message has ${blocks.length} blocks, Slack takes ${SLACK_BLOCKS_MAX}`;
    return { ok: false, error: { reason: "too-large", detail } };
  }
  const hasContent = [text, blocks, ownMember(value, "attachments")].some(isFilled);
  return hasContent ? undefined : wrongPayload(VENDOR, "text, blocks or attachments");
}

function isFilled(value: unknown): boolean {
  return (typeof value === "string" || Array.isArray(value)) && value.length > 0;
}

/** The three characters that mean something to Slack. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** `<!channel>`, `<!here>`, `<!subteam^…>`, `<@U…>` as they are written, calling nobody. Dates (`<!date^…>`) go with them. */
function withoutMentions(text: string): string {
  return text.replace(/<(?=[!@])/g, "&lt;");
}

/** What to do about the errors that Slack names. */
const HINTS: Readonly<Record<string, string>> = {
  invalid_payload: "the message is not what Slack expects; npm run sluice -- explain shows it",
  no_text: "the message has no text",
  user_not_found: "the user in the message does not exist",
  channel_not_found: "its channel does not exist; make a new webhook",
  channel_is_archived: "its channel is archived; make a webhook for another one",
  action_prohibited: "an admin of the workspace does not allow it",
  posting_to_general_channel_denied: "an admin does not allow posting to #general",
  too_many_attachments: "a message has at most 100 attachments",
  no_service: "the webhook was removed or switched off; make a new one",
  no_service_id: "the webhook's URL is not complete",
  no_active_hooks: "the webhook was switched off",
  no_team: "the workspace does not exist",
  team_disabled: "the workspace is no longer active",
  invalid_token: "the webhook's URL is wrong or no longer valid",
};

/**
 * | answer | outcome |
 * |---|---|
 * | 2xx `ok`, or `{"ok":true}` (workflow webhooks) | delivered |
 * | 429, or `rate_limited` / `ratelimited` under any status | retry after Retry-After, else 60 s |
 * | 2xx with an error of `HINTS` or `{"ok":false}` | permanent `status` |
 * | 2xx with anything else | retryable: Slack did not say that it has it |
 * | 410 `channel_is_archived` | `target-gone`: the target is paused |
 * | 400, 403, 404 with an error's name | permanent `status`, with what to do |
 * | 500 `rollup_error`, other 5xx | retryable |
 */
export function outcomeOfSlack(answer: HttpAnswer, now: number): Outcome {
  const said = jsonOf(answer);
  const error = said === undefined ? answer.body.trim() : String(ownMember(said, "error") ?? "");
  if (/^rate_?limited$/.test(error) || answer.status === 429) {
    return overRate(answer, `Slack takes no more messages for now (${answer.status})`, retryAfterOf(answer, now));
  }
  const isOk = error === "ok" || (said !== undefined && ownMember(said, "ok") === true);
  if (isSuccess(answer) && isOk) return delivered(answer);
  const hint = Object.hasOwn(HINTS, error) ? HINTS[error] : undefined;
  if (isSuccess(answer)) {
    if (hint === undefined && said === undefined) {
      return failedNow(answer, `Slack answered ${answer.status}, but not ok: ${shortWords(error) || "nothing"}`);
    }
    return refused(answer, `Slack refused the message: ${shortWords(error)}${hint === undefined ? "" : ` (${hint})`}`);
  }
  const outcome = outcomeOfAnswer(answer, now);
  if (hint === undefined || outcome.kind !== "permanent") return outcome;
  return { ...outcome, detail: `${outcome.detail}: ${error} (${hint})` };
}

export default presetTarget<SlackConfig>({
  kind: "slack",
  ...entry(),
  ...webhookUrl(VENDOR, HOSTS),
  message,
  outcomeOf: outcomeOfSlack,
});
