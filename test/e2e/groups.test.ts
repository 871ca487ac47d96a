/** Groups of calls in real workerd: invocations of one isolate that wait for each other, and clients that go away. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildWorker } from "../../scripts/worker-bundle.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import type { RunningWorkerd } from "../bench/workerd-runner.ts";
import { startWorkerd } from "../bench/workerd-runner.ts";
import type { Counts } from "../support/counting-router.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { waitFor } from "../support/router-process.ts";

const EVENTS = 200;
const SECRETS = { INGEST_TOKEN: "ingest-token-for-tests", ADMIN_TOKEN: "admin-token-for-tests" };

let workerd: RunningWorkerd;
let target: TestServer;

function documentFor(url: string): RulesDocument {
  const entry = { auth: { bearer: ["INGEST_TOKEN"] } };
  const retries = { timeoutMs: 15_000, retryDelaysMs: [], maxAgeMs: 600_000 };
  return {
    version: "groups",
    sources: [{ name: "events", kind: "cloudevents", bus: "default", entry }],
    targets: [{ name: "sink", kind: "http", entry: { http: url }, ...retries }],
    rules: [
      {
        path: "default/all",
        bus: "default",
        pattern: { type: ["com.example.grouped"] },
        targets: ["sink"],
        mode: "live",
      },
    ],
  };
}

beforeAll(async () => {
  target = await startServer((response) => response.writeHead(204).end());
  const local = { printUrl: target.url, startedAt: 1 };
  const options = { minify: false, entry: "test/support/counting-router.ts" };
  workerd = await startWorkerd({
    script: (await buildWorker(documentFor(target.url), options)).text,
    bindings: { ...SECRETS, PARTITIONS: "1", SLUICE_LOCAL: JSON.stringify(local) },
    objects: { PARTITION: "Partition", GATE: "Gate" },
  });
  // A first request starts the object.
  await send("first");
}, 60_000);

afterAll(async () => {
  await Promise.all([workerd.stop(), target.close()]);
});

async function send(id: string, signal: AbortSignal | null = null): Promise<string> {
  const response = await fetch(`${workerd.url}/events`, {
    method: "POST",
    signal,
    headers: {
      authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "/groups",
      "ce-type": "com.example.grouped",
    },
    body: JSON.stringify({ id }),
  });
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status: 202 });
  return (JSON.parse(text) as { readonly id: string }).id;
}

async function read<Body>(path: string): Promise<Body> {
  const response = await fetch(workerd.url + path, { headers: { authorization: `Bearer ${SECRETS.ADMIN_TOKEN}` } });
  return (await response.json()) as Body;
}

interface Shown {
  readonly status: string;
  readonly event: { readonly id: string };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const namesOf = (what: string, count: number) => Array.from({ length: count }, (_, index) => `${what}-${index}`);

it(`stores ${EVENTS} concurrent events in far fewer calls, each with a receipt of its own, and settles them together`, async () => {
  const before = await read<Counts>("/counts");
  const ids = namesOf("one", EVENTS);
  const receipts = await Promise.all(ids.map((id) => send(id)));
  expect(new Set(receipts).size).toBe(EVENTS);
  for (const index of [0, 1, EVENTS / 2, EVENTS - 1]) {
    expect((await read<Shown>(`/api/events/${receipts[index]}`)).event.id).toBe(ids[index]);
  }
  const bodies = () => new Set(target.requests.map(({ body }) => body.toString()));
  await waitFor("all deliveries", () => ids.every((id) => bodies().has(JSON.stringify({ id }))) || undefined);
  const last = receipts.at(-1);
  await waitFor("the end", async () => (await read<Shown>(`/api/events/${last}`)).status === "delivered" || undefined);
  const counts = await read<Counts>("/counts");
  expect(counts.accepted - before.accepted).toBe(EVENTS);
  expect(counts.accepts - before.accepts).toBeLessThan(EVENTS / 4);
  expect(counts.settles - before.settles).toBeLessThan(EVENTS / 4);
}, 60_000);

it("answers those who come with a client that goes away, whoever leads", async () => {
  const before = await read<Counts>("/counts");
  // The first is under way; of those that come then one leads after 20 ms, and any of them may be the one who goes away.
  const first = send("two-first");
  await pause(10);
  const leavers = namesOf("leaves", 3).map((id) => {
    const gone = new AbortController();
    return { gone, sent: send(id, gone.signal).catch(() => "gone") };
  });
  const stayers = namesOf("stays", 9).map((id) => send(id));
  // They have left in one call, which is under way.
  await pause(60);
  for (const { gone } of leavers) gone.abort();
  const receipts = await Promise.all([first, ...stayers]);
  expect(await Promise.all(leavers.map(({ sent }) => sent))).toEqual(["gone", "gone", "gone"]);
  expect(new Set(receipts).size).toBe(10);
  // Nobody had to ask again.
  expect((await read<Counts>("/counts")).accepts - before.accepts).toBe(2);
  for (const [index, id] of namesOf("stays", 9).entries()) {
    expect((await read<Shown>(`/api/events/${receipts[index + 1]}`)).event.id).toBe(id);
  }
}, 30_000);

it("answers those who wait with a client that goes away before its call", async () => {
  const gone = new AbortController();
  const first = send("three-first");
  await pause(5);
  const leaver = send("leaves-early", gone.signal).catch(() => "gone");
  const stayer = send("stays-long");
  await pause(5);
  gone.abort();
  expect(new Set(await Promise.all([first, stayer])).size).toBe(2);
  expect(await leaver).toBe("gone");
}, 30_000);
