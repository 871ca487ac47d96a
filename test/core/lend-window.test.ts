import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LendWindow } from "../../src/core/lend-window.ts";
import {
  BACKOFF_MS_MAX,
  DOUBLINGS_MAX,
  growWindow,
  isForgotten,
  opensAt,
  PERMITS_PER_STEP,
  shrinkWindow,
  WINDOW_KEPT_MS,
  WINDOW_MAX,
} from "../../src/core/lend-window.ts";

const NOW = 1_000_000;

/** As often denied in a row, each time as soon as it may ask again. */
function denied(times: number, forMs: number): { readonly window: LendWindow; readonly waits: readonly number[] } {
  let window: LendWindow | undefined;
  let now = NOW;
  const waits: number[] = [];
  for (let time = 0; time < times; time++) {
    window = shrinkWindow(window, forMs, 6, now);
    waits.push(window.until - now);
    now = window.until;
  }
  if (window === undefined) throw new Error("never denied");
  return { window, waits };
}

function grown(window: LendWindow | undefined, permits: number, now = NOW): LendWindow | undefined {
  for (let count = 0; count < permits && window !== undefined; count++) window = growWindow(window, now);
  return window;
}

describe("a denial", () => {
  it("leaves a window of what is out still, one at least, and less than there was", () => {
    expect(shrinkWindow(undefined, 500, 4, NOW)).toMatchObject({ size: 4, until: NOW + 500 });
    expect(shrinkWindow(undefined, 500, 0, NOW).size).toBe(1);
    expect(shrinkWindow(undefined, 500, 99, NOW).size).toBe(WINDOW_MAX - 1);
    const four = shrinkWindow(undefined, 500, 4, NOW);
    expect(shrinkWindow(four, 500, 4, NOW + 500).size).toBe(3);
    expect(shrinkWindow(four, 500, 2, NOW + 500).size).toBe(2);
  });

  it("is one with those of what was lent together: they make the wait longer only if they say so", () => {
    const first = shrinkWindow(undefined, 500, 4, NOW);
    expect(shrinkWindow(first, 300, 4, NOW + 100)).toEqual(first);
    expect(shrinkWindow(first, 600, 3, NOW + 100)).toEqual({ ...first, size: 3, until: NOW + 700 });
  });

  it("in a row doubles the wait, up to a limit", () => {
    expect(DOUBLINGS_MAX).toBe(3);
    expect(denied(6, 1_000).waits).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    expect(denied(4, 10_000).waits).toEqual([10_000, 20_000, BACKOFF_MS_MAX, BACKOFF_MS_MAX]);
    expect(denied(3, 3_600_000).waits).toEqual([3_600_000, 3_600_000, 3_600_000]);
  });
});

describe("a permit", () => {
  it("ends the wait, and takes one doubling back", () => {
    const { window } = denied(3, 1_000);
    const next = growWindow(window, window.until - 100);
    expect(next?.until).toBe(window.until - 100);
    expect(next && shrinkWindow(next, 1_000, 1, window.until).until).toBe(window.until + 4_000);
    expect(growWindow(window, window.until + 100)?.until).toBe(window.until);
  });

  it("is a step to a larger window when it is the eighth without a denial", () => {
    const { window } = denied(1, 1_000);
    expect(grown(window, PERMITS_PER_STEP - 1)?.size).toBe(window.size);
    expect(grown(window, PERMITS_PER_STEP)?.size).toBe(window.size + 1);
    const almost = grown(window, PERMITS_PER_STEP - 1, window.until);
    const again = almost && shrinkWindow(almost, 1_000, 6, window.until);
    expect(grown(again, PERMITS_PER_STEP - 1)?.size).toBe(window.size - 1);
  });

  it("ends a window that would reach its limit", () => {
    const widest = shrinkWindow(undefined, 1_000, WINDOW_MAX, NOW);
    expect(grown(widest, PERMITS_PER_STEP - 1)?.size).toBe(WINDOW_MAX - 1);
    expect(grown(widest, PERMITS_PER_STEP)).toBeUndefined();
  });
});

describe("a window", () => {
  it("opens when its wait is over and others have had their turn, and is forgotten a minute after the wait", () => {
    const window = { ...shrinkWindow(undefined, 1_000, 1, NOW), yieldUntil: NOW + 1_500 };
    expect(opensAt(window)).toBe(NOW + 1_500);
    expect(opensAt({ ...window, yieldUntil: NOW + 500 })).toBe(NOW + 1_000);
    expect(isForgotten(window, NOW + 1_000 + WINDOW_KEPT_MS - 1)).toBe(false);
    expect(isForgotten(window, NOW + 1_000 + WINDOW_KEPT_MS)).toBe(true);
  });

  it("is never outside its limits, whatever comes", () => {
    const step = fc.record({ deny: fc.boolean(), ms: fc.nat(20_000), out: fc.nat(30), spanMs: fc.nat(10_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        let window: LendWindow | undefined;
        let now = NOW;
        for (const { deny, ms, out, spanMs } of steps) {
          now += spanMs;
          window = deny ? shrinkWindow(window, ms, out, now) : window && growWindow(window, now);
          if (window === undefined) continue;
          expect(window.size).toBeGreaterThanOrEqual(1);
          expect(window.size).toBeLessThan(WINDOW_MAX);
          expect(window.until).toBeLessThanOrEqual(now + BACKOFF_MS_MAX);
        }
      }),
    );
  });
});
