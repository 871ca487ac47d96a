/** PARTITIONS changed under load, on the same state: nothing is accepted twice, nothing is lost, and lanes keep their order. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, SECRETS, waitFor } from "../support/router-process.ts";

const KEYS = 6;
const EVENTS_PER_KEY = 12;
/** How long the target takes at first, so that lanes are still busy when the layout changes. */
const SLOW_MS = 3_000;

let workspace: Workspace;
let target: TestServer;
let slow = true;

beforeAll(async () => {
  target = await startServer((response) => {
    setTimeout(() => response.writeHead(204).end(), slow ? SLOW_MS : 0);
  });
  workspace = await createWorkspace();
  await workspace.writeRules({
    "sources.yaml": "events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }\n",
    "targets.yaml": `ordered: { http: "${target.url}", retry: [1s] }\n`,
    "default/all.yaml": "pattern: { type: [com.example.step] }\ntargets: [ordered]\norder: key\n",
  });
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await target.close();
});

interface Receipt {
  readonly id: string;
  readonly status: string;
}

async function send(router: RouterProcess, key: number, step: number): Promise<Receipt> {
  const response = await fetch(`${router.url}/events`, {
    method: "POST",
    body: JSON.stringify({ step }),
    headers: {
      authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": `${key}-${step}`,
      "ce-source": `https://example.com/keys/${key}`,
      "ce-type": "com.example.step",
    },
  });
  expect(response.status).toBe(202);
  return (await response.json()) as Receipt;
}

/** Steps of each key one after the other, all keys at once. */
async function sendSteps(router: RouterProcess, from: number, to: number): Promise<ReadonlyMap<string, Receipt>> {
  const receipts = new Map<string, Receipt>();
  await Promise.all(
    Array.from({ length: KEYS }, async (_, key) => {
      for (let step = from; step < to; step++) receipts.set(`${key}-${step}`, await send(router, key, step));
    }),
  );
  return receipts;
}

it("keeps identities and the order of lanes over a change of PARTITIONS and back", { timeout: 120_000 }, async () => {
  const [first, second, third] = [EVENTS_PER_KEY / 3, (EVENTS_PER_KEY * 2) / 3, EVENTS_PER_KEY];
  const old = await workspace.start(["--var", "PARTITIONS=2"]);
  const before = await sendSteps(old, 0, first);
  await old.stop();

  const spread = await workspace.start(["--var", "PARTITIONS=5", "--var", "PARTITIONS_BEFORE=2"]);
  const repeats = await sendSteps(spread, 0, first);
  for (const [id, { id: receipt }] of before)
    expect(repeats.get(id)).toMatchObject({ id: receipt, status: "duplicate" });
  const meanwhile = await sendSteps(spread, first, second);
  slow = false;
  await spread.stop();

  const back = await workspace.start(["--var", "PARTITIONS=2", "--var", "PARTITIONS_BEFORE=5"]);
  const again = await sendSteps(back, 0, second);
  for (const [id, { id: receipt }] of [...before, ...meanwhile]) {
    expect(again.get(id)).toMatchObject({ id: receipt, status: "duplicate" });
  }
  const last = await sendSteps(back, second, third);
  expect([...before, ...meanwhile, ...last].map(([, { status }]) => status)).toEqual(
    Array.from({ length: KEYS * EVENTS_PER_KEY }, () => "accepted"),
  );

  await waitFor(
    "every delivery to end",
    async () => {
      const { events } = await admin<{ events: readonly unknown[] }>(back.url, "events?status=pending&limit=1");
      return events.length === 0 ? true : undefined;
    },
    60_000,
  );
  // In each lane, an event's requests have all come before the first of the next one.
  for (let key = 0; key < KEYS; key++) {
    const steps = target.requests
      .map(({ headers }) => String(headers["ce-id"]).split("-").map(Number))
      .flatMap(([itsKey, step = -1]) => (itsKey === key ? [step] : []));
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(new Set(steps).size).toBe(EVENTS_PER_KEY);
  }
});
