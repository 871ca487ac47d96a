/**
 * Sends messages by a Telegram bot.
 *
 * ```yaml
 * chat:
 *   telegram: TELEGRAM_BOT_TOKEN      # the secret that holds the bot's token
 *   chat: "-1001234567890"            # a chat's id, or @name of a public channel
 *   thread: 7                         # a topic of a forum
 *   parse-mode: HTML                  # texts have markup; without it they are shown as they are
 *   silent: true                      # no sound
 * ```
 *
 * Sources: https://core.telegram.org/bots/api#making-requests (`ok`, `error_code`, `parameters`), #responseparameters
 * (`retry_after` in seconds, `migrate_to_chat_id`), #sendmessage (1 to 4,096 characters after entities are parsed),
 * #formatting-options, https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this (about one message a
 * second in a chat, 20 a minute in a group).
 */
import entry from "#entry/targets/_telegram-entry.ts";
import type { Outcome } from "../core/outcome.ts";
import { err, isJsonObject, ok, ownMember } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import type { Shipment } from "../core/target.ts";
import { outcomeOfAnswer } from "./_answer.ts";
import type { HttpAnswer } from "./_answer.ts";
import {
  delivered,
  failedNow,
  isSuccess,
  jsonOf,
  kept,
  overRate,
  retryAfterOf,
  secondsToMs,
  wordsOf,
} from "./_preset-answer.ts";
import { contentOf, withinChars, wrongPayload } from "./_preset-content.ts";
import type { MessageProblem } from "./_preset-content.ts";
import { cutText, summaryText, utf16Units, withMembers } from "./_preset-text.ts";
import { presetTarget } from "./_preset.ts";
import type { TelegramConfig } from "./_telegram-entry.ts";

const VENDOR = "Telegram";

const API = "https://api.telegram.org/";

export const TELEGRAM_TEXT_CHARS_MAX = 4_096;

function message(shipment: Shipment, config: TelegramConfig): Result<string, MessageProblem> {
  const content = contentOf(shipment, VENDOR);
  if (!content.ok) return content;
  switch (content.value.kind) {
    case "none": {
      const text = summaryText(shipment, { text: withoutNames, link: (url) => url });
      return ok(JSON.stringify({ ...config.members, text: cutText(text, TELEGRAM_TEXT_CHARS_MAX, utf16Units) }));
    }
    case "text": {
      const { text } = content.value;
      // Cut, it might end within a tag, and Telegram would refuse all of it.
      const tooLong = config.hasMarkup
        ? withinChars(text, TELEGRAM_TEXT_CHARS_MAX, "the text with markup", VENDOR)
        : undefined;
      if (tooLong !== undefined) return err(tooLong);
      const cut = cutText(text, TELEGRAM_TEXT_CHARS_MAX, utf16Units);
      return ok(JSON.stringify({ ...config.textMembers, text: cut }));
    }
    case "payload": {
      const { json, value } = content.value;
      const text = ownMember(value, "text");
      if (typeof text !== "string" || text === "") return wrongPayload(VENDOR, "text, as sendMessage takes it");
      const hasMarkup = Object.hasOwn(value, "parse_mode") || Object.hasOwn(value, "entities");
      const tooLong = hasMarkup ? undefined : withinChars(text, TELEGRAM_TEXT_CHARS_MAX, "the message's text", VENDOR);
      return tooLong === undefined ? ok(withMembers(json, value, config.members)) : err(tooLong);
    }
  }
}

/** Plain text has no markup, but @name calls whoever is named so, and /word is a command: an invisible joiner parts them. */
function withoutNames(text: string): string {
  return text.replace(/(@|(?:^|\s)\/)(?=\w)/g, "$1\u2060");
}

/** What to do about what Telegram says. */
const HINTS: readonly (readonly [words: RegExp, hint: string])[] = [
  [/chat not found/i, "chat is wrong, or the bot is not in it"],
  [
    /bot was (?:blocked|kicked)|not a member|have no rights|not enough rights/i,
    "let the bot in again, with the right to write",
  ],
  [/can't parse entities/i, "the text's markup is not right; a value in it may need an escape"],
  [/message thread not found/i, "thread names a topic that is not there"],
  [/^unauthorized$|^not found$/i, "the bot's token is wrong"],
];

/**
 * | answer | outcome |
 * |---|---|
 * | 2xx `ok: true` | delivered |
 * | `error_code` 429, `parameters.retry_after` or status 429 | retry after the longer of `retry_after` (seconds) and Retry-After |
 * | `parameters.migrate_to_chat_id` | permanent `status`: names the id that the group has now |
 * | `ok: false` | as its `error_code` says: 5xx retryable, others permanent `status` with the description and what to do |
 * | 2xx without `ok` | retryable: Telegram did not say that it has it |
 * | another status without `ok` | as for any HTTP target |
 */
export function outcomeOfTelegram(answer: HttpAnswer, now: number): Outcome {
  // A success repeats the message and may be longer than what is kept of it.
  if (isSuccess(answer) && /^\s*\{\s*"ok"\s*:\s*true\b/.test(answer.body)) return delivered(answer);
  const said = jsonOf(answer);
  const parameters = said === undefined ? undefined : ownMember(said, "parameters");
  const details = isJsonObject(parameters) ? parameters : {};
  const waitMs = secondsToMs(ownMember(details, "retry_after"));
  const code = Number(wordsOf(said, "error_code") || answer.status);
  const words = wordsOf(said, "description");
  if (code === 429 || waitMs !== undefined || answer.status === 429) {
    return overRate(answer, "Telegram takes no more messages for now (429)", waitMs, retryAfterOf(answer, now));
  }
  if (said === undefined || ownMember(said, "ok") !== false) {
    if (!isSuccess(answer)) return outcomeOfAnswer(answer, now);
    return failedNow(answer, `Telegram answered ${answer.status} without ok`);
  }
  const outcome = outcomeOfAnswer({ ...answer, status: code >= 300 ? code : 500 }, now);
  if (outcome.kind !== "permanent") return failedNow(answer, `Telegram could not take the message: ${code} ${words}`);
  const movedTo = wordsOf(details, "migrate_to_chat_id");
  const hint =
    movedTo === ""
      ? HINTS.find(([pattern]) => pattern.test(words.replace(/^[A-Z][a-z ]+: /, "")))?.[1]
      : `the group has a new id; write chat: "${movedTo}"`;
  const detail = `Telegram refused the message: ${code} ${words}${hint === undefined ? "" : ` (${hint})`}`;
  return { kind: "permanent", reason: "status", detail, answer: kept(answer) };
}

/** https://core.telegram.org/bots/api#authorizing-your-bot: 123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11 */
const TOKEN = /^\d{3,20}:[\w-]{20,100}$/;

export default presetTarget<TelegramConfig>({
  kind: "telegram",
  ...entry(),
  secretNames: ({ token }) => [token],
  urlSecret: ({ token }) => token,
  secretProblem: (_name, value) => (TOKEN.test(value) ? undefined : "does not hold a bot's token (<number>:<letters>)"),
  urls: () => [API],
  endpoint: ({ token }, secret) => `${API}bot${secret(token)}/sendMessage`,
  message,
  outcomeOf: outcomeOfTelegram,
});
