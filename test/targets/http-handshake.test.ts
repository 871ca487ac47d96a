/** CloudEvents HTTP webhooks 1.0.2, section 4: permission is asked for before the first delivery. */
import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import type { TargetIo } from "../../src/core/target.ts";
import { PERMISSION_MS, REFUSAL_MS, rateOf } from "../../src/targets/_handshake.ts";
import http from "../../src/targets/http.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { LOCAL, eventWith, secretsFrom, shipmentOf, targetIo } from "../support/target-io.ts";

const URL_GIVEN = "https://ci.example.com/hooks";
const ORIGIN = "eventemitter.example.com";

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** Answers OPTIONS as told, and takes every POST. */
async function receiver(answer: (response: ServerResponse) => void): Promise<TestServer> {
  const server = await startServer((response, { method }) => {
    if (method === "OPTIONS") answer(response);
    else response.writeHead(204).end();
  });
  servers.push(server);
  return server;
}

function granting(rate: string | undefined, origin = ORIGIN) {
  return receiver((response) =>
    response
      .writeHead(200, {
        allow: "POST",
        "webhook-allowed-origin": origin,
        ...(rate === undefined ? {} : { "webhook-allowed-rate": rate }),
      })
      .end(),
  );
}

function configOf(entry: JsonObject) {
  const parsed = http.parse(entry);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

function send(config: ReturnType<typeof configOf>, io: Partial<TargetIo> = {}, timeoutMs = 2_000) {
  return http.send(shipmentOf(eventWith('{"a":1}')), config, timeoutMs, targetIo({ local: LOCAL, ...io }));
}

describe("a target with a handshake", () => {
  it("is asked once, for its very address, and named the origin in every delivery", async () => {
    const server = await granting("*");
    const config = configOf({
      http: server.url,
      handshake: { origin: ORIGIN, rate: "120/m" },
      headers: { Authorization: { secret: "TOKEN" } },
    });
    const io = { secret: secretsFrom({ TOKEN: "Bearer hunter2" }) };
    await Promise.all([send(config, io), send(config, io)]);
    await send(config, io);
    expect(server.requests.map(({ method }) => method)).toEqual(["OPTIONS", "POST", "POST", "POST"]);
    const [asked, ...deliveries] = server.requests;
    expect(asked?.path).toBe("/hooks?key=value");
    expect(asked?.headers).toMatchObject({ "webhook-request-origin": ORIGIN, "webhook-request-rate": "120" });
    // Whether anything is expected from here is what is asked: no credentials yet.
    expect(asked?.headers).not.toHaveProperty("authorization");
    expect(asked?.headers).not.toHaveProperty("webhook-id");
    for (const { headers } of deliveries) expect(headers["webhook-request-origin"]).toBe(ORIGIN);
  });

  it("is asked again when the permission is old", async () => {
    const server = await granting("*", "*");
    const config = configOf({ http: server.url, handshake: ORIGIN });
    for (const now of [0, PERMISSION_MS - 1, PERMISSION_MS]) await send(config, { now: () => now });
    expect(server.requests.map(({ method }) => method)).toEqual(["OPTIONS", "POST", "POST", "OPTIONS", "POST"]);
    expect(server.requests[0]?.headers).not.toHaveProperty("webhook-request-rate");
  });

  it.each([
    ["says nothing of it", {}, "its answer to OPTIONS (200) has no WebHook-Allowed-Origin"],
    ["names another sender", { "webhook-allowed-origin": "other.example.com" }, "names another sender"],
  ])("that %s gets nothing: the delivery is dead, with the reason", async (_, headers, reason) => {
    let permits = false;
    const server = await receiver((response) =>
      response.writeHead(200, permits ? { "webhook-allowed-origin": "*" } : headers).end(),
    );
    const config = configOf({ http: server.url, handshake: ORIGIN });
    const outcome = await send(config, { now: () => 0 });
    expect(outcome).toMatchObject({
      kind: "permanent",
      reason: "configuration",
      detail: expect.stringContaining(reason),
    });
    expect(JSON.stringify(outcome)).toContain(`does not permit deliveries from ${ORIGIN}`);
    permits = true;
    expect(await send(config, { now: () => REFUSAL_MS - 1 })).toEqual(outcome);
    expect(server.requests).toHaveLength(1);
    expect(await send(config, { now: () => REFUSAL_MS })).toMatchObject({ kind: "delivered" });
  });

  it("that can't answer is asked again by the next attempt", async () => {
    const server = await receiver((response) => response.writeHead(503, { "retry-after": "9" }).end());
    const config = configOf({ http: server.url, handshake: ORIGIN });
    expect(await send(config)).toMatchObject({ kind: "retryable", reason: "status", retryAfterMs: 9_000 });
    await send(config);
    expect(server.requests.map(({ method }) => method)).toEqual(["OPTIONS", "OPTIONS"]);
    const silent = await receiver(() => {});
    expect(await send(configOf({ http: silent.url, handshake: ORIGIN }), {}, 100)).toMatchObject({
      kind: "retryable",
      reason: "timeout",
    });
  });

  it("has its rate kept by the gate: who learns of it comes again, and asks there", async () => {
    let rate = "60";
    const server = await receiver((response) =>
      response.writeHead(200, { "webhook-allowed-origin": "*", "webhook-allowed-rate": rate }).end(),
    );
    const config = configOf({ http: server.url, handshake: ORIGIN });
    const limits = () => http.limits?.(config);
    expect(limits()).toBeUndefined();
    const now = () => 0;
    expect(await Promise.all([send(config, { now }), send(config, { now })])).toEqual([
      { kind: "held", delayMs: 0 },
      { kind: "held", delayMs: 0 },
    ]);
    expect(limits()).toEqual({ rate: rateOf(60) });
    expect(await send(config, { now })).toMatchObject({ kind: "delivered" });

    const later = () => PERMISSION_MS;
    expect(await send(config, { now: later })).toMatchObject({ kind: "delivered" });
    rate = "30";
    const muchLater = () => 2 * PERMISSION_MS;
    expect(await send(config, { now: muchLater })).toEqual({ kind: "held", delayMs: 0 });
    expect(limits()).toEqual({ rate: rateOf(30) });
    rate = "*";
    expect(await send(config, { now: () => 3 * PERMISSION_MS })).toMatchObject({ kind: "delivered" });
    expect(limits()).toBeUndefined();
    expect(server.requests.filter(({ method }) => method === "POST")).toHaveLength(3);
  });

  it("whose rate is one a minute gets one a minute", () => {
    for (const rate of [1, 9, 10, 120, 10_000]) {
      const { limit, burst, periodMs } = rateOf(rate);
      // In any period there are fewer than limit + burst starts (core/gcra.ts).
      expect(limit + burst - 1).toBe(rate);
      expect(periodMs).toBe(60_000);
    }
  });

  it("is not asked where a stand-in gets the delivery", async () => {
    const server = await granting("*");
    await send(configOf({ http: URL_GIVEN, local: server.url, handshake: ORIGIN }));
    expect(server.requests.map(({ method }) => method)).toEqual(["POST"]);
  });

  it("is previewed with the origin", () => {
    const config = configOf({ http: URL_GIVEN, handshake: ORIGIN });
    const preview = http.preview(shipmentOf(eventWith("{}")), config, { local: undefined });
    expect(preview.headers["webhook-request-origin"]).toBe(ORIGIN);
  });

  it.each<[JsonObject, string]>([
    [{ handshake: true }, "handshake"],
    [{ handshake: "https://events.example.com" }, "handshake"],
    [{ handshake: {} }, "handshake"],
    [{ handshake: { orign: ORIGIN } }, "handshake.orign"],
    [{ handshake: { origin: ORIGIN, rate: "2/s" } }, "handshake.rate"],
    [{ handshake: { origin: ORIGIN, rate: 120 } }, "handshake.rate"],
    [{ handshake: { origin: ORIGIN, rate: "10001/m" } }, "handshake.rate"],
  ])("%j is a mistake at %s", (entry, path) => {
    const parsed = http.parse({ http: URL_GIVEN, ...entry });
    expect(parsed.ok ? [] : parsed.error.map((mistake) => mistake.path.join("."))).toEqual([path]);
  });

  it("may ask for as much as the limit", () => {
    expect(http.parse({ http: URL_GIVEN, handshake: { origin: ORIGIN, rate: "10000/m" } }).ok).toBe(true);
  });
});
