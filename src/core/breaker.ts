/**
 * A target's breaker. It holds; it never ends a delivery.
 *
 *   closed --- too many failed ---> open, for a while ---> one probe at a time
 *     ^                               ^                       |  failed: open again, for twice as long
 *     |                               | a failure             |  succeeded
 *     '----- enough successes ------ ramp <-------------------'
 *
 * Times are milliseconds; `now` is an argument and does not go back.
 */

/** It opens when so many attempts of the record's span were made and so many of a hundred failed. */
export const OPEN_ATTEMPTS_MIN = 10;
const OPEN_FAILED_PERCENT_MIN = 70;
/** Half of both is a bad record: worth to hear of every attempt at once. */
export const BAD_ATTEMPTS_MIN = 5;
const BAD_FAILED_PERCENT_MIN = 35;
/** The record's span: a slice of it is forgotten at a time, so what counts is between 4.5 and 5 minutes old. */
export const RECORD_MS = 300_000;
export const RECORD_SLICE_MS = 30_000;
/** More attempts than that in one report are a mistake of the reporter; they count as so many. */
export const REPORT_ATTEMPTS_MAX = 100_000;
/** A hold, doubling with every failed probe. */
export const HOLD_MS_MIN = 30_000;
export const HOLD_MS_MAX = 600_000;
/** Requests at a time in the last step of a ramp: 1, 2, 4, 8, 16, one success each, then closed. */
export const RAMP_SIZE_MAX = 16;

export type Breaker =
  | { readonly kind: "closed"; readonly slices: readonly RecordSlice[] }
  /** Nothing goes through until `until`, then one probe at a time. */
  | { readonly kind: "open"; readonly until: number; readonly holdMs: number }
  /** `size` requests at a time. `holdMs` is what the hold before it lasted. */
  | { readonly kind: "ramp"; readonly size: number; readonly holdMs: number };

/** Attempts that ended in the `RECORD_SLICE_MS` from `at` on. */
export interface RecordSlice {
  readonly at: number;
  readonly attempts: number;
  readonly failures: number;
}

export const CLOSED: Breaker = { kind: "closed", slices: [] };

/** Counts attempts, and opens when too many of them failed. Only a closed breaker counts: what others hear is old news. */
export function recordAttempts(breaker: Breaker, attempts: number, failures: number, now: number): Breaker {
  const count = clampCount(attempts, REPORT_ATTEMPTS_MAX);
  if (breaker.kind !== "closed" || count === 0) return breaker;
  const at = Math.floor(now / RECORD_SLICE_MS) * RECORD_SLICE_MS;
  const slices = recent(breaker.slices, now);
  const current = slices.find((slice) => slice.at === at) ?? { at, attempts: 0, failures: 0 };
  const counted = {
    at,
    attempts: current.attempts + count,
    failures: current.failures + clampCount(failures, count),
  };
  const next = [...slices.filter((slice) => slice.at !== at), counted];
  if (reaches(next, OPEN_ATTEMPTS_MIN, OPEN_FAILED_PERCENT_MIN)) return openFor(HOLD_MS_MIN, now);
  return { kind: "closed", slices: next };
}

/** Whether a closed breaker is on its way to open. */
export function isBad(breaker: Breaker, now: number): boolean {
  return breaker.kind === "closed" && reaches(recent(breaker.slices, now), BAD_ATTEMPTS_MIN, BAD_FAILED_PERCENT_MIN);
}

/** The one probe of an open breaker has ended, or is lost, which is a failure. */
export function endProbe(breaker: Breaker, succeeded: boolean, now: number): Breaker {
  if (breaker.kind !== "open") return breaker;
  if (succeeded) return { kind: "ramp", size: 1, holdMs: breaker.holdMs };
  return openFor(Math.min(breaker.holdMs * 2, HOLD_MS_MAX), now);
}

/** A request of the ramp has ended. After a failure the hold is as long as the last one: the probe before it did succeed. */
export function endRampRequest(breaker: Breaker, succeeded: boolean, now: number): Breaker {
  if (breaker.kind !== "ramp") return breaker;
  if (!succeeded) return openFor(breaker.holdMs, now);
  return breaker.size >= RAMP_SIZE_MAX ? CLOSED : { ...breaker, size: breaker.size * 2 };
}

/** The breaker as if everything had happened `byMs` earlier. */
export function shiftBreaker(breaker: Breaker, byMs: number): Breaker {
  switch (breaker.kind) {
    case "closed":
      return { kind: "closed", slices: breaker.slices.map((slice) => ({ ...slice, at: slice.at - byMs })) };
    case "open":
      return { ...breaker, until: breaker.until - byMs };
    case "ramp":
      return breaker;
  }
}

function openFor(holdMs: number, now: number): Breaker {
  return { kind: "open", until: now + holdMs, holdMs };
}

function recent(slices: readonly RecordSlice[], now: number): readonly RecordSlice[] {
  return slices.filter(({ at }) => at > now - RECORD_MS);
}

function reaches(slices: readonly RecordSlice[], attemptsMin: number, failedPercentMin: number): boolean {
  const attempts = slices.reduce((sum, slice) => sum + slice.attempts, 0);
  const failures = slices.reduce((sum, slice) => sum + slice.failures, 0);
  return attempts >= attemptsMin && failures * 100 >= attempts * failedPercentMin;
}

/** A whole number from 0 to `max`; what is no number counts as none. */
function clampCount(value: number, max: number): number {
  return value > 0 ? Math.min(Math.floor(value), max) : 0;
}
