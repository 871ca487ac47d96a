import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RateBucket } from "../../src/core/gcra.ts";
import { FILL_MAX, RATE_WAIT_MS_MAX, RATES_KEPT_MAX, takeStart } from "../../src/core/gcra.ts";
import type { Rate } from "../../src/core/rule.ts";

const START = 1_800_000_000_000;

interface Ask {
  readonly rate: Rate;
  readonly now: number;
  readonly waitMsMax: number;
}

interface Start {
  readonly rate: Rate;
  readonly at: number;
}

/** Asks in order; the starts that were granted, at the time that the caller was told. */
function startsOf(asks: readonly Ask[]): readonly Start[] {
  let buckets: readonly RateBucket[] = [];
  const starts: Start[] = [];
  for (const { rate, now, waitMsMax } of asks) {
    const answer = takeStart(buckets, rate, now, waitMsMax);
    if (answer.kind === "denied") continue;
    expect(Number.isInteger(answer.waitMs) && answer.waitMs >= 0 && answer.waitMs <= waitMsMax).toBe(true);
    buckets = JSON.parse(JSON.stringify(answer.buckets)) as readonly RateBucket[];
    expect(buckets.length).toBeLessThanOrEqual(RATES_KEPT_MAX);
    starts.push({ rate, at: now + answer.waitMs });
  }
  return starts;
}

/** The most starts in any window of the period, counted anew from each start: [start, start + periodMs), or with its end. */
function mostInWindow(starts: readonly number[], periodMs: number, withEnd: boolean): number {
  const sorted = starts.toSorted((a, b) => a - b);
  let most = 0;
  let end = 0;
  for (const [index, from] of sorted.entries()) {
    const limit = from + periodMs;
    while (end < sorted.length && (sorted[end] ?? 0) < limit + (withEnd ? 1 : 0)) end += 1;
    most = Math.max(most, end - index);
  }
  return most;
}

function expectWithin(rate: Rate, starts: readonly Start[]): void {
  const times = starts.map(({ at }) => at);
  expect(mostInWindow(times, rate.periodMs, false)).toBeLessThan(rate.limit + rate.burst);
  if (rate.limit > rate.periodMs) return;
  expect(mostInWindow(times, rate.periodMs, true)).toBeLessThanOrEqual(rate.limit + rate.burst);
}

const rates = fc.record({
  limit: fc.integer({ min: 1, max: 40 }),
  periodMs: fc.integer({ min: 1, max: 400 }),
  burst: fc.integer({ min: 1, max: 12 }),
});

/** Spans between two questions: mostly none or few, now and then a pause, sometimes a clock that goes back a little. */
const spans = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: -30, max: -1 }) },
  { weight: 1, arbitrary: fc.integer({ min: 300, max: 900 }) },
);
const waits = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 }));

function asksOf(steps: readonly { readonly span: number; readonly wait: number; readonly rate: Rate }[]): Ask[] {
  let now = START;
  return steps.map(({ span, wait, rate }) => ({ rate, now: (now += span), waitMsMax: wait }));
}

