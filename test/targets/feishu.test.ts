import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/result.ts";
import feishu, { FEISHU_MESSAGE_BYTES_MAX, outcomeOfFeishu } from "../../src/targets/feishu.ts";
import { eventWith } from "../support/target-io.ts";
import { answerOf, sendBy } from "../support/preset-sending.ts";

const NOW = 1_700_000_000_000;

describe("a message to Feishu", () => {
  it("is a text, which calls nobody unless its entry lets it", async () => {
    const made = 'done <at user_id="all">all</at> <b>x</b>';
    const calm = 'done <\u2060at user_id="all">all<\u2060/at> <b>x</b>';
    expect((await sendBy(feishu, { made })).body).toEqual({ msg_type: "text", content: { text: calm } });
    expect((await sendBy(feishu, { made, entry: { mentions: true } })).body).toEqual({
      msg_type: "text",
      content: { text: made },
    });
  });

  it("made of an event has no tags", async () => {
    const event = eventWith("{}", { subject: '<at user_id="all"></at><b>', source: "/s" });
    expect((await sendBy(feishu, { event })).body["content"]).toEqual({
      text: 'com.github.push: <\u2060at user_id="all"><\u2060/at><\u2060b>\nfrom /s',
    });
  });

  /** Time, secret and signature of the tests of mobius-ring/lark-bot-webhook-action, test/feishu.test.ts. */
  it("is signed in its body", async () => {
    const { body } = await sendBy(feishu, {
      made: "request example",
      entry: { sign: "FEISHU_SECRET" },
      secrets: { FEISHU_SECRET: "dGhpcyBpcyBhIGtleQ==" },
      io: { now: () => 1_716_283_459_999 },
    });
    expect(body).toEqual({
      timestamp: "1716283459",
      sign: "8EyY+xxfJvzWjZQpdc2mgvQFaG7lF5nbxl7RITyMkJU=",
      msg_type: "text",
      content: { text: "request example" },
    });
  });

  it("goes to Lark where the URL is of Lark", async () => {
    const lark = "https://open.larksuite.com/open-apis/bot/v2/hook/x";
    expect((await sendBy(feishu, { secrets: { FEISHU_WEBHOOK_URL: lark } })).url).toBe(lark);
  });

  it("may be Feishu's own payload", async () => {
    for (const made of [
      { msg_type: "interactive", card: { elements: [] } },
      { msg_type: "post", content: { post: {} } },
    ]) {
      expect((await sendBy(feishu, { made })).body).toEqual(made);
    }
  });

  it("has at most FEISHU_MESSAGE_BYTES_MAX bytes before its signature: a text is cut, a payload refused", async () => {
    const signed = { entry: { sign: "FEISHU_SECRET" }, secrets: { FEISHU_SECRET: "secret" } };
    const long = await sendBy(feishu, { ...signed, made: "漢\n".repeat(FEISHU_MESSAGE_BYTES_MAX) });
    expect(Buffer.byteLength(long.text)).toBeLessThanOrEqual(20_000);
    const made = (chars: number) => ({ msg_type: "text", content: { text: "x".repeat(chars) } });
    const room = FEISHU_MESSAGE_BYTES_MAX - JSON.stringify(made(0)).length;
    const fits = await sendBy(feishu, { ...signed, made: made(room) });
    expect(fits.outcome).toMatchObject({ kind: "delivered" });
    expect(Buffer.byteLength(fits.text)).toBeLessThanOrEqual(20_000);
    expect((await sendBy(feishu, { made: made(room + 1) })).outcome).toMatchObject({
      kind: "permanent",
      reason: "too-large",
    });
  });

  it.each<Json>([{ content: {} }, { msg_type: "text" }, { msg_type: "text", content: {}, sign: "x" }])(
    "is not sent as %j",
    async (made) => {
      const { outcome, url } = await sendBy(feishu, { made });
      expect(url).toBeUndefined();
      expect(outcome).toMatchObject({ kind: "permanent", reason: "transform-failed" });
    },
  );
});

/** Codes as https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot lists them, and as bots get them. */
describe("an answer of Feishu's", () => {
  it.each([
    '{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}',
    '{"code":0,"msg":"success","data":{}}',
    '{"Extra":null,"StatusCode":0,"StatusMessage":"success"}',
  ])("%s is a delivery", (body) => {
    expect(outcomeOfFeishu(answerOf(200, body), NOW)).toMatchObject({ kind: "delivered" });
  });

  it.each<[number, string, Record<string, string>, number]>([
    [
      200,
      '{"code":11232,"data":{},"msg":"frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"}',
      {},
      60_000,
    ],
    [200, '{"code":9499,"msg":"too many request","data":{}}', {}, 60_000],
    [400, '{"code":99991400,"msg":"request trigger frequency limit"}', { "x-ogw-ratelimit-reset": "42" }, 42_000],
    [429, "", { "retry-after": "5" }, 5_000],
  ])("%i %s with %j is a refusal for rate", (status, body, headers, retryAfterMs) => {
    expect(outcomeOfFeishu(answerOf(status, body, headers), NOW)).toMatchObject({
      kind: "retryable",
      reason: "status",
      retryAfterMs,
    });
  });

  it.each([
    [
      '{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour from current time"}',
      "19021 sign match fail",
    ],
    ['{"code":19022,"data":{},"msg":"Ip Not Allowed"}', "19022 Ip Not Allowed (the bot takes"],
    ['{"code":19024,"data":{},"msg":"Key Words Not Found"}', "19024 Key Words Not Found (the bot takes"],
    ['{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}', "19001 param invalid"],
    ['{"code":9499,"msg":"Bad Request","data":{}}', "9499 Bad Request (the message"],
    ['{"StatusCode":9499,"StatusMessage":"Bad Request"}', "9499 Bad Request"],
    ['{"code":200621,"msg":"parse card json err"}', "200621 parse card json err"],
  ])("%s is final", (body, words) => {
    expect(outcomeOfFeishu(answerOf(200, body), NOW)).toMatchObject({
      kind: "permanent",
      reason: "status",
      detail: expect.stringContaining(words) as string,
    });
  });

  it.each([
    [200, '{"code":1,"msg":"internal error"}'],
    [500, '{"code":1,"msg":"oops"}'],
    [200, "<html></html>"],
    [200, "{}"],
    [503, ""],
  ])("%i %s is tried again", (status, body) => {
    expect(outcomeOfFeishu(answerOf(status, body), NOW)).toMatchObject({ kind: "retryable", reason: "status" });
  });

  it("404 without a code is final as for any target", () => {
    expect(outcomeOfFeishu(answerOf(404, "404 page not found"), NOW)).toMatchObject({
      kind: "permanent",
      reason: "status",
    });
  });
});
