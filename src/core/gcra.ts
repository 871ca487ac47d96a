/**
 * The generic cell rate algorithm (ITU-T I.371, annex A; the ATM Forum's Traffic Management 4.1, section 4.4.2), in its form
 * as a leaky bucket: each start adds `periodMs` to a bucket that leaks `limit` every millisecond and takes `burst` starts.
 * It decides the same as virtual scheduling with the interval `periodMs / limit`, in whole numbers, so that nothing drifts.
 *
 * Starts are at whole milliseconds. In any window of `periodMs` there are fewer than `limit + burst` of them; counting both
 * ends of the window, at most `limit + burst` (with more than one start a millisecond: and what one millisecond takes).
 */
import type { Rate } from "./rule.ts";

/** Rates that are remembered side by side: while a deployment spreads, callers with old and new rules take turns. */
export const RATES_KEPT_MAX = 4;
/** The most that a bucket may hold, so that sums stay exact: `burst * periodMs`, and `limit` over the longest wait. */
export const FILL_MAX = 2 ** 51;
/** The longest wait that a caller may ask for. */
export const RATE_WAIT_MS_MAX = 60_000;

/** What is in one rate's bucket. Every start fills the buckets of all rates; each start is bound by one. */
export interface RateBucket {
  readonly rate: Rate;
  /** When `fill` was right, in whole milliseconds. */
  readonly at: number;
  /** In parts of a millisecond: `limit` of them are one. */
  readonly fill: number;
}

export type RateAnswer =
  /** The start is taken, `waitMs` from now; these are the buckets after it. */
  | { readonly kind: "granted"; readonly waitMs: number; readonly buckets: readonly RateBucket[] }
  /** Nothing is taken; a start would be free after `retryAfterMs`. */
  | { readonly kind: "denied"; readonly retryAfterMs: number };

/**
 * Takes a start at the earliest time that the rate allows, at most `waitMsMax` from now. The bounds hold for a clock that goes
 * back, too: the buckets are as much fuller then. Times are whole milliseconds. Throws on a rate that is none.
 */
export function takeStart(buckets: readonly RateBucket[], rate: Rate, now: number, waitMsMax: number): RateAnswer {
  checkRate(rate);
  const current = buckets.map((bucket) => leak(bucket, now)).filter(({ fill }) => fill > 0);
  const own = current.find((bucket) => sameRate(bucket.rate, rate)) ?? newBucket(rate, current[0], now);
  const overfull = own.fill - (rate.burst - 1) * rate.periodMs;
  const waitMs = Math.max(0, Math.ceil(overfull / rate.limit));
  if (waitMs > Math.min(waitMsMax, RATE_WAIT_MS_MAX)) return { kind: "denied", retryAfterMs: waitMs };
  const others = current.filter((bucket) => !sameRate(bucket.rate, rate)).map((bucket) => pourForeign(bucket, waitMs));
  // The fill grows by one start from where it was, not from the rounded start: otherwise rounding would lower the rate.
  const poured = { ...own, fill: own.fill + rate.periodMs };
  return { kind: "granted", waitMs, buckets: [poured, ...others].slice(0, RATES_KEPT_MAX) };
}

function leak({ rate, at, fill }: RateBucket, now: number): RateBucket {
  return { rate, at: now, fill: Math.max(0, fill - (now - at) * rate.limit) };
}

/** A start that another rate has allowed: it counts, but leaves a bucket no fuller than full at that start. */
function pourForeign({ rate, at, fill }: RateBucket, waitMs: number): RateBucket {
  const full = rate.burst * rate.periodMs + waitMs * rate.limit;
  return { rate, at, fill: Math.max(fill, Math.min(Math.max(fill, waitMs * rate.limit) + rate.periodMs, full)) };
}

/**
 * The bucket of a rate that is new: as many starts are in it as are in the bucket of the rate before, from the last start
 * that was given away on. When the new rate is the faster one, that is at least what it would hold by itself.
 */
function newBucket(rate: Rate, before: RateBucket | undefined, at: number): RateBucket {
  if (before === undefined) return { rate, at, fill: 0 };
  const { limit, periodMs, burst } = before.rate;
  const lastStartMs = Math.max(0, Math.ceil((before.fill - burst * periodMs) / limit));
  const starts = Math.max(0, before.fill - lastStartMs * limit) / periodMs;
  const held = Math.min(Math.ceil(starts * rate.periodMs), rate.burst * rate.periodMs);
  return { rate, at, fill: lastStartMs * rate.limit + held };
}

function sameRate(a: Rate, b: Rate): boolean {
  return a.limit === b.limit && a.periodMs === b.periodMs && a.burst === b.burst;
}

function checkRate({ limit, periodMs, burst }: Rate): void {
  const whole = [limit, periodMs, burst].every((value) => Number.isSafeInteger(value) && value >= 1);
  if (!whole || burst * periodMs > FILL_MAX || limit * RATE_WAIT_MS_MAX > FILL_MAX) {
    throw new RangeError("a rate has a limit, a period and a burst, each a whole number from 1");
  }
}
