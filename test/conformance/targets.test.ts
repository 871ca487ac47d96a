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
import { startServer } from "../support/http-server.ts";
import { eventWith, secretsFrom, shipmentOf, targetIo } from "../support/target-io.ts";
import { VENDORS, VENDOR_SECRETS, VENDOR_SUCCESS } from "../support/vendors.ts";

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

/** The vendors whose messages are for people. */
const CHATS = new Set(Object.keys(VENDORS).filter((kind) => kind !== "github-dispatch"));

function shortestEntry(target: Target<unknown>): JsonObject {
  const vendor = VENDORS[target.kind];
  if (vendor !== undefined) return vendor.entry;
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
  return targetIo({
    secret: secretsFrom(VENDOR_SECRETS),
    fetch: answers,
    queue: () => ({ send: answers }),
    service: () => ({ fetch: answers }),
    publish: answers,
    ...changes,
  });
}

/** Every way to the outside works, and what went through it is written down. */
function recordingIo(sent: string[], changes: Partial<TargetIo> = {}): TargetIo {
  const fetch: TargetIo["fetch"] = async (url, init) => {
    const body = await new Response(init.body as Uint8Array<ArrayBuffer>).text();
    sent.push(`${url} ${JSON.stringify([...new Headers(init.headers)])} ${body}`);
    return new Response(VENDOR_SUCCESS);
  };
  return targetIo({
    secret: secretsFrom(VENDOR_SECRETS),
    fetch,
    service: () => ({ fetch }),
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

const EVENTS = fc.record({
  body: fc.option(fc.uint8Array({ maxLength: 200 })),
  attributes: fc.dictionary(
    fc.stringMatching(/^[a-z0-9]{1,20}$/),
    fc.oneof(fc.string({ unit: "binary" }), fc.integer()),
    { maxKeys: 5 },
  ),
});

const OUTCOME_KINDS: readonly Outcome["kind"][] = ["delivered", "retryable", "permanent", "unwanted", "released"];

describe("the preview of an HTTP target", () => {
  const SECRETS = {
    CI_TOKEN: "Bearer ci-token-91f3",
    CI_KEY: "ci-key-77a0",
    SIGN_NEW: "whsec_c2lnbmluZy1zZWNyZXQtbnVtYmVyLW9uZQ==",
    SIGN_OLD: "plain-signing-secret",
  };
  /** What fetch adds by itself. */
  const OF_THE_CONNECTION = [
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "host",
    "sec-fetch-mode",
  ];
  const MASKED: Readonly<Record<string, string>> = {
    authorization: "<secret CI_TOKEN>",
    "x-key": "<secret CI_KEY>",
    "webhook-timestamp": "<time of sending>",
    "webhook-signature": "<signed with SIGN_NEW> <signed with SIGN_OLD>",
  };

  it.each([
    ["binary", '{"n":12345678901234567890, "é":1}'],
    ["structured", '{"n":12345678901234567890, "é":1}'],
    ["raw", '{"n":12345678901234567890, "é":1}'],
    ["binary", null],
  ])("in %s format, of %s, is what a server gets, header by header and byte by byte", async (format, body) => {
    const http = targets.find((each) => each.kind === "http")?.target;
    if (http === undefined) throw new Error("there is no target http");
    const server = await startServer((response) => response.end());
    try {
      const parsed = http.parse({
        http: server.url,
        format,
        headers: { Authorization: { secret: "CI_TOKEN" }, "X-Key": { secret: "CI_KEY" }, "X-Team": "build" },
        sign: ["SIGN_NEW", "SIGN_OLD"],
      });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
      const local = { printUrl: "http://127.0.0.1:1/" };
      const event = eventWith(body, { subject: 'refs/heads/"grün"', sequence: "7" });
      const shipment = shipmentOf(event, { rawHeaders: { "x-github-event": "push", "x-name": "Jos\u00e9" } });
      const preview = http.preview(shipment, parsed.value, { local });
      const io = targetIo({ local, secret: secretsFrom(SECRETS) });
      expect(await http.send(shipment, parsed.value, 2_000, io)).toMatchObject({ kind: "delivered" });

      const [request] = server.requests;
      expect(preview).toMatchObject({ action: `POST ${server.url}`, method: request?.method, url: server.url });
      expect(new URL(server.url).pathname + new URL(server.url).search).toBe(request?.path);
      expect(Buffer.from(preview.body ?? [])).toEqual(request?.body);
      const received = Object.fromEntries(
        Object.entries(request?.headers ?? {})
          .filter(([name]) => !OF_THE_CONNECTION.includes(name))
          .map(([name, value]) => [name, MASKED[name] ?? value]),
      );
      expect(preview.headers).toEqual(received);
      expect(Object.keys(received)).toEqual(expect.arrayContaining([...Object.keys(MASKED), "webhook-id", "x-team"]));

      const shown = JSON.stringify(preview);
      for (const secret of Object.values(SECRETS)) expect(shown).not.toContain(secret);
      const signatures = String(request?.headers["webhook-signature"]).split(" ");
      expect(signatures).toHaveLength(2);
      for (const signature of signatures) expect(shown).not.toContain(signature);
    } finally {
      await server.close();
    }
  });
});

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
    expect(target.secretNames(config)).toEqual(Object.keys(VENDORS[kind]?.secrets ?? {}));
    expect(Array.isArray(target.queueBindings(config))).toBe(true);
    expect(Array.isArray(target.serviceBindings(config))).toBe(true);
    expect(target.localOnly(config)).toEqual([]);
    for (const url of target.urls(config)) expect(new URL(url).href).toBe(url);
  });

  it("makes a configuration that is the same when it was written as JSON into the generated rules", () => {
    const config = shortestConfig(target);
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
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
    // Without a transform a chat gets the event in words.
    expect(sent[0]).toContain(CHATS.has(kind) ? "com.github.push" : "12345678901234567890");
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

  it("previews what it would do without doing it, and finds what it would refuse", async () => {
    const config = shortestConfig(target);
    await fc.assert(
      fc.asyncProperty(EVENTS, async ({ body, attributes }) => {
        const shipment = shipmentOf(eventWith(body, attributes));
        const preview = target.preview(shipment, config, { local: undefined });
        expect(preview.action).toMatch(/^\S.{5,}$/);
        const sent: string[] = [];
        const outcome = await target.send(shipment, config, 1_000, recordingIo(sent));
        expect(preview.problem, JSON.stringify(outcome)).toBe("detail" in outcome ? outcome.detail : undefined);
        expect(sent).toHaveLength(preview.problem === undefined ? 1 : 0);
      }),
    );
  });

  it("has an outcome for any event", async () => {
    const config = shortestConfig(target);
    await fc.assert(
      fc.asyncProperty(EVENTS, async ({ body, attributes }) => {
        const shipment = shipmentOf(eventWith(body, attributes));
        const outcome = await target.send(shipment, config, 1_000, recordingIo([]));
        expect(OUTCOME_KINDS).toContain(outcome.kind);
      }),
    );
  });
});
