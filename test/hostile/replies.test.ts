/**
 * Answers of targets, and the attributes that decide over loops, lanes and gaps: whatever stands in them, a delivery has an
 * outcome, what is kept of it is bounded, and a reply is an event like any other.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAttributes } from "../../src/core/attributes.ts";
import { structuredJson, eventView, eventFingerprint } from "../../src/core/event.ts";
import { HOPS_MAX, hopsOf, hopsProblem, withHop } from "../../src/core/hops.ts";
import { orderKeyOf, sequenceOf } from "../../src/core/order-key.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { laneId } from "../../src/core/receipt.ts";
import cloudevents from "../../src/sources/cloudevents.ts";
import { ANSWER_BYTES_MAX } from "../../src/targets/_answer.ts";
import { REPLY_BYTES_MAX } from "../../src/targets/_reply.ts";
import http from "../../src/targets/http.ts";
import { contextWith, requestOf, utf8 } from "../sources/_context.ts";
import { hashing } from "../../src/hashing.ts";
import { eventWith, secretsFrom, shipmentOf, targetIo } from "../support/target-io.ts";
import { BROKEN_BODIES, HOSTILE_JSON, HOSTILE_NAMES, HOSTILE_URLS } from "./corpus.ts";

const SECRETS = { SIGN: "signing-secret-for-tests", TOKEN: 'Bearer "quoted"/credential+for=tests' };
const config = http.parse({
  http: "https://target.example/",
  sign: "SIGN",
  headers: { Authorization: { secret: "TOKEN" } },
});
if (!config.ok) throw new Error("the entry parses");

async function outcomeOf(answer: (sent: Headers) => Response): Promise<Outcome> {
  const io = targetIo({
    secret: secretsFrom(SECRETS),
    fetch: async (_url, init) => answer(new Headers(init.headers)),
  });
  return http.send(shipmentOf(eventWith("{}")), config.ok ? config.value : (undefined as never), 5_000, io);
}

const KEPT_CHARACTERS_MAX = 2 * ANSWER_BYTES_MAX;

/** What holds of every outcome of an answer that came. */
function expectSane(outcome: Outcome): void {
  expect(["delivered", "permanent", "retryable"]).toContain(outcome.kind);
  const text = JSON.stringify({ ...outcome, reply: undefined });
  // Escapes take room in JSON, six characters for one at worst.
  expect(text.length).toBeLessThan(6 * KEPT_CHARACTERS_MAX + 2_000);
  if ("answer" in outcome) {
    expect(outcome.answer?.body?.length ?? 0).toBeLessThanOrEqual(KEPT_CHARACTERS_MAX);
    expect(outcome.answer?.body ?? "").not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(outcome.answer?.location ?? "").not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  }
  if (outcome.kind !== "delivered" || outcome.reply === undefined) return;
  const { event } = outcome.reply;
  // Everything that is done with an event that came in can be done with it.
  expect(readAttributes(new Map(Object.entries(event.attributes) as [string, string][])).ok).toBe(true);
  expect((event.body ?? utf8("")).length).toBeLessThanOrEqual(REPLY_BYTES_MAX);
  JSON.parse(structuredJson(event));
  eventView(event);
  eventFingerprint(event, hashing.sha256);
  orderKeyOf(event.attributes);
  expect(typeof withHop(event, { specversion: "1.0", id: "1", source: "/x", type: "t" }, "a way").ok).toBe("boolean");
}

const CE = { "ce-specversion": "1.0", "ce-id": "r", "ce-source": "/ci", "ce-type": "t" };
const NULL_BODY_STATUSES = [204, 205, 304];