describe("the starts of one rate", () => {
  it("never exceed limit and burst in any window, whoever asks when and however long they wait", () => {
    fc.assert(
      fc.property(
        rates,
        fc.array(fc.record({ span: spans, wait: waits }), { minLength: 20, maxLength: 250 }),
        (rate, steps) => {
          expectWithin(rate, startsOf(asksOf(steps.map((step) => ({ ...step, rate })))));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("are as many as the rate allows when somebody always asks", () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const count = 200;
        const asks = Array.from({ length: count }, () => ({ rate, now: START, waitMsMax: RATE_WAIT_MS_MAX }));
        const starts = startsOf(asks);
        for (const [index, { at }] of starts.entries()) {
          const due = Math.max(0, Math.ceil(((index - rate.burst + 1) * rate.periodMs) / rate.limit));
          expect(at - START).toBe(due);
        }
        expect(starts.length === count || (starts.at(-1)?.at ?? 0) - START > RATE_WAIT_MS_MAX - 401).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("do not drift over a million of them when the interval is no whole number", () => {
    const rate = { limit: 7, periodMs: 1_000, burst: 3 };
    let buckets: readonly RateBucket[] = [];
    let now = START;
    let mistakes = 0;
    for (let index = 0; index < 1_000_000; index++) {
      const answer = takeStart(buckets, rate, now, RATE_WAIT_MS_MAX);
      if (answer.kind === "denied") throw new Error("denied");
      now += answer.waitMs;
      ({ buckets } = answer);
      if (now - START !== Math.max(0, Math.ceil(((index - 2) * 1_000) / 7))) mistakes += 1;
    }
    expect(mistakes).toBe(0);
  });

  it("come in a burst after a pause, and one by one after it", () => {
    const rate = { limit: 2, periodMs: 1_000, burst: 3 };
    const asks = Array.from({ length: 6 }, () => ({ rate, now: START, waitMsMax: 2_000 }));
    expect(startsOf(asks).map(({ at }) => at - START)).toEqual([0, 0, 0, 500, 1_000, 1_500]);
  });
});

describe("a denial", () => {
  const rate = { limit: 1, periodMs: 1_000, burst: 1 };
  const first = takeStart([], rate, START, 0);
  const buckets = first.kind === "granted" ? first.buckets : [];

  it("comes one millisecond before the wait fits, and says when a start would be free", () => {
    expect(takeStart(buckets, rate, START + 300, 699)).toEqual({ kind: "denied", retryAfterMs: 700 });
    expect(takeStart(buckets, rate, START + 300, 700)).toMatchObject({ kind: "granted", waitMs: 700 });
    expect(takeStart(buckets, rate, START + 1_000, 0)).toMatchObject({ kind: "granted", waitMs: 0 });
    expect(takeStart(buckets, rate, START + 999, 0)).toEqual({ kind: "denied", retryAfterMs: 1 });
  });

  it("comes for every wait beyond the longest, whatever the caller says", () => {
    const slow = { limit: 1, periodMs: RATE_WAIT_MS_MAX, burst: 1 };
    const taken = takeStart([], slow, START, 0);
    if (taken.kind === "denied") throw new Error("denied");
    const again = (rateAsked: Rate) => takeStart(taken.buckets, rateAsked, START, 10 * RATE_WAIT_MS_MAX);
    expect(again(slow)).toMatchObject({ kind: "granted", waitMs: RATE_WAIT_MS_MAX });
    const slower = { ...slow, periodMs: RATE_WAIT_MS_MAX + 1 };
    const takenSlower = takeStart([], slower, START, 0);
    if (takenSlower.kind === "denied") throw new Error("denied");
    expect(takeStart(takenSlower.buckets, slower, START, 10 * RATE_WAIT_MS_MAX)).toEqual({
      kind: "denied",
      retryAfterMs: RATE_WAIT_MS_MAX + 1,
    });
  });

  it("comes while a clock that went back has not caught up", () => {
    expect(takeStart(buckets, rate, START - 50, 1_049)).toEqual({ kind: "denied", retryAfterMs: 1_050 });
    expect(takeStart(buckets, rate, START - 50, 1_050)).toMatchObject({ kind: "granted", waitMs: 1_050 });
  });
});

describe("a rate that changes", () => {
  const steps = fc.array(fc.record({ span: spans, wait: waits, which: fc.nat(2) }), { minLength: 20, maxLength: 250 });

  it("is never exceeded by those who ask with it, while others ask with other rates", () => {
    fc.assert(
      fc.property(fc.tuple(rates, rates, rates), steps, (choices, plan) => {
        const asks = asksOf(plan.map(({ span, wait, which }) => ({ span, wait, rate: choices[which] ?? choices[0] })));
        const starts = startsOf(asks);
        for (const rate of choices) {
          expectWithin(
            rate,
            starts.filter((start) => start.rate === rate),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("holds for the starts before the change too, when it grew", () => {
    fc.assert(
      fc.property(
        rates,
        fc.record({ limit: fc.nat(40), burst: fc.nat(10) }),
        steps,
        fc.nat(100),
        (before, more, plan, at) => {
          const after = { ...before, limit: before.limit + more.limit, burst: before.burst + more.burst };
          const starts = startsOf(
            asksOf(plan.map(({ span, wait }, index) => ({ span, wait, rate: index < at ? before : after }))),
          );
          expectWithin(after, starts);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("counts every start, whichever of two rates allowed it: together they stay within the larger", () => {
    fc.assert(
      fc.property(rates, fc.record({ limit: fc.nat(40), burst: fc.nat(10) }), steps, (less, more, plan) => {
        const most = { ...less, limit: less.limit + more.limit, burst: less.burst + more.burst };
        const asks = plan.map(({ span, wait, which }) => ({ span, wait, rate: which === 0 ? less : most }));
        expectWithin(most, startsOf(asksOf(asks)));
      }),
      { numRuns: 300 },
    );
  });

  it("is late by the starts that a faster one allowed meanwhile, but not by more than a full bucket", () => {
    const slow = { limit: 1, periodMs: 1_000, burst: 1 };
    const fast = { limit: 100, periodMs: 1_000, burst: 1 };
    const asks = [slow, fast, fast, fast, fast, slow].map((rate) => ({ rate, now: START, waitMsMax: 2_000 }));
    expect(startsOf(asks).map(({ at }) => at - START)).toEqual([0, 10, 20, 30, 40, 1_040]);
  });

  it("counts what the old one has given, so that a change gives no second burst", () => {
    const old = { limit: 10, periodMs: 1_000, burst: 5 };
    const asks = [...Array<Rate>(5).fill(old), ...Array<Rate>(5).fill({ ...old, limit: 20 })];
    const starts = startsOf(asks.map((rate) => ({ rate, now: START, waitMsMax: 0 })));
    expect(starts.map(({ rate }) => rate.limit)).toEqual([10, 10, 10, 10, 10]);
  });

  it("comes after the starts that the old one has given away in advance", () => {
    const slow = { limit: 1, periodMs: 1_000, burst: 1 };
    const fast = { limit: 100, periodMs: 1_000, burst: 1 };
    const asks = [slow, slow, slow, fast].map((rate) => ({ rate, now: START, waitMsMax: 5_000 }));
    expect(startsOf(asks).map(({ at }) => at - START)).toEqual([0, 1_000, 2_000, 2_010]);
  });

  it("takes effect after the last start that was given away, however deep the old one's bucket was", () => {
    const old = { limit: 1, periodMs: 3_600_000, burst: 10 };
    let answer = takeStart([], old, START, 0);
    for (let taken = 1; taken < 10 && answer.kind === "granted"; taken++) {
      answer = takeStart(answer.buckets, old, START, 0);
    }
    if (answer.kind === "denied") throw new Error("denied");
    const fast = { limit: 100, periodMs: 1_000, burst: 1 };
    expect(takeStart(answer.buckets, fast, START, 1_000)).toMatchObject({ kind: "granted", waitMs: 10 });
  });

  it("is remembered among the newest few only", () => {
    let buckets: readonly RateBucket[] = [];
    for (let limit = 1; limit <= RATES_KEPT_MAX + 1; limit++) {
      const answer = takeStart(buckets, { limit, periodMs: 1_000, burst: 100 }, START, 0);
      if (answer.kind === "denied") throw new Error("denied");
      ({ buckets } = answer);
      expect(buckets.map(({ rate }) => rate.limit)).toEqual(
        [limit, limit - 1, limit - 2, limit - 3].filter((each) => each > 0),
      );
    }
  });

  it("is forgotten once its bucket is empty", () => {
    const old = takeStart([], { limit: 1, periodMs: 1_000, burst: 1 }, START, 0);
    if (old.kind === "denied") throw new Error("denied");
    const next = { limit: 5, periodMs: 1_000, burst: 1 };
    const early = takeStart(old.buckets, next, START + 999, 1_000);
    const late = takeStart(old.buckets, next, START + 1_000, 1_000);
    expect(early.kind === "granted" && early.buckets.length).toBe(2);
    expect(late.kind === "granted" && late.buckets.length).toBe(1);
  });
});

describe("a rate that is none", () => {
  it.each([
    { limit: 0, periodMs: 1_000, burst: 1 },
    { limit: 1, periodMs: 0, burst: 1 },
    { limit: 1, periodMs: 1_000, burst: 0 },
    { limit: 1.5, periodMs: 1_000, burst: 1 },
    { limit: 1, periodMs: Number.NaN, burst: 1 },
    { limit: 1, periodMs: 2 ** 41, burst: FILL_MAX / 2 ** 41 + 1 },
    { limit: Math.floor(FILL_MAX / RATE_WAIT_MS_MAX) + 1, periodMs: 1_000, burst: 1 },
  ])("is a bug: %o", (rate) => expect(() => takeStart([], rate, START, 0)).toThrow(RangeError));

  it("is not one of the largest that count exactly", () => {
    const rate = { limit: Math.floor(FILL_MAX / RATE_WAIT_MS_MAX), periodMs: 2 ** 41, burst: FILL_MAX / 2 ** 41 };
    expect(takeStart([], rate, START, 0)).toMatchObject({ kind: "granted", waitMs: 0 });
  });
});
