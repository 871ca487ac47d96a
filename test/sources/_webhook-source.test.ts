import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import type { SourceRequest } from "../../src/core/source.ts";
import { ATTRIBUTE_CHARACTERS_MAX } from "../../src/sources/_webhook-event.ts";
import type { MappedEvent, Webhook } from "../../src/sources/_webhook-event.ts";
import type { WebhookDescription } from "../../src/sources/_webhook-source.ts";
import { webhookSource } from "../../src/sources/_webhook-source.ts";
import { SSL_CHECK_BYTES_MAX } from "../../src/sources/slack.ts";
import slack from "../../src/sources/slack.ts";
import { NOW, contextWith, requestOf } from "./_context.ts";

const PLAIN: WebhookDescription = {
  kind: "made-up",
  vendor: "Made Up",
  signature: { algorithm: "hmac-sha256", encoding: "hex", signature: { header: "X-Signature" }, content: "{body}" },
  type: "com.example",
  source: "https://example.com",
  map: ({ text, header }) => ({ type: text("type"), id: header("x-id") }),
  rawHeaders: ["x-id"],
};

const signed = (body: string, key = "key") => ({
  "content-type": "application/json",
  "x-signature": createHmac("sha256", key).update(body).digest("hex"),
});

function receive(description: WebhookDescription, request: SourceRequest, entry: JsonObject = { secrets: ["S"] }) {
  const source = webhookSource(description);
  const parsed = source.parse(entry);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return source.receive(request, parsed.value, "made-up", contextWith({ S: "key", T: "other" }));
}

function event(
  map: (webhook: Webhook) => MappedEvent,
  body = "{}",
  headers: Readonly<Record<string, string>> = {},
  more: Partial<WebhookDescription> = {},
  entry?: JsonObject,
) {
  const result = receive({ ...PLAIN, ...more, map }, requestOf({ ...signed(body), ...headers }, body), entry);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const [received] = result.value.events;
  if (received === undefined) throw new Error("no event");
  return received;
}

const NOTHING = { type: undefined, id: undefined };

