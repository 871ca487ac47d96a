import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/core/result.ts";
import telegram, { TELEGRAM_TEXT_CHARS_MAX, outcomeOfTelegram } from "../../src/targets/telegram.ts";
import { eventWith } from "../support/target-io.ts";
import { answerOf, sendBy } from "../support/preset-sending.ts";

const NOW = 1_700_000_000_000;

describe("a message to Telegram", () => {
  it("is a text to the entry's chat and topic, silently, without a preview, with the entry's markup", async () => {
    const entry = { thread: 7, silent: true, "link-preview": false, "parse-mode": "HTML" };
    const { url, body } = await sendBy(telegram, { made: "<b>done</b>", entry });
    expect(url).toBe("https://api.telegram.org/bot123456:telegram-token-0006-ABCDEFG/sendMessage");
    expect(body).toEqual({
      chat_id: "-1001234567890",
      message_thread_id: 7,
      disable_notification: true,
      link_preview_options: { is_disabled: true },
      parse_mode: "HTML",
      text: "<b>done</b>",
    });
  });

  it("made of an event has no markup, whatever the entry says, and calls nobody", async () => {
    const event = eventWith("{}", { subject: "<b> @octocat /stop a/b", source: "/s" });
    expect((await sendBy(telegram, { event, entry: { "parse-mode": "HTML" } })).body).toEqual({
      chat_id: "-1001234567890",
      text: "com.github.push: <b> @\u2060octocat /\u2060stop a/b\nfrom /\u2060s",
    });
  });

  it("is cut at TELEGRAM_TEXT_CHARS_MAX characters, and with markup refused over it", async () => {
    const text = "x".repeat(TELEGRAM_TEXT_CHARS_MAX);
    expect((await sendBy(telegram, { made: text })).body["text"]).toBe(text);
    expect((await sendBy(telegram, { made: `${text}y` })).body["text"]).toBe(`${text.slice(1)}…`);
    const entry = { "parse-mode": "HTML" };
    expect((await sendBy(telegram, { made: text, entry })).outcome).toMatchObject({ kind: "delivered" });
    expect((await sendBy(telegram, { made: `${text}y`, entry })).outcome).toMatchObject({
      kind: "permanent",
      reason: "too-large",
    });
  });

  it("may be what sendMessage takes, and keeps its own chat", async () => {
    const made = { text: "x", chat_id: "@other", reply_markup: {} };
    expect((await sendBy(telegram, { made, entry: { silent: true } })).body).toEqual({
      ...made,
      disable_notification: true,
    });
  });

  it.each<[Json, string]>([
    [{ photo: "x" }, "transform-failed"],
    [{ text: "" }, "transform-failed"],
    [{ text: "x".repeat(TELEGRAM_TEXT_CHARS_MAX + 1) }, "too-large"],
  ])("is not sent as what is wrong", async (made, reason) => {
    const { outcome, url } = await sendBy(telegram, { made });
    expect(url).toBeUndefined();
    expect(outcome).toMatchObject({ kind: "permanent", reason });
  });

  it("goes to a channel by its name, or to a number", () => {
    for (const chat of ["@octochannel", -1_001_234_567_890, "42"]) {
      expect(telegram.parse({ telegram: "T", chat })).toMatchObject({
        ok: true,
        value: { members: { chat_id: String(chat) } },
      });
    }
  });

  it.each<JsonObject>([{ chat: "general" }, { chat: 1.5 }, { thread: 0 }, { "parse-mode": "html" }])(
    "is not configured by %j",
    (entry) => {
      const [name = ""] = Object.keys(entry);
      expect(telegram.parse({ telegram: "T", chat: "1", ...entry })).toMatchObject({
        ok: false,
        error: [{ path: [name] }],
      });
    },
  );

  it.each(["hunter22", "123456:ABC/../../hunter22-hunter22", "123456:hunter22 hunter22 hunter22"])(
    "is not sent with the token %s, which is not shown",
    async (TELEGRAM_BOT_TOKEN) => {
      const { outcome, url } = await sendBy(telegram, { secrets: { TELEGRAM_BOT_TOKEN } });
      expect(url).toBeUndefined();
      expect(outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
      expect(JSON.stringify(outcome)).not.toContain("hunter22");
    },
  );
});

/** https://core.telegram.org/bots/api#making-requests, #responseparameters; descriptions as the Bot API server sends them. */
describe("an answer of Telegram's", () => {
  it("with ok: true is a delivery, even where the record of it is cut", () => {
    const whole = `{"ok":true,"result":{"text":"${"x".repeat(100)}"}}`;
    for (const body of [whole, whole.slice(0, 60), ' { "ok" : true }']) {
      expect(outcomeOfTelegram(answerOf(200, body), NOW)).toMatchObject({ kind: "delivered" });
    }
  });

  it.each<[number, string, Record<string, string>, number]>([
    [
      429,
      '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}',
      {},
      35_000,
    ],
    [
      200,
      '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 3","parameters":{"retry_after":3}}',
      {},
      3_000,
    ],
    [429, "", { "retry-after": "9" }, 9_000],
    [429, "", {}, 60_000],
  ])("%i %s with %j says when", (status, body, headers, retryAfterMs) => {
    expect(outcomeOfTelegram(answerOf(status, body, headers), NOW)).toMatchObject({
      kind: "retryable",
      reason: "status",
      retryAfterMs,
    });
  });

  it.each([
    [400, '{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}', "(chat is wrong"],
    [
      403,
      '{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked from the supergroup chat"}',
      "(let the bot in",
    ],
    [401, '{"ok":false,"error_code":401,"description":"Unauthorized"}', "(the bot's token is wrong)"],
    [404, '{"ok":false,"error_code":404,"description":"Not Found"}', "(the bot's token is wrong)"],
    [
      400,
      '{"ok":false,"error_code":400,"description":"Bad Request: can\'t parse entities: Unsupported start tag"}',
      "(the text's markup",
    ],
    [
      400,
      '{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1009876543210}}',
      '(the group has a new id; write chat: "-1009876543210")',
    ],
    [200, '{"ok":false,"error_code":400,"description":"Bad Request: message text is empty"}', "message text is empty"],
  ])("%i %s is final", (status, body, words) => {
    expect(outcomeOfTelegram(answerOf(status, body), NOW)).toMatchObject({
      kind: "permanent",
      reason: "status",
      detail: expect.stringContaining(words) as string,
      answer: { status },
    });
  });

  it.each([
    [500, '{"ok":false,"error_code":500,"description":"Internal Server Error"}'],
    [502, "<html></html>"],
    [200, "<html></html>"],
    [200, '{"ok":false}'],
  ])("%i %s is tried again", (status, body) => {
    expect(outcomeOfTelegram(answerOf(status, body), NOW)).toMatchObject({ kind: "retryable", reason: "status" });
  });
});
