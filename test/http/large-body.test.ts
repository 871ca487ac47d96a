import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readLayouts } from "../../src/bus/layout.ts";
import type { Received } from "../../src/core/source.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import { ok } from "../../src/core/result.ts";
import { sources, targets } from "../support/kinds.ts";
import { hashing } from "../../src/hashing.ts";
import { BODY_BYTES_MAX, openBody } from "../../src/http/body.ts";
import type { LargePorts } from "../../src/http/large-body.ts";
import {
  LARGE_BODIES_MAX,
  LARGE_BODY_BYTES_MAX,
  LARGE_BODY_TIMEOUT_MS,
  createLargeBudget,
  receiveLarge,
} from "../../src/http/large-body.ts";
import { PART_BYTES } from "../../src/http/large-upload.ts";
import { largePush } from "../support/large-payload.ts";
import type { MemoryBodies } from "../support/memory-bodies.ts";
import { createMemoryBodies } from "../support/memory-bodies.ts";

const SECRET = "secret-for-tests";
const NOW = Date.UTC(2026, 10, 21, 15, 4);

const ruleSet = compileRules(
  {
    version: "v1",
    sources: [
      { name: "github", kind: "github", bus: "default", entry: { secrets: ["SECRET"] } },
      { name: "events", kind: "cloudevents", bus: "default", entry: { auth: "none" } },
    ],
    targets: [],
    rules: [
      {
        path: "default/one",
        bus: "default",
        pattern: { data: { commits: { author: { name: ["Mona"] } }, head_commit: ["x"] } },
        targets: [],
        mode: "live",
      },
      { path: "default/off", bus: "default", pattern: { data: { compare: ["x"] } }, targets: [], mode: "off" },
      { path: "other/one", bus: "other", pattern: { data: { base_ref: ["x"] } }, targets: [], mode: "live" },
    ],
  },
  { sources, targets },
);

const later: Promise<unknown>[] = [];

function portsWith(bodies: MemoryBodies | undefined, changes: Partial<LargePorts> = {}): LargePorts {
  return {
    ...readLayouts("4", undefined),
    ruleSet,
    hashing,
    bodies,
    largeBudget: createLargeBudget(),
    secret: () => SECRET,
    newToken: () => "token",
    now: () => NOW,
    within: (work) => work,
    later: (work) => void later.push(work),
    log: () => {},
    ...changes,
  };
}

interface Sent {
  readonly source?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly chunkBytes?: number;
  readonly declaredBytes?: number;
  /** Instead of the end. */
  readonly end?: "break" | "stall";
}

async function receive(body: Buffer, ports: LargePorts, sent: Sent = {}) {
  const { source: name = "github", chunkBytes = 300_000, declaredBytes = 0 } = sent;
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < body.length) controller.enqueue(body.subarray(at, (at += chunkBytes)));
      else if (sent.end === "break") controller.error(new Error("gone"));
      else if (sent.end !== "stall") controller.close();
    },
  });
  const headers = {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": "guid",
    "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
    ...sent.headers,
  };
  const init = { method: "POST", body: stream, headers, duplex: "half" };
  const request = new Request("https://sluice.example/webhooks/github", init as RequestInit);
  const source = ruleSet.source(name);
  const reader = openBody(request);
  if (source === undefined || !reader.ok) throw new Error("the test is wrong");
  const { method, url } = request;
  const head = { method, url, headers: request.headers };
  try {
    return await receiveLarge({ head, start: new Uint8Array(), declaredBytes, body: reader.value }, source, ports);
  } finally {
    reader.value.close();
    await Promise.all(later.splice(0));
  }
}

