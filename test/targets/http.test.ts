import { HTTP } from "cloudevents";
import type { CloudEvent as SdkEvent } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it } from "vitest";
import { structuredJson } from "../../src/core/event.ts";
import type { CloudEvent } from "../../src/core/event.ts";
import type { JsonObject } from "../../src/core/result.ts";
import type { Shipment, TargetIo } from "../../src/core/target.ts";
import { ANSWER_BYTES_MAX } from "../../src/targets/_answer.ts";
import { REQUEST_HEADERS_BYTES_MAX } from "../../src/targets/_http-content.ts";
import { SIGNING_SECRETS_MAX } from "../../src/targets/_http-keys.ts";
import { REPLY_BYTES_MAX } from "../../src/targets/_reply.ts";
import http from "../../src/targets/http.ts";
import { startServer } from "../support/http-server.ts";
import type { Responder, TestServer } from "../support/http-server.ts";
import { LOCAL, eventWith, secretsFrom, shipmentOf, targetIo } from "../support/target-io.ts";

const servers: TestServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(respond: Responder = (response) => response.end()): Promise<TestServer> {
  const server = await startServer(respond);
  servers.push(server);
  return server;
}

function configOf(entry: JsonObject) {
  const parsed = http.parse(entry);
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

function sendTo(url: string, { entry, event = eventWith('{"a":1}'), shipment, io, timeoutMs = 2_000 }: Sending = {}) {
  const config = configOf({ http: url, ...entry });
  return http.send(shipmentOf(event, shipment), config, timeoutMs, targetIo({ local: LOCAL, ...io }));
}

/** Sends to a server that says 200, and tells what arrived. */
async function received(sending: Sending = {}) {
  const server = await serve();
  expect(await sendTo(server.url, sending)).toMatchObject({ kind: "delivered" });
  const request = server.requests[0];
  if (request === undefined) throw new Error("nothing arrived");
  return request;
}

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("what arrives in binary format", () => {
  it("is one POST with the payload's bytes and the event in headers", async () => {
    const payload = '{ "b": 1,\n"a": 12345678901234567890, "b": "\\u00e9 é" }';
    const request = await received({
      event: eventWith(payload, { subject: 'refs/heads/"grün"' }),
      io: { now: () => 1_700_000_000_999 },
    });
    expect(request.method).toBe("POST");
    expect(request.path).toBe("/hooks?key=value");
    expect(request.body).toEqual(Buffer.from(payload));
    expect(request.headers).toMatchObject({
      "ce-specversion": "1.0",
      "ce-id": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      "ce-source": "https://github.com/octocat/hello",
      "ce-type": "com.github.push",
      "ce-subject": "refs/heads/%22gr%C3%BCn%22",
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(payload)),
      "user-agent": "Sluice/1",
      "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
      "webhook-timestamp": "1700000000",
    });
    expect(request.headers).not.toHaveProperty("webhook-signature");
    expect(request.headers).not.toHaveProperty("ce-datacontenttype");
  });

  it("is any bytes, unchanged", async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
    const request = await received({ event: eventWith(bytes, { datacontenttype: "application/octet-stream" }) });
    expect(request.body.equals(bytes)).toBe(true);
    expect(request.headers["content-type"]).toBe("application/octet-stream");
  });

  it("is JSON when the event doesn't name its data's type", async () => {
    const { datacontenttype: _, ...attributes } = eventWith("{}").attributes;
    const request = await received({ event: { attributes, body: new TextEncoder().encode("[1]") } });
    expect(request.headers["content-type"]).toBe("application/json");
  });

  it("has neither body nor media type when the event has no data", async () => {
    const request = await received({ event: eventWith(null) });
    expect(request.body).toHaveLength(0);
    expect(request.headers["content-length"]).toBe("0");
    expect(request.headers).not.toHaveProperty("content-type");
  });

  it("is the same event to the CloudEvents SDK", async () => {
    const event = eventWith('{"ref":"refs/heads/main"}', {
      time: "2026-11-21T12:00:00.000Z",
      subject: "main",
      partitionkey: "42",
    });
    const { headers, body } = await received({ event });
    const sdkEvent = HTTP.toEvent({ headers, body: body.toString() }) as SdkEvent;
    expect(JSON.parse(JSON.stringify(sdkEvent))).toEqual(JSON.parse(structuredJson(event)));
  });

  it("has no vendor headers", async () => {
    const request = await received({ shipment: { rawHeaders: { "x-github-event": "push" } } });
    expect(request.headers).not.toHaveProperty("x-github-event");
  });
});

