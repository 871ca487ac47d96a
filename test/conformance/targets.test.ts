/** What every target must hold, whichever file in src/targets it is. A new file is picked up by being there. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { structuredJson } from "../../src/core/event.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { ok } from "../../src/core/result.ts";
import type { Target, TargetIo } from "../../src/core/target.ts";
import { eventWith, shipmentOf, targetIo } from "../support/target-io.ts";

const FOLDER = new URL("../../src/targets/", import.meta.url);

const files = readdirSync(fileURLToPath(FOLDER.href)).filter((file) => file.endsWith(".ts") && !file.startsWith("_"));

const targets = await Promise.all(
  files.map(async (file) => {
    const module = (await import(new URL(file, FOLDER).href)) as { readonly default: Target<unknown> };
    return { kind: file.replace(/\.ts$/, ""), target: module.default };
  }),
);

/** What stands after a kind's own key in the shortest entry: an address or the name of a binding. */
const ADDRESSES: readonly Json[] = ["https://target.example/hooks", "BINDING"];

function shortestEntry(target: Target<unknown>): JsonObject {
  const entry = ADDRESSES.map((address) => ({ [target.kind]: address })).find((entry) => target.parse(entry).ok);
  if (entry === undefined) throw new Error(`no shortest entry for ${target.kind}: add its address to ADDRESSES`);
  return entry;
}

function shortestConfig(target: Target<unknown>): unknown {
  const parsed = target.parse(shortestEntry(target));
  if (!parsed.ok) throw new Error("the shortest entry parses");
  return parsed.value;
}

function deepFreeze<Value extends Json>(value: Value): Value {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}

/** Every way to the outside answers the same way. */
function ioThat(answers: () => Promise<never>, changes: Partial<TargetIo> = {}): TargetIo {
  return targetIo({ fetch: answers, queue: () => ({ send: answers }), publish: answers, ...changes });
}

/** Every way to the outside works, and what went through it is written down. */
function recordingIo(sent: string[], changes: Partial<TargetIo> = {}): TargetIo {
  return targetIo({
    fetch: async (url, init) => {
      const body = await new Response(init.body as Uint8Array<ArrayBuffer>).text();
      sent.push(`${url} ${JSON.stringify([...new Headers(init.headers)])} ${body}`);
      return new Response("fine");
    },
    queue: () => ({
      send: (message) => {
        sent.push(message);
        return Promise.resolve();
      },
    }),
    publish: ({ deliveryId, event }) => {
      sent.push(`${deliveryId} ${structuredJson(event)}`);
      return Promise.resolve(ok(null));
    },
    ...changes,
  });
}

const OUTCOME_KINDS: readonly Outcome["kind"][] = ["delivered", "retryable", "permanent", "unwanted", "released"];

it("there are targets to look at", () => {
  expect(files).toEqual(expect.arrayContaining(["bus.ts", "http.ts", "queue.ts"]));
});

