import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/core/result.ts";
import slack, { SLACK_BLOCKS_MAX, SLACK_TEXT_CHARS_MAX, outcomeOfSlack } from "../../src/targets/slack.ts";
import { eventWith } from "../support/target-io.ts";
import { answerOf, sendBy } from "../support/preset-sending.ts";

const NOW = 1_700_000_000_000;

describe("a message to Slack", () => {
  it("is a text, and has the channel, name, icon and thread of its entry", async () => {
    const entry = { channel: "#builds", username: "Sluice", icon: ":ship:", thread: "1700000000.123456" };
    expect((await sendBy(slack, { made: "*done* <https://ci.example.com|log>", entry })).body).toEqual({
      channel: "#builds",
      username: "Sluice",
      icon_emoji: ":ship:",
      thread_ts: "1700000000.123456",
      text: "*done* <https://ci.example.com|log>",
    });
  });

  it("calls nobody, unless its entry lets it", async () => {
    const made = "<!channel> <!here|here> <@U024BE7LH> <!subteam^S1> <#C1> <https://x.example>";
    const calm = "&lt;!channel> &lt;!here|here> &lt;@U024BE7LH> &lt;!subteam^S1> <#C1> <https://x.example>";
    expect((await sendBy(slack, { made })).body["text"]).toBe(calm);
    expect((await sendBy(slack, { made, entry: { mentions: true } })).body["text"]).toBe(made);
  });

  it("made of an event is shown as it is: no markup, no mention", async () => {
    const event = eventWith("{}", { type: "a&b", subject: "<!channel> *x*", source: "/shop" });
    expect((await sendBy(slack, { event })).body).toEqual({
      text: "a&amp;b: &lt;!channel&gt; *x*\nfrom /shop",
      mrkdwn: false,
    });
  });

  it("is cut at SLACK_TEXT_CHARS_MAX characters", async () => {
    const text = "x".repeat(SLACK_TEXT_CHARS_MAX);
    expect((await sendBy(slack, { made: text })).body["text"]).toBe(text);
    expect((await sendBy(slack, { made: `${text}y` })).body["text"]).toBe(`${text.slice(1)}…`);
  });

  it("may be Slack's own payload, which keeps what it says of the channel", async () => {
    const made = { blocks: [{ type: "divider" }], channel: "#mine" };
    const { body } = await sendBy(slack, { made, entry: { channel: "#builds", username: "Sluice" } });
    expect(body).toEqual({ ...made, username: "Sluice" });
    const blocks = Array.from({ length: SLACK_BLOCKS_MAX }, () => ({ type: "divider" }));
    expect((await sendBy(slack, { made: { blocks } })).outcome.kind).toBe("delivered");
  });

  it.each<[string, Json, string]>([
    ["nothing to show", { username: "x" }, "transform-failed"],
    ["an empty text", { text: "" }, "transform-failed"],
    ["too much text", { text: "x".repeat(SLACK_TEXT_CHARS_MAX + 1) }, "too-large"],
    ["too many blocks", { blocks: Array.from({ length: SLACK_BLOCKS_MAX + 1 }, () => ({})) }, "too-large"],
  ])("is not sent with %s", async (_what, made, reason) => {
    const { outcome, url } = await sendBy(slack, { made });
    expect(url).toBeUndefined();
    expect(outcome).toMatchObject({ kind: "permanent", reason });
  });

  it.each<JsonObject>([{ channel: "a\nb" }, { username: "" }, { mentions: "yes" }, { thread: 1_700_000_000.5 }])(
    "is not configured by %j",
    (entry) => {
      const [name = ""] = Object.keys(entry);
      expect(slack.parse({ slack: "S", ...entry })).toMatchObject({ ok: false, error: [{ path: [name] }] });
    },
  );
});

/** Status and text as https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks has them. */
describe("an answer of Slack's", () => {
  it.each([
    [200, "ok"],
    [200, '{"ok":true}'],
  ])("%i %s is a delivery", (status, body) => {
    expect(outcomeOfSlack(answerOf(status, body), NOW)).toEqual({ kind: "delivered", answer: { status, body } });
  });

  it.each([
    [400, "invalid_payload", "status"],
    [400, "user_not_found", "status"],
    [400, "no_text", "status"],
    [403, "action_prohibited", "status"],
    [403, "invalid_token", "status"],
    [404, "channel_not_found", "status"],
    [404, "no_service", "status"],
    [410, "channel_is_archived", "target-gone"],
    [200, "invalid_payload", "status"],
    [200, '{"ok":false,"error":"invalid_auth"}', "status"],
  ])("%i %s is final", (status, body, reason) => {
    const outcome = outcomeOfSlack(answerOf(status, body), NOW);
    expect(outcome).toMatchObject({ kind: "permanent", reason, answer: { status, body } });
    expect(outcome).toMatchObject({ detail: expect.stringMatching(/invalid_auth|\(.+\)/) as string });
  });

  it.each([
    [500, "rollup_error"],
    [503, ""],
    [200, "<html>maintenance</html>"],
    [200, ""],
  ])("%i %s is tried again", (status, body) => {
    expect(outcomeOfSlack(answerOf(status, body), NOW)).toMatchObject({ kind: "retryable", reason: "status" });
  });

  it.each<[number, string, Record<string, string>, number]>([
    [429, "rate_limited", { "retry-after": "30" }, 30_000],
    [429, "", {}, 60_000],
    [200, "rate_limited", { "retry-after": "7" }, 7_000],
    [200, '{"ok":false,"error":"ratelimited"}', {}, 60_000],
  ])("%i %s with %j says when", (status, body, headers, retryAfterMs) => {
    expect(outcomeOfSlack(answerOf(status, body, headers), NOW)).toMatchObject({
      kind: "retryable",
      reason: "status",
      retryAfterMs,
    });
  });
});
