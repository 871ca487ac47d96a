import { describe, expect, it } from "vitest";
import type { Usage } from "./cost-prices.ts";
import {
  EVENTS,
  ITEMS,
  PLAN_DOLLARS,
  PRICES,
  dollarsByItem,
  dollarsOf,
  eventsIncluded,
  gbMonths,
  monthDollars,
} from "./cost-prices.ts";

const NOTHING: Usage = {
  workerRequests: 0,
  cpuMs: 0,
  objectRequests: 0,
  objectGbSeconds: 0,
  rowsWritten: 0,
  storedGbMonths: 0,
};

describe("the price of a million events", () => {
  it("is what each item costs by Cloudflare's pages", () => {
    const one = (item: keyof Usage) => dollarsByItem({ ...NOTHING, [item]: 1 })[item];
    expect(one("workerRequests")).toBeCloseTo(0.3);
    expect(one("cpuMs")).toBeCloseTo(0.02);
    expect(one("objectRequests")).toBeCloseTo(0.15);
    expect(one("objectGbSeconds")).toBeCloseTo(12.5);
    expect(one("rowsWritten")).toBeCloseTo(1);
    // A gigabyte for a month, a million times.
    expect(one("storedGbMonths")).toBeCloseTo(200_000);
  });

  it("is the sum of its items", () => {
    const usage = { ...NOTHING, workerRequests: 1, objectRequests: 3, rowsWritten: 5, cpuMs: 2.5 };
    expect(dollarsOf(usage)).toBeCloseTo(0.3 + 0.45 + 5 + 0.05);
    expect(dollarsOf(NOTHING)).toBe(0);
  });

  it("has ten thousand bytes for half a month at a tenth of a cent", () => {
    expect(gbMonths(10_000, 15)).toBeCloseTo(5e-6, 12);
    expect(dollarsOf({ ...NOTHING, storedGbMonths: gbMonths(10_000, 15) })).toBeCloseTo(1);
  });
});

describe("what the plan includes", () => {
  it("covers events until the first item runs out", () => {
    const usage = { ...NOTHING, workerRequests: 1, objectRequests: 3 };
    expect(eventsIncluded(usage, "workerRequests")).toBe(10 * EVENTS);
    expect(eventsIncluded(usage, "objectRequests")).toBeCloseTo(EVENTS / 3);
    expect(eventsIncluded(usage, "rowsWritten")).toBe(Number.POSITIVE_INFINITY);
  });

  it("costs its fee as long as nothing has run out, and then what is beyond", () => {
    const usage = { ...NOTHING, objectRequests: 2, rowsWritten: 5 };
    expect(monthDollars(usage, EVENTS / 2)).toBe(PLAN_DOLLARS);
    expect(monthDollars(usage, EVENTS)).toBeCloseTo(PLAN_DOLLARS + 0.15);
    expect(monthDollars(usage, 11 * EVENTS)).toBeCloseTo(PLAN_DOLLARS + 21 * 0.15 + 5);
  });

  it("is less than everything, for each item", () => {
    for (const item of ITEMS) {
      const usage = { ...NOTHING, [item]: PRICES[item].included / EVENTS };
      expect(monthDollars(usage, EVENTS)).toBeCloseTo(PLAN_DOLLARS);
      expect(monthDollars(usage, 2 * EVENTS) - PLAN_DOLLARS).toBeCloseTo(dollarsOf(usage));
    }
  });
});
