import { describe, expect, it } from "vitest";
import type { Breaker } from "../../src/core/breaker.ts";
import {
  BAD_ATTEMPTS_MIN,
  CLOSED,
  countAttempt,
  endProbe,
  endRampRequest,
  hearReport,
  HOLD_MS_MAX,
  HOLD_MS_MIN,
  OPEN_ATTEMPTS_MIN,
  RAMP_ATTEMPTS_MIN,
  RAMP_SIZE_MAX,
  RECORD_MS,
  RECORD_SLICE_MS,
  REPORT_ATTEMPTS_MAX,
  shiftBreaker,
  WATCH_MS_MIN,
} from "../../src/core/breaker.ts";

/** At the start of a slice. */
const START = 60_000_000 * RECORD_SLICE_MS;

function counted(from: Breaker, attempts: number, failures: number, now = START): Breaker {
  let breaker = from;
  for (let each = 0; each < attempts; each++) breaker = countAttempt(breaker, each >= failures, now);
  return breaker;
}

function opened(now = START): Breaker {
  return counted(CLOSED, OPEN_ATTEMPTS_MIN, OPEN_ATTEMPTS_MIN, now);
}

function watched(now = START): Breaker {
  return hearReport(CLOSED, BAD_ATTEMPTS_MIN, BAD_ATTEMPTS_MIN, now);
}

/** In the first step of its ramp. */
function ramping(): Breaker {
  return endProbe(opened(), true, START);
}

describe("a breaker that counts", () => {
  it("opens at ten attempts of which seven failed, and not before", () => {
    expect(counted(CLOSED, 9, 9).kind).toBe("closed");
    expect(counted(CLOSED, 10, 6).kind).toBe("closed");
    // The successes first: otherwise it opens before it has heard of them.
    const successes = counted(CLOSED, 3, 0);
    expect(counted(successes, 6, 6).kind).toBe("closed");
    expect(counted(successes, 7, 7)).toEqual({ kind: "open", until: START + HOLD_MS_MIN, holdMs: HOLD_MS_MIN });
    const many = counted(CLOSED, 300, 0);
    expect(counted(many, 699, 699).kind).toBe("closed");
    expect(counted(many, 700, 700).kind).toBe("open");
  });

  it("adds up over all slices of five minutes, and forgets what is older", () => {
    const nine = counted(CLOSED, 9, 9, START + RECORD_SLICE_MS - 1);
    expect(countAttempt(nine, false, START + RECORD_MS - 1).kind).toBe("open");
    expect(countAttempt(nine, false, START + RECORD_MS)).toEqual({
      kind: "closed",
      reported: [],
      counted: [{ at: START + RECORD_MS, attempts: 1, failures: 1 }],
    });
  });

  it("keeps ten slices at most of what it counts and of what it hears, however long it does", () => {
    let breaker: Breaker = CLOSED;
    for (let at = 0; at < 4 * RECORD_MS; at += 7_000) {
      breaker = hearReport(countAttempt(breaker, true, START + at), 10, 1, START + at);
    }
    expect(breaker.kind === "closed" && [breaker.counted.length, breaker.reported.length]).toEqual([10, 10]);
  });
});

describe("a report", () => {
  it("never opens a breaker, however bad it is", () => {
    let breaker = hearReport(CLOSED, 100, 100, START);
    for (let times = 0; times < 50; times++) breaker = hearReport(breaker, 100, 100, START + times);
    expect(breaker).toEqual({ kind: "watched", since: START, counted: [] });
  });

  it("makes it watch when five attempts of five minutes were reported and 35 % of them failed", () => {
    const hear = (attempts: number, failures: number) => hearReport(CLOSED, attempts, failures, START).kind;
    expect(hear(BAD_ATTEMPTS_MIN - 1, BAD_ATTEMPTS_MIN - 1)).toBe("closed");
    expect(hear(BAD_ATTEMPTS_MIN, BAD_ATTEMPTS_MIN)).toBe("watched");
    expect(hear(20, 6)).toBe("closed");
    expect(hear(20, 7)).toBe("watched");
    const four = hearReport(CLOSED, 4, 4, START + RECORD_SLICE_MS - 1);
    expect(hearReport(four, 1, 1, START + RECORD_MS - 1).kind).toBe("watched");
    expect(hearReport(four, 1, 1, START + RECORD_MS).kind).toBe("closed");
  });

  it("leaves what was counted before as it is", () => {
    const nine = counted(CLOSED, 9, 9);
    expect(countAttempt(hearReport(nine, 5, 5, START), false, START).kind).toBe("open");
  });

  it("that makes no sense is taken for no more than it can be", () => {
    for (const attempts of [0, -3, Number.NaN]) expect(hearReport(CLOSED, attempts, 5, START)).toBe(CLOSED);
    expect(hearReport(CLOSED, 4, 9, START)).toMatchObject({ reported: [{ attempts: 4, failures: 4 }] });
    expect(hearReport(CLOSED, REPORT_ATTEMPTS_MAX + 1, 0, START)).toMatchObject({
      reported: [{ attempts: REPORT_ATTEMPTS_MAX, failures: 0 }],
    });
  });
});

