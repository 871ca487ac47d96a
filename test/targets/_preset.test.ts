/** What all kinds of targets have that speak to one vendor. */
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/core/result.ts";
import type { Target } from "../../src/core/target.ts";
import dingtalk from "../../src/targets/dingtalk.ts";
import discord from "../../src/targets/discord.ts";
import feishu from "../../src/targets/feishu.ts";
import githubDispatch from "../../src/targets/github-dispatch.ts";
import slack from "../../src/targets/slack.ts";
import teams from "../../src/targets/teams.ts";
import telegram from "../../src/targets/telegram.ts";
import { configOf, sendBy } from "../support/preset-sending.ts";
import { LOCAL, eventWith, shipmentOf } from "../support/target-io.ts";
import { VENDORS } from "../support/vendors.ts";

const ALL = [slack, discord, teams, dingtalk, feishu, telegram, githubDispatch] as readonly Target<unknown>[];
const CHATS = ALL.filter(({ kind }) => kind !== "github-dispatch");
const WEBHOOKS = CHATS.filter(({ kind }) => kind !== "telegram");

const secretOf = (target: Target<unknown>): string => Object.values(VENDORS[target.kind]?.secrets ?? {})[0] ?? "";
const nameOf = (target: Target<unknown>): string => Object.keys(VENDORS[target.kind]?.secrets ?? {})[0] ?? "";

/** Parts of the made-up secrets that must appear nowhere. */
const TELLING = /(?:path|query)-token-000|telegram-token-000|github-token-000/;

describe.each(ALL)("the target $kind", (target) => {
  it("sends one POST of JSON that names the delivery", async () => {
    const { outcome, headers, url } = await sendBy(target);
    expect(outcome).toMatchObject({ kind: "delivered" });
    expect(url).toMatch(/^https:/);
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(headers.get("webhook-id")).toBe("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W");
  });

  it("keeps an answer that repeats the secret, its URL or parts of it out of the record", async () => {
    const { url } = await sendBy(target);
    for (const status of [200, 400, 500]) {
      const parts = [secretOf(target), url ?? "", new URL(url ?? "").pathname, new URL(url ?? "").search];
      const body = JSON.stringify({ ok: false, description: parts.join(" "), parts });
      const { outcome } = await sendBy(target, { answer: { status, body } });
      expect(JSON.stringify(outcome)).not.toMatch(TELLING);
      expect(JSON.stringify(outcome)).toContain("[redacted]");
    }
  });

  it("tells of a network failure without the URL", async () => {
    const fetch = (url: string) => Promise.reject(new TypeError(`fetch failed for ${url} ${secretOf(target)}`));
    const { outcome } = await sendBy(target, { io: { fetch } });
    expect(outcome).toMatchObject({ kind: "retryable", reason: "network" });
    expect(JSON.stringify(outcome)).not.toMatch(TELLING);
  });

  it("is previewed as it is sent, with the secret's name in place of its value", async () => {
    const sent = await sendBy(target);
    const preview = target.preview(
      shipmentOf(eventWith('{"html_url":"https://github.com/octocat/hello/pull/1"}')),
      configOf(target),
      { local: undefined },
    );
    expect(new TextDecoder().decode(preview.body ?? undefined)).toBe(sent.text);
    expect(Object.keys(preview.headers).toSorted()).toEqual([...sent.headers.keys()]);
    expect(`${preview.url} ${JSON.stringify(preview.headers)}`).toContain(`<secret ${nameOf(target)}>`);
    expect(JSON.stringify(preview)).not.toMatch(TELLING);
  });

  it("goes where local says under npm start, and asks for no URL then", async () => {
    for (const [local, url] of [
      ["print", LOCAL.printUrl],
      ["http://localhost:3000/x", "http://localhost:3000/x"],
    ] as const) {
      const sent = await sendBy(target, { entry: { local }, io: { local: LOCAL }, answer: { body: "" } });
      expect(sent.outcome).toMatchObject({ kind: "delivered" });
      expect(sent.url?.startsWith(url)).toBe(true);
      const preview = target.preview(shipmentOf(eventWith("{}")), configOf(target, { local }), { local: LOCAL });
      expect(preview.url?.startsWith(url)).toBe(true);
    }
    const deployed = await sendBy(target, { entry: { local: "print" } });
    expect(deployed.url?.startsWith("https:")).toBe(true);
  });

  it("is final without its secret, and names it", async () => {
    const { outcome, url } = await sendBy(target, { secrets: { [nameOf(target)]: "" } });
    expect(url).toBeUndefined();
    expect(outcome).toMatchObject({
      kind: "permanent",
      reason: "configuration",
      detail: `the secret ${nameOf(target)} is not set`,
    });
  });

  it("takes a secret with the line break that a shell has put behind it", async () => {
    const plain = await sendBy(target);
    const { outcome, url } = await sendBy(target, { secrets: { [nameOf(target)]: `${secretOf(target)}\n` } });
    expect(outcome).toMatchObject({ kind: "delivered" });
    expect(url).toBe(plain.url);
  });

  it.each<[string, Json]>([
    ["null", null],
    ["a list", [1]],
    ["an empty text", " \n"],
  ])("does not send %s that a transform made", async (found, made) => {
    const { outcome, url } = await sendBy(target, { made });
    expect(url).toBeUndefined();
    expect(outcome).toMatchObject({ kind: "permanent", reason: "transform-failed" });
    expect(outcome).toMatchObject({ detail: expect.stringContaining(`the transform made ${found};`) as string });
  });

  it("names what its entry lacks", () => {
    const entry = VENDORS[target.kind]?.entry ?? {};
    for (const name of Object.keys(entry)) {
      const { [name]: _left, ...rest } = entry;
      const parsed = target.parse(rest);
      expect(parsed.ok ? [] : parsed.error.map(({ message }) => message)).toEqual([
        expect.stringMatching(new RegExp(`^expected the key ${name}: .+`)),
      ]);
    }
  });
});

