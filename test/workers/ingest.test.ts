/** The way in, through the whole Worker: what is accepted, and that every bad input gets its own answer and leaves nothing. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AcceptReply, AcceptRequest, RejectionEntry } from "../../src/bus/ports.ts";
import { ACCEPT_TIMEOUT_MS } from "../../src/bus/publish.ts";
import { JSON_DEPTH_MAX } from "../../src/core/json.ts";
import { partitionOf } from "../../src/core/receipt.ts";
import { hashing } from "../../src/hashing.ts";
import { LARGE_BODY_BYTES_MAX } from "../../src/http/large-body.ts";
import { BODY_BYTES_MAX, BODY_TIMEOUT_MS } from "../../src/http/body.ts";
import { BACKLOG_RETRY_AFTER_SECONDS } from "../../src/objects/backlog-limit.ts";
import { Partition } from "../../src/objects/partition.ts";
import { BATCH_EVENTS_MAX } from "../../src/core/json-format.ts";
import type { Call, Receipt, SentRequest } from "./router.ts";
import {
  admin,
  answerTargets,
  BATCH,
  batchCall,
  binaryCall,
  eventById,
  eventOf,
  eventWithStatus,
  githubCall,
  githubExample,
  githubExamples,
  githubSignature,
  ingestToken,
  partition,
  problemOf,
  pushOf,
  receiptOf,
  send,
  sendWith,
  STRUCTURED,
  structuredCall,
  stubOf,
} from "./router.ts";

const GITHUB = "/webhooks/github";
const EVENTS = "/events";

let sent: readonly SentRequest[] = [];

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  sent = answerTargets(() => new Response("ok"));
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Ids of the newest events: a request that stores nothing leaves them as they are. */
async function newestEvents(): Promise<readonly string[]> {
  const { events } = await admin<{ events: readonly { id: string }[] }>("/events?limit=200");
  return events.map((event) => event.id);
}

type ShownRejection = Omit<RejectionEntry, "at"> & { readonly at: string };

async function rejections(): Promise<readonly ShownRejection[]> {
  return (await admin<{ rejections: readonly ShownRejection[] }>("/rejections?limit=200")).rejections;
}

async function countRejected(source: string, reason: string): Promise<number> {
  const entries = (await rejections()).filter((entry) => entry.source === source && entry.reason === reason);
  return entries.reduce((sum, entry) => sum + entry.count, 0);
}

