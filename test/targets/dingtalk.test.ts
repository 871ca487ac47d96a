import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/result.ts";
import dingtalk, {
  DINGTALK_MESSAGE_BYTES_MAX,
  DINGTALK_RATE_WAIT_MS,
  outcomeOfDingtalk,
} from "../../src/targets/dingtalk.ts";
import { eventWith, shipmentOf } from "../support/target-io.ts";
import { answerOf, configOf, sendBy } from "../support/preset-sending.ts";

const NOW = 1_700_000_000_000;
const SIGNED = { entry: { sign: "DINGTALK_SECRET" }, secrets: { DINGTALK_SECRET: "SECthis is a robot's own secret" } };

describe("a message to DingTalk", () => {
  it("is a text", async () => {
    expect((await sendBy(dingtalk, { made: "done" })).body).toEqual({ msgtype: "text", text: { content: "done" } });
    const event = eventWith('{"html_url":"https://x.example/1"}', { subject: "*x*", source: "/s" });
    expect((await sendBy(dingtalk, { event })).body).toEqual({
      msgtype: "text",
      text: { content: "com.github.push: *x*\nfrom /s\nhttps://x.example/1" },
    });
  });

  it("is signed in the query, as the vendor's example in Python does it", async () => {
    const { url, outcome } = await sendBy(dingtalk, { ...SIGNED, made: "done" });
    expect(outcome).toMatchObject({ kind: "delivered" });
    const query = new URL(url ?? "").searchParams;
    // hmac.new(secret, f"{timestamp}\n{secret}", sha256), then Base64, then URL-encoded.
    const secret = SIGNED.secrets.DINGTALK_SECRET;
    const sign = createHmac("sha256", secret).update(`${NOW}\n${secret}`).digest("base64");
    expect([...query]).toEqual([
      ["access_token", "dingtalk-query-token-0004"],
      ["timestamp", String(NOW)],
      ["sign", sign],
    ]);
    expect(url).toContain(`&sign=${encodeURIComponent(sign)}`);
    const echo = await sendBy(dingtalk, {
      ...SIGNED,
      answer: { status: 400, body: `echo ${sign} ${secret} ${encodeURIComponent(sign)}` },
    });
    expect(JSON.stringify(echo.outcome)).toContain("echo [redacted] [redacted] [redacted]");
  });

  it("is previewed with names in place of time and signature", () => {
    const { url } = dingtalk.preview(shipmentOf(eventWith("{}")), configOf(dingtalk, SIGNED.entry), {
      local: undefined,
    });
    expect(url).toBe("<secret DINGTALK_WEBHOOK_URL>?timestamp=<time of sending>&sign=<signed with DINGTALK_SECRET>");
  });

  it("may be DingTalk's own payload", async () => {
    const made = { msgtype: "markdown", markdown: { title: "t", text: "# x" }, at: { isAtAll: true } };
    expect((await sendBy(dingtalk, { made })).body).toEqual(made);
  });

  it("has at most DINGTALK_MESSAGE_BYTES_MAX bytes: a text is cut, a payload refused", async () => {
    const long = await sendBy(dingtalk, { made: "漢\n".repeat(DINGTALK_MESSAGE_BYTES_MAX) });
    expect(Buffer.byteLength(long.text)).toBeLessThanOrEqual(DINGTALK_MESSAGE_BYTES_MAX);
    const made = (chars: number) => ({ msgtype: "text", text: { content: "x".repeat(chars) } });
    const room = DINGTALK_MESSAGE_BYTES_MAX - JSON.stringify(made(0)).length;
    expect((await sendBy(dingtalk, { made: made(room) })).outcome).toMatchObject({ kind: "delivered" });
    expect((await sendBy(dingtalk, { made: made(room + 1) })).outcome).toMatchObject({
      kind: "permanent",
      reason: "too-large",
    });
  });

  it.each<Json>([
    { text: { content: "x" } },
    { msgtype: "text" },
    { msgtype: "voice", voice: {} },
    { msgtype: "__proto__" },
  ])("is not sent as %j", async (made) => {
    const { outcome, url } = await sendBy(dingtalk, { made });
    expect(url).toBeUndefined();
    expect(outcome).toMatchObject({ kind: "permanent", reason: "transform-failed" });
  });
});

/** Codes as https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages lists them; all come with status 200. */
describe("an answer of DingTalk's", () => {
  it("with errcode 0 is a delivery", () => {
    expect(outcomeOfDingtalk(answerOf(200, '{"errcode":0,"errmsg":"ok"}'), NOW)).toMatchObject({ kind: "delivered" });
  });

  it.each([
    '{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}',
    '{"errcode":410100,"errmsg":"发送速度太快而限流"}',
    '{"errcode":90030,"errmsg":"webhook over limit"}',
  ])("%s is a refusal for rate", (body) => {
    expect(outcomeOfDingtalk(answerOf(200, body), NOW)).toMatchObject({
      kind: "retryable",
      reason: "status",
      retryAfterMs: DINGTALK_RATE_WAIT_MS,
    });
  });

  it.each([
    [200, '{"errcode":-1,"errmsg":"系统繁忙"}'],
    [200, "<html></html>"],
    [200, ""],
    [502, ""],
  ])("%i %s is tried again", (status, body) => {
    expect(outcomeOfDingtalk(answerOf(status, body), NOW)).toMatchObject({ kind: "retryable", reason: "status" });
  });

  it.each([
    ['{"errcode":310000,"errmsg":"sign not match"}', "310000 sign not match ("],
    ['{"errcode":310000,"errmsg":"keywords not in content"}', "310000 keywords not in content ("],
    ['{"errcode":300005,"errmsg":"token is not exist"}', "300005 token is not exist ("],
    ['{"errcode":400013,"errmsg":"群已被解散"}', "400013 群已被解散 (the group was dissolved)"],
    ['{"errcode":400102,"errmsg":"机器人已停用"}', "400102"],
    ['{"errcode":430102,"errmsg":"含有不合适的文本"}', "430102"],
    ['{"errcode":40035,"errmsg":"缺少参数 json"}', "40035 缺少参数 json"],
  ])("%s is final", (body, words) => {
    expect(outcomeOfDingtalk(answerOf(200, body), NOW)).toMatchObject({
      kind: "permanent",
      reason: "status",
      detail: expect.stringContaining(words) as string,
    });
  });

  it("404 without a code is final as for any target", () => {
    expect(outcomeOfDingtalk(answerOf(404, ""), NOW)).toMatchObject({ kind: "permanent", reason: "status" });
  });
});