describe("an answer", () => {
  it("of any status, with any headers and any body, has an outcome, and its reply is an event or is ignored", async () => {
    const latin1 = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
      maxLength: 30,
    });
    const headerName = fc.oneof(
      fc.constantFrom(
        "content-type",
        "location",
        "retry-after",
        "webhook-delivery",
        "content-encoding",
        "content-length",
        ...Object.keys(CE),
      ),
      fc.constantFrom(
        "ce-sluicehops",
        "ce-sequence",
        "ce-partitionkey",
        "ce-datacontenttype",
        "ce-time",
        "ce-constructor",
        "ce-__proto__",
        "set-cookie",
      ),
      fc.stringMatching(/^(?:ce|x)-[a-z0-9_-]{1,25}$/),
    );
    const headerValue = fc.oneof(
      latin1,
      fc.constantFrom(
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json",
        "1.0",
        "text/plain",
      ),
      fc.constantFrom(
        "%00",
        "%0d%0ax: 1",
        "%ff",
        "%",
        '"',
        "-1",
        "1e400",
        "99999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "abort-message",
      ),
      fc.constantFrom(...HOSTILE_URLS.filter((url) => /^[\x20-\x7e]*$/.test(url))),
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.constantFrom(...BROKEN_BODIES.filter(({ length }) => length < 1_000)),
      fc
        .constantFrom(...HOSTILE_JSON.filter(({ length }) => length < 1_000))
        .map((value) => utf8(`{"specversion":"1.0","id":"r","source":"/ci","type":"t","data":${value}}`)),
    );
    const seen = { replies: 0, ignored: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          { weight: 3, arbitrary: fc.constant(200) },
          { weight: 1, arbitrary: fc.integer({ min: 200, max: 599 }) },
        ),
        fc.dictionary(headerName, headerValue, { maxKeys: 6 }),
        fc.boolean(),
        body,
        async (status, headers, isEvent, bytes) => {
          const all = new Headers(isEvent ? CE : {});
          for (const [name, value] of Object.entries(headers)) if (!/[\u007f-\u009f]/.test(value)) all.set(name, value);
          const sent = NULL_BODY_STATUSES.includes(status) ? null : (bytes as Uint8Array<ArrayBuffer>);
          const outcome = await outcomeOf(() => new Response(sent, { status, headers: all }));
          expectSane(outcome);
          if (outcome.kind !== "delivered") return;
          if (outcome.reply !== undefined) seen.replies += 1;
          if (outcome.ignoredReply !== undefined) seen.ignored += 1;
        },
      ),
      { numRuns: 1_000 },
    );
    expect(seen.replies).toBeGreaterThan(30);
    expect(seen.ignored).toBeGreaterThan(30);
  }, 20_000);

  it("with any JSON for a reply, in any attribute of it, has an outcome", async () => {
    const names = [
      "id",
      "source",
      "type",
      "subject",
      "time",
      "sluicehops",
      "sequence",
      "partitionkey",
      "data",
      "data_base64",
      ...HOSTILE_NAMES,
    ];
    const values = [
      ...HOSTILE_JSON.filter(({ length }) => length < 70_000),
      ...HOSTILE_NAMES.map((name) => JSON.stringify(name)),
    ];
    const headers = { "content-type": "application/cloudevents+json" };
    for (const [index, value] of values.entries()) {
      for (const name of index % 3 === 0 ? names : names.slice(0, 10)) {
        const text = `{"specversion":"1.0","id":"r","source":"/ci","type":"t",${JSON.stringify(name)}:${value}}`;
        expectSane(await outcomeOf(() => new Response(text, { headers })));
      }
      expectSane(await outcomeOf(() => new Response(value, { headers })));
    }
    expect("polluted" in {}).toBe(false);
  }, 20_000);

  it("that echoes the request is no reply: a secret would be stored, and handed on to others", async () => {
    const echoes: Readonly<Record<string, (sent: Headers) => Response>> = {
      "in its data": (sent) => Response.json([...sent]),
      "in text": (sent) => new Response([...sent].flat().join("\n")),
      "in an attribute": (sent) =>
        new Response("{}", { headers: { "ce-got": encodeURIComponent(sent.get("authorization") ?? "") } }),
      "without its scheme": (sent) => new Response(sent.get("authorization")?.slice(7)),
      "as JSON of PHP": (sent) => new Response(JSON.stringify([...sent]).replaceAll("/", "\\/")),
      "in Base64 of the JSON format": (sent) =>
        new Response(
          JSON.stringify({
            specversion: "1.0",
            id: "r",
            source: "/ci",
            type: "t",
            datacontenttype: "text/plain",
            data_base64: btoa(`got ${sent.get("authorization")}`),
          }),
          { headers: { "content-type": "application/cloudevents+json" } },
        ),
      "a signature": (sent) => new Response(sent.get("webhook-signature")),
    };
    for (const [where, echo] of Object.entries(echoes)) {
      const outcome = await outcomeOf((sent) => {
        const answer = echo(sent);
        for (const [name, value] of Object.entries(CE)) answer.headers.set(name, value);
        return answer;
      });
      expect(outcome, where).toMatchObject({
        kind: "delivered",
        ignoredReply: "the CloudEvent in the answer was not published: it repeats a secret that the request carried",
      });
      expect(outcome).not.toHaveProperty("reply");
      for (const secret of Object.values(SECRETS)) expect(JSON.stringify(outcome)).not.toContain(secret);
    }
    const harmless = await outcomeOf(() => new Response('"signing-secret"', { headers: CE }));
    expect(harmless).toHaveProperty("reply");
  });
});