describe("what arrives in structured format", () => {
  const entry = { format: "structured" };

  it("is the event as one JSON document with its data untouched", async () => {
    const event = eventWith('{"n":12345678901234567890}');
    const request = await received({ entry, event });
    expect(request.body.toString()).toBe(structuredJson(event));
    expect(request.body.toString()).toContain("12345678901234567890");
    expect(request.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
    expect(Object.keys(request.headers).filter((name) => name.startsWith("ce-"))).toEqual([]);
  });

  it("is the same event to the CloudEvents SDK", async () => {
    const event = eventWith('{"ref":"refs/heads/grün"}', {
      subject: 'with "quotes" é',
      time: "2026-11-21T12:00:00.000Z",
    });
    const { headers, body } = await received({ entry, event });
    const sdkEvent = HTTP.toEvent({ headers, body: body.toString() }) as SdkEvent;
    expect(JSON.parse(JSON.stringify(sdkEvent))).toEqual(JSON.parse(structuredJson(event)));
  });
});

describe("what arrives in raw format", () => {
  it("is the vendor's webhook: its headers and payload, no CloudEvent", async () => {
    const request = await received({
      entry: { format: "raw" },
      shipment: { rawHeaders: { "x-github-event": "push", "x-github-delivery": "72d3162e" } },
    });
    expect(request.headers).toMatchObject({
      "x-github-event": "push",
      "x-github-delivery": "72d3162e",
      "content-type": "application/json",
      "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    });
    expect(request.body.toString()).toBe('{"a":1}');
    expect(Object.keys(request.headers).filter((name) => name.startsWith("ce-"))).toEqual([]);
  });

  it("has none of the vendor's headers that belong to a connection, to credentials or to Sluice", async () => {
    const names = ["host", "content-length", "content-encoding", "cookie", "authorization", "ce-id", "cf-ray"];
    const reserved = [...names, "webhook-id", "webhook-signature", "x-forwarded-for"];
    const request = await received({
      entry: { format: "raw" },
      shipment: { rawHeaders: Object.fromEntries(reserved.map((name) => [name, "vendor"])) },
    });
    for (const name of reserved) expect(request.headers[name]).not.toBe("vendor");
    expect(request.headers["webhook-id"]).toBe("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W");
  });
});

describe("signing", () => {
  const secrets = secretsFrom({ CI_SECRET: SECRET, OLD_SECRET: "an-older-plain-secret" });

  it.each(["binary", "structured", "raw"])("covers the bytes sent in %s format", async (format) => {
    const event = eventWith('{ "text": "é 😀" }');
    const request = await received({ entry: { format, sign: "CI_SECRET" }, event, io: { secret: secrets } });
    const headers = request.headers as Record<string, string>;
    const verified = new Webhook(SECRET).verify(request.body.toString(), headers);
    expect(verified).toEqual(JSON.parse(request.body.toString()));
    expect(() => new Webhook(SECRET).verify(`${request.body.toString()} `, headers)).toThrow("No matching signature");
  });

  it("with a list signs with each secret", async () => {
    const request = await received({ entry: { sign: ["CI_SECRET", "OLD_SECRET"] }, io: { secret: secrets } });
    const headers = request.headers as Record<string, string>;
    expect(headers["webhook-signature"]?.split(" ")).toHaveLength(2);
    expect(new Webhook(SECRET).verify(request.body.toString(), headers)).toEqual({ a: 1 });
    const old = new Webhook("an-older-plain-secret", { format: "raw" });
    expect(old.verify(request.body.toString(), headers)).toEqual({ a: 1 });
  });

  it("keeps the id over attempts and renews time and signature", async () => {
    const first = await received({ entry: { sign: "CI_SECRET" }, io: { secret: secrets, now: () => 1_000_000 } });
    const second = await received({
      entry: { sign: "CI_SECRET" },
      shipment: { attempt: 2 },
      io: { secret: secrets, now: () => 2_000_000 },
    });
    expect(second.headers["webhook-id"]).toBe(first.headers["webhook-id"]);
    expect(second.headers["webhook-timestamp"]).not.toBe(first.headers["webhook-timestamp"]);
    expect(second.headers["webhook-signature"]).not.toBe(first.headers["webhook-signature"]);
    expect(second.body).toEqual(first.body);
  });
});

describe("a configuration that can't work", () => {
  const neverFetch = { fetch: () => Promise.reject(new Error("fetched")) };
  const url = "https://ci.example.com/hooks";

  it.each<[string, JsonObject, Record<string, string>, string]>([
    ["a signing secret that isn't set", { sign: "CI_SECRET" }, {}, "CI_SECRET"],
    ["an empty signing secret", { sign: "CI_SECRET" }, { CI_SECRET: "" }, "CI_SECRET"],
    ["a signing secret that isn't Base64", { sign: "CI_SECRET" }, { CI_SECRET: "whsec_hunter22 " }, "CI_SECRET"],
    ["a header's secret that isn't set", { headers: { "X-Key": { secret: "KEY" } } }, {}, "KEY"],
    ["a line break in a header's secret", { headers: { "X-Key": { secret: "KEY" } } }, { KEY: "hunter22\n" }, "KEY"],
    ["letters no header can hold", { headers: { "X-Key": { secret: "KEY" } } }, { KEY: "hunter22ü" }, "KEY"],
  ])("(%s) is final, names the secret, never its value", async (_, entry, secrets, name) => {
    const outcome = await sendTo(url, { entry, io: { ...neverFetch, secret: secretsFrom(secrets) } });
    expect(outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
    expect(JSON.stringify(outcome)).toContain(name);
    expect(JSON.stringify(outcome)).not.toContain("hunter22");
  });

  it("is a URL on this machine, once deployed", async () => {
    for (const local of ["http://localhost:9/", "https://127.0.0.1/", "http://[::1]/"]) {
      expect(http.localOnly(configOf({ http: local }))).toHaveLength(1);
      const outcome = await sendTo(local, { io: { ...neverFetch, local: undefined } });
      expect(outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
    }
    expect(http.localOnly(configOf({ http: url, local: "http://localhost:9/" }))).toEqual([]);
  });
});

describe("an event that no header can carry", () => {
  const neverFetch = { fetch: () => Promise.reject(new Error("fetched")) };
  const url = "https://ci.example.com/hooks";

  it("is final when its media type or an attribute's name is no header", async () => {
    for (const attributes of [{ datacontenttype: "text/plain\r\nx-evil: 1" }, { "bad name": "x" }]) {
      const outcome = await sendTo(url, { event: eventWith("x", attributes), io: neverFetch });
      expect(outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
    }
  });

  it("is too large one byte past the limit", async () => {
    let sent = 0;
    const io = {
      fetch: (_: string, init: RequestInit) => {
        sent = [...new Headers(init.headers)].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
        return Promise.resolve(new Response());
      },
    };
    await sendTo(url, { event: eventWith("x", { long: "" }), io });
    const room = REQUEST_HEADERS_BYTES_MAX - sent;
    expect(await sendTo(url, { event: eventWith("x", { long: "a".repeat(room) }), io })).toMatchObject({
      kind: "delivered",
    });
    expect(await sendTo(url, { event: eventWith("x", { long: "a".repeat(room + 1) }), io })).toMatchObject({
      kind: "permanent",
      reason: "too-large",
    });
  });
});

describe("custom headers", () => {
  it("are sent, constants and secrets, and may replace the user agent", async () => {
    const request = await received({
      entry: { headers: { "X-Team": "build us", Authorization: { secret: "TOKEN" }, "User-Agent": "ours" } },
      io: { secret: secretsFrom({ TOKEN: "Bearer hunter22" }) },
    });
    expect(request.headers).toMatchObject({
      "x-team": "build us",
      authorization: "Bearer hunter22",
      "user-agent": "ours",
    });
  });
});

describe("local mode", () => {
  it("sends to the printing server or to another URL only when it is on", async () => {
    const printer = await serve();
    const other = await serve();
    const io = { local: { printUrl: printer.url } };
    await sendTo("https://ci.example.com/hooks", { entry: { local: "print" }, io });
    await sendTo("https://ci.example.com/hooks", { entry: { local: other.url }, io });
    expect(printer.requests).toHaveLength(1);
    expect(other.requests).toHaveLength(1);
    const urls: string[] = [];
    const fetch = (url: string) => {
      urls.push(url);
      return Promise.resolve(new Response());
    };
    await sendTo("https://ci.example.com/hooks", { entry: { local: "print" }, io: { local: undefined, fetch } });
    expect(urls).toEqual(["https://ci.example.com/hooks"]);
  });
});

describe("the answer", () => {
  it("is kept as text without control characters", async () => {
    const server = await serve((response) =>
      response.end(Buffer.from("ok\u001b[31m\r\n\tdone\u0000 \u00e9", "latin1")),
    );
    expect(await sendTo(server.url)).toEqual({
      kind: "delivered",
      answer: { status: 200, body: "ok[31m\n\tdone \ufffd" },
    });
  });

  it("never follows a redirect, and shows where it pointed", async () => {
    const elsewhere = await serve();
    for (const status of [301, 302, 303, 307, 308]) {
      const server = await serve((response) => response.writeHead(status, { location: elsewhere.url }).end("moved"));
      expect(await sendTo(server.url)).toMatchObject({
        kind: "permanent",
        reason: "redirect",
        answer: { status, location: elsewhere.url, body: "moved" },
      });
    }
    expect(elsewhere.requests).toHaveLength(0);
  });

  it("tells when to come back", async () => {
    const server = await serve((response) => response.writeHead(429, { "retry-after": "17" }).end());
    expect(await sendTo(server.url)).toMatchObject({ kind: "retryable", reason: "status", retryAfterMs: 17_000 });
  });

  it("is kept whole at the limit and cut past it", async () => {
    for (const [sent, kept] of [
      [ANSWER_BYTES_MAX, ANSWER_BYTES_MAX],
      [ANSWER_BYTES_MAX + 1, ANSWER_BYTES_MAX],
    ] as const) {
      const server = await serve((response) => response.end("a".repeat(sent)));
      const outcome = await sendTo(server.url);
      expect(outcome).toMatchObject({ kind: "delivered", answer: { body: "a".repeat(kept) } });
    }
  });

  it("loses a character that the limit cuts in two, not the text before it", async () => {
    const server = await serve((response) => response.end(`a${"é".repeat(ANSWER_BYTES_MAX)}`));
    const outcome = await sendTo(server.url);
    expect(outcome).toMatchObject({ answer: { body: `a${"é".repeat(ANSWER_BYTES_MAX / 2 - 1)}` } });
  });

  it("without an end is cut off and its connection released", async () => {
    const server = await serve((response) => {
      const chunk = Buffer.alloc(65_536, "a");
      const write = (): void => {
        while (!response.destroyed && response.write(chunk)) continue;
        if (!response.destroyed) response.once("drain", write);
      };
      write();
    });
    const outcome = await sendTo(server.url, { timeoutMs: 5_000 });
    expect(outcome).toMatchObject({ kind: "delivered", answer: { body: "a".repeat(ANSWER_BYTES_MAX) } });
    await expect.poll(server.connections, { timeout: 2_000 }).toBe(0);
  });

  it("that echoes the request holds neither secrets nor signatures", async () => {
    const server = await serve((response, request) => response.writeHead(500).end(JSON.stringify(request.headers)));
    const outcome = await sendTo(server.url, {
      entry: { sign: "CI_SECRET", headers: { Authorization: { secret: "TOKEN" } } },
      io: { secret: secretsFrom({ CI_SECRET: SECRET, TOKEN: "Bearer hunter22" }) },
    });
    const signature = server.requests[0]?.headers["webhook-signature"] as string;
    const text = JSON.stringify(outcome);
    expect(text).toContain("ce-type");
    expect(text).not.toContain("hunter22");
    expect(signature).toMatch(/^v1,/);
    expect(text).not.toContain(signature);
  });
});

describe("a redirect's Location", () => {
  it("holds no secret that the request had", async () => {
    const server = await serve((response, request) => {
      response.writeHead(302, { location: `https://elsewhere.example/?${request.headers.authorization ?? ""}` }).end();
    });
    const outcome = await sendTo(server.url, {
      entry: { headers: { Authorization: { secret: "TOKEN" } } },
      io: { secret: secretsFrom({ TOKEN: "hunter22" }) },
    });
    expect(outcome).toMatchObject({ reason: "redirect", answer: { location: expect.stringContaining("elsewhere") } });
    expect(JSON.stringify(outcome)).not.toContain("hunter22");
  });
});

describe("a target that is slow or breaks off", () => {
  it("without headers is a timeout, and the connection is released", async () => {
    const server = await serve(() => {});
    expect(await sendTo(server.url, { timeoutMs: 80 })).toEqual({
      kind: "retryable",
      reason: "timeout",
      detail: "no complete answer within 80ms",
    });
    await expect.poll(server.connections, { timeout: 2_000 }).toBe(0);
  });

  it("with a body that doesn't end is a timeout, though its status came, and the connection is released", async () => {
    const server = await serve((response) => {
      const timer = setInterval(() => response.write("."), 10);
      response.on("close", () => clearInterval(timer));
    });
    const startedAt = performance.now();
    expect(await sendTo(server.url, { timeoutMs: 150 })).toMatchObject({
      kind: "retryable",
      reason: "timeout",
      answer: { status: 200 },
    });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    await expect.poll(server.connections, { timeout: 2_000 }).toBe(0);
  });

  it("is held to the deadline by a fetch that ignores its signal, and a late answer is thrown away", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const outcome = await sendTo("https://ci.example.com/", { timeoutMs: 20, io: { fetch: () => promise } });
    expect(outcome).toMatchObject({ kind: "retryable", reason: "timeout" });
    const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>();
    resolve(new Response(new ReadableStream({ cancel: () => cancel() })));
    await cancelled;
  });

  it("is held to the deadline by a body that ignores its signal, and the body is thrown away", async () => {
    const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>();
    const response = new Response(new ReadableStream({ cancel: () => cancel() }), { status: 503 });
    const fetch = () => Promise.resolve(response);
    expect(await sendTo("https://ci.example.com/", { timeoutMs: 20, io: { fetch } })).toMatchObject({
      kind: "retryable",
      reason: "timeout",
      answer: { status: 503 },
    });
    await cancelled;
  });

  it("refusing connections is a network error", async () => {
    const server = await startServer((response) => response.end());
    await server.close();
    const outcome = await sendTo(server.url);
    expect(outcome).toEqual({
      kind: "retryable",
      reason: "network",
      detail: "the request failed: ECONNREFUSED",
    });
  });

  it("hanging up before or within its answer is a network error", async () => {
    const before = await serve((response) => response.destroy());
    expect(await sendTo(before.url)).toMatchObject({ kind: "retryable", reason: "network" });
    const within = await serve((response) => {
      response.writeHead(200, { "content-length": "100" }).write("half");
      setTimeout(() => response.destroy(), 20);
    });
    expect(await sendTo(within.url)).toMatchObject({ kind: "retryable", reason: "network", answer: { status: 200 } });
  });

  it("is told by error name where the runtime gives up by itself", async () => {
    for (const name of ["TimeoutError", "AbortError"]) {
      const fetch = () => Promise.reject(new DOMException("The operation was aborted", name));
      expect(await sendTo("https://ci.example.com/", { io: { fetch } })).toMatchObject({ reason: "timeout" });
    }
  });

  it("never puts the URL's path or query, or a secret, into the detail", async () => {
    const fetch = (url: string) => {
      const { pathname, search } = new URL(url);
      return Promise.reject(new Error(`no route to ${url} (${pathname}${search}) with Bearer hunter22`));
    };
    const outcome = await sendTo("https://ci.example.com/hooks-7f3a?key=hunter33", {
      entry: { headers: { Authorization: { secret: "TOKEN" } } },
      io: { fetch, secret: secretsFrom({ TOKEN: "Bearer hunter22" }) },
    });
    expect(outcome).toMatchObject({ kind: "retryable", reason: "network" });
    expect(JSON.stringify(outcome)).toContain("no route to");
    expect(JSON.stringify(outcome)).not.toMatch(/hunter|7f3a/);
  });
});

describe("the entry in targets.yaml", () => {
  const url = "https://ci.example.com/hooks";

  it("needs nothing but its URL", () => {
    expect(http.parse({ http: url })).toEqual({
      ok: true,
      value: {
        target: { url, isLoopback: false },
        local: undefined,
        format: "binary",
        headers: [],
        signingSecrets: [],
      },
    });
  });

  it("names each of its secrets once", () => {
    const headers = { "X-A": { secret: "A" }, "X-B": { secret: "B" }, "X-C": "constant" };
    expect(http.secretNames(configOf({ http: url, sign: ["A", "C"], headers }))).toEqual(["A", "C", "B"]);
  });

  it("signs with as many secrets as the limit and no more", () => {
    const names = (count: number) => Array.from({ length: count }, (_, index) => `SECRET_${index}`);
    expect(http.parse({ http: url, sign: names(SIGNING_SECRETS_MAX) }).ok).toBe(true);
    expect(http.parse({ http: url, sign: names(SIGNING_SECRETS_MAX + 1) }).ok).toBe(false);
    expect(http.parse({ http: url, sign: [] }).ok).toBe(false);
  });

  it("reports all that is wrong at once, each at its place", () => {
    const parsed = http.parse({
      http: "http://ci.example.com",
      local: "prnt",
      format: "binry",
      headers: { host: "x" },
      sign: "whsec_abc+/=",
      metod: "PUT",
    });
    const paths = parsed.ok ? [] : parsed.error.map((mistake) => mistake.path.join("."));
    expect(paths).toEqual(["http", "local", "format", "headers.host", "sign", "metod"]);
    expect(JSON.stringify(parsed)).not.toContain("whsec_abc");
  });
});

describe("a CloudEvent in the answer", () => {
  const CE = { "ce-specversion": "1.0", "ce-id": "r1", "ce-source": "/ci", "ce-type": "build.done" };
  const reply = { event: { attributes: { specversion: "1.0", id: "r1", source: "/ci", type: "build.done" } } };

  function answering(status: number, headers: Record<string, string>, body: string | Buffer = "") {
    return serve((response) => response.writeHead(status, headers).end(body));
  }

  it("of 200 is a reply", async () => {
    const server = await answering(200, { ...CE, "content-type": "application/json" }, "{}");
    const outcome = await sendTo(server.url);
    expect(outcome).toMatchObject({ kind: "delivered", answer: { status: 200, body: "{}" }, reply });
    expect(outcome).not.toHaveProperty("ignoredReply");
  });

  it("of another status is just an answer", async () => {
    for (const status of [201, 202]) {
      const server = await answering(status, { ...CE, "content-type": "application/json" }, "{}");
      expect(await sendTo(server.url)).toEqual({ kind: "delivered", answer: { status, body: "{}" } });
    }
    const refused = await answering(404, CE);
    expect(await sendTo(refused.url)).toMatchObject({ kind: "permanent" });
  });

  it("is read whole, though no more of the answer is kept than of any other", async () => {
    const data = JSON.stringify("x".repeat(REPLY_BYTES_MAX - 2));
    const server = await answering(200, { ...CE, "content-type": "application/json" }, data);
    const outcome = await sendTo(server.url);
    expect(outcome).toMatchObject({ answer: { body: data.slice(0, ANSWER_BYTES_MAX) } });
    if (outcome.kind !== "delivered") throw new Error("it is");
    expect(outcome.reply?.event.body).toHaveLength(REPLY_BYTES_MAX);
  });

  it("that is too large is not published, and the event counts as delivered", async () => {
    const server = await answering(200, { ...CE, "content-type": "text/plain" }, "x".repeat(REPLY_BYTES_MAX + 1));
    const outcome = await sendTo(server.url);
    expect(outcome).toMatchObject({
      kind: "delivered",
      ignoredReply: expect.stringContaining("more than 65536 bytes"),
    });
    expect(outcome).not.toHaveProperty("reply");
  });

  it("that is wrong is not published, and the reason has no secrets and no control characters", async () => {
    const structured = { "content-type": "application/cloudevents+json" };
    const event = { specversion: "1.0", id: "r", source: "/", type: "t", "Hunter2hunter2\u001b[0m": 1 };
    const server = await answering(200, structured, JSON.stringify(event));
    const outcome = await sendTo(server.url, {
      entry: { headers: { Authorization: { secret: "TOKEN" } } },
      io: { secret: secretsFrom({ TOKEN: "Hunter2hunter2" }) },
    });
    expect(outcome).toMatchObject({ kind: "delivered", ignoredReply: expect.stringContaining("[redacted][0m") });
  });

  it("that does not end in time is a timeout: the target sees the event again", async () => {
    const server = await serve((response) => response.writeHead(200, CE).write("x"));
    expect(await sendTo(server.url, { timeoutMs: 200 })).toMatchObject({ kind: "retryable", reason: "timeout" });
  });
});
