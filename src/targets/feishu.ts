/**
 * Posts to a group of Feishu, or of Lark, by a custom bot's webhook, signed where the bot asks for it.
 *
 * ```yaml
 * chat:
 *   feishu: FEISHU_WEBHOOK_URL        # the secret that holds the webhook's URL, of open.feishu.cn or open.larksuite.com
 *   sign: FEISHU_SECRET               # the secret that holds the bot's own
 * ```
 *
 * Sources: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot and its twin of Lark,
 * https://open.larksuite.com/document/client-docs/bot-v3/add-custom-bot (messages, codes, 20 KB, 100 messages a minute and 5 a
 * second; the signature: Base64 of HMAC-SHA256 over nothing, keyed with `<seconds>\n<secret>`, in the body beside the time).
 * 11232 "frequency limited" as bots get it; 99991400 with `x-ogw-ratelimit-reset`:
 * https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control. Errors mostly come with status 200.
 */
import entry from "#entry/targets/_feishu-entry.ts";
import { toBase64 } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import { ok, ownMember } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import type { Shipment } from "../core/target.ts";
import { outcomeOfAnswer } from "./_answer.ts";
import type { HttpAnswer } from "./_answer.ts";
import type { FeishuConfig } from "./_feishu-entry.ts";
import {
  delivered,
  failedNow,
  isSuccess,
  jsonOf,
  overRate,
  refused,
  retryAfterOf,
  secondsToMs,
  wordsOf,
} from "./_preset-answer.ts";
import { contentOf, withinBytes, wrongPayload } from "./_preset-content.ts";
import type { MessageProblem } from "./_preset-content.ts";
import { cutText, jsonBytes, summaryText, withMembers } from "./_preset-text.ts";
import { presetTarget } from "./_preset.ts";
import { webhookUrl } from "./_webhook-url.ts";

const VENDOR = "Feishu";

const HOSTS = ["open.feishu.cn", "open.larksuite.com"];

/** 20 KB, with room for the signature that is added later. */
export const FEISHU_MESSAGE_BYTES_MAX = 19_800;

/** What remains for a text beside the rest of its message. */
const TEXT_BYTES_MAX = FEISHU_MESSAGE_BYTES_MAX - 200;

/** Members that the signature needs for itself. */
const SIGNATURE_MEMBERS = ["timestamp", "sign"];

function message(shipment: Shipment, { mentions }: FeishuConfig): Result<string, MessageProblem> {
  const content = contentOf(shipment, VENDOR);
  if (!content.ok) return content;
  switch (content.value.kind) {
    case "none":
      return ok(textMessage(summaryText(shipment, { text: withoutTags, link: (url) => url })));
    case "text": {
      const text = mentions ? content.value.text : withoutMentions(content.value.text);
      return ok(textMessage(cutText(text, TEXT_BYTES_MAX, jsonBytes)));
    }
    case "payload": {
      const { json, value } = content.value;
      const isComplete = ["content", "card"].some((name) => Object.hasOwn(value, name));
      if (typeof ownMember(value, "msg_type") !== "string" || !isComplete) {
        return wrongPayload(VENDOR, "msg_type, and content or card");
      }
      const taken = SIGNATURE_MEMBERS.find((name) => Object.hasOwn(value, name));
      if (taken !== undefined) return wrongPayload(VENDOR, `no member ${taken}: sign in targets.yaml makes it`);
      return withinBytes(json, FEISHU_MESSAGE_BYTES_MAX, VENDOR);
    }
  }
}

function textMessage(text: string): string {
  return JSON.stringify({ msg_type: "text", content: { text } });
}

/** An invisible word joiner (U+2060) behind the bracket: there is no escape for it in texts. */
function withoutTags(text: string): string {
  return text.replace(/<(?=[/a-z])/gi, "<\u2060");
}

function withoutMentions(text: string): string {
  return text.replace(/<(?=\/?at\b)/gi, "<\u2060");
}

/** What to do about the codes that Feishu names. */
const HINTS: Readonly<Record<string, string>> = {
  "9499": "the message is not as Feishu expects it",
  "19001": "the webhook's URL is wrong, or the bot was removed",
  "19002": "the message is not as Feishu expects it",
  "19021": "the signature is wrong: set sign to the bot's secret",
  "19022": "the bot takes messages from other addresses only; let it ask for a signature instead",
  "19024": "the bot takes only messages with one of its keywords",
};

const RATE_CODES = ["11232", "99991400"];

/**
 * | answer | outcome |
 * |---|---|
 * | 200 `code` 0, or `StatusCode` 0 | delivered |
 * | `code` 11232, 99991400, a text that says frequency or too many requests, 429 | retry after `x-ogw-ratelimit-reset` or Retry-After, else 60 s |
 * | a text that says internal error, busy or timeout | retryable |
 * | any other `code` | permanent `status`, with code, message and what to do |
 * | 2xx without a `code` | retryable: Feishu did not say that it has it |
 * | another status without a `code` | as for any HTTP target |
 */
export function outcomeOfFeishu(answer: HttpAnswer, now: number): Outcome {
  const said = jsonOf(answer);
  const code = wordsOf(said, "code") || wordsOf(said, "StatusCode");
  const words = wordsOf(said, "msg") || wordsOf(said, "StatusMessage");
  if (answer.status === 429 || RATE_CODES.includes(code) || /frequency limit|too many request/i.test(words)) {
    const detail = `Feishu takes no more messages for now: ${code || answer.status} ${words}`.trim();
    return overRate(
      answer,
      detail,
      secondsToMs(answer.headers.get("x-ogw-ratelimit-reset")),
      retryAfterOf(answer, now),
    );
  }
  if (code === "") {
    if (!isSuccess(answer)) return outcomeOfAnswer(answer, now);
    return failedNow(answer, `Feishu answered ${answer.status} without a code`);
  }
  if (code === "0" && isSuccess(answer)) return delivered(answer);
  if (answer.status >= 500 || /internal|busy|time ?out|系统繁忙|稍后/i.test(words)) {
    return failedNow(answer, `Feishu could not take the message: ${code} ${words}`);
  }
  const hint = Object.hasOwn(HINTS, code) ? ` (${HINTS[code]})` : "";
  return refused(answer, `Feishu refused the message: ${code} ${words}${hint}`);
}

export default presetTarget<FeishuConfig>({
  kind: "feishu",
  ...entry(),
  ...webhookUrl(VENDOR, HOSTS),
  message,
  request: (url, json, { sign }, { time, signature }) => {
    if (sign === undefined) return { url, body: json };
    const signed = {
      timestamp: time((nowMs) => String(Math.floor(nowMs / 1_000))),
      sign: signature(sign, (secret, nowMs, hashing) =>
        toBase64(hashing.hmacSha256(`${Math.floor(nowMs / 1_000)}\n${secret}`, "")),
      ),
    };
    return { url, body: withMembers(json, { msg_type: "" }, signed) };
  },
  outcomeOf: outcomeOfFeishu,
});
