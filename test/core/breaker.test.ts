import { describe, expect, it } from "vitest";
import type { Breaker } from "../../src/core/breaker.ts";
import {
  BAD_ATTEMPTS_MIN,
  CLOSED,
  endProbe,
  endRampRequest,
  HOLD_MS_MAX,
  HOLD_MS_MIN,
  isBad,
  OPEN_ATTEMPTS_MIN,
  RAMP_SIZE_MAX,
  RECORD_MS,
  RECORD_SLICE_MS,
  recordAttempts,
  REPORT_ATTEMPTS_MAX,
  shiftBreaker,
} from "../../src/core/breaker.ts";

/** At the start of a slice. */
const START = 60_000_000 * RECORD_SLICE_MS;

function opened(now = START): Breaker {
  return recordAttempts(CLOSED, OPEN_ATTEMPTS_MIN, OPEN_ATTEMPTS_MIN, now);
}

describe("a closed breaker", () => {
  it("opens at ten attempts of which seven failed, and not before", () => {
    expect(recordAttempts(CLOSED, 9, 9, START).kind).toBe("closed");
    expect(recordAttempts(CLOSED, 10, 6, START).kind).toBe("closed");
    expect(recordAttempts(CLOSED, 10, 7, START)).toEqual({
      kind: "open",
      until: START + HOLD_MS_MIN,
      holdMs: HOLD_MS_MIN,
    });
    expect(recordAttempts(CLOSED, 1_000, 699, START).kind).toBe("closed");
    expect(recordAttempts(CLOSED, 1_000, 700, START).kind).toBe("open");
  });

  it("adds reports up, whether they come in one slice or in several", () => {
    const half = recordAttempts(CLOSED, 5, 4, START);
    expect(recordAttempts(half, 5, 3, START + 1).kind).toBe("open");
    expect(recordAttempts(half, 5, 3, START + RECORD_MS - 1).kind).toBe("open");
    expect(recordAttempts(half, 5, 2, START + 1).kind).toBe("closed");
  });

  it("forgets what is five minutes old", () => {
    const half = recordAttempts(CLOSED, 9, 9, START + RECORD_SLICE_MS - 1);
    expect(recordAttempts(half, 1, 1, START + RECORD_MS - 1).kind).toBe("open");
    expect(recordAttempts(half, 1, 1, START + RECORD_MS)).toEqual({
      kind: "closed",
      slices: [{ at: START + RECORD_MS, attempts: 1, failures: 1 }],
    });
  });

  it("keeps ten slices at most, however long it counts", () => {
    let breaker: Breaker = CLOSED;
    for (let at = 0; at < 4 * RECORD_MS; at += 7_000) breaker = recordAttempts(breaker, 3, 1, START + at);
    expect(breaker.kind === "closed" && breaker.slices.length).toBe(RECORD_MS / RECORD_SLICE_MS);
  });

  it("is bad at half of what opens it", () => {
    const count = (attempts: number, failures: number) => recordAttempts(CLOSED, attempts, failures, START);
    expect(isBad(count(BAD_ATTEMPTS_MIN - 1, BAD_ATTEMPTS_MIN - 1), START)).toBe(false);
    expect(isBad(count(20, 6), START)).toBe(false);
    expect(isBad(count(20, 7), START)).toBe(true);
    expect(isBad(count(20, 7), START + RECORD_MS)).toBe(false);
    expect(isBad(CLOSED, START)).toBe(false);
  });

  it("takes no report that makes no sense for more than it can be", () => {
    expect(recordAttempts(CLOSED, 0, 5, START)).toBe(CLOSED);
    expect(recordAttempts(CLOSED, -3, 1, START)).toBe(CLOSED);
    expect(recordAttempts(CLOSED, Number.NaN, 1, START)).toBe(CLOSED);
    expect(recordAttempts(CLOSED, 4, 9, START)).toMatchObject({ slices: [{ attempts: 4, failures: 4 }] });
    expect(recordAttempts(CLOSED, REPORT_ATTEMPTS_MAX + 1, 0, START)).toMatchObject({
      slices: [{ attempts: REPORT_ATTEMPTS_MAX, failures: 0 }],
    });
  });
});

describe("an open breaker", () => {
  it("counts nothing: what it hears was sent before it opened", () => {
    const breaker = opened();
    expect(recordAttempts(breaker, 100, 0, START + 1)).toBe(breaker);
    expect(isBad(breaker, START)).toBe(false);
  });

  it("holds twice as long after every probe that failed, from 30 s up to 10 min", () => {
    let breaker = opened();
    const holds: number[] = [];
    for (let probe = 0; probe < 7; probe++) {
      breaker = endProbe(breaker, false, START);
      if (breaker.kind === "open") holds.push(breaker.holdMs / 1_000);
    }
    expect(holds).toEqual([60, 120, 240, 480, 600, 600, 600]);
    expect(breaker).toEqual({ kind: "open", until: START + HOLD_MS_MAX, holdMs: HOLD_MS_MAX });
  });

  it("starts a ramp after a probe that succeeded", () => {
    expect(endProbe(opened(), true, START)).toEqual({ kind: "ramp", size: 1, holdMs: HOLD_MS_MIN });
  });
});

describe("a ramp", () => {
  it("doubles with every success, then closes with a clean record", () => {
    let breaker = endProbe(opened(), true, START);
    const sizes: number[] = [];
    while (breaker.kind === "ramp") {
      sizes.push(breaker.size);
      breaker = endRampRequest(breaker, true, START);
    }
    expect(sizes).toEqual([1, 2, 4, 8, RAMP_SIZE_MAX]);
    expect(breaker).toBe(CLOSED);
  });

  it("opens again at the first failure, for as long as the last hold", () => {
    const second = endProbe(endProbe(opened(), false, START), true, START);
    expect(endRampRequest(second, false, START + 5)).toEqual({
      kind: "open",
      until: START + 5 + 2 * HOLD_MS_MIN,
      holdMs: 2 * HOLD_MS_MIN,
    });
  });
});

describe("results of another time", () => {
  it("change nothing", () => {
    const ramp = endProbe(opened(), true, START);
    expect(endProbe(CLOSED, false, START)).toBe(CLOSED);
    expect(endProbe(ramp, false, START)).toBe(ramp);
    expect(endRampRequest(CLOSED, false, START)).toBe(CLOSED);
    const open = opened();
    expect(endRampRequest(open, true, START)).toBe(open);
    expect(recordAttempts(ramp, 10, 10, START)).toBe(ramp);
  });
});

describe("a breaker whose clock was ahead", () => {
  it("is the same as if it had been right", () => {
    const ahead = 3_600_000;
    const counted = recordAttempts(CLOSED, 4, 1, START);
    expect(shiftBreaker(recordAttempts(CLOSED, 4, 1, START + ahead), ahead)).toEqual(counted);
    expect(shiftBreaker(opened(START + ahead), ahead)).toEqual(opened());
    const ramp = endProbe(opened(), true, START);
    expect(shiftBreaker(ramp, ahead)).toEqual(ramp);
  });
});