describe("a large body", () => {
  test("that fits in one part is stored when it is genuine, as it came", async () => {
    const bodies = createMemoryBodies();
    const body = largePush({ bytes: PART_BYTES });
    const received = await receive(body, portsWith(bodies));
    expect(received).toMatchObject({ ok: true, value: { batch: false, verifiedBy: ["SECRET"] } });
    expect(bodies.calls).toEqual(["put"]);
    const [[key, stored] = []] = bodies.bodies;
    expect(key).toBe("bodies/2026-11-21T15/default/4/token");
    expect(Buffer.compare(stored?.bytes ?? new Uint8Array(), body)).toBe(0);
  });

  test("of more goes in parts of one size and a last one, whatever the chunks", async () => {
    for (const chunkBytes of [PART_BYTES, 3_000_001, 20_000_000]) {
      const bodies = createMemoryBodies();
      const body = largePush({ bytes: 2 * PART_BYTES + 77_777 });
      expect((await receive(body, portsWith(bodies), { chunkBytes })).ok).toBe(true);
      const parts = ["begin", `part ${PART_BYTES}`, `part ${PART_BYTES}`, "part 77777", "complete"];
      expect(bodies.calls).toEqual(parts);
      expect(Buffer.compare([...bodies.bodies.values()][0]?.bytes ?? new Uint8Array(), body)).toBe(0);
    }
  });

  test("is the event that it would be if it were small, with what rules name of it", async () => {
    const body = largePush({ bytes: 3_000_000, author: "Lisa" });
    const received = await receive(body, portsWith(createMemoryBodies()));
    const source = ruleSet.source("github");
    const headers = new Headers({
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": "guid",
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
    });
    const whole = { method: "POST", url: "https://sluice.example/", headers, body };
    const context = { now: NOW, hashing, secret: () => SECRET };
    const small = source?.source.receive(whole, source.config, "github", context);
    if (!received.ok || small?.ok !== true) throw new Error("both are accepted");
    const { large, ...event } = first(received.value);
    const bodiless = ({ event: { attributes }, data: _data, ...others }: typeof event) => ({ ...others, attributes });
    expect(event).not.toHaveProperty("data");
    expect(bodiless(event)).toEqual(bodiless(first(small.value)));
    expect(event.event.body).toBeNull();
    expect(large).toMatchObject({ key: "bodies/2026-11-21T15/default/4/token", bytes: 3_000_000 });
    const pruned = JSON.parse(new TextDecoder().decode(large?.pruned)) as Record<string, unknown>;
    // What the mapping reads of any push, and the two fields of the patterns of this bus that are live.
    expect(Object.keys(pruned).toSorted()).toEqual(["commits", "head_commit", "ref", "repository", "sender"]);
    expect((pruned["commits"] as { author: unknown }[])[1]).toEqual({ author: { name: "Lisa" } });
  });

  test.each([
    ["a wrong signature", { headers: { "x-hub-signature-256": `sha256=${"0".repeat(64)}` } }, "wrong-signature"],
    ["an event without a name", { headers: { "x-github-event": "" } }, "missing-header"],
    ["a body that breaks off", { end: "break" }, "body-unreadable"],
  ] as const)("with %s is given up", async (_, sent, reason) => {
    const bodies = createMemoryBodies();
    const received = await receive(largePush({ bytes: PART_BYTES + 100_000 }), portsWith(bodies), sent);
    expect(received).toMatchObject({ ok: false, error: { reason } });
    expect([bodies.bodies.size, bodies.openUploads()]).toEqual([0, 0]);
  });

  test("that is no JSON says so to those only who have signed it", async () => {
    const body = Buffer.concat([largePush({ bytes: PART_BYTES + 100_000 }), Buffer.from(",")]);
    const bodies = createMemoryBodies();
    const at = body.length - 1;
    expect(await receive(body, portsWith(bodies))).toEqual({
      ok: false,
      error: { reason: "invalid-json", detail: `unexpected character at byte ${at}` },
    });
    const headers = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    expect(await receive(body, portsWith(bodies), { headers })).toMatchObject({ error: { reason: "wrong-signature" } });
    expect([bodies.bodies.size, bodies.openUploads()]).toEqual([0, 0]);
  });

  test("of whose fields the rules name more than is kept is refused", async () => {
    const body = largePush({ bytes: 3_000_000, author: "x".repeat(60_000) });
    const received = await receive(body, portsWith(createMemoryBodies()));
    expect(received).toEqual({ ok: false, error: { reason: "rules-need-too-much", bytesMax: 1_048_576 } });
  });

  test("at the limit is taken, one byte more is not, whatever was declared", async () => {
    const bodies = createMemoryBodies();
    const body = largePush({ bytes: LARGE_BODY_BYTES_MAX });
    expect((await receive(body, portsWith(bodies), { chunkBytes: 4_000_000 })).ok).toBe(true);
    const over = Buffer.concat([body, Buffer.from(" ")]);
    const refusal = { ok: false, error: { reason: "body-too-large", bytesMax: LARGE_BODY_BYTES_MAX } };
    expect(await receive(over, portsWith(bodies), { chunkBytes: 4_000_000 })).toEqual(refusal);
    const before = bodies.calls.length;
    expect(await receive(body, portsWith(bodies), { declaredBytes: LARGE_BODY_BYTES_MAX + 1 })).toEqual(refusal);
    expect(bodies.calls).toHaveLength(before);
    expect(bodies.openUploads()).toBe(0);
  });

  test("is refused before it is read where nothing takes it, and told the way out", async () => {
    const body = largePush({ bytes: 2_000_000 });
    expect(await receive(body, portsWith(undefined))).toMatchObject({
      error: { reason: "body-too-large", bytesMax: BODY_BYTES_MAX, hint: expect.stringContaining("BODIES") },
    });
    expect(await receive(body, portsWith(createMemoryBodies()), { source: "events" })).toMatchObject({
      error: { reason: "body-too-large", bytesMax: BODY_BYTES_MAX, hint: expect.stringContaining("kind cloudevents") },
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect(await receive(body, portsWith(createMemoryBodies()), { headers })).toMatchObject({
      error: { reason: "unsupported-content-type", hint: expect.stringContaining("application/json") },
    });
  });

  test("that the store does not take in time, or not at all, is not acknowledged", async () => {
    const body = largePush({ bytes: PART_BYTES + 100_000 });
    const unavailable = { ok: false, error: { reason: "storage-unavailable" } };
    for (const failing of ["begin", `part ${PART_BYTES}`, "part 100000", "complete"]) {
      const bodies = createMemoryBodies({
        before: (call) => {
          if (call === failing) throw new Error("no");
        },
      });
      expect(await receive(body, portsWith(bodies))).toMatchObject(unavailable);
      expect(bodies.bodies.size).toBe(0);
      if (failing !== "begin") expect(bodies.calls).toContain("abort");
    }
    let now = NOW;
    const slow = portsWith(createMemoryBodies(), {
      now: () => now,
      within: async (work, timeoutMs) => {
        const done = await work;
        now += 400;
        return timeoutMs <= 400 ? "timeout" : done;
      },
    });
    expect(await receive(body, slow)).toMatchObject(unavailable);
    expect(now - NOW).toBeLessThanOrEqual(LARGE_BODY_TIMEOUT_MS + 400);
  });

  test("has a place among few", async () => {
    const budget = createLargeBudget();
    const places = Array.from({ length: LARGE_BODIES_MAX }, () => budget.take());
    expect(places.every((place) => place !== undefined)).toBe(true);
    const ports = portsWith(createMemoryBodies(), { largeBudget: budget });
    const body = largePush({ bytes: 2_000_000 });
    expect(await receive(body, ports)).toMatchObject({ error: { reason: "too-many-large-bodies" } });
    places[0]?.();
    places[0]?.();
    expect((await receive(body, ports)).ok).toBe(true);
    expect(budget.take()).toBeDefined();
    expect(budget.take()).toBeUndefined();
  });

  test("of a request that makes no event is not kept", async () => {
    const bodies = createMemoryBodies();
    const github = ruleSet.source("github");
    if (github === undefined) throw new Error("there is a source github");
    const answering = {
      ...github,
      source: {
        ...github.source,
        receiveLarge: () =>
          ok({ paths: [], update: () => {}, finish: () => ok({ events: [], batch: false, answer: { status: 200 } }) }),
      },
    };
    const stream = new Blob([largePush({ bytes: 2_000_000 }) as Uint8Array<ArrayBuffer>]).stream();
    const init = { method: "POST", body: stream, duplex: "half" } as RequestInit;
    const request = new Request("https://sluice.example/webhooks/github", init);
    const reader = openBody(request);
    if (!reader.ok) throw new Error("the body opens");
    const head = { method: "POST", url: request.url, headers: request.headers };
    const large = { head, start: new Uint8Array(), declaredBytes: 0, body: reader.value };
    expect(await receiveLarge(large, answering, portsWith(bodies))).toMatchObject({ ok: true, value: { events: [] } });
    reader.value.close();
    expect(bodies.bodies.size).toBe(0);
  });
});

function first({ events }: Received): Received["events"][number] {
  const [event] = events;
  if (event === undefined) throw new Error("one event");
  return event;
}
