/** Service targets against the example Worker and a worse one, each in workerd, bound to the router as in a deployment. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Router } from "../../bin/local/router.ts";
import { startRouter } from "../../bin/local/router.ts";
import type { JsonObject } from "../../src/core/result.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { SECRETS, admin, waitFor } from "../support/router-process.ts";

const EXAMPLE = join(import.meta.dirname, "../../examples/service-worker/src/index.ts");

/** Ends in every way that a method can. */
const OTHER = `import { WorkerEntrypoint, RpcTarget } from "cloudflare:workers";
class Thing extends RpcTarget { size() { return 1; } }
export default class extends WorkerEntrypoint {
  async handle({ event: { data } }) {
    switch (data.how) {
      case "slow": return new Promise((resolve) => setTimeout(resolve, 20_000));
      case "typed": throw new TypeError("of another type");
      case "named": throw Object.assign(new Error("by its name"), { name: "NonRetryableError" });
      case "object": throw { message: "no error at all", retryable: false };
      case "busy": throw Object.assign(new Error("busy"), { retryAfterMs: 1_800_000 });
      case "response": return new Response("teapot", { status: 418 });
      case "stub": return new Thing();
      case "function": return () => {};
      case "date": return { specversion: "1.0", id: "dated", source: "/other", type: "com.example.dated", time: new Date(0) };
    }
  }
  async fetch() { throw new Error("no fetch today"); }
}`;

function target(name: string, entry: JsonObject, timeoutMs = 15_000): RulesDocument["targets"][number] {
  return { name, kind: "service", entry, timeoutMs, retryDelaysMs: [600_000], maxAgeMs: 3_600_000 };
}

function rule(name: string, type: string): RulesDocument["rules"][number] {
  return { path: `default/${name}`, bus: "default", pattern: { type: [type] }, targets: [name], mode: "live" };
}

const ORDER = "com.example.order.placed";
const PRICED = "com.example.order.priced";

const document: RulesDocument = {
  version: "test",
  sources: [{ name: "events", kind: "cloudevents", bus: "default", entry: { auth: { bearer: ["INGEST_TOKEN"] } } }],
  targets: [
    target("fetched", { service: "PROCESSOR", path: "/orders" }),
    target("called", { service: "ORDERS", method: "handle" }),
    target("ended", { service: "OTHER", method: "handle" }, 1_000),
    target("missing", { service: "OTHER", method: "absent" }),
    target("broken", { service: "OTHER" }),
    target("nowhere", { service: "UNBOUND", method: "handle" }),
    target("listener", { service: "UNBOUND" }),
  ],
  rules: [
    { ...rule("fetched", ORDER), targets: ["fetched", "called"] },
    rule("ended", "ended"),
    rule("missing", "missing"),
    rule("broken", "broken"),
    rule("nowhere", "nowhere"),
    { ...rule("listener", PRICED), path: "default/listener" },
    { ...rule("listener", "com.example.dated"), path: "default/dated" },
  ],
};

let stateDir: string;
let printed: TestServer;
let router: Router;
const log: string[] = [];

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "sluice-service-"));
  printed = await startServer((response) => response.writeHead(204).end());
  const bundled = await build({
    entryPoints: [EXAMPLE],
    bundle: true,
    write: false,
    format: "esm",
    external: ["cloudflare:*"],
  });
  const module = bundled.outputFiles[0]?.text ?? "";
  router = await startRouter({
    document,
    port: 0,
    host: "127.0.0.1",
    stateDir,
    secrets: SECRETS,
    queues: [],
    services: { PROCESSOR: { module }, ORDERS: { module, entrypoint: "Orders" }, OTHER: { module: OTHER } },
    printUrl: printed.url,
    onLog: (line) => log.push(line),
  });
}, 60_000);

afterAll(async () => {
  await router.close();
  await printed.close();
  await rm(stateDir, { recursive: true, force: true });
});

interface ShownDelivery {
  readonly target: string;
  readonly state: string;
  readonly attempts: readonly JsonObject[];
}

