import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/outcome.ts";
import {
  DEFAULT_RETRY_DELAYS_MS,
  JITTER,
  RETRY_AFTER_MS_MAX,
  RETRY_FLOOR_MS,
  parseRetryAfterMs,
  retryDelayMs,
  retryFloorMs,
} from "../../src/core/retry.ts";
import type { RetryInput } from "../../src/core/retry.ts";

const DAY_MS = 86_400_000;
const plain: RetryInput = {
  failures: 1,
  delaysMs: DEFAULT_RETRY_DELAYS_MS,
  retryAfterMs: undefined,
  floorMs: 0,
  random: 0.5,
};

describe("the retry schedule", () => {
  it("waits 5 s, 30 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h in the middle of its jitter, then ends", () => {
    const delays = Array.from({ length: 9 }, (_, index) => retryDelayMs({ ...plain, failures: index + 1 }));
    const minutes = (count: number): number => count * 60_000;
    expect(delays).toEqual([
      5_000,
      30_000,
      minutes(5),
      minutes(30),
      minutes(120),
      minutes(300),
      minutes(600),
      minutes(600),
      null,
    ]);
  });

  it("spreads from 80 % to 120 % of the scheduled delay", () => {
    expect(retryDelayMs({ ...plain, random: 0 })).toBe(4_000);
    expect(retryDelayMs({ ...plain, random: 0.999_999_9 })).toBe(6_000);
  });

  it("has nothing for an empty schedule", () => {
    expect(retryDelayMs({ ...plain, delaysMs: [] })).toBeNull();
  });

  it("gives no delay past the schedule's end, whatever the target asks for", () => {
    expect(retryDelayMs({ ...plain, failures: 9, retryAfterMs: 1_000, floorMs: 60_000 })).toBeNull();
  });

  it("takes a count of failures below 1 for the bug it is", () => {
    expect(() => retryDelayMs({ ...plain, failures: 0 })).toThrow(RangeError);
    expect(() => retryDelayMs({ ...plain, failures: 1.5 })).toThrow(RangeError);
  });

  it("never comes before the floor, and spreads those that hit it", () => {
    expect(retryDelayMs({ ...plain, floorMs: 60_000, random: 0 })).toBe(60_000);
    expect(retryDelayMs({ ...plain, floorMs: 60_000, random: 0.5 })).toBe(66_000);
  });

  it("obeys Retry-After above the schedule and ignores it below", () => {
    expect(retryDelayMs({ ...plain, retryAfterMs: 120_000, random: 0 })).toBe(120_000);
    expect(retryDelayMs({ ...plain, retryAfterMs: 1_000, random: 0 })).toBe(4_000);
    expect(retryDelayMs({ ...plain, retryAfterMs: 1_000, floorMs: 60_000, random: 0 })).toBe(60_000);
  });

  it("cuts Retry-After at 24 h", () => {
    expect(retryDelayMs({ ...plain, retryAfterMs: DAY_MS, random: 0.9 })).toBe(DAY_MS);
    expect(retryDelayMs({ ...plain, retryAfterMs: DAY_MS * 400, random: 0 })).toBe(DAY_MS);
  });
});

const inputs = fc.record({
  failures: fc.integer({ min: 1, max: 8 }),
  delaysMs: fc.array(fc.integer({ min: 1, max: DAY_MS }), { minLength: 8, maxLength: 8 }),
  retryAfterMs: fc.option(fc.integer({ min: 0, max: 10 * DAY_MS }), { nil: undefined }),
  floorMs: fc.constantFrom(0, RETRY_FLOOR_MS),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

describe("every retry delay", () => {
  it("keeps the bounds that its description promises", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const delay = retryDelayMs(input) ?? Number.NaN;
        const scheduled = input.delaysMs[input.failures - 1] ?? Number.NaN;
        const asked = input.retryAfterMs ?? 0;
        const least = Math.max(scheduled * (1 - JITTER), input.floorMs, Math.min(asked, RETRY_AFTER_MS_MAX));
        const most = Math.max(
          scheduled * (1 + JITTER),
          input.floorMs * (1 + JITTER),
          Math.min(asked * (1 + JITTER), RETRY_AFTER_MS_MAX),
        );
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(least);
        expect(delay).toBeLessThanOrEqual(Math.ceil(most));
      }),
    );
  });

  it("never gets shorter when the target asks for more", () => {
    fc.assert(
      fc.property(inputs, fc.integer({ min: 0, max: DAY_MS }), (input, more) => {
        const before = retryDelayMs(input) ?? Number.NaN;
        const after = retryDelayMs({ ...input, retryAfterMs: (input.retryAfterMs ?? 0) + more }) ?? Number.NaN;
        expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});

describe("the floor under a retry", () => {
  const retryable = { kind: "retryable", reason: "status", detail: "" } as const;
  it.each<[string, Outcome, number]>([
    ["a 429", { ...retryable, answer: { status: 429 } }, 60_000],
    ["a timeout", { ...retryable, reason: "timeout" }, 60_000],
    ["a 503", { ...retryable, answer: { status: 503 } }, 0],
    ["a network error", { ...retryable, reason: "network" }, 0],
    ["a success", { kind: "delivered", answer: { status: 200 } }, 0],
  ])("after %s is as docs/operations.md says", (_, outcome, floorMs) => {
    expect(retryFloorMs(outcome)).toBe(floorMs);
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 10, 21, 12, 0, 0);

  it.each<[string | null | undefined, number | undefined]>([
    [undefined, undefined],
    [null, undefined],
    ["", undefined],
    ["0", 0],
    ["120", 120_000],
    [" 7 ", 7_000],
    ["1.5", 1_500],
    ["86400", DAY_MS],
    ["86401", DAY_MS],
    ["9".repeat(64), DAY_MS],
    ["9".repeat(65), undefined],
    ["-1", undefined],
    ["+1", undefined],
    ["1e3", undefined],
    ["0x10", undefined],
    ["NaN", undefined],
    ["Infinity", undefined],
    ["12 apples", undefined],
    ["120, 240", undefined],
    ["Sat, 21 Nov 2026 12:01:00 GMT", 60_000],
    ["Sat, 21 Nov 2026 11:00:00 GMT", 0],
    ["Tue, 21 Nov 2028 12:00:00 GMT", DAY_MS],
    ["2026-11-21T12:01:00Z", undefined],
  ])("%j asks for %j ms", (header, expected) => {
    expect(parseRetryAfterMs(header, now)).toBe(expected);
  });

  it("is undefined or a whole number from 0 to 24 h for any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.date().map(String)), (text) => {
        const ms = parseRetryAfterMs(text, now);
        if (ms === undefined) return;
        expect(Number.isInteger(ms) && ms >= 0 && ms <= RETRY_AFTER_MS_MAX).toBe(true);
      }),
    );
  });
});