describe.each(CHATS)("the chat $kind", (target) => {
  it("gets the event in words where no transform says otherwise", async () => {
    const event = eventWith(
      '{"action":"opened","pull_request":{"html_url":"https://github.com/octocat/hello/pull/1"}}',
      {
        subject: "pull/1",
      },
    );
    // An invisible joiner may part what would be a command.
    const text = (await sendBy(target, { event })).text.replaceAll("\u2060", "");
    expect(text).toMatch(/com\.github\.push\\*: pull\/1/);
    expect(text).toContain("from ");
    expect(text).toContain("https://github.com/octocat/hello/pull/1");
  });

  it("gets the same of a large event, whose data stands elsewhere", async () => {
    const event = { ...eventWith("{}"), body: null };
    const { outcome, text } = await sendBy(target, { event, shipment: { large: { key: "k", bytes: 9_000_000 } } });
    expect(outcome).toMatchObject({ kind: "delivered" });
    expect(text).toContain("com.github.push");
  });

  it("gets a text of a transform's, a number as it was written, and the data of an event that a transform made", async () => {
    expect((await sendBy(target, { made: "Build failed" })).text).toContain('"Build failed"');
    const number = { attributes: eventWith("{}").attributes, body: new TextEncoder().encode("12345678901234567890") };
    const asNumber = await sendBy(target, { event: number, shipment: { transformed: true } });
    expect(asNumber.text).toContain('"12345678901234567890"');
    const plain = eventWith("made by an event", { datacontenttype: "text/plain" });
    expect((await sendBy(target, { event: plain, shipment: { transformed: true } })).text).toContain(
      "made by an event",
    );
  });

  it("takes any event, whatever its attributes hold, and cuts what is long", async () => {
    const wild = "😀".repeat(40_000) + "\u202e\u0000<!channel> @everyone";
    const event = eventWith('{"html_url":"javascript:alert(1)"}', { subject: wild, type: wild });
    const { outcome, text } = await sendBy(target, { event });
    expect(outcome).toMatchObject({ kind: "delivered" });
    expect(text.length).toBeLessThan(3_000);
    expect(text).not.toMatch(/javascript|\\u202e|\\u0000/);
    expect(text).not.toContain("\u202e");
  });
});

describe.each(WEBHOOKS)("the secret of $kind", (target) => {
  it.each([
    ["no URL", "hunter22-is-no-url"],
    ["plain http", (url: URL) => url.href.replace("https:", "http:")],
    ["another host", (url: URL) => `https://${url.hostname}.example.com${url.pathname}`],
    [
      "a host that only ends alike",
      (url: URL) => `https://evil-${url.hostname.split(".").slice(-2).join(".")}/hunter22`,
    ],
    ["a user name", (url: URL) => `https://hunter22@${url.hostname}${url.pathname}`],
    ["another port", (url: URL) => `https://${url.hostname}:8443${url.pathname}`],
    ["a fragment", (url: URL) => `${url.href}#hunter22`],
    ["a space within", (url: URL) => `${url.href} hunter22`],
  ])("may not hold %s, and is not shown then", async (_what, make) => {
    const value = typeof make === "string" ? make : make(new URL(secretOf(target)));
    const { outcome, url } = await sendBy(target, { secrets: { [nameOf(target)]: value } });
    expect(url).toBeUndefined();
    expect(outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
    expect(JSON.stringify(outcome)).toMatch(new RegExp(`the secret ${nameOf(target)} (?:does not hold|holds a URL)`));
    expect(JSON.stringify(outcome)).not.toMatch(TELLING);
    expect(JSON.stringify(outcome)).not.toContain("hunter22");
    expect(JSON.stringify(outcome)).toContain("https://");
  });

  it("leads to local: print where npm start has made it up", async () => {
    const { outcome } = await sendBy(target, { secrets: { [nameOf(target)]: "made-up" }, io: { local: LOCAL } });
    expect(JSON.stringify(outcome)).toContain("with local: print in its entry");
  });
});

describe("an object that a transform made", () => {
  it.each<[Target<unknown>, string, JsonObject]>([
    [slack as Target<unknown>, '{"text":"x","n":12345678901234567890}', { channel: "#builds" }],
    [discord as Target<unknown>, '{"content":"x","n":12345678901234567890}', { mentions: true }],
    [telegram as Target<unknown>, '{"text":"x","chat_id":12345678901234567890}', {}],
    [dingtalk as Target<unknown>, '{"msgtype":"text","text":{"content":12345678901234567890}}', {}],
    [feishu as Target<unknown>, '{"msg_type":"text","content":{"n":12345678901234567890}}', {}],
    [teams as Target<unknown>, '{"type":"AdaptiveCard","n":12345678901234567890}', {}],
    [githubDispatch as Target<unknown>, '{"n":12345678901234567890}', {}],
  ])("goes to $kind as it was written", async (target, json, entry) => {
    const event = { ...eventWith(json) };
    const { text, outcome } = await sendBy(target, { event, entry, shipment: { transformed: true } });
    expect(outcome).toMatchObject({ kind: "delivered" });
    expect(text).toContain("12345678901234567890");
    expect(text).toContain(json.slice(1, -1));
  });
});