describe("the attributes sluicehops, sequence and partitionkey", () => {
  const context = contextWith();
  const read = (headers: Readonly<Record<string, string>>, body: string) => {
    const result = cloudevents.receive(requestOf(headers, body), { auth: "none" }, "events", context);
    return result.ok ? result.value.events[0] : undefined;
  };
  const COUNTS = [
    "0",
    "8",
    "9",
    "08",
    "+1",
    "-1",
    "1.0",
    "1e1",
    "1e400",
    "0x1",
    "",
    " ",
    "9".repeat(15),
    "9".repeat(16),
    "9".repeat(20_000),
    "NaN",
    "Infinity",
    "١",
    "１",
  ];

  function expectCounted(received: ReturnType<typeof read>): void {
    if (received === undefined) return;
    const { attributes } = received.event;
    const hops = hopsOf(attributes);
    expect(hops === null || hops >= 0).toBe(true);
    // A count that can't be read is a loop for all that anybody knows.
    const isThrough = hops !== null && hops <= HOPS_MAX;
    expect(hopsProblem(attributes) === undefined).toBe(isThrough);
    const hopped = withHop(received.event, attributes, "a way");
    expect(hopped.ok).toBe(isThrough && hops < HOPS_MAX);
    if (hopped.ok) expect(hopped.value.attributes["sluicehops"]).toBe((hops ?? 0) + 1);
    const sequence = sequenceOf(attributes);
    expect(sequence === undefined || (Number.isSafeInteger(sequence) && sequence >= 0)).toBe(true);
    expect(received.orderKey?.startsWith(`${attributes.source}\n`)).toBe(true);
    expect(laneId("default/a", "ci", received.orderKey ?? "", hashing.sha256).length).toBeLessThan(100);
  }

  it("are counted, or are no count, whatever they are, in each mode", () => {
    const texts = fc.oneof(
      fc.constantFrom(...COUNTS),
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.integer().map(String),
    );
    const json = fc.oneof(
      texts.map((text) => JSON.stringify(text)),
      fc.constantFrom(
        "0",
        "-0",
        "8",
        "9",
        "2147483647",
        "2147483648",
        "1e400",
        "1.5",
        "true",
        "null",
        "[]",
        "{}",
        "[9]",
      ),
    );
    let accepted = 0;
    fc.assert(
      fc.property(texts, texts, texts, json, json, json, (a, b, c, x, y, z) => {
        const headers: Record<string, string> = { ...CE };
        for (const [name, value] of [
          ["sluicehops", a],
          ["sequence", b],
          ["partitionkey", c],
        ] as const) {
          if (value !== "") headers[`ce-${name}`] = encodeURIComponent(value.toWellFormed());
        }
        const binary = read(headers, "");
        const text = `{"specversion":"1.0","id":"1","source":"/x","type":"t","sluicehops":${x},"sequence":${y},"partitionkey":${z}}`;
        const structured = read({ "content-type": "application/cloudevents+json" }, text);
        for (const each of [binary, structured]) {
          expectCounted(each);
          if (each !== undefined) accepted += 1;
        }
      }),
      { numRuns: 1_500 },
    );
    expect(accepted).toBeGreaterThan(200);
  });

  it("make no two keys of different sources the same", () => {
    const part = fc.string({ unit: "binary", maxLength: 6 });
    fc.assert(
      fc.property(part, part, part, part, (source, key, otherSource, otherKey) => {
        const receivedOf = (from: string, partitionkey: string) =>
          read(
            { "content-type": "application/cloudevents+json" },
            JSON.stringify({ specversion: "1.0", id: "1", type: "t", source: from, partitionkey }),
          );
        const [one, other] = [receivedOf(source, key), receivedOf(otherSource, otherKey)];
        if (one === undefined || other === undefined) return;
        if (one.orderKey === other.orderKey) expect(one.key).toBe(other.key);
      }),
    );
  });
});
