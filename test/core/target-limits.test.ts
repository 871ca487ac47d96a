import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RateBucket } from "../../src/core/gcra.ts";
import { takeStart } from "../../src/core/gcra.ts";
import type { Rate } from "../../src/core/rule.ts";
import { strictest } from "../../src/core/target-limits.ts";

const RATE = fc.record({
  limit: fc.integer({ min: 1, max: 200 }),
  periodMs: fc.constantFrom(1_000, 60_000),
  burst: fc.integer({ min: 1, max: 30 }),
});

/** When a rate lets starts through that are all wanted at once, in the first so many milliseconds. */
function startsOf(rate: Rate, ms: number): readonly number[] {
  const starts: number[] = [];
  let buckets: readonly RateBucket[] = [];
  let now = 0;
  while (now < ms && starts.length < 2_000) {
    const answer = takeStart(buckets, rate, now, 0);
    if (answer.kind === "denied") {
      now += answer.retryAfterMs;
      continue;
    }
    buckets = answer.buckets;
    starts.push(now);
  }
  return starts;
}

describe("limits of two origins", () => {
  it("are the one where there is one", () => {
    const limits = { concurrency: 3 };
    expect(strictest(undefined, undefined)).toBeUndefined();
    expect(strictest(limits, undefined)).toBe(limits);
    expect(strictest(undefined, limits)).toBe(limits);
    const rate = { limit: 5, periodMs: 1_000, burst: 1 };
    expect(strictest(limits, { rate })).toEqual({ concurrency: 3, rate });
    expect(strictest(limits, { concurrency: 2 })).toEqual({ concurrency: 2 });
  });

  it("let nothing start that either would hold back by then", () => {
    fc.assert(
      fc.property(RATE, RATE, (first, second) => {
        const both = strictest({ rate: first }, { rate: second })?.rate;
        if (both === undefined) throw new Error("there is a rate");
        const starts = startsOf(both, 3_000);
        for (const rate of [first, second]) {
          const allowed = startsOf(rate, 3_000);
          for (const [index, at] of starts.entries()) expect(at).toBeGreaterThanOrEqual((allowed[index] ?? 3_000) - 1);
        }
      }),
      { numRuns: 50 },
    );
  });
});