/** Text that nests this many arrays inside one object: a depth of `depth` in all. */
function nested(depth: number): string {
  return `{"deep":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
}

/** A JSON object of exactly this many bytes. */
function jsonOfBytes(bytes: number): string {
  return `{"filler":"${"x".repeat(bytes - 13)}"}`;
}

/** The text in pieces, so that no length is known before the end. */
function streamOf(text: string, pieceBytes = 65_536): ReadableStream {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + pieceBytes));
      at += pieceBytes;
    },
  });
}

describe("GitHub's webhooks", () => {
  it("accepts a published payload of every event once, and answers a repeat with the first one's receipt", async () => {
    const names = [...new Set(githubExamples.map((example) => example.name))];
    expect(names.length).toBeGreaterThan(50);
    for (const name of names) {
      const call = githubCall(name, JSON.stringify(githubExample(name)));
      const first = receiptOf(await send(GITHUB, call));
      expect(first.status, name).toBe("accepted");
      expect(receiptOf(await send(GITHUB, call)), name).toEqual({ ...first, status: "duplicate" });
    }
  });

  it("delivers what a rule asks for as the bytes that came, and each delivery once", async () => {
    const payload = githubExamples.find(
      ({ name, payload }) => name === "pull_request" && payload["action"] === "opened",
    )?.payload;
    // Spacing, escapes and a number that no double holds: all of it has to arrive as it is.
    const body = JSON.stringify({ ...payload, note: "é\u2028" }, null, 1).replace(
      "{",
      '{ "big": 12345678901234567890.10,',
    );
    const call = githubCall("pull_request", body, { "x-github-delivery": "pull-request-1" });
    const receipt = receiptOf(await send(GITHUB, call));
    expect(receipt.rules).toEqual(["default/pull-request-opened"]);
    await send(GITHUB, call);
    const event = await eventWithStatus(receipt.id, "delivered");
    expect(event.event).toMatchObject({ type: "com.github.pull_request.opened", id: "pull-request-1" });
    expect(sent.map((request) => request.body)).toEqual([body]);
    expect(sent[0]?.headers.get("ce-id")).toBe("pull-request-1");
    expect(sent[0]?.headers.get("content-type")).toBe("application/json");
  });

  it("delivers a push to main by both rules that match it", async () => {
    const receipt = receiptOf(await send(GITHUB, githubCall("push", pushOf(8_001))));
    expect(receipt).toEqual({
      id: expect.stringMatching(/^evt_/),
      status: "accepted",
      rules: ["default/deploy-on-main", "default/push"],
    });
    await eventWithStatus(receipt.id, "delivered");
    expect(sent.map((request) => request.body.startsWith('{"text":"Codertocat/Hello-World is at '))).toContain(true);
    expect(sent.map((request) => request.body)).toContain(pushOf(8_001));
    expect(new Set(sent.map((request) => request.headers.get("webhook-id"))).size).toBe(2);
  });

  it("accepts the form encoding, whose payload field is the event", async () => {
    const json = JSON.stringify({ zen: "a+b & c=d", hook_id: 5 });
    const form = `payload=${encodeURIComponent(json)}`;
    const call = githubCall("ping", form, { "content-type": "application/x-www-form-urlencoded" });
    const receipt = receiptOf(await send(GITHUB, call));
    expect(receipt).toMatchObject({ status: "accepted", rules: [] });
    expect(await eventById(receipt.id)).toMatchObject({ status: "unmatched", event: { data: JSON.parse(json) } });
  });

  it("answers 409 to the same delivery id with another payload, naming the first receipt, and keeps the first", async () => {
    const id = { "x-github-delivery": "conflict-1" };
    const first = receiptOf(await send(GITHUB, githubCall("ping", '{"zen":"one"}', id)));
    const before = await newestEvents();
    const answer = await send(GITHUB, githubCall("ping", '{"zen":"two"}', id));
    expect(problemOf(answer)).toBe("409 conflict");
    await vi.waitFor(async () => expect(await countRejected("github", "conflict")).toBeGreaterThan(0), {
      timeout: 5_000,
      interval: 100,
    });
    expect(answer.text).toContain(first.id);
    expect(await newestEvents()).toEqual(before);
    expect(await eventById(first.id)).toMatchObject({ event: { data: { zen: "one" } } });
    // Hooks that subscribe to the same event share its id: that is a duplicate whatever each was sent.
    const otherHook = githubCall("ping", '{"zen":"two"}', { ...id, "x-github-hook-id": "2002" });
    expect(receiptOf(await send(GITHUB, otherHook))).toMatchObject({ id: first.id, status: "duplicate" });
  });
});

describe("CloudEvents", () => {
  it("answers 409 to the same source and id with another subject or other data", async () => {
    const first = receiptOf(await send(EVENTS, binaryCall({ id: "again-1" }, "{}")));
    expect(receiptOf(await send(EVENTS, binaryCall({ id: "again-1" }, "{}")))).toMatchObject({
      id: first.id,
      status: "duplicate",
    });
    for (const headers of [{ "ce-subject": "a" }, { "ce-subject": "b" }, { "ce-partitionkey": "k" }]) {
      expect(problemOf(await send(EVENTS, binaryCall({ id: "again-1" }, "{}", headers)))).toBe("409 conflict");
    }
    expect(problemOf(await send(EVENTS, binaryCall({ id: "again-1" }, "[]")))).toBe("409 conflict");
  });

  it("accepts the binary mode and delivers the same data and attributes", async () => {
    const headers = { "ce-subject": "order%2012", "ce-time": "2026-01-02T03:04:05Z", "ce-tenant": "acme" };
    const body = '{ "total": 1.50 }';
    const receipt = receiptOf(await send(EVENTS, binaryCall({ id: "binary-1" }, body, headers)));
    expect(receipt).toMatchObject({ status: "accepted", rules: ["default/order-placed"] });
    const event = await eventWithStatus(receipt.id, "delivered");
    expect(event).toMatchObject({ from: "events", bus: "default", rules: ["default/order-placed"] });
    expect(event.event).toMatchObject({ id: "binary-1", subject: "order 12", tenant: "acme", data: { total: 1.5 } });
    expect(sent.map((request) => request.body)).toEqual([body]);
    expect(sent[0]?.headers.get("ce-subject")).toBe("order%2012");
    expect(sent[0]?.headers.get("ce-tenant")).toBe("acme");
  });

  it("accepts the structured mode, at /events and under the source's own address, as one and the same source", async () => {
    const call = structuredCall(eventOf({ id: "structured-1", data: { total: 2 } }));
    const first = receiptOf(await send(EVENTS, call));
    expect(first).toMatchObject({ status: "accepted", rules: ["default/order-placed"] });
    expect(receiptOf(await send("/webhooks/events", call))).toEqual({ ...first, status: "duplicate" });
    await eventWithStatus(first.id, "delivered");
    expect(sent.map((request) => request.body)).toEqual(['{"total":2}']);
  });

  it("accepts a batch and answers with the receipts in its order, conflicts and repeats included", async () => {
    const known = receiptOf(await send(EVENTS, structuredCall(eventOf({ id: "batch-known", data: 1 }))));
    const events = [
      eventOf({ id: "batch-a", subject: "one", data: 1 }),
      eventOf({ id: "batch-known", data: 1 }),
      eventOf({ id: "batch-known", data: 2 }),
      eventOf({ id: "batch-b", subject: "two", type: "com.example.nobody-asked" }),
      eventOf({ id: "batch-a", subject: "one", data: 1 }),
    ];
    const answer = await send(EVENTS, batchCall(events));
    expect(answer.status).toBe(202);
    const receipts = answer.json as readonly Receipt[];
    expect(receipts.map((each) => each.status)).toEqual(["accepted", "duplicate", "conflict", "accepted", "duplicate"]);
    expect(receipts[1]?.id).toBe(known.id);
    expect(receipts[2]?.id).toBe(known.id);
    expect(receipts[4]?.id).toBe(receipts[0]?.id);
    expect(receipts[3]?.rules).toEqual([]);
    expect(await eventById(receipts[3]?.id ?? "")).toMatchObject({ event: { id: "batch-b" }, status: "unmatched" });
  });

  it("accepts an empty batch, which is no event, and one at its limit", async () => {
    const none = await send(EVENTS, batchCall([]));
    expect({ status: none.status, json: none.json }).toEqual({ status: 202, json: [] });
    const events = Array.from({ length: BATCH_EVENTS_MAX }, (_, n) =>
      eventOf({ id: `full-${n}`, subject: `${n}`, type: "com.example.nobody-asked" }),
    );
    const full = await send(EVENTS, batchCall(events));
    expect(full.status).toBe(202);
    const receipts = full.json as readonly Receipt[];
    expect(receipts.map((each) => each.status)).toEqual(events.map(() => "accepted"));
    expect(new Set(receipts.map((each) => each.id)).size).toBe(BATCH_EVENTS_MAX);
  });
});

describe("input at its limit", () => {
  it.each([
    ["with a Content-Length", (body: string) => body],
    ["streamed", (body: string) => streamOf(body)],
  ])("accepts a body of exactly 1 MiB, %s", async (_how, bodyOf) => {
    const body = jsonOfBytes(BODY_BYTES_MAX);
    expect(body.length).toBe(BODY_BYTES_MAX);
    const call = githubCall("ping", body);
    const receipt = receiptOf(await send(GITHUB, { ...call, body: bodyOf(body) }));
    expect(receipt.status).toBe("accepted");
    expect(JSON.stringify((await eventById(receipt.id)).event["data"])).toBe(body);
  });

  it("accepts JSON as deep as allowed: a webhook, an event's data in each mode", async () => {
    const deep = nested(JSON_DEPTH_MAX);
    const structured = `${JSON.stringify(eventOf({ id: "deep-1" })).slice(0, -1)},"data":${deep}}`;
    const batch = `[${JSON.stringify(eventOf({ id: "deep-2" })).slice(0, -1)},"data":${deep}}]`;
    const answers = [
      await send(GITHUB, githubCall("ping", deep)),
      await send(EVENTS, binaryCall({ id: "deep-0" }, deep)),
      await send(EVENTS, { headers: { ...ingestToken(), "content-type": STRUCTURED }, body: structured }),
      await send(EVENTS, { headers: { ...ingestToken(), "content-type": BATCH }, body: batch }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202, 202]);
  });

  it("accepts the content encoding identity, which is none", async () => {
    const answer = await send(GITHUB, githubCall("ping", "{}", { "content-encoding": "identity" }));
    expect(receiptOf(answer).status).toBe("accepted");
  });
});

interface BadInput {
  readonly name: string;
  readonly path: string;
  readonly call: () => Call;
  readonly status: number;
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const text = (value: string) => new TextEncoder().encode(value);
const raw = (contentType: string, body: string | Uint8Array<ArrayBuffer>): Call => ({
  headers: { ...ingestToken(), "content-type": contentType },
  body,
});
const tooLarge = () => jsonOfBytes(LARGE_BODY_BYTES_MAX + 1);
const tooLargeInline = () => jsonOfBytes(BODY_BYTES_MAX + 1);
const invalidUtf8 = Uint8Array.of(...text('{"a":"'), 0xc3, 0x28, ...text('"}'));
const withHeader = (name: string, value: string) => () => githubCall("ping", "{}", { [name]: value });
const without = (name: string) => () => githubCall("ping", "{}", {}, [name]);

const BAD_WEBHOOKS: readonly Omit<BadInput, "path">[] = [
  {
    name: "a signature by another secret",
    call: () => githubCall("ping", "{}", { "x-hub-signature-256": githubSignature("{}", "not-the-secret") }),
    status: 401,
    reason: "wrong-signature",
  },
  {
    name: "a signature over another body",
    call: () => ({ ...githubCall("ping", "{}"), body: "{ }" }),
    status: 401,
    reason: "wrong-signature",
  },
  { name: "no signature", call: without("x-hub-signature-256"), status: 401, reason: "missing-signature" },
  {
    name: "a signature of another algorithm",
    call: withHeader("x-hub-signature-256", `sha1=${"0".repeat(40)}`),
    status: 400,
    reason: "malformed-signature",
  },
  {
    name: "a signature that is cut off",
    call: () => githubCall("ping", "{}", { "x-hub-signature-256": githubSignature("{}").slice(0, -1) }),
    status: 400,
    reason: "malformed-signature",
  },
  { name: "no X-GitHub-Event", call: without("x-github-event"), status: 400, reason: "missing-header" },
  { name: "no X-GitHub-Delivery", call: without("x-github-delivery"), status: 400, reason: "missing-header" },
  {
    name: "an X-GitHub-Event that is no name",
    call: withHeader("x-github-event", "push; drop"),
    status: 400,
    reason: "invalid-header",
  },
  {
    name: "an X-GitHub-Delivery that is too long",
    call: withHeader("x-github-delivery", "d".repeat(129)),
    status: 400,
    reason: "invalid-header",
  },
  {
    name: "another content type",
    call: withHeader("content-type", "text/plain"),
    status: 415,
    reason: "unsupported-content-type",
  },
  {
    name: "no content type",
    call: () => ({ ...githubCall("ping", text("{}"), {}, ["content-type"]) }),
    status: 415,
    reason: "unsupported-content-type",
  },
  {
    name: "a compressed body",
    call: withHeader("content-encoding", "gzip"),
    status: 415,
    reason: "unsupported-content-encoding",
    headers: { "accept-encoding": "identity" },
  },
  {
    name: "a body that is not UTF-8",
    call: () => githubCall("ping", invalidUtf8),
    status: 400,
    reason: "invalid-utf8",
  },
  { name: "a body that is not JSON", call: () => githubCall("ping", '{"a":}'), status: 400, reason: "invalid-json" },
  { name: "JSON that is no object", call: () => githubCall("ping", "[]"), status: 400, reason: "invalid-json" },
  { name: "no body", call: () => githubCall("ping", ""), status: 400, reason: "invalid-json" },
  {
    name: "JSON that is one level too deep",
    call: () => githubCall("ping", nested(JSON_DEPTH_MAX + 1)),
    status: 400,
    reason: "json-too-deep",
  },
  {
    name: "JSON that nests as deep as the body's limit lets it",
    call: () => githubCall("ping", nested(BODY_BYTES_MAX / 2 - 8)),
    status: 400,
    reason: "json-too-deep",
  },
  {
    name: "a form without a payload",
    call: () => githubCall("ping", "other=1", { "content-type": "application/x-www-form-urlencoded" }),
    status: 400,
    reason: "invalid-form",
  },
  {
    name: "a form over 1 MiB",
    call: () => githubCall("ping", tooLargeInline(), { "content-type": "application/x-www-form-urlencoded" }),
    status: 415,
    reason: "unsupported-content-type",
  },
  {
    name: "a body one byte over 25 MiB, its length told",
    call: () => githubCall("ping", tooLarge()),
    status: 413,
    reason: "body-too-large",
  },
  {
    name: "a body one byte over 25 MiB, streamed",
    call: () => ({ ...githubCall("ping", tooLarge()), body: streamOf(tooLarge()) }),
    status: 413,
    reason: "body-too-large",
  },
];

const BAD_EVENTS: readonly Omit<BadInput, "path">[] = [
  {
    name: "no token",
    call: () => structuredCall(eventOf({ id: "bad" }), { authorization: "" }),
    status: 401,
    reason: "missing-token",
    headers: { "www-authenticate": "Bearer" },
  },
  {
    name: "another scheme than Bearer",
    call: () => structuredCall(eventOf({ id: "bad" }), { authorization: `Basic ${btoa("user:password")}` }),
    status: 401,
    reason: "missing-token",
    headers: { "www-authenticate": "Bearer" },
  },
  {
    name: "a wrong token",
    call: () => structuredCall(eventOf({ id: "bad" }), { authorization: "Bearer not-the-token" }),
    status: 401,
    reason: "wrong-token",
    headers: { "www-authenticate": 'Bearer error="invalid_token"' },
  },
  {
    name: "the admin token",
    call: () => structuredCall(eventOf({ id: "bad" }), { authorization: `Bearer ${env.ADMIN_TOKEN}` }),
    status: 401,
    reason: "wrong-token",
  },
  {
    name: "no CloudEvent at all",
    call: () => raw("application/json", "{}"),
    status: 400,
    reason: "missing-header",
  },
  {
    name: "an event format that is not JSON",
    call: () => raw("application/cloudevents+avro", "x"),
    status: 415,
    reason: "unsupported-content-type",
  },
  {
    name: "a structured event that is not UTF-8",
    call: () => raw(STRUCTURED, invalidUtf8),
    status: 400,
    reason: "invalid-utf8",
  },
  {
    name: "a structured event that is not JSON",
    call: () => raw(STRUCTURED, "{"),
    status: 400,
    reason: "invalid-json",
  },
  {
    name: "a structured event that is no object",
    call: () => raw(STRUCTURED, "[]"),
    status: 400,
    reason: "invalid-json",
  },
  {
    name: "structured data one level too deep",
    call: () =>
      raw(STRUCTURED, `${JSON.stringify(eventOf({ id: "bad" })).slice(0, -1)},"data":${nested(JSON_DEPTH_MAX + 1)}}`),
    status: 400,
    reason: "json-too-deep",
  },
  {
    name: "binary data that is not JSON as it says",
    call: () => binaryCall({ id: "bad" }, "{"),
    status: 400,
    reason: "invalid-json",
  },
  {
    name: "binary data that is not UTF-8",
    call: () => binaryCall({ id: "bad" }, invalidUtf8),
    status: 400,
    reason: "invalid-utf8",
  },
  {
    name: "binary data one level too deep",
    call: () => binaryCall({ id: "bad" }, nested(JSON_DEPTH_MAX + 1)),
    status: 400,
    reason: "json-too-deep",
  },
  { name: "an empty id", call: () => structuredCall(eventOf({ id: "" })), status: 400, reason: "invalid-event" },
  {
    name: "a specversion that there is not",
    call: () => structuredCall(eventOf({ id: "bad", specversion: "0.3" })),
    status: 400,
    reason: "invalid-event",
  },
  {
    name: "a time that is none",
    call: () => structuredCall(eventOf({ id: "bad", time: "yesterday" })),
    status: 400,
    reason: "invalid-event",
  },
  {
    name: "a name that no attribute may have",
    call: () => structuredCall(eventOf({ id: "bad", Tenant_Id: "acme" })),
    status: 400,
    reason: "invalid-event",
  },
  {
    name: "an attribute that is an object",
    call: () => structuredCall(eventOf({ id: "bad", tenant: { name: "acme" } })),
    status: 400,
    reason: "invalid-event",
  },
  {
    name: "a binary attribute whose escapes are not UTF-8",
    call: () => binaryCall({ id: "bad" }, "{}", { "ce-subject": "%C3%28" }),
    status: 400,
    reason: "invalid-event",
  },
  {
    name: "a batch with one bad event behind good ones",
    call: () => batchCall([eventOf({ id: "good-1" }), eventOf({ id: "good-2" }), eventOf({ id: "" })]),
    status: 400,
    reason: "invalid-event",
  },
  {
    name: "a batch one event over its limit",
    call: () => batchCall(Array.from({ length: BATCH_EVENTS_MAX + 1 }, (_, n) => eventOf({ id: `over-${n}` }))),
    status: 413,
    reason: "batch-too-large",
  },
  {
    name: "a compressed body",
    call: () => structuredCall(eventOf({ id: "bad" }), { "content-encoding": "br" }),
    status: 415,
    reason: "unsupported-content-encoding",
  },
  {
    name: "a batch over 1 MiB",
    call: () =>
      batchCall(Array.from({ length: 2 }, () => eventOf({ id: "bad", data: "x".repeat(BODY_BYTES_MAX / 2) }))),
    status: 413,
    reason: "body-too-large",
  },
];

const BAD_INPUTS: readonly BadInput[] = [
  ...BAD_WEBHOOKS.map((each) => ({ ...each, name: `a webhook with ${each.name}`, path: GITHUB })),
  ...BAD_EVENTS.map((each) => ({ ...each, name: `an event with ${each.name}`, path: EVENTS })),
  {
    name: "a webhook for a source that there is not",
    path: "/webhooks/gitlab",
    call: () => githubCall("ping", "{}"),
    status: 404,
    reason: "unknown-source",
  },
];

describe("bad input", () => {
  /** How often each (source, reason) was refused by the tests of this block. */
  const refused = new Map<string, number>();

  const titled = BAD_INPUTS.map((input) => [`${input.name}: ${input.status} ${input.reason}`, input] as const);

  it.each(titled)("refuses %s", async (_title, { path, call, status, reason, headers }) => {
    const before = await newestEvents();
    const answer = await send(path, call());
    expect(problemOf(answer)).toBe(`${status} ${reason}`);
    for (const [name, value] of Object.entries(headers ?? {})) expect(answer.headers.get(name)).toBe(value);
    expect(answer.text).not.toContain(githubSignature("{}").slice(7));
    expect(await newestEvents()).toEqual(before);
    expect(sent).toEqual([]);
    const source = reason === "unknown-source" ? "(unknown)" : path === EVENTS ? "events" : "github";
    refused.set(`${source} ${reason}`, (refused.get(`${source} ${reason}`) ?? 0) + 1);
  });

  it("counts and records every one of them with its source, its reason and what the sender was told", async () => {
    expect([...refused.values()].reduce((sum, count) => sum + count, 0)).toBe(BAD_INPUTS.length);
    const recorded = await vi.waitFor(
      async () => {
        const entries = await rejections();
        const counts = new Map<string, number>();
        for (const { source, reason, count } of entries) {
          // Refused by the tests of conflicts above.
          if (reason === "conflict") continue;
          counts.set(`${source} ${reason}`, (counts.get(`${source} ${reason}`) ?? 0) + count);
        }
        expect(counts).toEqual(refused);
        return entries;
      },
      { timeout: 5_000, interval: 100 },
    );
    expect(recorded.find((entry) => entry.reason === "unknown-source")).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      source: "(unknown)",
      reason: "unknown-source",
      count: 1,
      detail: expect.stringContaining('"gitlab"'),
    });
    const all = JSON.stringify(recorded);
    for (const secret of [env.GITHUB_WEBHOOK_SECRET, env.INGEST_TOKEN, env.ADMIN_TOKEN, "not-the-token"]) {
      expect(all).not.toContain(secret);
    }
  });

  it("writes few rows in a flood, and counts all of it", async () => {
    const rowsBefore = (await rejections()).length;
    const bad = githubCall("ping", "{}", { "x-hub-signature-256": githubSignature("{}", "wrong") });
    const countBefore = await countRejected("github", "wrong-signature");
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => send(GITHUB, bad)));
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([401]));
    }
    await vi.waitFor(async () => expect(await countRejected("github", "wrong-signature")).toBe(countBefore + 500), {
      timeout: 5_000,
      interval: 100,
    });
    // One row a second at most.
    expect((await rejections()).length - rowsBefore).toBeLessThanOrEqual(10);
  });

  it("keeps a flood of made-up sources from filling the record, all under one name", async () => {
    const before = await rejections();
    const countBefore = await countRejected("(unknown)", "unknown-source");
    const names = Array.from({ length: 500 }, (_, n) => `made-up-${n}-${"n".repeat(100)}`);
    for (let at = 0; at < names.length; at += 50) {
      const round = names.slice(at, at + 50);
      const answers = await Promise.all(round.map((name) => send(`/webhooks/${name}`, githubCall("ping", "{}"))));
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([404]));
    }
    await vi.waitFor(
      async () => expect(await countRejected("(unknown)", "unknown-source")).toBe(countBefore + names.length),
      { timeout: 5_000, interval: 100 },
    );
    const after = await rejections();
    expect(after.length - before.length).toBeLessThanOrEqual(10);
  });
});

describe("bodies that come badly", () => {
  const open = (start: (controller: ReadableStreamDefaultController) => void): ReadableStream =>
    new ReadableStream({ start });
  const call = () => githubCall("ping", "{}");

  it("refuses a body whose Content-Length is over the limit without waiting for it", async () => {
    const endless = open(() => undefined);
    const headers = { ...call().headers, "content-length": String(LARGE_BODY_BYTES_MAX + 1) };
    expect(problemOf(await sendWith({}, GITHUB, { headers, body: endless }))).toBe("413 body-too-large");
  });

  it("counts the bytes itself when Content-Length is too low", async () => {
    const headers = { ...call().headers, "content-length": "2" };
    expect(problemOf(await sendWith({}, GITHUB, { headers, body: streamOf(tooLarge()) }))).toBe("413 body-too-large");
  });

  it("gives up on a body that stops coming", async () => {
    const slow = open((controller) => controller.enqueue(text("{")));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answer = sendWith({}, GITHUB, { ...call(), body: slow });
    await vi.advanceTimersByTimeAsync(BODY_TIMEOUT_MS - 1);
    expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1);
    expect(problemOf(await answer)).toBe("408 body-timeout");
    // The record of it is written a second later, on the same clock.
    await vi.advanceTimersByTimeAsync(1_000);
  });

  it("refuses a body that breaks off", async () => {
    const broken = open((controller) => {
      controller.enqueue(text("{"));
      controller.error(new Error("hung up"));
    });
    expect(problemOf(await sendWith({}, GITHUB, { ...call(), body: broken }))).toBe("400 body-unreadable");
  });
});

type Accept = (request: AcceptRequest) => Promise<AcceptReply>;

/** A namespace whose partitions accept as told; everything else goes to the real ones. */
function accepting(accept: (name: string) => Accept): { readonly PARTITION: unknown } {
  const get = (name: string) => ({
    accept: accept(name),
    settle: (request: Parameters<ReturnType<typeof partition>["settle"]>[0]) => partition(name).settle(request),
    recordRejections: (entries: readonly RejectionEntry[]) => partition(name).recordRejections(entries),
  });
  return { PARTITION: { idFromName: (name: string) => name, get } };
}

const realAccept =
  (name: string): Accept =>
  async (request) =>
    partition(name).accept(request);

describe("when storage is not there", () => {
  const fails = (flags: object = {}) =>
    accepting(() => async () => Promise.reject(Object.assign(new Error("no"), flags)));

  it("answers 503 with Retry-After, acknowledges nothing, and accepts the repeat when storage is back", async () => {
    const call = githubCall("push", pushOf(9_001));
    const before = await newestEvents();
    const answer = await sendWith(fails(), GITHUB, call);
    expect(problemOf(answer)).toBe("503 storage-unavailable");
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(answer.text).not.toContain("evt_");
    expect(await newestEvents()).toEqual(before);
    expect(sent).toEqual([]);
    expect(receiptOf(await send(GITHUB, call)).status).toBe("accepted");
  });

  it.each([
    ["once after a failure that is no passing one", {}, 1],
    ["three times, always with the same token, after a passing one", { retryable: true }, 3],
    ["once when the partition is overloaded", { retryable: true, overloaded: true }, 1],
  ])("asks %s", async (_what, flags, times) => {
    const tokens: string[] = [];
    const failing = accepting(() => async ({ token }) => {
      tokens.push(token);
      throw Object.assign(new Error("no"), flags);
    });
    expect(problemOf(await sendWith(failing, GITHUB, githubCall("ping", "{}")))).toBe("503 storage-unavailable");
    expect(tokens).toHaveLength(times);
    expect(new Set(tokens).size).toBe(1);
  });

  it("accepts after a reply that was lost, once, with the leases of the first try", async () => {
    let lost = 0;
    const losing = accepting((name) => async (request) => {
      const reply = await partition(name).accept(request);
      if (lost++ === 0) throw Object.assign(new Error("lost"), { retryable: true });
      return reply;
    });
    const receipt = receiptOf(await sendWith(losing, GITHUB, githubCall("push", pushOf(9_002))));
    expect(receipt.status).toBe("accepted");
    const event = await eventWithStatus(receipt.id, "delivered");
    expect(event.deliveries.map((delivery) => delivery.attemptCount)).toEqual([1, 1]);
    expect(sent).toHaveLength(2);
  });

  it("gives up after five seconds, well before the sender does", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const hanging = accepting(() => () => new Promise(() => undefined));
    const answer = sendWith(hanging, GITHUB, githubCall("ping", "{}"));
    await vi.advanceTimersByTimeAsync(ACCEPT_TIMEOUT_MS - 1);
    expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1);
    expect(problemOf(await answer)).toBe("503 storage-unavailable");
    // The record of it is written a second later, on the same clock.
    await vi.advanceTimersByTimeAsync(1_000);
  });

  it("refuses a whole batch when one partition fails; sent again, what was stored answers duplicate", async () => {
    const keyed = (key: string, n: number) => eventOf({ id: `split-${n}`, source: key });
    const keys = Array.from({ length: 20 }, (_, n) => `/split/${n}`);
    const failing = partitionOf("default", keys[0] ?? "", 4, hashing.sha256);
    const isFailing = (key: string) => partitionOf("default", key, 4, hashing.sha256) === failing;
    const call = batchCall(keys.map(keyed));
    const broken = accepting((name) => async (request) => {
      if (name === failing) throw new Error("no");
      return realAccept(name)(request);
    });
    expect(problemOf(await sendWith(broken, EVENTS, call))).toBe("503 storage-unavailable");
    expect(sent).toEqual([]);
    const receipts = (await send(EVENTS, call)).json as readonly Receipt[];
    const expected = keys.map((key) => (isFailing(key) ? "accepted" : "duplicate"));
    expect(receipts.map((receipt) => receipt.status)).toEqual(expected);
    expect(new Set(expected).size).toBe(2);
  });

  it("records a refusal for want of storage like any other", async () => {
    const before = await countRejected("github", "storage-unavailable");
    expect(problemOf(await sendWith(fails(), GITHUB, githubCall("ping", "{}")))).toBe("503 storage-unavailable");
    await vi.waitFor(async () => expect(await countRejected("github", "storage-unavailable")).toBeGreaterThan(before), {
      timeout: 5_000,
      interval: 100,
    });
  });

  it("refuses what would make a backlog too long, but not what adds nothing to it", async () => {
    // The target fails, so that what is accepted stays open.
    answerTargets(() => new Response("no", { status: 503 }));
    const inSmall = <Value>(name: string, work: (small: Partition) => Value): Promise<Awaited<Value>> =>
      runInDurableObject(stubOf(name), async (_instance, state) =>
        work(new Partition(state, { PARTITION: env.PARTITION, BACKLOG_DELIVERIES_MAX: "3" })),
      ) as Promise<Awaited<Value>>;
    // One partition in all, which no other test comes to. Refusals that are recorded along with these end there too, where
    // the admin API does not look: no test after this one may count them.
    const bindings = {
      PARTITIONS: "1",
      ...accepting((name) => (request) => inSmall(name, (one) => one.accept(request))),
    };
    const stored = async () => {
      const request = { before: Number.MAX_SAFE_INTEGER, limit: 10, which: "all", filter: {} } as const;
      const { events } = await inSmall("v1/default/1/0", (one) => one.list(request));
      return events.map((event) => event.seq);
    };
    const first = githubCall("push", pushOf(9_003));
    const receipt = receiptOf(await sendWith(bindings, GITHUB, first));
    expect(receipt.rules).toHaveLength(2);
    expect(await stored()).toHaveLength(1);
    const answer = await sendWith(bindings, GITHUB, githubCall("push", pushOf(9_003)));
    expect(problemOf(answer)).toBe("503 backlog-full");
    expect(answer.headers.get("retry-after")).toBe(String(BACKLOG_RETRY_AFTER_SECONDS));
    expect(await stored()).toHaveLength(1);
    // A repeat, an event with the one delivery that still fits, and one that no rule wants.
    expect(receiptOf(await sendWith(bindings, GITHUB, first))).toEqual({ ...receipt, status: "duplicate" });
    const branch = githubCall("push", pushOf(9_003, "topic"));
    expect(receiptOf(await sendWith(bindings, GITHUB, branch)).rules).toEqual(["default/push"]);
    expect(problemOf(await sendWith(bindings, GITHUB, githubCall("push", pushOf(9_003, "topic"))))).toBe(
      "503 backlog-full",
    );
    const unmatched = await sendWith(bindings, GITHUB, githubCall("star", "{}"));
    expect(receiptOf(unmatched)).toMatchObject({ status: "accepted", rules: [] });
    expect(await stored()).toHaveLength(3);
  });
});

describe("a source whose secret is not set", () => {
  it.each([
    [GITHUB, "GITHUB_WEBHOOK_SECRET", () => githubCall("ping", "{}")],
    [EVENTS, "INGEST_TOKEN", () => structuredCall(eventOf({ id: "unset" }))],
  ])("refuses everything at %s, naming the secret %s", async (path, secret, call) => {
    for (const value of [undefined, ""]) {
      const answer = await sendWith({ [secret]: value }, path, call());
      expect(problemOf(answer)).toBe("503 source-not-configured");
      expect(answer.text).toContain(secret);
    }
  });
});

describe("addresses and methods", () => {
  it("takes only POST and OPTIONS where events come in", async () => {
    for (const path of [GITHUB, EVENTS, "/webhooks/nobody"]) {
      for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
        const answer = await send(path, { method });
        expect(answer.status).toBe(405);
        expect(answer.headers.get("allow")).toBe("POST, OPTIONS");
        if (method !== "HEAD") expect(problemOf(answer)).toBe("405 method-not-allowed");
      }
    }
  });

  it("answers the CloudEvents validation handshake with the origin that asked", async () => {
    for (const path of [GITHUB, EVENTS]) {
      const answer = await send(path, {
        method: "OPTIONS",
        headers: { "webhook-request-origin": "events.example.com" },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get("webhook-allowed-origin")).toBe("events.example.com");
      expect(answer.headers.get("webhook-allowed-rate")).toBe("*");
      expect(answer.headers.get("allow")).toBe("POST, OPTIONS");
    }
  });

  it("grants at once and at any rate, whatever rate and callback the sender names", async () => {
    // The examples of the CloudEvents HTTP webhook specification, section 4.1.
    const headers = {
      "WebHook-Request-Origin": "eventemitter.example.com",
      "WebHook-Request-Callback": "https://example.com/confirm?id=12345&key=YmFzZTY0",
      "WebHook-Request-Rate": "120",
    };
    const answer = await send(EVENTS, { method: "OPTIONS", headers });
    expect(answer.headers.get("webhook-allowed-origin")).toBe("eventemitter.example.com");
    expect(answer.headers.get("webhook-allowed-rate")).toMatch(/^(?:\*|[1-9]\d*)$/);
  });

  it("allows no origin that was not asked for or is none, and shakes no hand for an unknown source", async () => {
    for (const headers of [{}, { "webhook-request-origin": "a b" }, { "webhook-request-origin": "o".repeat(254) }]) {
      const answer = await send(EVENTS, { method: "OPTIONS", headers });
      expect(answer.status).toBe(204);
      expect(answer.headers.get("webhook-allowed-origin")).toBeNull();
    }
    const headers = { "webhook-request-origin": "events.example.com" };
    expect(problemOf(await send("/webhooks/nobody", { method: "OPTIONS", headers }))).toBe("404 unknown-source");
  });

  it.each(["/webhooks/%E0%A4%A", "/webhooks/..%2Fapi", "/webhooks/constructor", "/webhooks/__proto__"])(
    "knows no source at %s",
    async (path) => expect(problemOf(await send(path, githubCall("ping", "{}")))).toBe("404 unknown-source"),
  );

  it.each(["/", "/webhooks", "/webhooks/", "/webhooks/github/more", "/events/", "/EVENTS"])(
    "answers 404 at %s",
    async (path) => expect(problemOf(await send(path, githubCall("ping", "{}")))).toBe("404 not-found"),
  );
});