describe("a webhook", () => {
  it("is authenticated before its content type or its body is looked at", () => {
    for (const contentType of ["application/json", "text/csv", "application/x-www-form-urlencoded"]) {
      const headers = { ...signed("{", "wrong"), "content-type": contentType };
      expect(receive(PLAIN, requestOf(headers, "{"))).toMatchObject({ error: { reason: "wrong-signature" } });
    }
    expect(receive(PLAIN, requestOf(signed("{"), "{"))).toMatchObject({ error: { reason: "invalid-json" } });
  });

  it.each(["application/json; charset=utf-8", "application/vnd.api+json", "text/plain", "text/json", ""])(
    "may say of its JSON that it is %j",
    (contentType) => {
      const headers = { ...signed("{}"), "content-type": contentType };
      expect(receive(PLAIN, requestOf(headers, "{}"))).toMatchObject({ ok: true });
    },
  );

  it.each(["application/x-www-form-urlencoded", "text/xml", "multipart/form-data"])("may not be %s", (contentType) => {
    expect(receive(PLAIN, requestOf({ ...signed("{}"), "content-type": contentType }, "{}"))).toMatchObject({
      error: { reason: "unsupported-content-type", expected: ["application/json"] },
    });
  });

  it("may be a form where the vendor sends both", () => {
    const description: WebhookDescription = { ...PLAIN, payloads: ["json", "form-payload"] };
    const body = "payload=%7B%22type%22%3A%22a%22%7D";
    const headers = { ...signed(body), "content-type": "application/x-www-form-urlencoded" };
    expect(receive(description, requestOf(headers, body))).toMatchObject({
      value: { events: [{ event: { attributes: { type: "com.example.a" } } }], batch: false },
    });
    // What is no form is not taken for one.
    const json = { ...signed(body), "content-type": "application/vnd.x+json" };
    expect(receive(description, requestOf(json, body))).toMatchObject({ error: { reason: "invalid-json" } });
  });

  it("of an open source is believed, and verified by nothing", () => {
    const result = receive(PLAIN, requestOf({ "content-type": "application/json" }, "{}"), { auth: "none" });
    expect(result.ok && "verifiedBy" in result.value).toBe(false);
  });

  it("is verified by the address that the entry has", () => {
    const description: WebhookDescription = { ...PLAIN, signature: { ...PLAIN.signature, content: "{url}{body}" } };
    const headers = { ...signed("https://a.example/x{}"), "content-type": "application/json" };
    expect(receive(description, requestOf(headers, "{}"))).toMatchObject({ error: { reason: "wrong-signature" } });
    const entry = { secrets: ["S"], url: "https://a.example/x" };
    expect(receive(description, requestOf(headers, "{}"), entry)).toMatchObject({ ok: true });
  });

  it("is answered as the vendor wants it: greeted unseen, challenged when genuine, or with a status", () => {
    const description: WebhookDescription = {
      ...PLAIN,
      greet: ({ headers }) => (headers.has("x-hello") ? { status: 204 } : undefined),
      challenge: ({ json }, _config, _context, verifiedBy) =>
        JSON.stringify(json) === '{"ask":1}' ? { status: 200, body: verifiedBy.join() } : undefined,
      answer: { status: 299 },
    };
    const none = { events: [], batch: false };
    expect(receive(description, requestOf({ "x-hello": "1" }, "?"))).toEqual({
      ok: true,
      value: { ...none, answer: { status: 204 } },
    });
    const ask = '{"ask":1}';
    expect(receive(description, requestOf(signed(ask, "other"), ask), { secrets: ["S", "T"] })).toEqual({
      ok: true,
      value: { ...none, verifiedBy: ["T"], answer: { status: 200, body: "T" } },
    });
    expect(receive(description, requestOf(signed(ask, "wrong"), ask))).toMatchObject({
      error: { reason: "wrong-signature" },
    });
    expect(receive(description, requestOf(signed("{}"), "{}"))).toMatchObject({ value: { answer: { status: 299 } } });
  });

  it("is verified by one of two schemes, never by the other because the first failed", () => {
    const token = { algorithm: "token", encoding: "text", signature: { header: "X-Token" }, content: "" } as const;
    const description: WebhookDescription = {
      ...PLAIN,
      signature: token,
      otherSignature: {
        scheme: PLAIN.signature,
        isUsed: ({ headers }, secrets) => headers.has("x-signature") && secrets.includes("key"),
      },
    };
    const json = { "content-type": "application/json" };
    const reasonOf = (headers: Readonly<Record<string, string>>, entry?: JsonObject) => {
      const result = receive(description, requestOf({ ...json, ...headers }, "{}"), entry);
      return result.ok ? "right" : result.error.reason;
    };
    expect(reasonOf({ "x-token": "key" })).toBe("right");
    expect(reasonOf(signed("{}"))).toBe("right");
    expect(reasonOf({ ...signed("{}", "wrong"), "x-token": "key" })).toBe("wrong-signature");
    expect(reasonOf({ ...signed("{}", "other") }, { secrets: ["T"] })).toBe("missing-signature");
  });
});