/** Sends an event, and tells its deliveries once each had its first attempt. */
async function deliveriesOf(
  type: string,
  id: string,
  data: JsonObject,
): Promise<Readonly<Record<string, ShownDelivery>>> {
  const response = await fetch(`${router.url}/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents+json", authorization: `Bearer ${SECRETS.INGEST_TOKEN}` },
    body: JSON.stringify({ specversion: "1.0", id, source: "/shop", type, data }),
  });
  expect(response.status).toBe(202);
  const receipt = (await response.json()) as { readonly id: string };
  return waitFor(`the attempts of ${id}`, async () => {
    const shown = await admin<{ deliveries: readonly ShownDelivery[] }>(router.url, `events/${receipt.id}`);
    if (!shown.deliveries.every(({ attempts }) => attempts.length > 0)) return undefined;
    return Object.fromEntries(shown.deliveries.map((delivery) => [delivery.target, delivery]));
  });
}

async function ended(how: string): Promise<ShownDelivery | undefined> {
  return (await deliveriesOf("ended", `ended-${how}`, { how }))["ended"];
}

describe("the example Worker", () => {
  it("takes an order by its fetch and by its method, and its reply is published once", async () => {
    const deliveries = await deliveriesOf(ORDER, "o-1", { order: "A7", total: 10 });
    expect(deliveries).toMatchObject({
      fetched: { state: "delivered", attempts: [{ outcome: "delivered", answer: { status: 200 } }] },
      called: { state: "delivered", attempts: [{ outcome: "delivered" }] },
    });
    expect(log.join("\n")).toMatch(/dlv_\S+, attempt 1: com\.example\.order\.placed o-1/);
    const priced = await waitFor("the reply", () =>
      printed.requests.find(({ headers }) => headers["ce-id"] === "priced-o-1"),
    );
    expect(priced.headers).toMatchObject({ "ce-type": PRICED, "ce-source": "/examples/service-worker" });
    expect(JSON.parse(priced.body.toString())).toEqual({ order: "A7", total: 10, tax: 2 });
  });

  it("refuses what is no order for good, in both ways", async () => {
    expect(await deliveriesOf(ORDER, "o-2", { total: 10 })).toMatchObject({
      fetched: { state: "dead", attempts: [{ reason: "status", answer: { status: 422, body: expect.any(String) } }] },
      called: {
        state: "dead",
        attempts: [{ reason: "aborted-by-target", detail: expect.stringContaining("the order has no number") }],
      },
    });
  });

  it("asks to be tried again later, in both ways", async () => {
    expect(await deliveriesOf(ORDER, "o-3", { order: "A8", total: 0 })).toMatchObject({
      fetched: { state: "waiting", attempts: [{ outcome: "retryable", reason: "status", answer: { status: 503 } }] },
      called: { state: "waiting", attempts: [{ outcome: "retryable", reason: "service" }] },
    });
  });
});

describe("a method that", () => {
  it.each([
    ["named", "dead", { reason: "aborted-by-target", detail: expect.stringContaining("by its name") }],
    ["object", "dead", { reason: "aborted-by-target", detail: expect.stringContaining("no error at all") }],
    ["response", "dead", { reason: "status", answer: { status: 418, body: "teapot" } }],
    ["typed", "waiting", { reason: "service", detail: expect.stringContaining("of another type") }],
    ["busy", "waiting", { reason: "service", detail: expect.stringContaining("busy") }],
    ["slow", "waiting", { reason: "timeout", detail: expect.stringContaining("did not end within 1s") }],
    ["stub", "delivered", {}],
    ["function", "delivered", {}],
    ["nothing", "delivered", {}],
  ])("ends with %s leaves the delivery %s", async (how, state, attempt) => {
    expect(await ended(how)).toMatchObject({ state, attempts: [attempt] });
  });

  it("returns a Date as the time of its reply has it published", async () => {
    expect(await ended("date")).toMatchObject({ state: "delivered" });
    const dated = await waitFor("the reply", () =>
      printed.requests.find(({ headers }) => headers["ce-id"] === "dated"),
    );
    expect(dated.headers["ce-time"]).toBe("1970-01-01T00:00:00.000Z");
  });

  it("is not there is a mistake in the configuration", async () => {
    expect(await deliveriesOf("missing", "m-1", {})).toMatchObject({
      missing: {
        state: "dead",
        attempts: [
          { reason: "configuration", detail: expect.stringContaining("no method absent of the service OTHER") },
        ],
      },
    });
  });
});

it("a fetch that throws is tried again", async () => {
  expect(await deliveriesOf("broken", "b-1", {})).toMatchObject({
    broken: { state: "waiting", attempts: [{ reason: "network", detail: expect.stringContaining("no fetch today") }] },
  });
});

it("what would go to a Worker that a local run does not have is printed", async () => {
  expect(await deliveriesOf("nowhere", "n-1", { a: 1 })).toMatchObject({ nowhere: { state: "delivered" } });
  const request = printed.requests.find(({ headers }) => headers["ce-id"] === "n-1");
  expect(request?.body.toString()).toBe('{"a":1}');
});
