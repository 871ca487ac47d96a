import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/core/result.ts";
import discord, { DISCORD_CONTENT_CHARS_MAX, DISCORD_EMBEDS_MAX, outcomeOfDiscord } from "../../src/targets/discord.ts";
import { eventWith } from "../support/target-io.ts";
import { answerOf, sendBy } from "../support/preset-sending.ts";

const NOW = 1_700_000_000_000;

describe("a message to Discord", () => {
  it("waits until it is saved, goes into the entry's thread, silently, and calls nobody", async () => {
    const entry = { thread: "1100000000000000000", username: "Builds", silent: true };
    const { url, body } = await sendBy(discord, { made: "**done** @everyone", entry });
    expect(url).toMatch(/-0002\?wait=true&thread_id=1100000000000000000$/);
    expect(body).toEqual({
      username: "Builds",
      flags: 4_096,
      allowed_mentions: { parse: [] },
      content: "**done** @everyone",
    });
  });

  it("may call people where the entry or the payload says so", async () => {
    expect((await sendBy(discord, { made: "x", entry: { mentions: true } })).body).toEqual({ content: "x" });
    const made = { content: "x", allowed_mentions: { users: ["1"] } };
    expect((await sendBy(discord, { made })).body).toEqual(made);
    expect((await sendBy(discord, { made: { content: "x" } })).body).toMatchObject({ allowed_mentions: { parse: [] } });
  });

  it("made of an event has its markup escaped and its links without previews", async () => {
    const event = eventWith('{"html_url":"https://x.example/a_b"}', {
      subject: "**x** @everyone [a](b)",
      source: "/s",
    });
    expect((await sendBy(discord, { event })).body["content"]).toBe(
      "com.github.push: \\*\\*x\\*\\* \\@everyone \\[a\\]\\(b\\)\nfrom /s\n<https://x.example/a_b>",
    );
  });

  it("is cut at DISCORD_CONTENT_CHARS_MAX characters, not within one", async () => {
    const text = "x".repeat(DISCORD_CONTENT_CHARS_MAX);
    expect((await sendBy(discord, { made: text })).body["content"]).toBe(text);
    const { body } = await sendBy(discord, { made: `${text.slice(2)}😀y` });
    expect(body["content"]).toBe(`${text.slice(2)}…`);
  });

  it.each<[string, Json, string]>([
    ["nothing to show", { username: "x" }, "transform-failed"],
    ["too much content", { content: "x".repeat(DISCORD_CONTENT_CHARS_MAX + 1) }, "too-large"],
    ["too many embeds", { embeds: Array.from({ length: DISCORD_EMBEDS_MAX + 1 }, () => ({})) }, "too-large"],
  ])("is not sent with %s", async (_what, made, reason) => {
    const { outcome, url } = await sendBy(discord, { made });
    expect(url).toBeUndefined();
    expect(outcome).toMatchObject({ kind: "permanent", reason });
  });

  it("may be Discord's own payload with as many embeds as there may be", async () => {
    const embeds = Array.from({ length: DISCORD_EMBEDS_MAX }, () => ({ title: "x" }));
    expect((await sendBy(discord, { made: { embeds } })).body).toMatchObject({ embeds });
  });

  it.each<JsonObject>([{ thread: 1_100_000_000_000 }, { thread: "x" }, { username: "x".repeat(81) }, { silent: 1 }])(
    "is not configured by %j",
    (entry) => {
      const [name = ""] = Object.keys(entry);
      expect(discord.parse({ discord: "S", ...entry })).toMatchObject({ ok: false, error: [{ path: [name] }] });
    },
  );
});

/** https://docs.discord.com/developers/topics/rate-limits#exceeding-a-rate-limit and …/topics/opcodes-and-status-codes#json */
describe("an answer of Discord's", () => {
  it.each([
    [200, '{"id":"1","content":"x"}'],
    [204, ""],
  ])("%i is a delivery", (status, body) => {
    expect(outcomeOfDiscord(answerOf(status, body), NOW)).toMatchObject({ kind: "delivered", answer: { status } });
  });

  it.each<[string, Record<string, string>, number]>([
    ['{"message":"You are being rate limited.","retry_after":64.57,"global":false}', {}, 64_570],
    ['{"message":"You are being rate limited.","retry_after":0.3,"global":true}', { "retry-after": "1" }, 1_000],
    ['{"message":"You are being rate limited.","retry_after":1.2}', { "x-ratelimit-reset-after": "2.5" }, 2_500],
    ["<html>Cloudflare: error 1015</html>", { "retry-after": "1800" }, 1_800_000],
    ["", {}, 60_000],
  ])("429 %s with %j says when", (body, headers, retryAfterMs) => {
    expect(outcomeOfDiscord(answerOf(429, body, headers), NOW)).toMatchObject({
      kind: "retryable",
      reason: "status",
      retryAfterMs,
      answer: { status: 429 },
    });
  });

  it.each([
    [404, '{"message":"Unknown Webhook","code":10015}', "10015 Unknown Webhook (the webhook was deleted"],
    [401, '{"message":"Invalid Webhook Token","code":50027}', "50027 Invalid Webhook Token ("],
    [400, '{"message":"Cannot send an empty message","code":50006}', "50006 Cannot send an empty message ("],
    [400, '{"message":"Invalid Form Body","code":50035,"errors":{}}', "50035 Invalid Form Body ("],
    [403, '{"message":"Missing Permissions","code":50013}', "50013 Missing Permissions"],
    [404, "nothing here", "404"],
  ])("%i %s is final", (status, body, words) => {
    const outcome = outcomeOfDiscord(answerOf(status, body), NOW);
    expect(outcome).toMatchObject({
      kind: "permanent",
      reason: "status",
      detail: expect.stringContaining(words) as string,
    });
  });

  it.each([500, 502, 503])("%i is tried again", (status) => {
    expect(outcomeOfDiscord(answerOf(status, "{}"), NOW)).toMatchObject({ kind: "retryable" });
  });
});