describe.each(targets)("the target $kind", ({ kind, target }) => {
  it("is named as its file and says in one sentence what it does", () => {
    expect(target.kind).toBe(kind);
    expect(target.kind).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(target.summary).toMatch(/^[A-Z][^\n]{10,100}\.$/);
  });

  it("reads its shortest entry, leaves it as it was and reads it the same again", () => {
    const entry = deepFreeze(shortestEntry(target));
    expect(target.parse(entry)).toEqual(target.parse(entry));
    const config = shortestConfig(target);
    expect(target.secretNames(config)).toEqual([]);
    expect(Array.isArray(target.queueBindings(config))).toBe(true);
    expect(target.localOnly(config)).toEqual([]);
    for (const url of target.urls(config)) expect(new URL(url).href).toBe(url);
  });

  it("refuses an entry without its own key", () => {
    const parsed = target.parse({});
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.error.length).toBeGreaterThan(0);
  });

  it("refuses a key that it doesn't know, at that key, and a target's or an object's own names too", () => {
    for (const name of ["unknown-key", "toString", "__proto__", "constructor", "kind"]) {
      const entry = JSON.parse(
        JSON.stringify(shortestEntry(target)).replace(/\}$/, `,${JSON.stringify(name)}:"x"}`),
      ) as JsonObject;
      const parsed = target.parse(entry);
      expect(parsed).toMatchObject({ ok: false, error: [{ path: [name], at: "key" }] });
    }
  });

  it("answers any entry with a configuration or with mistakes in it, never by throwing", () => {
    const known = ["local", "format", "headers", "sign", kind];
    const entries = fc
      .dictionary(fc.oneof(fc.constantFrom(...known), fc.string()), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })
      .map((entry) => ({ ...entry }) as JsonObject);
    fc.assert(
      fc.property(entries, fc.boolean(), (extra, complete) => {
        const entry = complete ? { ...extra, ...shortestEntry(target) } : extra;
        const parsed = target.parse(entry);
        if (parsed.ok) return;
        expect(parsed.error.length).toBeGreaterThan(0);
        for (const mistake of parsed.error) {
          expect(mistake.message).not.toBe("");
          if (mistake.path.length > 0) expect(Object.hasOwn(entry, String(mistake.path[0]))).toBe(true);
        }
      }),
    );
  });

  it("delivers, names the delivery in what it sends, and sends the same identity on the next attempt", async () => {
    const sent: string[] = [];
    const config = shortestConfig(target);
    for (const attempt of [1, 2]) {
      const shipment = shipmentOf(eventWith('{"n":12345678901234567890}'), { attempt });
      expect(await target.send(shipment, config, 1_000, recordingIo(sent, { now: () => 5_000 }))).toMatchObject({
        kind: "delivered",
      });
    }
    expect(sent).toHaveLength(2);
    expect(sent[0]).toContain("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W");
    expect(sent[0]).toContain("12345678901234567890");
    expect(sent[1]).toBe(sent[0]);
  });

  it("takes one deadline of the length it is given", async () => {
    const timeouts: number[] = [];
    const timeoutSignal = (timeoutMs: number): AbortSignal => {
      timeouts.push(timeoutMs);
      return AbortSignal.timeout(timeoutMs);
    };
    await target.send(shipmentOf(eventWith("{}")), shortestConfig(target), 777, recordingIo([], { timeoutSignal }));
    expect(timeouts).toEqual([777]);
  });

  it("calls what never answers a timeout, in time", async () => {
    const io = ioThat(() => new Promise(() => {}));
    const startedAt = performance.now();
    expect(await target.send(shipmentOf(eventWith("{}")), shortestConfig(target), 30, io)).toMatchObject({
      kind: "retryable",
      reason: "timeout",
    });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it("tries again after any failure to send, with a bounded word about it", async () => {
    const thrown: unknown[] = [new Error("x".repeat(10_000)), new TypeError("fetch failed"), "text", undefined, null];
    for (const error of thrown) {
      const io = ioThat(() => Promise.reject(error as Error));
      const outcome = await target.send(shipmentOf(eventWith("{}")), shortestConfig(target), 1_000, io);
      expect(outcome.kind).toBe("retryable");
      expect(JSON.stringify(outcome).length).toBeLessThan(500);
    }
  });

  it("has an outcome for any event", async () => {
    const events = fc.record({
      body: fc.option(fc.uint8Array({ maxLength: 200 })),
      attributes: fc.dictionary(
        fc.stringMatching(/^[a-z0-9]{1,20}$/),
        fc.oneof(fc.string({ unit: "binary" }), fc.integer()),
        { maxKeys: 5 },
      ),
    });
    const config = shortestConfig(target);
    await fc.assert(
      fc.asyncProperty(events, async ({ body, attributes }) => {
        const shipment = shipmentOf(eventWith(body, attributes));
        const outcome = await target.send(shipment, config, 1_000, recordingIo([]));
        expect(OUTCOME_KINDS).toContain(outcome.kind);
      }),
    );
  });
});
