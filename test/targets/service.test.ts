import { afterEach, describe, expect, it } from "vitest";
import type { ServiceCall as CopiedCall } from "../../examples/service-worker/src/sluice.ts";
import type { CloudEvent } from "../../src/core/event.ts";
import type { JsonObject } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import { RETRY_AFTER_MS_MAX } from "../../src/core/retry.ts";
import type { ServiceCall } from "../../src/core/service-call.ts";
import type { ServiceBinding, Shipment, TargetIo } from "../../src/core/target.ts";
import { REPLY_BYTES_MAX } from "../../src/targets/_reply.ts";
import { METHOD_CHARS_MAX } from "../../src/targets/_service-entry.ts";
import { URL_CHARS_MAX } from "../../src/targets/_url.ts";
import service from "../../src/targets/service.ts";
import { startServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { LOCAL, eventWith, secretsFrom, shipmentOf, targetIo } from "../support/target-io.ts";

const servers: TestServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

function configOf(entry: JsonObject = {}) {
  const parsed = service.parse({ service: "My_Processor", ...entry });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

interface Sending {
  readonly entry?: JsonObject;
  readonly event?: CloudEvent;
  readonly shipment?: Partial<Shipment>;
  readonly io?: Partial<TargetIo>;
  readonly timeoutMs?: number;
}

function sendTo(binding: Partial<ServiceBinding>, sending: Sending = {}) {
  const { entry, event = eventWith('{"a":1}'), shipment, io, timeoutMs = 1_000 } = sending;
  const bound = { fetch: () => Promise.reject(new Error("fetch was called")), ...binding };
  const services = targetIo({ service: (name) => (name === "My_Processor" ? bound : undefined), ...io });
  return service.send(shipmentOf(event, shipment), configOf(entry), timeoutMs, services);
}

/** Answers the call of `handle` as told, and keeps its argument. */
function handler(answer: () => unknown) {
  const calls: ServiceCall[] = [];
  const handle = (...given: readonly ServiceCall[]): unknown => {
    expect(given).toHaveLength(1);
    calls.push(...structuredClone(given));
    return answer();
  };
  return { calls, binding: { handle } };
}

async function called(answer: () => unknown, sending: Sending = {}) {
  const { calls, binding } = handler(answer);
  const outcome = await sendTo(binding, { ...sending, entry: { method: "handle", ...sending.entry } });
  return { outcome, call: calls[0], calls };
}

function thrown(error: unknown) {
  return called(() => {
    throw error;
  });
}

describe("a service's fetch", () => {
  it("gets the request that an http target would make", async () => {
    const requests: Request[] = [];
    const outcome = await sendTo(
      {
        fetch: (url, init) => {
          requests.push(new Request(url, init));
          return Promise.resolve(new Response("done", { status: 202 }));
        },
      },
      {
        entry: { path: "/hooks/é?x=1", format: "structured", headers: { "X-Team": "build" }, sign: "KEY" },
        io: { secret: secretsFrom({ KEY: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }), now: () => 1_700_000_000_000 },
      },
    );
    expect(outcome).toEqual({ kind: "delivered", answer: { status: 202, body: "done" } });
    const [request] = requests;
    expect(request?.method).toBe("POST");
    expect(request?.url).toBe("https://my_processor.service/hooks/%C3%A9?x=1");
    expect(request?.redirect).toBe("manual");
    expect(Object.fromEntries(request?.headers ?? [])).toMatchObject({
      "content-type": "application/cloudevents+json; charset=utf-8",
      "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
      "webhook-timestamp": "1700000000",
      "webhook-signature": expect.stringMatching(/^v1,/),
      "x-team": "build",
    });
    expect(await request?.json()).toMatchObject({ type: "com.github.push", data: { a: 1 } });
  });

  it.each([
    [429, { kind: "retryable", reason: "status", retryAfterMs: 7_000 }],
    [503, { kind: "retryable", reason: "status", retryAfterMs: 7_000 }],
    [404, { kind: "permanent", reason: "status" }],
    [410, { kind: "permanent", reason: "target-gone" }],
    [302, { kind: "permanent", reason: "redirect" }],
  ])("answers %i, and it means what it means over HTTP", async (status, expected) => {
    const fetch = () => Promise.resolve(new Response(null, { status, headers: { "retry-after": "7" } }));
    expect(await sendTo({ fetch })).toMatchObject(expected);
  });

  it("answers with a reply", async () => {
    const event = { specversion: "1.0", id: "r", source: "/s", type: "t" };
    const headers = { "content-type": "application/cloudevents+json" };
    const fetch = () => Promise.resolve(new Response(JSON.stringify(event), { headers }));
    expect(await sendTo({ fetch })).toMatchObject({ kind: "delivered", reply: { event: { attributes: event } } });
  });

  it("is streamed a body that stands in the body store, signed", async () => {
    const bodies: string[] = [];
    const opened: string[] = [];
    const fetch = async (url: string, init: RequestInit) => {
      bodies.push(await new Request(url, init).text());
      return new Response(null, { status: 204 });
    };
    const openBody = (key: string) => {
      opened.push(key);
      return Promise.resolve(new Response('{"large":true}').body);
    };
    const sending = {
      entry: { sign: "KEY" },
      event: eventWith(null),
      shipment: { large: { key: "k", bytes: 14 } },
      io: { openBody, secret: secretsFrom({ KEY: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }) },
    };
    expect(await sendTo({ fetch }, sending)).toMatchObject({ kind: "delivered" });
    expect(bodies).toEqual(['{"large":true}']);
    expect(opened).toEqual(["k", "k"]);
    const gone = { ...sending.io, openBody: () => Promise.resolve(null) };
    expect(await sendTo({ fetch }, { ...sending, io: gone })).toMatchObject({ reason: "body-missing" });
  });

  it("that throws is tried again, with a cleaned word about it", async () => {
    const fetch = () => Promise.reject(new Error("it broke\u001b[31m at https://internal.example/x"));
    expect(await sendTo({ fetch })).toEqual({
      kind: "retryable",
      reason: "network",
      detail: "the request failed: it broke[31m at <url>",
    });
  });

  it("without its binding is misconfigured", async () => {
    const outcome = await sendTo({}, { io: { service: () => undefined } });
    expect(outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
    expect(JSON.stringify(outcome)).toContain("no service binding My_Processor in wrangler.toml");
  });
});

describe("a service's method", () => {
  it("gets the event with its attributes, its data parsed, the delivery's id and the attempt's number", async () => {
    const event = eventWith('{"a":[1,null]}', { subject: "main", sequence: 7 });
    const { outcome, call, calls } = await called(() => "anything", { event, shipment: { attempt: 3 } });
    expect(outcome).toEqual({ kind: "delivered" });
    expect(calls).toHaveLength(1);
    expect(call).toEqual({
      event: { ...event.attributes, data: { a: [1, null] } },
      deliveryId: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
      attempt: 3,
    });
  });

  it("gets what the example's types say", async () => {
    const { call } = await called(() => undefined);
    if (call === undefined) throw new Error("it was not called");
    // Both ways: the copy in examples/ neither promises more nor less.
    const copied: CopiedCall = call;
    const original: ServiceCall = copied;
    expect(original).toBe(call);
  });

  it.each<[string, CloudEvent, JsonObject]>([
    ["that is not JSON", eventWith("plain", { datacontenttype: "text/plain" }), {}],
    ["that should be JSON and is not", eventWith("{"), {}],
    ["as received on request", eventWith('{"n":12345678901234567890}'), { data: "bytes" }],
  ])("gets data %s as bytes", async (_what, event, entry) => {
    const { call } = await called(() => undefined, { event, entry });
    expect(call?.event.data).toEqual(event.body);
  });

  it("gets no data when there is none", async () => {
    const { call } = await called(() => undefined, { event: eventWith(null) });
    expect(call?.event).not.toHaveProperty("data");
  });

  it("gets bytes of a buffer of their own: RPC would hand over all of a shared one", async () => {
    const batch = new TextEncoder().encode("somebody else's|mine");
    const event = eventWith(batch.subarray(16), { datacontenttype: "text/plain" });
    const { call } = await called(() => undefined, { event });
    const data = call?.event.data as Uint8Array;
    expect(new TextDecoder().decode(data.buffer as ArrayBuffer)).toBe("mine");
  });

  it("gets a link to a body that is too large to be handed over", async () => {
    const claims: unknown[] = [];
    const large = { key: "k", bytes: 20_000_000 };
    const { call } = await called(() => undefined, {
      event: eventWith(null),
      shipment: { large },
      io: {
        claim: (claim) => {
          claims.push(claim);
          return Promise.resolve(ok("https://sluice.example/data/x"));
        },
      },
    });
    expect(claims).toEqual([{ large }]);
    expect(call?.event).toMatchObject({ dataref: "https://sluice.example/data/x" });
    expect(call?.event).not.toHaveProperty("data");
  });

  it.each([
    ["configuration", { kind: "permanent", reason: "configuration", detail: "why" }],
    ["unavailable", { kind: "retryable", reason: "service", detail: "why" }],
  ] as const)("is not called when the link can't be made: %s", async (reason, expected) => {
    const { outcome, calls } = await called(() => undefined, {
      shipment: { large: { key: "k", bytes: 1 } },
      io: { claim: () => Promise.resolve(err({ reason, detail: "why" })) },
    });
    expect(outcome).toEqual(expected);
    expect(calls).toEqual([]);
  });

  it("is not called when the link is not made in time", async () => {
    const { outcome, calls } = await called(() => undefined, {
      shipment: { large: { key: "k", bytes: 1 } },
      io: { claim: () => new Promise(() => {}) },
      timeoutMs: 20,
    });
    expect(outcome).toMatchObject({ kind: "retryable", reason: "timeout" });
    expect(calls).toEqual([]);
  });

  it("answers with a reply: an object that is a CloudEvent in the JSON format, its data bytes or JSON", async () => {
    const attributes = { specversion: "1.0", id: "r", source: "/s", type: "t" };
    const { outcome } = await called(() => ({ ...attributes, time: new Date(0), data: { b: 2 } }));
    expect(outcome).toMatchObject({
      kind: "delivered",
      reply: {
        event: {
          attributes: { ...attributes, time: "1970-01-01T00:00:00.000Z" },
          body: new TextEncoder().encode('{"b":2}'),
        },
      },
    });
    const data = Uint8Array.of(0, 255);
    const binary = await called(() => ({ ...attributes, datacontenttype: "application/octet-stream", data }));
    expect(binary.outcome).toMatchObject({ kind: "delivered", reply: { event: { body: data } } });
  });

  it.each([
    ["undefined", undefined],
    ["a text", "specversion"],
    ["another object", { ok: true }],
    ["one that only inherits specversion", Object.create({ specversion: "1.0" }) as object],
  ])("that returns %s sends no reply", async (_what, value) => {
    expect((await called(() => value)).outcome).toEqual({ kind: "delivered" });
  });

  it.each([
    ["without a type", { specversion: "1.0", id: "r", source: "/s" }, "type"],
    ["of another version", { specversion: "0.3", id: "r", source: "/s", type: "t" }, "specversion"],
    ["that can't be JSON", { specversion: "1.0", id: 1n }, "can't be written as JSON"],
    ["with a toJSON of its own", { specversion: "1.0", toJSON: () => undefined }, "was not published"],
  ])(
    "that returns a CloudEvent %s is delivered, and the attempt says why nothing is published",
    async (_w, value, why) => {
      const { outcome } = await called(() => value);
      expect(outcome).toEqual({ kind: "delivered", ignoredReply: expect.stringContaining(why) });
    },
  );

  it("may reply with as many bytes as an HTTP answer", async () => {
    const attributes = { specversion: "1.0", id: "r", source: "/s", type: "t" };
    const room = REPLY_BYTES_MAX - JSON.stringify({ ...attributes, data: "" }).length;
    const reply = (bytes: number) => called(() => ({ ...attributes, data: "a".repeat(bytes) }));
    expect((await reply(room)).outcome).toHaveProperty("reply");
    expect((await reply(room + 1)).outcome).toMatchObject({ ignoredReply: expect.stringContaining("more than") });
    const huge = await called(() => ({ ...attributes, data: new Uint8Array(8 * REPLY_BYTES_MAX) }));
    expect(huge.outcome).toMatchObject({ ignoredReply: expect.stringContaining("more than") });
  });

  it("that returns a Response has it judged as an HTTP answer", async () => {
    const response = () => new Response("not now", { status: 503, headers: { "retry-after": "9" } });
    expect((await called(response)).outcome).toEqual({
      kind: "retryable",
      reason: "status",
      detail: "the target answered 503",
      retryAfterMs: 9_000,
      answer: { status: 503, body: "not now" },
    });
  });

  it("that throws is tried again", async () => {
    const { outcome } = await thrown(new Error('no stock\u0007 of "secret things"\nat https://internal.example/x'));
    expect(outcome).toEqual({
      kind: "retryable",
      reason: "service",
      detail: "handle of the service My_Processor failed: no stock of … at <url>",
    });
    expect(JSON.stringify((await thrown(new Error("x".repeat(100_000)))).outcome).length).toBeLessThan(400);
  });

  it.each([
    ["an error with retryable: false", Object.assign(new Error("bad order"), { retryable: false })],
    ["a NonRetryableError", Object.assign(new Error("bad order"), { name: "NonRetryableError" })],
    ["an object with retryable: false", { message: "bad order", retryable: false }],
  ])("that throws %s is not tried again", async (_what, error) => {
    expect((await thrown(error)).outcome).toEqual({
      kind: "permanent",
      reason: "aborted-by-target",
      detail: "handle of the service My_Processor failed: bad order; it asked for no further attempts",
    });
  });

  it.each([
    [5_000, 5_000],
    [0.5, 1],
    [0, 0],
    [RETRY_AFTER_MS_MAX + 1, RETRY_AFTER_MS_MAX],
    [Infinity, RETRY_AFTER_MS_MAX],
    [-1, undefined],
    [NaN, undefined],
    ["5000", undefined],
  ])("that throws with retryAfterMs %s waits for %s", async (retryAfterMs, expected) => {
    const { outcome } = await thrown(Object.assign(new Error("busy"), { retryAfterMs }));
    expect(outcome.kind).toBe("retryable");
    expect("retryAfterMs" in outcome ? outcome.retryAfterMs : undefined).toBe(expected);
  });

  it.each([["retryable"], ["name"], ["retryAfterMs"]])("believes no inherited %s", async (property) => {
    const error = Object.assign(
      Object.create({ retryable: false, name: "NonRetryableError", retryAfterMs: 5 }),
      {},
    ) as object;
    expect(property in error).toBe(true);
    expect((await thrown(error)).outcome).toEqual({
      kind: "retryable",
      reason: "service",
      detail: expect.stringContaining("no reason given"),
    });
  });

  it("that is not there is a mistake in the configuration, not in what it calls itself", async () => {
    const missing = (name: string) => new TypeError(`The RPC receiver does not implement the method "${name}".`);
    expect((await thrown(missing("handle"))).outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
    expect((await thrown(missing("other"))).outcome).toMatchObject({ kind: "retryable", reason: "service" });
  });

  it("that a binding has not at all is no delivery", async () => {
    expect(await sendTo({}, { entry: { method: "handle" } })).toMatchObject({
      kind: "permanent",
      reason: "configuration",
      detail: expect.stringContaining("there is no method handle of the service My_Processor"),
    });
  });

  it("that throws or returns what can't be read is judged all the same", async () => {
    const trap = (name: string): object =>
      Object.defineProperty({}, name, { enumerable: true, get: () => expect.fail("a getter's own failure") });
    const failed = { kind: "retryable", reason: "service", detail: expect.stringContaining("handle of the service") };
    for (const name of ["message", "retryable", "name", "retryAfterMs", "code", "cause"]) {
      expect((await thrown(trap(name))).outcome).toEqual(failed);
    }
    expect((await called(() => Object.assign(trap("data"), { specversion: "1.0" }))).outcome).toMatchObject({
      kind: "delivered",
      ignoredReply: expect.stringContaining("can't be written as JSON"),
    });
  });

  it("that is slow is given up, and what it returns later is disposed of", async () => {
    let disposed = 0;
    const late = Promise.withResolvers<unknown>();
    const { outcome } = await called(() => late.promise, { timeoutMs: 20 });
    expect(outcome).toEqual({
      kind: "retryable",
      reason: "timeout",
      detail: "handle of the service My_Processor did not end within 20ms",
    });
    late.resolve({ [Symbol.dispose]: () => void (disposed += 1) });
    await late.promise;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(disposed).toBe(1);
  });

  it.each([
    ["an object", (dispose: () => void) => ({ specversion: "x", [Symbol.dispose]: dispose })],
    ["a stub", (dispose: () => void) => Object.assign(() => {}, { [Symbol.dispose]: dispose })],
    ["one whose disposal fails", (dispose: () => void) => ({ [Symbol.dispose]: () => (dispose(), JSON.parse("{")) })],
  ])("has what it returns disposed of once: %s", async (_what, result) => {
    let disposed = 0;
    const { outcome } = await called(() => result(() => void (disposed += 1)));
    expect(outcome.kind).toBe("delivered");
    expect(disposed).toBe(1);
  });
});

describe("under npm start a service target", () => {
  async function printed(entry: JsonObject, url?: string) {
    const server = await startServer((response) => response.end());
    servers.push(server);
    const io = { local: { printUrl: server.url }, service: () => undefined };
    const local = url === undefined ? {} : { local: server.url };
    return { outcome: await sendTo({}, { entry: { ...entry, ...local }, io }), requests: server.requests };
  }

  it.each([{}, { local: "print" }, { method: "handle" }, { method: "handle", local: "print" }])(
    "prints what it would send: %j",
    async (entry) => {
      const { outcome, requests } = await printed(entry);
      expect(outcome).toMatchObject({ kind: "delivered" });
      expect(requests[0]?.headers).toMatchObject({ "ce-type": "com.github.push" });
      expect(requests[0]?.body.toString()).toBe('{"a":1}');
    },
  );

  it("posts to the URL of local", async () => {
    const { requests } = await printed({}, "local");
    expect(requests).toHaveLength(1);
  });

  it("prints rather than call, when it says so", async () => {
    const { binding, calls } = handler(() => undefined);
    const outcome = await sendTo(binding, {
      entry: { method: "handle", local: "print" },
      io: { local: LOCAL, fetch: () => Promise.resolve(new Response("printed")) },
    });
    expect(outcome).toMatchObject({ kind: "delivered", answer: { body: "printed" } });
    expect(calls).toEqual([]);
  });

  it("calls the Worker that is bound, when it doesn't", async () => {
    const { outcome, calls } = await called(() => undefined, { io: { local: LOCAL } });
    expect(outcome).toEqual({ kind: "delivered" });
    expect(calls).toHaveLength(1);
  });
});

describe("the preview of a service target", () => {
  const shipment = shipmentOf(eventWith('{"n":12345678901234567890}'));

  it("is the request to its fetch", () => {
    const preview = service.preview(shipment, configOf({ path: "/x" }), { local: undefined });
    expect(preview).toMatchObject({
      action: "POST https://my_processor.service/x by service My_Processor",
      url: "https://my_processor.service/x",
    });
  });

  it("is the argument of its method", () => {
    const preview = service.preview(shipment, configOf({ method: "handle" }), { local: LOCAL });
    expect(preview.action).toBe("call handle of service My_Processor");
    const text = new TextDecoder().decode(preview.body ?? new Uint8Array());
    expect(text).toContain("12345678901234567890");
    expect(JSON.parse(text)).toMatchObject({ event: { type: "com.github.push" }, attempt: 1 });
  });

  it("has no link to a body that is too large, which would hold a token", () => {
    const large = shipmentOf(eventWith(null), { large: { key: "secret-key", bytes: 20_000_000 } });
    const preview = service.preview(large, configOf({ method: "handle" }), { local: undefined });
    const text = new TextDecoder().decode(preview.body ?? new Uint8Array());
    expect(JSON.parse(text)).toMatchObject({ event: { dataref: "<claimed when sent>" } });
    expect(text).not.toContain("secret-key");
  });

  it("is what is printed under npm start, when it says so", () => {
    const preview = service.preview(shipment, configOf({ method: "handle", local: "print" }), { local: LOCAL });
    expect(preview.action).toBe(`POST ${LOCAL.printUrl}`);
  });
});

describe("the entry of a service target", () => {
  it("names its binding and its secrets", () => {
    const config = configOf({ sign: ["A", "B"], headers: { X: { secret: "C" } } });
    expect(service.serviceBindings(config)).toEqual(["My_Processor"]);
    expect(service.queueBindings(config)).toEqual([]);
    expect(service.secretNames(config)).toEqual(["A", "B", "C"]);
  });

  it.each<[JsonObject, string, string]>([
    [{ service: "a-b" }, "service", "expected the name of a secret or binding"],
    [{ service: "S", method: "fetch" }, "method", "fetch is called without method:"],
    [{ service: "S", method: "then" }, "method", "keeps for itself"],
    [{ service: "S", method: "a.b" }, "method", "expected the name of a method"],
    [{ service: "S", method: "_private" }, "method", "expected the name of a method"],
    [{ service: "S", method: "m".repeat(METHOD_CHARS_MAX + 1) }, "method", "expected the name of a method"],
    [{ service: "S", method: "m", path: "/x" }, "path", "path is for fetch"],
    [{ service: "S", method: "m", sign: "KEY" }, "sign", "sign is for fetch"],
    [{ service: "S", method: "m", local: "https://a.example/" }, "local", "can't be called at a URL"],
    [{ service: "S", data: "bytes" }, "data", "data is for a method"],
    [{ service: "S", path: "hooks" }, "path", "expected a path such as /hooks"],
    [{ service: "S", path: "/a b" }, "path", "expected a path"],
    [{ service: "S", path: "/a#b" }, "path", "expected a path"],
    [{ service: "S", path: `/${"a".repeat(URL_CHARS_MAX)}` }, "path", "expected a path"],
  ])("%j is wrong at %s", (entry, at, message) => {
    const parsed = service.parse(entry);
    const mistake = { path: [at], message: expect.stringContaining(message) as string };
    expect(parsed).toMatchObject({ ok: false, error: [mistake] });
  });

  it("may have a method's name and a path of the longest length", () => {
    expect(service.parse({ service: "S", method: "m".repeat(METHOD_CHARS_MAX) }).ok).toBe(true);
    expect(service.parse({ service: "S", path: `/${"a".repeat(URL_CHARS_MAX - 1)}` }).ok).toBe(true);
  });

  it("can't leave the service's host by its path", () => {
    for (const path of ["//evil.example/x", "/../../x", "/@evil.example"]) {
      expect(new URL(configOf({ path }).request.target.url).host).toBe("my_processor.service");
    }
  });
});
