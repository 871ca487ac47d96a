import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import type { Received } from "../../src/core/source.ts";
import {
  CONTENT_CHARACTERS_MAX,
  SOURCE_CHARACTERS_MAX,
  VALUES_MAX,
  VOLATILE_MEMBERS_MAX,
} from "../../src/sources/_hmac-entry.ts";
import {
  HEADER_NAME_CHARACTERS_MAX,
  SHORT_TEXT_CHARACTERS_MAX,
  TYPE_CHARACTERS_MAX,
} from "../../src/sources/_hmac-places.ts";
import hmac from "../../src/sources/hmac.ts";
import { NOW, contextWith, requestOf, textOf } from "./_context.ts";

const JSON_TYPE = { "content-type": "application/json" };
const MINIMAL = { secrets: ["S"], header: "X-Signature" };
const NOW_S = String(Math.floor(Date.parse(NOW) / 1_000));

function receive(
  entry: JsonObject,
  headers: Readonly<Record<string, string>>,
  body: string,
  secrets: Readonly<Record<string, string>> = { S: "key" },
) {
  const parsed = hmac.parse(entry);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return hmac.receive(requestOf({ ...JSON_TYPE, ...headers }, body), parsed.value, "shop", contextWith(secrets));
}

function accepted(...given: Parameters<typeof receive>): Received {
  const result = receive(...given);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

function reason(...given: Parameters<typeof receive>): string | undefined {
  const result = receive(...given);
  return result.ok ? undefined : result.error.reason;
}

function mistakes(entry: JsonObject): readonly string[] {
  const parsed = hmac.parse(entry);
  return parsed.ok ? [] : parsed.error.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

function digest(content: string, algorithm = "sha256", encoding: "hex" | "base64" | "base64url" = "hex"): string {
  return createHmac(algorithm, "key").update(content).digest(encoding);
}

describe("an entry with a header and secrets alone", () => {
  it("takes an HMAC-SHA256 of the body in hexadecimal digits", () => {
    const { events, verifiedBy } = accepted(MINIMAL, { "x-signature": digest('{"a":1}') }, '{"a":1}');
    expect(verifiedBy).toEqual(["S"]);
    expect(events[0]?.event.attributes).toEqual({
      specversion: "1.0",
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      source: "urn:webhook",
      type: "webhook",
      time: NOW,
      datacontenttype: "application/json",
    });
    expect(textOf(events[0]?.event.body)).toBe('{"a":1}');
    expect(reason(MINIMAL, { "x-signature": digest('{"a":2}') }, '{"a":1}')).toBe("wrong-signature");
    expect(reason(MINIMAL, {}, '{"a":1}')).toBe("missing-signature");
  });

  it("gives one payload one id, so that it is accepted once", () => {
    const idOf = (body: string) =>
      accepted(MINIMAL, { "x-signature": digest(body) }, body).events[0]?.event.attributes.id;
    expect(idOf('{"a":1}')).toBe(idOf('{"a":1}'));
    expect(idOf('{"a":1}')).not.toBe(idOf('{"a":2}'));
  });
});

describe("the signature that an entry describes", () => {
  it.each(["sha1", "sha256", "sha512"])("is an HMAC with %s", (algorithm) => {
    const entry = { ...MINIMAL, algorithm };
    expect(reason(entry, { "x-signature": digest("{}", algorithm) }, "{}")).toBeUndefined();
    expect(reason(entry, { "x-signature": digest("{}", algorithm === "sha1" ? "sha256" : "sha1") }, "{}")).toBe(
      "wrong-signature",
    );
  });

  it.each(["hex", "base64", "base64url"] as const)("is written in %s", (encoding) => {
    const entry = { ...MINIMAL, encoding };
    expect(reason(entry, { "x-signature": digest("{}", "sha256", encoding) }, "{}")).toBeUndefined();
  });

  it("may be of a public key", () => {
    const ed = generateKeyPairSync("ed25519");
    const raw = ed.publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
    const entry = { ...MINIMAL, algorithm: "ed25519" };
    const right = { "x-signature": sign(null, Buffer.from("{}"), ed.privateKey).toString("hex") };
    expect(reason(entry, right, "{}", { S: raw })).toBeUndefined();
    expect(reason(entry, right, "[]", { S: raw })).toBe("wrong-signature");
    const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const pem = String(ec.publicKey.export({ format: "pem", type: "spki" }));
    const signed = { "x-signature": sign("sha256", Buffer.from("{}"), ec.privateKey).toString("base64") };
    expect(reason({ ...MINIMAL, algorithm: "ecdsa-p256" }, signed, "{}", { S: pem })).toBeUndefined();
    expect(reason({ ...MINIMAL, algorithm: "ecdsa-p256" }, signed, "[]", { S: pem })).toBe("wrong-signature");
  });

  it("may be a token, which is neither shown nor handed on", () => {
    const entry = { ...MINIMAL, header: "Authorization", prefix: "Bearer ", algorithm: "token" };
    const result = accepted(entry, { authorization: "Bearer s3cret" }, "{}", { S: "s3cret" });
    expect(JSON.stringify(result)).not.toContain("s3cret");
    expect(reason(entry, { authorization: "Bearer s3cres" }, "{}", { S: "s3cret" })).toBe("wrong-signature");
    expect(reason(entry, { authorization: "s3cret" }, "{}", { S: "s3cret" })).toBe("malformed-signature");
  });

  it("may be in a part of a header that has the time, too", () => {
    const entry = {
      ...MINIMAL,
      part: "v1",
      separator: ";",
      content: "{timestamp}.{body}",
      timestamp: { header: "X-Signature", part: "ts" },
    };
    const right = `ts=${NOW_S};v1=${digest(`${NOW_S}.{}`)}`;
    expect(reason(entry, { "x-signature": right }, "{}")).toBeUndefined();
    const old = String(Number(NOW_S) - 301);
    expect(reason(entry, { "x-signature": `ts=${old};v1=${digest(`${old}.{}`)}` }, "{}")).toBe("stale-timestamp");
    const tolerant = { ...entry, tolerance: "10m" };
    expect(reason(tolerant, { "x-signature": `ts=${old};v1=${digest(`${old}.{}`)}` }, "{}")).toBeUndefined();
  });

  it("covers method, address, id, and values by their names", () => {
    const entry = {
      ...MINIMAL,
      content: "{method} {url} {id} {nonce} {shop} {body}",
      id: { header: "X-Id" },
      values: { nonce: { header: "X-Nonce" }, shop: { path: "$.shop.name" } },
      url: "https://hooks.example.com/shop",
    };
    const body = '{"shop":{"name":"tea"}}';
    const signature = digest(`POST https://hooks.example.com/shop e1 n1 tea ${body}`);
    expect(accepted(entry, { "x-signature": signature, "x-id": "e1", "x-nonce": "n1" }, body).events).toHaveLength(1);
    expect(reason(entry, { "x-signature": signature, "x-id": "e2", "x-nonce": "n1" }, body)).toBe("wrong-signature");
    expect(reason(entry, { "x-signature": signature, "x-id": "e1" }, body)).toBe("missing-header");
  });

  it("may have its time in the body", () => {
    const entry = { ...MINIMAL, timestamp: { path: "$.sent", unit: "iso" } };
    const fresh = `{"sent":"${NOW}"}`;
    expect(reason(entry, { "x-signature": digest(fresh) }, fresh)).toBeUndefined();
    const old = '{"sent":"2026-05-01T11:00:00Z"}';
    expect(reason(entry, { "x-signature": digest(old) }, old)).toBe("stale-timestamp");
  });
});

describe("the event that an entry describes", () => {
  const rules = {
    ...MINIMAL,
    id: { path: "$.meta.id" },
    type: { header: "X-Event", prefix: "com.example.shop" },
    subject: { path: "$.items[0].sku" },
    time: { path: "$.at", unit: "s" },
    source: "https://shop.example.com",
  };
  const body = '{"meta":{"id":7},"items":[{"sku":"tea"}],"at":1700000000}';

  it("has its attributes from headers and paths", () => {
    const headers = { "x-signature": digest(body), "x-event": "order/paid" };
    const [received] = accepted(rules, headers, body).events;
    expect(received?.event.attributes).toMatchObject({
      id: "7",
      type: "com.example.shop.order.paid",
      subject: "tea",
      time: "2023-11-14T22:13:20.000Z",
      source: "https://shop.example.com",
    });
    expect(received?.rawHeaders).toEqual({ "x-event": "order/paid" });
    expect(received?.replay).toBeUndefined();
  });

  it("does without what is not there", () => {
    const [received] = accepted(rules, { "x-signature": digest("{}") }, "{}").events;
    expect(received?.event.attributes).toMatchObject({ type: "com.example.shop.webhook", time: NOW });
    expect(received?.event.attributes.subject).toBeUndefined();
  });

  it("is watched for copies where its id is a header that nobody signed", () => {
    const unsigned = { ...MINIMAL, id: { header: "X-Id" }, replays: "refuse" };
    const headers = { "x-signature": digest("{}"), "x-id": "1" };
    expect(accepted(unsigned, headers, "{}").events[0]?.replay).toMatchObject({ refuse: true });
    const signedId = { ...MINIMAL, id: { header: "X-Id" }, content: "{id}{body}" };
    const signed = { "x-signature": digest("1{}"), "x-id": "1" };
    expect(accepted(signedId, signed, "{}").events[0]?.replay).toBeUndefined();
  });

  it("may be one of a list, a form, or JSON in a form", () => {
    const list = '[{"id":1},{"id":2}]';
    const listed = accepted(
      { ...MINIMAL, payload: "json-array", id: { path: "$.id" } },
      { "x-signature": digest(list) },
      list,
    );
    expect(listed.events.map(({ event }) => event.attributes.id)).toEqual(["1", "2"]);
    expect(listed.batch).toBe(true);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const fields = accepted(
      { ...MINIMAL, payload: "form", id: { path: "$.a" } },
      { ...form, "x-signature": digest("a=1&b=2") },
      "a=1&b=2",
    );
    expect(textOf(fields.events[0]?.event.body)).toBe('{"a":"1","b":"2"}');
    const wrapped = "payload=%7B%22id%22%3A9%7D";
    const inner = accepted(
      { ...MINIMAL, payload: "form-payload", id: { path: "$.id" } },
      { ...form, "x-signature": digest(wrapped) },
      wrapped,
    );
    expect(textOf(inner.events[0]?.event.body)).toBe('{"id":9}');
    expect(inner.events[0]?.event.attributes.id).toBe("9");
  });

  it("is the same without its volatile members, and answered as the sender wants it", () => {
    const entry = { ...MINIMAL, volatile: ["sent"], answer: 200 };
    const send = (body: string) => accepted(entry, { "x-signature": digest(body) }, body);
    const [first, again] = [send('{"a":1,"sent":1}'), send('{"a":1,"sent":2}')];
    expect(again.events[0]?.fingerprint).toEqual(first.events[0]?.fingerprint);
    expect(again.events[0]?.event.attributes.id).toBe(first.events[0]?.event.attributes.id);
    expect(first.answer).toEqual({ status: 200 });
  });
});

describe("an entry that can't be right", () => {
  it.each<[string, JsonObject, RegExp]>([
    ["has no header", { secrets: ["S"] }, /^: expected header: the name of the header/],
    ["has a header with auth: none", { auth: "none", header: "X-S" }, /^header: with auth: none nothing is verified/],
    ["has an unknown algorithm", { ...MINIMAL, algorithm: "sha265" }, /^algorithm: .*did you mean "sha256"/],
    ["has a header that is none", { ...MINIMAL, header: "X Signature" }, /^header: expected the name of a header/],
    [
      "signs no body",
      { ...MINIMAL, content: "{timestamp}", timestamp: { header: "T" } },
      /^content: expected \{body\}/,
    ],
    ["names what isn't there", { ...MINIMAL, content: "{tiem}{body}" }, /^content: unknown value "tiem"/],
    [
      "signs a time that stands nowhere",
      { ...MINIMAL, content: "{timestamp}.{body}" },
      /^content: \{timestamp\} needs the key timestamp, such as timestamp: \{ header: X-Timestamp \}$/,
    ],
    [
      "signs an id that stands nowhere",
      { ...MINIMAL, content: "{id}{body}" },
      /^content: \{id\} needs the key id, such as id: \{ header: X-Id \}$/,
    ],
    [
      "signs an id of the body by itself",
      { ...MINIMAL, content: "{id}{body}", id: { path: "$.id" } },
      /^content: \{id\} needs an id in a header, such as id: \{ header: X-Id \}; this one stands in the body$/,
    ],
    ["misspells a value", { ...MINIMAL, content: "{nonec}{body}", values: { nonce: { header: "N" } } }, /"nonce"\?/],
    ["leaves a brace open", { ...MINIMAL, content: "{body" }, /^content: expected a text/],
    ["signs no time", { ...MINIMAL, timestamp: { header: "T" } }, /^timestamp: expected \{timestamp\} in content/],
    [
      "signs no time, with a content",
      { ...MINIMAL, content: "x{body}", timestamp: { header: "T" } },
      /^content: expect/,
    ],
    ["has a tolerance without a time", { ...MINIMAL, tolerance: "5m" }, /^tolerance: without timestamp/],
    ["has a url that isn't signed", { ...MINIMAL, url: "https://a.example" }, /^url: content has no \{url\}/],
    ["watches what has no id", { ...MINIMAL, replays: "flag" }, /^replays: the id is signed, or there is none/],
    ["signs a token", { ...MINIMAL, algorithm: "token", content: "{body}" }, /^content: with algorithm: token/],
    ["writes an HMAC as text", { ...MINIMAL, encoding: "text" }, /^encoding: only a token is text/],
    ["takes the signature for the id", { ...MINIMAL, id: { header: "x-signature" } }, /^id\.header: this header has/],
    ["has two places for one value", { ...MINIMAL, id: { header: "A", path: "$.a" } }, /^id: .*found header and path/],
    ["has no place for a value", { ...MINIMAL, type: { prefix: "com.a" } }, /^type: .*found none/],
    ["has a part of a path", { ...MINIMAL, timestamp: { path: "$.t", part: "t" } }, /^timestamp\.part: only a header/],
    ["has a path to many", { ...MINIMAL, id: { path: "$.a[*]" } }, /^id\.path: expected a path to one value/],
    ["has a path to all", { ...MINIMAL, id: { path: "$" } }, /^id\.path: expected a path to one value/],
    ["has a path of another language", { ...MINIMAL, id: { path: "a.b" } }, /^id\.path: .*begins with \$/],
    ["has a relative source", { ...MINIMAL, source: "/shop" }, /^source: expected an absolute URI/],
    ["has a type with spaces", { ...MINIMAL, type: "order paid" }, /^type: expected letters/],
    ["renames the body", { ...MINIMAL, values: { body: { header: "B" } } }, /^values\.body: body has its meaning/],
    ["answers with an error", { ...MINIMAL, answer: 500 }, /^answer: expected a whole number from 200 to 204/],
  ])("%s", (_name, entry, message) => {
    expect(mistakes(entry)).toEqual([expect.stringMatching(message)]);
  });

  it("is told of all its mistakes at once", () => {
    expect(mistakes({ ...MINIMAL, algorithm: 1, id: "x", payload: "xml" })).toHaveLength(3);
  });

  it("is one beyond a limit, and is none at it", () => {
    const at = (entry: JsonObject) => mistakes({ ...MINIMAL, ...entry }).length;
    expect(at({ header: "h".repeat(HEADER_NAME_CHARACTERS_MAX) })).toBe(0);
    expect(at({ header: "h".repeat(HEADER_NAME_CHARACTERS_MAX + 1) })).toBe(1);
    expect(at({ prefix: "p".repeat(SHORT_TEXT_CHARACTERS_MAX) })).toBe(0);
    expect(at({ prefix: "p".repeat(SHORT_TEXT_CHARACTERS_MAX + 1) })).toBe(1);
    expect(at({ type: "t".repeat(TYPE_CHARACTERS_MAX) })).toBe(0);
    expect(at({ type: "t".repeat(TYPE_CHARACTERS_MAX + 1) })).toBe(1);
    expect(at({ source: `urn:${"s".repeat(SOURCE_CHARACTERS_MAX - 4)}` })).toBe(0);
    expect(at({ source: `urn:${"s".repeat(SOURCE_CHARACTERS_MAX - 3)}` })).toBe(1);
    expect(at({ content: `{body}${"c".repeat(CONTENT_CHARACTERS_MAX - 6)}` })).toBe(0);
    expect(at({ content: `{body}${"c".repeat(CONTENT_CHARACTERS_MAX - 5)}` })).toBe(1);
    const values = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`v${index}`, { header: "V" }]));
    expect(at({ values: values(VALUES_MAX) })).toBe(0);
    expect(at({ values: values(VALUES_MAX + 1) })).toBe(1);
    const names = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);
    expect(at({ volatile: names(VOLATILE_MEMBERS_MAX) })).toBe(0);
    expect(at({ volatile: names(VOLATILE_MEMBERS_MAX + 1) })).toBe(1);
  });

  it("is read without a fault, whatever stands in it", () => {
    const key = fc.constantFrom(...Object.keys(hmac.schema["properties"] as JsonObject), "__proto__", "x");
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue(), { maxKeys: 6 }), (entry) => {
        const parsed = hmac.parse({ ...MINIMAL, ...entry } as JsonObject);
        expect(typeof parsed.ok).toBe("boolean");
      }),
      { numRuns: 300 },
    );
  });
});