describe("a breaker that watches", () => {
  it("opens by what it counts", () => {
    expect(counted(watched(), 9, 9).kind).toBe("watched");
    expect(counted(watched(), 10, 10).kind).toBe("open");
  });

  it("closes with a clean record after five minutes, when what it has counted is well", () => {
    const well = counted(watched(), 20, 6);
    expect(countAttempt(well, true, START + WATCH_MS_MIN - RECORD_SLICE_MS - 1)).toMatchObject({ kind: "watched" });
    expect(countAttempt(watched(), true, START + WATCH_MS_MIN - 1).kind).toBe("watched");
    expect(countAttempt(watched(), true, START + WATCH_MS_MIN)).toBe(CLOSED);
    expect(countAttempt(watched(), false, START + WATCH_MS_MIN).kind).toBe("watched");
    const late = START + WATCH_MS_MIN + 5 * RECORD_MS;
    const bad = counted(watched(), 6, 6, late);
    expect(counted(bad, 11, 0, late).kind).toBe("watched");
    expect(counted(bad, 12, 0, late)).toBe(CLOSED);
  });
});

describe("an open breaker", () => {
  it("counts nothing: what it hears was sent before it opened", () => {
    const breaker = opened();
    expect(hearReport(breaker, 100, 100, START + 1)).toBe(breaker);
    expect(countAttempt(breaker, true, START + 1)).toBe(breaker);
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
    expect(endProbe(opened(), true, START)).toEqual({
      kind: "ramp",
      size: 1,
      holdMs: HOLD_MS_MIN,
      attempts: 1,
      failures: 0,
    });
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

  it("opens again when the record since the probe is as bad as what opens it, for as long as the last hold", () => {
    let breaker = endProbe(endProbe(opened(), false, START), true, START);
    for (let attempt = 2; attempt < RAMP_ATTEMPTS_MIN; attempt++) {
      breaker = endRampRequest(breaker, false, START + 5);
      expect(breaker).toMatchObject({ kind: "ramp", size: 1 });
    }
    expect(endRampRequest(breaker, false, START + 5)).toEqual({
      kind: "open",
      until: START + 5 + 2 * HOLD_MS_MIN,
      holdMs: 2 * HOLD_MS_MIN,
    });
  });

  it("goes on through failures that are fewer", () => {
    let breaker = ramping();
    for (const succeeded of [false, true, false, true, false, true, true, false, true]) {
      expect(breaker.kind).toBe("ramp");
      breaker = endRampRequest(breaker, succeeded, START);
    }
    expect(breaker).toBe(CLOSED);
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
    expect(countAttempt(ramp, false, START)).toBe(ramp);
  });
});

describe("a breaker whose clock was ahead", () => {
  it("is the same as if it had been right", () => {
    const ahead = 3_600_000;
    const mixed = (at: number) => hearReport(counted(CLOSED, 4, 1, at), 3, 1, at);
    expect(shiftBreaker(mixed(START + ahead), ahead)).toEqual(mixed(START));
    const watching = (at: number) => counted(watched(at), 4, 1, at);
    expect(shiftBreaker(watching(START + ahead), ahead)).toEqual(watching(START));
    expect(shiftBreaker(opened(START + ahead), ahead)).toEqual(opened());
    const ramp = endProbe(opened(), true, START);
    expect(shiftBreaker(ramp, ahead)).toEqual(ramp);
  });
});
