import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readEventFiles, readLog } from "../../../bin/plan/event-reading.ts";
import { ok } from "../../../src/core/result.ts";

const ENTRY = { id: "evt_a", acceptedAt: "2026-11-21T15:00:00.000Z", bus: "default", from: "github", rules: [] };
const EVENT = { specversion: "1.0", id: "1", source: "/s", type: "t" };
const SMALL = JSON.stringify({ ...ENTRY, event: { ...EVENT, data: { large: { bytes: 1 } } } });
const LARGE = JSON.stringify({ ...ENTRY, id: "evt_b", large: { bytes: 3_000_000 }, event: EVENT });

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-test-"));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

async function namesIn(batches: AsyncIterable<readonly { readonly name: string }[]>): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const batch of batches) names.push(...batch.map(({ name }) => name));
  return names;
}

test("events of a large payload are left out of a plan, and counted, since the log has no data of them", async () => {
  const client = { getText: async () => ok(`{"events":[${LARGE},${SMALL},${LARGE}],"next":null}`) };
  const reading = readLog(client as never, { last: 10, now: 0 });
  expect(await namesIn(reading.batches)).toEqual(["evt_a"]);
  expect([reading.failure(), reading.leftOut(), reading.hasMore()]).toEqual([undefined, 2, false]);
});

test("so are those of a file", async () => {
  const file = join(dir, "events.ndjson");
  await writeFile(file, `${SMALL}\n${LARGE}\n`);
  const reading = await readEventFiles(file, { last: 10, now: 0, bus: "default" });
  if (!reading.ok) throw new Error(reading.error.message);
  expect(await namesIn(reading.value.batches)).toEqual(["evt_a"]);
  expect([reading.value.failure(), reading.value.leftOut()]).toEqual([undefined, 1]);
});
