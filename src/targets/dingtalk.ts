/**
 * Posts to a DingTalk group by a custom robot's webhook, signed where the robot asks for it.
 *
 * ```yaml
 * chat:
 *   dingtalk: DINGTALK_WEBHOOK_URL    # the secret that holds the webhook's URL, access_token included
 *   sign: DINGTALK_SECRET             # the secret that holds the robot's own (SEC…)
 * ```
 *
 * Sources: https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages (form of the messages, error codes,
 * 20 messages a minute and 10 minutes' pause over it), https://open.dingtalk.com/document/robots/customize-robot-security-settings
 * (the signature: Base64 of HMAC-SHA256 with the secret over `<milliseconds>\n<secret>`, in the query beside the time).
 * 130101 "send too fast, exceed 20 times per minute" and 310000's three texts: Alibaba Cloud's table of the same robot.
 * Error answers come with status 200.
 */
import entry from "#entry/targets/_dingtalk-entry.ts";
import { toBase64 } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import { isJsonObject, ok, ownMember } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import type { Shipment } from "../core/target.ts";
import { outcomeOfAnswer } from "./_answer.ts";
import type { HttpAnswer } from "./_answer.ts";
import type { DingtalkConfig } from "./_dingtalk-entry.ts";
import { delivered, failedNow, isSuccess, jsonOf, overRate, refused, wordsOf } from "./_preset-answer.ts";
import { contentOf, withinBytes, wrongPayload } from "./_preset-content.ts";
import type { MessageProblem } from "./_preset-content.ts";
import { cutText, jsonBytes, summaryText } from "./_preset-text.ts";
import { presetTarget } from "./_preset.ts";
import { webhookUrl } from "./_webhook-url.ts";

const VENDOR = "DingTalk";

/** The second is that of the international edition. */
const HOSTS = ["oapi.dingtalk.com", "oapi.dingtalk.io"];

export const DINGTALK_MESSAGE_BYTES_MAX = 20_000;

/** What remains for a text beside the rest of its message. */
const TEXT_BYTES_MAX = DINGTALK_MESSAGE_BYTES_MAX - 200;

/** A robot that has sent more than 20 messages in a minute is stopped for so long. */
export const DINGTALK_RATE_WAIT_MS = 600_000;

const TYPES = ["text", "link", "markdown", "actionCard", "feedCard"];

function message(shipment: Shipment): Result<string, MessageProblem> {
  const content = contentOf(shipment, VENDOR);
  if (!content.ok) return content;
  switch (content.value.kind) {
    case "none": {
      // A text has no markup, and calls nobody without the member `at`.
      const asIs = (text: string): string => text;
      return ok(textMessage(summaryText(shipment, { text: asIs, link: asIs })));
    }
    case "text":
      return ok(textMessage(cutText(content.value.text, TEXT_BYTES_MAX, jsonBytes)));
    case "payload": {
      const { json, value } = content.value;
      const type = ownMember(value, "msgtype");
      if (typeof type !== "string" || !TYPES.includes(type) || !isJsonObject(ownMember(value, type))) {
        return wrongPayload(VENDOR, `msgtype (${TYPES.join(", ")}) and a member of that name`);
      }
      return withinBytes(json, DINGTALK_MESSAGE_BYTES_MAX, VENDOR);
    }
  }
}

function textMessage(content: string): string {
  return JSON.stringify({ msgtype: "text", text: { content } });
}

/** What to do about the codes that DingTalk names. */
const HINTS: Readonly<Record<string, string>> = {
  "300001": "the webhook's URL has a token that does not exist",
  "300005": "the webhook's URL has a token that does not exist",
  "310000": "the robot's security settings refuse it: keywords, signature or address",
  "400013": "the group was dissolved",
  "400101": "the webhook's URL has a token that does not exist",
  "400102": "the robot was stopped",
  "400105": "the robot knows no such msgtype",
  "400106": "the robot is not in the group",
  "430101": "it holds a link that DingTalk takes for unsafe",
  "430102": "it holds words that DingTalk does not allow",
  "430103": "it holds a picture that DingTalk does not allow",
  "430104": "it holds something that DingTalk does not allow",
};

const RATE_CODES = ["130101", "410100", "90030"];

/**
 * | answer | outcome |
 * |---|---|
 * | 200 `errcode` 0 | delivered |
 * | `errcode` 130101, 410100, 90030 | retry after 10 minutes: so long DingTalk stops a robot that was too fast |
 * | `errcode` -1, or a text that says busy | retryable |
 * | any other `errcode` | permanent `status`, with code, message and what to do |
 * | 2xx without an `errcode` | retryable: DingTalk did not say that it has it |
 * | another status without an `errcode` | as for any HTTP target |
 */
export function outcomeOfDingtalk(answer: HttpAnswer, now: number): Outcome {
  const said = jsonOf(answer);
  const code = wordsOf(said, "errcode");
  if (code === "") {
    if (!isSuccess(answer)) return outcomeOfAnswer(answer, now);
    return failedNow(answer, `DingTalk answered ${answer.status} without an errcode`);
  }
  if (code === "0") return delivered(answer);
  const words = wordsOf(said, "errmsg");
  if (RATE_CODES.includes(code)) {
    return overRate(answer, `DingTalk takes no more messages for now: ${code} ${words}`, DINGTALK_RATE_WAIT_MS);
  }
  if (code === "-1" || /系统繁忙|system busy/i.test(words)) {
    return failedNow(answer, `DingTalk could not take the message: ${code} ${words}`);
  }
  const hint = Object.hasOwn(HINTS, code) ? ` (${HINTS[code]})` : "";
  return refused(answer, `DingTalk refused the message: ${code} ${words}${hint}`);
}

export default presetTarget<DingtalkConfig>({
  kind: "dingtalk",
  ...entry(),
  ...webhookUrl(VENDOR, HOSTS),
  message,
  request: (url, body, { sign }, { time, signature }) => {
    if (sign === undefined) return { url, body };
    const query = {
      timestamp: time(String),
      sign: signature(sign, (secret, nowMs, hashing) => toBase64(hashing.hmacSha256(secret, `${nowMs}\n${secret}`))),
    };
    return { url, query, body };
  },
  outcomeOf: outcomeOfDingtalk,
});