describe("the event of a webhook", () => {
  it("has what the vendor's mapping says, or what stands for it", () => {
    expect(event(() => NOTHING).event.attributes).toEqual({
      specversion: "1.0",
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      source: "https://example.com",
      type: "com.example.webhook",
      time: NOW,
      datacontenttype: "application/json",
    });
    const all = { type: "a.b", id: "1", source: "https://example.com/x", subject: "s", time: { s: "1700000000" } };
    expect(event(() => all).event.attributes).toMatchObject({
      id: "1",
      source: "https://example.com/x",
      type: "com.example.a.b",
      subject: "s",
      time: "2023-11-14T22:13:20.000Z",
    });
  });

  it.each([
    ["orders/create", "com.example.orders.create"],
    [" Merge Request Hook ", "com.example.Merge.Request.Hook"],
    ["repo:push", "com.example.repo.push"],
    ["a_b-c.D", "com.example.a_b-c.D"],
    ["...", "com.example.webhook"],
    ["é", "com.example.webhook"],
    ["a\u0000\nb", "com.example.a.b"],
  ])("writes the name %j as %s", (type, wanted) => {
    expect(event(() => ({ ...NOTHING, type })).event.attributes.type).toBe(wanted);
  });

  it("has the mapping's whole type where the vendor has no prefix", () => {
    const received = event(() => ({ ...NOTHING, type: "com.shop.order" }), "{}", {}, { type: "" });
    expect(received.event.attributes.type).toBe("com.shop.order");
  });

  it.each([
    [{ s: "1700000000.75" }, "2023-11-14T22:13:20.750Z"],
    [{ ms: "1700000000123" }, "2023-11-14T22:13:20.123Z"],
    [{ text: "2023-11-14T22:13:20+01:00" }, "2023-11-14T22:13:20+01:00"],
    [{ text: "yesterday" }, NOW],
    [{ s: "-1" }, NOW],
    [{ s: "99999999999999999999" }, NOW],
    [{ ms: "1e3" }, NOW],
    [{ s: undefined }, NOW],
  ])("has the time of %j", (time, wanted) => {
    expect(event(() => ({ ...NOTHING, time })).event.attributes.time).toBe(wanted);
  });

  it("leaves out what can be no attribute", () => {
    const longest = "x".repeat(ATTRIBUTE_CHARACTERS_MAX);
    expect(event(() => ({ ...NOTHING, subject: longest })).event.attributes.subject).toBe(longest);
    for (const subject of [`${longest}x`, "", "a\u0000b", "\ud800"]) {
      expect(event(() => ({ ...NOTHING, subject })).event.attributes.subject).toBeUndefined();
    }
    expect(event(() => ({ ...NOTHING, id: `${longest}x` })).event.attributes.id).toMatch(/^[0-9a-f]{32}$/);
    expect(event(() => ({ ...NOTHING, source: "https://a b" })).event.attributes.source).toBe("https://example.com");
  });

  it("is kept with others of its key, or of its source", () => {
    const keyOf = (key: string, body: string) => event(() => NOTHING, body, {}, {}, { secrets: ["S"], key }).key;
    expect(keyOf("$.a", '{"a":"x"}')).toBe("key:x");
    expect(keyOf("$.a", '{"a":7}')).toBe("key:7");
    expect(keyOf("$.a", '{"a":{}}')).toBe("made-up");
    expect(event(() => NOTHING).key).toBe("made-up");
  });

  it("hands on the headers that the vendor's description names, and no signature", () => {
    expect(event(() => NOTHING, "{}", { "x-id": "1", "x-other": "2" }).rawHeaders).toEqual({ "x-id": "1" });
    const long = "x".repeat(ATTRIBUTE_CHARACTERS_MAX + 1);
    expect(event(() => NOTHING, "{}", { "x-id": long }).rawHeaders).toEqual({});
  });

  it("is watched for copies where its id is not signed, as the entry says", () => {
    const replayOf = (replays?: string) =>
      event(() => NOTHING, "{}", {}, { hasUnsignedId: true }, { secrets: ["S"], ...(replays && { replays }) }).replay;
    expect(replayOf()).toEqual({ content: expect.any(String) as string, refuse: false });
    expect(replayOf("refuse")).toMatchObject({ refuse: true });
    expect(replayOf("ignore")).toBeUndefined();
    expect(event(() => NOTHING).replay).toBeUndefined();
  });
});

describe("Slack's look at the certificate", () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const parsed = slack.parse({ secrets: ["S"] });
  const answerTo = (body: string, headers = form) =>
    parsed.ok && slack.receive(requestOf(headers, body), parsed.value, "slack", contextWith({ S: "key" }));

  it(`is a form of at most ${SSL_CHECK_BYTES_MAX} bytes, and nothing else is taken for it`, () => {
    const check = (length: number) => `ssl_check=1&token=${"x".repeat(length - 18)}`;
    expect(answerTo(check(SSL_CHECK_BYTES_MAX))).toMatchObject({ value: { events: [], answer: { status: 200 } } });
    for (const body of [check(SSL_CHECK_BYTES_MAX + 1), "ssl_check=0", "ssl_check=1x", "a=ssl_check=1"]) {
      expect(answerTo(body)).toMatchObject({ error: { reason: "missing-signature" } });
    }
    expect(answerTo("ssl_check=1", { "content-type": "application/json" })).toMatchObject({ ok: false });
  });
});
