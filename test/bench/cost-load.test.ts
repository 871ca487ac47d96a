import { describe, expect, it } from "vitest";
import type { Load } from "./cost-load.ts";
import { COMMIT_MS, countLoad } from "./cost-load.ts";
import { usageOf } from "./cost-model.ts";
import { dollarsOf } from "./cost-prices.ts";
import { measureCosts } from "./cost.ts";

const TRICKLE: Load = { fanout: 1, bodyBytes: 2_000, eventsPerSecond: null, isolates: 1, events: 100 };
const LOAD: Load = { ...TRICKLE, eventsPerSecond: 100 };

describe("events that come one by one", () => {
  it("use what the table in docs/operations.md says of an event to one target", async () => {
    const table = (await measureCosts()).find(({ name }) => name === "one target");
    const counted = await countLoad(TRICKLE);
    const { objectRequests } = usageOf(counted, 0);
    expect([objectRequests, counted.requestsSent]).toEqual([table?.objectRequests, table?.requests]);
    // A segment that opens is a row, once in thousands of events.
    expect(counted.rowsWritten - (table?.rows ?? 0)).toBeGreaterThanOrEqual(0);
    expect(counted.rowsWritten - (table?.rows ?? 0)).toBeLessThanOrEqual(0.05);
    expect(counted.awakeMs).toBe(objectRequests * COMMIT_MS);
  });

  it("write the same rows for one target and for five", async () => {
    const [one, five] = [await countLoad(TRICKLE), await countLoad({ ...TRICKLE, fanout: 5 })];
    expect(five.rowsWritten).toBe(one.rowsWritten);
    expect(five.requestsSent).toBe(5);
  });

  it("need fewer bytes than their bodies have, which are stored deflated", async () => {
    const [small, large] = [await countLoad(TRICKLE), await countLoad({ ...TRICKLE, bodyBytes: 22_000 })];
    const more = large.storedBytes - small.storedBytes;
    expect(small.storedBytes).toBeGreaterThan(2_000);
    expect(more).toBeGreaterThan(1_000);
    expect(more).toBeLessThan(20_000 / 2);
  });
});

describe("events under load", () => {
  it("share calls, commits and alarms", async () => {
    const [alone, shared] = [await countLoad(TRICKLE), await countLoad(LOAD)];
    expect(shared.accepts).toBeLessThan(alone.accepts);
    expect(shared.settles).toBeLessThan(alone.settles);
    expect(shared.alarms).toBeLessThan(alone.alarms);
    expect(shared.rowsWritten).toBeLessThan(alone.rowsWritten);
  });

  it("keep the object awake no longer than the time has, however they overlap", async () => {
    const { awakeMs } = await countLoad({ ...LOAD, eventsPerSecond: 500 });
    expect(awakeMs).toBeGreaterThan(0);
    // 2 ms from one event to the next, and the commits of the last ones.
    expect(awakeMs).toBeLessThan(2 + 2 * COMMIT_MS * 0.1);
  });

  it("share less where they come in by many isolates", async () => {
    const [one, many] = [await countLoad(LOAD), await countLoad({ ...LOAD, isolates: 20 })];
    expect(many.accepts).toBeGreaterThan(one.accepts);
  });

  it("cost the same in every run", async () => {
    const dollars = async () => dollarsOf(usageOf(await countLoad(LOAD), 14));
    expect(await dollars()).toBe(await dollars());
  });
});
