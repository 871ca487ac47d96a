/** Limits of targets, counted at real HTTP servers that a real router sends to, from several partitions at once. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, SECRETS, waitFor } from "../support/router-process.ts";

/**
 * The gate spaces starts by `periodMs / limit`, 250 ms. An arrival may be late by as much and the count below still holds; a
 * faster rate would make this a test of how busy the machine is.
 */
const RATE = { limit: 4, periodMs: 1_000, burst: 1 };
const CONCURRENCY = 2;
const PACED_EVENTS = 32;
const WARMING_EVENTS = 40;
const NARROW_EVENTS = 24;
const NARROW_ANSWER_MS = 150;

interface Receipt {
  readonly id: string;
}

interface ShownEvent {
  readonly status: string;
  readonly deliveries: readonly { readonly attemptCount: number }[];
}

let workspace: Workspace;
let router: RouterProcess;
let paced: TestServer;
let warming: TestServer;
let narrow: TestServer;
const pacedAt: number[] = [];
let open = 0;
let openMax = 0;

beforeAll(async () => {
  paced = await startServer((response) => {
    pacedAt.push(performance.now());
    response.writeHead(204).end();
  });
  warming = await startServer((response) => response.writeHead(204).end());
  narrow = await startServer((response) => {
    openMax = Math.max(openMax, ++open);
    setTimeout(() => {
      open -= 1;
      response.writeHead(204).end();
    }, NARROW_ANSWER_MS);
  });
  workspace = await createWorkspace();
  await workspace.writeRules({
    "sources.yaml": "events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }\n",
    // Without retries: what has to wait is no failure.
    "targets.yaml": `
paced: { http: "${paced.url}", rate: ${RATE.limit}/s, retry: none }
warming: { http: "${warming.url}" }
narrow: { http: "${narrow.url}", concurrency: ${CONCURRENCY}, retry: none }
`,
    "default/paced.yaml": "pattern: { type: [com.example.paced] }\ntargets: [paced]\n",
    "default/warming.yaml": "pattern: { type: [com.example.warming] }\ntargets: [warming]\n",
    "default/narrow.yaml": "pattern: { type: [com.example.narrow] }\ntargets: [narrow]\n",
  });
  router = await workspace.start();
  // The first requests of a new process take long, and what is late comes closer to what follows.
  await expectOneAttemptEach(await sendAtOnce("com.example.warming", WARMING_EVENTS));
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await Promise.all([paced.close(), warming.close(), narrow.close()]);
});

/** So many events at once, each with a key of its own. */
async function sendAtOnce(type: string, count: number): Promise<readonly string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const response = await fetch(`${router.url}/events`, {
        method: "POST",
        body: JSON.stringify({ index }),
        headers: {
          authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
          "content-type": "application/json",
          "ce-specversion": "1.0",
          "ce-id": `${type}-${index}`,
          "ce-source": `https://example.com/${index}`,
          "ce-type": type,
        },
      });
      expect(response.status).toBe(202);
      return ((await response.json()) as Receipt).id;
    }),
  );
}

/** Receipts name their partition; here it only matters how many there are. */
function partitionsOf(receipts: readonly string[]): number {
  const names = receipts.map((receipt) => atob(receipt.slice("evt_".length).replaceAll("-", "+").replaceAll("_", "/")));
  return new Set(names.map((name) => name.slice(0, name.lastIndexOf(":")))).size;
}

async function expectOneAttemptEach(receipts: readonly string[]): Promise<void> {
  for (const receipt of receipts) {
    const event = await waitFor(`the end of ${receipt}`, async () => {
      const shown = await admin<ShownEvent>(router.url, `events/${receipt}`);
      return shown.status === "pending" ? undefined : shown;
    });
    expect(event).toMatchObject({ status: "delivered", deliveries: [{ attemptCount: 1 }] });
  }
}

/** The most of these times that lie in any span of so many milliseconds, its end left out. */
function mostWithin(times: readonly number[], spanMs: number): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + spanMs).length));
}

it("never sends more than limit and burst within any second, from all partitions together, and delivers all", async () => {
  const startedAt = performance.now();
  const receipts = await sendAtOnce("com.example.paced", PACED_EVENTS);
  expect(partitionsOf(receipts)).toBeGreaterThan(1);
  await waitFor("all paced deliveries", () => (pacedAt.length >= PACED_EVENTS ? true : undefined), 60_000);
  await expectOneAttemptEach(receipts);
  expect(pacedAt).toHaveLength(PACED_EVENTS);
  const most = mostWithin(pacedAt, RATE.periodMs);
  const tookMs = Math.max(...pacedAt) - startedAt;
  console.log(
    `rate ${RATE.limit}/s: ${PACED_EVENTS} events from ${partitionsOf(receipts)} partitions in ${(tookMs / 1_000).toFixed(1)} s,` +
      ` at most ${most} in any second (allowed: ${RATE.limit + RATE.burst})`,
  );
  expect(most).toBeLessThanOrEqual(RATE.limit + RATE.burst);
  // And it does send as fast as it may, more or less.
  expect(tookMs).toBeLessThan((PACED_EVENTS / RATE.limit) * RATE.periodMs * 4);
}, 90_000);

it("never has more requests open than the concurrency allows, from all partitions together, and delivers all", async () => {
  const startedAt = performance.now();
  const receipts = await sendAtOnce("com.example.narrow", NARROW_EVENTS);
  expect(partitionsOf(receipts)).toBeGreaterThan(1);
  await waitFor("all deliveries", () => (narrow.requests.length >= NARROW_EVENTS ? true : undefined), 60_000);
  await expectOneAttemptEach(receipts);
  expect(narrow.requests).toHaveLength(NARROW_EVENTS);
  console.log(
    `concurrency ${CONCURRENCY}: ${NARROW_EVENTS} events from ${partitionsOf(receipts)} partitions in` +
      ` ${((performance.now() - startedAt) / 1_000).toFixed(1)} s, at most ${openMax} open at a time`,
  );
  expect(openMax).toBe(CONCURRENCY);
}, 90_000);

it("shows the limits where it lists targets, and with the rules", async () => {
  const targets = [
    { name: "narrow", limits: { concurrency: CONCURRENCY } },
    { name: "paced", limits: { rate: RATE } },
    { name: "warming" },
  ];
  expect(await admin(router.url, "rules")).toMatchObject({ targets });
  expect(await admin(router.url, "targets")).toMatchObject({
    targets: targets.map((target) => ({ ...target, state: "free" })),
  });
});
