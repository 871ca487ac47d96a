import { describe, expect, it } from "vitest";
import type { LimitsCase } from "./limits.ts";
import { measureLimits } from "./limits.ts";

const perSecond = (limit: number) => ({ rate: { limit, periodMs: 1_000, burst: 1 } });
const MINUTE_MS = 60_000;

/** What a case cost when each denial left the partition to lend as before, 12 leases at a time, is its comment. */
const CASES: readonly (LimitsCase & { readonly name: string; readonly most: number; readonly rowsMax: number })[] = [
  // 4.2 rows
  { name: "50/s", partitions: 4, limits: perSecond(50), answerMs: 100, most: 50, rowsMax: 5 },
  // 6.4 rows
  { name: "10/s", partitions: 4, limits: perSecond(10), answerMs: 100, most: 10, rowsMax: 5 },
  // 36 rows
  { name: "1/s", partitions: 4, limits: perSecond(1), answerMs: 100, most: 1, rowsMax: 10 },
  // 44 rows
  { name: "four at a time", partitions: 4, limits: { concurrency: 4 }, answerMs: 2_000, most: 2, rowsMax: 7 },
  { name: "four at a time, quick", partitions: 4, limits: { concurrency: 4 }, answerMs: 200, most: 20, rowsMax: 7 },
].map((each) => ({ ...each, forMs: 2 * MINUTE_MS, backlog: Math.ceil((each.most * 120) / each.partitions) + 200 }));

describe("a target with limits that has more due than it takes", () => {
  it.each(CASES)("gets four fifths of its limit at least, for few rows: $name", async (each) => {
    const { delivered, rowsPerDelivery } = await measureLimits(each);
    const most = (each.most * each.forMs) / 1_000;
    expect(delivered).toBeGreaterThanOrEqual(0.8 * most);
    expect(delivered).toBeLessThanOrEqual(most + 4);
    expect(rowsPerDelivery).toBeLessThanOrEqual(each.rowsMax);
  });

  it("gets it from every partition", async () => {
    const each = { partitions: 4, limits: { concurrency: 4 }, answerMs: 1_000, forMs: 10 * MINUTE_MS, backlog: 800 };
    const { delivered, deliveredMin } = await measureLimits(each);
    expect(delivered).toBeGreaterThanOrEqual(0.8 * 2_400);
    expect(deliveredMin).toBeGreaterThanOrEqual(delivered / 16);
  });

  // 783 rows
  it("costs tens of rows, not hundreds, where it takes one in 10 s", async () => {
    const each = { partitions: 4, limits: { concurrency: 1 }, answerMs: 10_000, forMs: 20 * MINUTE_MS, backlog: 150 };
    const { delivered, deliveredMin, rowsPerDelivery } = await measureLimits(each);
    expect(delivered).toBeGreaterThanOrEqual(0.8 * 120);
    expect(deliveredMin).toBeGreaterThan(0);
    expect(rowsPerDelivery).toBeLessThanOrEqual(25);
  });

  // 207 questions, 503 rows
  it("is asked a few times for each permit where 64 partitions share one a second", async () => {
    const each = { partitions: 64, limits: perSecond(1), answerMs: 100, forMs: 10 * MINUTE_MS, backlog: 30 };
    const { delivered, permitsAskedPerDelivery, rowsPerDelivery } = await measureLimits(each);
    expect(delivered).toBeGreaterThanOrEqual(0.8 * 600);
    expect(permitsAskedPerDelivery).toBeLessThanOrEqual(10);
    expect(rowsPerDelivery).toBeLessThanOrEqual(30);
  });
});
