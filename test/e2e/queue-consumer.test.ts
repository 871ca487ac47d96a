/** examples/queue-consumer in workerd, behind the router: it gets small and large events, each once, byte for byte. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Router } from "../../bin/local/router.ts";
import { startRouter } from "../../bin/local/router.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { SECRETS, waitFor } from "../support/router-process.ts";

const CONSUMER = join(import.meta.dirname, "../../examples/queue-consumer/src/index.ts");

const document: RulesDocument = {
  version: "test",
  sources: [{ name: "events", kind: "cloudevents", bus: "default", entry: { auth: { bearer: ["INGEST_TOKEN"] } } }],
  targets: [
    {
      name: "audit",
      kind: "queue",
      entry: { queue: "AUDIT" },
      timeoutMs: 15_000,
      retryDelaysMs: [1_000],
      maxAgeMs: 60_000,
    },
  ],
  rules: [
    { path: "default/audit", bus: "default", pattern: { source: [{ prefix: "" }] }, targets: ["audit"], mode: "live" },
  ],
};

let stateDir: string;
let handled: TestServer;
let router: Router;
/** Answers to what the consumer forwards, the next one first; 204 once they are used up. */
const answers: number[] = [];

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "sluice-consumer-"));
  handled = await startServer((response) => response.writeHead(answers.shift() ?? 204).end());
  const bundle = await build({
    entryPoints: [CONSUMER],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
  });
  router = await startRouter({
    document,
    port: 0,
    host: "127.0.0.1",
    stateDir,
    secrets: SECRETS,
    queues: ["AUDIT"],
    printUrl: handled.url,
    consumer: {
      module: bundle.outputFiles[0]?.text ?? "",
      objects: { SEEN: "Seen" },
      bindings: { FORWARD_TO: handled.url },
    },
    onLog: () => {},
  });
}, 60_000);

afterAll(async () => {
  await router.close();
  await handled.close();
  await rm(stateDir, { recursive: true, force: true });
});

async function sendEvent(id: string, body: string | Uint8Array<ArrayBuffer>, contentType: string): Promise<void> {
  const response = await fetch(`${router.url}/events`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
      "content-type": contentType,
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "/tests",
      "ce-type": "com.example.test",
    },
    body,
  });
  expect(response.status).toBe(202);
  await response.arrayBuffer();
}

const requestsFor = (id: string) => handled.requests.filter(({ headers }) => headers["x-event-id"] === id);

async function handledOnce(id: string) {
  return waitFor(`the event ${id}`, () => requestsFor(id)[0], 20_000);
}

it("hands on an event whose data stands in the message", async () => {
  await sendEvent("small", '{"n":12}', "application/json");
  const request = await handledOnce("small");
  expect([request.headers["content-type"], request.body.toString()]).toEqual(["application/json", '{"n":12}']);
}, 30_000);

it("fetches the data that is too large for a message, byte for byte", async () => {
  // With numbers that no JavaScript number holds and spaces that no serializer writes: nothing may have parsed it.
  const json = `{ "n": 12345678901234567890,  "text": "${"x".repeat(200_000)}" }`;
  const binary = Uint8Array.from(randomBytes(300_000));
  await sendEvent("large", json, "application/json");
  await sendEvent("binary", binary, "application/octet-stream");
  const hashOf = (body: Uint8Array | string) => createHash("sha256").update(body).digest("hex");
  const [large, bytes] = [await handledOnce("large"), await handledOnce("binary")];
  expect([large.headers["content-type"], hashOf(large.body)]).toEqual(["application/json", hashOf(json)]);
  expect([bytes.headers["content-type"], hashOf(bytes.body)]).toEqual(["application/octet-stream", hashOf(binary)]);
}, 30_000);

it("comes again to a message that it could not handle, and leaves the others done", async () => {
  answers.push(503);
  await sendEvent("failing", "{}", "application/json");
  await handledOnce("failing");
  await sendEvent("next", "{}", "application/json");
  await handledOnce("next");
  const again = await waitFor("the second attempt", () => requestsFor("failing")[1], 20_000);
  expect(again.headers["idempotency-key"]).toBe(requestsFor("failing")[0]?.headers["idempotency-key"]);
  expect(requestsFor("next")).toHaveLength(1);
}, 60_000);
