/**
 * Posts to a Discord channel by a webhook.
 *
 * ```yaml
 * chat:
 *   discord: DISCORD_WEBHOOK_URL      # the secret that holds the webhook's URL
 *   username: Builds
 *   thread: "1100000000000000000"     # posts into this thread
 *   silent: true                      # no notification
 * ```
 *
 * Sources: https://docs.discord.com/developers/resources/webhook#execute-webhook (members, `wait`, `thread_id`),
 * https://docs.discord.com/developers/topics/rate-limits (429: `retry_after` in seconds with a fraction, X-RateLimit headers),
 * https://docs.discord.com/developers/resources/message#allowed-mentions-object (mentions) and #message-object-message-flags,
 * https://docs.discord.com/developers/topics/opcodes-and-status-codes#json (codes). `discordapp.com` is the older host.
 */
import entry from "#entry/targets/_discord-entry.ts";
import type { Outcome } from "../core/outcome.ts";
import { ok, ownMember } from "../core/result.ts";
import type { JsonObject, Result } from "../core/result.ts";
import type { Shipment } from "../core/target.ts";
import { outcomeOfAnswer } from "./_answer.ts";
import type { HttpAnswer } from "./_answer.ts";
import type { DiscordConfig } from "./_discord-entry.ts";
import { jsonOf, overRate, retryAfterOf, secondsToMs, wordsOf } from "./_preset-answer.ts";
import { contentOf, withinChars, wrongPayload } from "./_preset-content.ts";
import type { MessageProblem } from "./_preset-content.ts";
import { cutText, summaryText, utf16Units, withMembers } from "./_preset-text.ts";
import { presetTarget } from "./_preset.ts";
import { webhookUrl } from "./_webhook-url.ts";

const VENDOR = "Discord";

const HOSTS = ["discord.com", "ptb.discord.com", "canary.discord.com", "discordapp.com"];

export const DISCORD_CONTENT_CHARS_MAX = 2_000;
export const DISCORD_EMBEDS_MAX = 10;

function message(shipment: Shipment, { members }: DiscordConfig): Result<string, MessageProblem> {
  const content = contentOf(shipment, VENDOR);
  if (!content.ok) return content;
  switch (content.value.kind) {
    case "none": {
      // In angle brackets a link comes without a preview of the page.
      const text = summaryText(shipment, { text: escapeMarkdown, link: (url) => `<${url}>` });
      return ok(JSON.stringify({ ...members, content: cutText(text, DISCORD_CONTENT_CHARS_MAX, utf16Units) }));
    }
    case "text":
      return ok(
        JSON.stringify({ ...members, content: cutText(content.value.text, DISCORD_CONTENT_CHARS_MAX, utf16Units) }),
      );
    case "payload": {
      const { json, value } = content.value;
      return payloadProblem(value) ?? ok(withMembers(json, value, members));
    }
  }
}

function payloadProblem(value: JsonObject): Result<never, MessageProblem> | undefined {
  const content = ownMember(value, "content");
  const embeds = ownMember(value, "embeds");
  if (typeof content === "string") {
    const tooLong = withinChars(content, DISCORD_CONTENT_CHARS_MAX, "the message's content", VENDOR);
    if (tooLong !== undefined) return { ok: false, error: tooLong };
  }
  if (Array.isArray(embeds) && embeds.length > DISCORD_EMBEDS_MAX) {
    const detail = `the message has ${embeds.length} embeds, Discord takes ${DISCORD_EMBEDS_MAX}`;
    return { ok: false, error: { reason: "too-large", detail } };
  }
  const lists = [embeds, ownMember(value, "components")];
  const hasContent = typeof content === "string" && content !== "";
  if (hasContent || lists.some((list) => Array.isArray(list) && list.length > 0) || Object.hasOwn(value, "poll")) {
    return undefined;
  }
  return wrongPayload(VENDOR, "content, embeds, components or poll");
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\*_~`|>#[\]()<@-]/g, "\\$&");
}

/** What to do about the codes that Discord names. */
const HINTS: Readonly<Record<string, string>> = {
  "10003": "the channel or thread does not exist",
  "10015": "the webhook was deleted; make a new one",
  "50006": "the message is empty",
  "50027": "the webhook's URL is wrong",
  "50035": "a member of the message is not as Discord expects it",
  "50083": "the thread is archived",
  "220001": "webhooks of a forum post into a thread: set thread, or thread_name in the message",
};

/**
 * | answer | outcome |
 * |---|---|
 * | 200 (the request asks with `wait=true` for the message as it was saved), 204 | delivered |
 * | 429 | retry after the longest of the body's `retry_after` (seconds, fraction), Retry-After and X-RateLimit-Reset-After |
 * | 400, 401, 403, 404 | permanent `status`, with Discord's code, message and what to do |
 * | 5xx | retryable |
 */
export function outcomeOfDiscord(answer: HttpAnswer, now: number): Outcome {
  const said = jsonOf(answer);
  if (answer.status === 429) {
    const { headers } = answer;
    // On a 429 Retry-After tells of the limit that was hit; the bucket's own reset may be later than that of a burst.
    return overRate(
      answer,
      `Discord takes no more messages for now (429${said !== undefined && ownMember(said, "global") === true ? ", everywhere" : ""})`,
      secondsToMs(said === undefined ? undefined : ownMember(said, "retry_after")),
      retryAfterOf(answer, now),
      secondsToMs(headers.get("x-ratelimit-reset-after")),
    );
  }
  const outcome = outcomeOfAnswer(answer, now);
  const code = wordsOf(said, "code");
  if (outcome.kind !== "permanent" || outcome.reason !== "status" || code === "") return outcome;
  const hint = Object.hasOwn(HINTS, code) ? ` (${HINTS[code]})` : "";
  return { ...outcome, detail: `${outcome.detail}: ${code} ${wordsOf(said, "message")}${hint}` };
}

export default presetTarget<DiscordConfig>({
  kind: "discord",
  ...entry(),
  ...webhookUrl(VENDOR, HOSTS),
  message,
  // Without wait Discord answers before it has saved the message, and tells of no error that comes later.
  request: (url, body, { thread }) => ({
    url,
    query: { wait: "true", ...(thread === undefined ? {} : { thread_id: thread }) },
    body,
  }),
  outcomeOf: outcomeOfDiscord,
});
