/**
 * A target's breaker. It holds; it never ends a delivery.
 *
 *   closed --- bad reports ---> watched --- too many failed ---> open, for a while ---> one probe at a time
 *     ^ ^                          |                            ^ ^                      |  failed: open for twice as long
 *     | '----- the count is well --'            too many failed | |                      |  succeeded
 *     '---------------------- enough successes ---------------- ramp <-------------------'
 *
 * Partitions report an attempt only when something has failed, and forget successes: reports make a target look worse than it
 * is. So they open nothing. They make the gate count each attempt itself, and only what it has counted opens the breaker.
 *
 * Times are milliseconds; `now` is an argument and does not go back.
 */

/** It opens when so many attempts of the record's span were counted and so many of a hundred failed. */
export const OPEN_ATTEMPTS_MIN = 10;
const OPEN_FAILED_PERCENT_MIN = 70;
/** Half of both is bad: a closed breaker that hears of it begins to count. */
export const BAD_ATTEMPTS_MIN = 5;
const BAD_FAILED_PERCENT_MIN = 35;
/** It counts for so long at least, then until fewer than `BAD_FAILED_PERCENT_MIN` of what was counted failed. */
export const WATCH_MS_MIN = 300_000;
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
/** A ramp fails when of so many attempts, its probe included, as many of a hundred failed as open a closed breaker. */
export const RAMP_ATTEMPTS_MIN = 4;

export type Breaker =
  /** `reported` is what partitions have said; `counted` are permits that were finished, as of a concurrency limit. */
  | { readonly kind: "closed"; readonly reported: readonly RecordSlice[]; readonly counted: readonly RecordSlice[] }
  /** Every attempt needs a permit and is counted. */
  | { readonly kind: "watched"; readonly since: number; readonly counted: readonly RecordSlice[] }
  /** Nothing goes through until `until`, then one probe at a time. */
  | { readonly kind: "open"; readonly until: number; readonly holdMs: number }
  /** `size` requests at a time. `holdMs` is what the hold before it lasted; what is counted begins with the probe. */
  | {
      readonly kind: "ramp";
      readonly size: number;
      readonly holdMs: number;
      readonly attempts: number;
      readonly failures: number;
    };

/** Attempts that ended in the `RECORD_SLICE_MS` from `at` on. */
export interface RecordSlice {
  readonly at: number;
  readonly attempts: number;
  readonly failures: number;
}

export const CLOSED: Breaker = { kind: "closed", reported: [], counted: [] };

/** What a partition has counted: it makes a closed breaker watch, and says nothing that a breaker which counts does not know. */
export function hearReport(breaker: Breaker, attempts: number, failures: number, now: number): Breaker {
  const count = clampCount(attempts, REPORT_ATTEMPTS_MAX);
  if (breaker.kind !== "closed" || count === 0) return breaker;
  const reported = added(breaker.reported, count, clampCount(failures, count), now);
  if (reaches(reported, BAD_ATTEMPTS_MIN, BAD_FAILED_PERCENT_MIN)) {
    return { kind: "watched", since: now, counted: breaker.counted };
  }
  return { ...breaker, reported };
}

/** An attempt whose permit was finished, and which was neither a probe nor of a ramp: those of another time say nothing. */
export function countAttempt(breaker: Breaker, succeeded: boolean, now: number): Breaker {
  if (breaker.kind !== "closed" && breaker.kind !== "watched") return breaker;
  const counted = added(breaker.counted, 1, succeeded ? 0 : 1, now);
  if (reaches(counted, OPEN_ATTEMPTS_MIN, OPEN_FAILED_PERCENT_MIN)) return openFor(HOLD_MS_MIN, now);
  const isWell = !reaches(counted, 1, BAD_FAILED_PERCENT_MIN);
  if (breaker.kind === "watched" && isWell && now >= breaker.since + WATCH_MS_MIN) return CLOSED;
  return { ...breaker, counted };
}

/** The one probe of an open breaker has ended, or is lost, which is a failure. */
export function endProbe(breaker: Breaker, succeeded: boolean, now: number): Breaker {
  if (breaker.kind !== "open") return breaker;
  if (succeeded) return { kind: "ramp", size: 1, holdMs: breaker.holdMs, attempts: 1, failures: 0 };
  return openFor(Math.min(breaker.holdMs * 2, HOLD_MS_MAX), now);
}

/**
 * A request of the ramp has ended. A failure alone is no reason to hold: a target on which some requests always fail would be
 * held for ever. After a ramp that failed the hold is as long as the last one: the probe before it did succeed.
 */
export function endRampRequest(breaker: Breaker, succeeded: boolean, now: number): Breaker {
  if (breaker.kind !== "ramp") return breaker;
  const { size, holdMs } = breaker;
  const attempts = breaker.attempts + 1;
  if (succeeded) return size >= RAMP_SIZE_MAX ? CLOSED : { ...breaker, size: size * 2, attempts };
  const failures = breaker.failures + 1;
  const hasFailed = attempts >= RAMP_ATTEMPTS_MIN && failures * 100 >= attempts * OPEN_FAILED_PERCENT_MIN;
  return hasFailed ? openFor(holdMs, now) : { ...breaker, attempts, failures };
}

/** Whether nothing is known that a resume would have to forget. */
export function isClean(breaker: Breaker): boolean {
  return breaker.kind === "closed" && breaker.reported.length === 0 && breaker.counted.length === 0;
}

/** The breaker as if everything had happened `byMs` earlier. */
export function shiftBreaker(breaker: Breaker, byMs: number): Breaker {
  switch (breaker.kind) {
    case "closed":
      return { ...breaker, reported: shifted(breaker.reported, byMs), counted: shifted(breaker.counted, byMs) };
    case "watched":
      return { ...breaker, since: breaker.since - byMs, counted: shifted(breaker.counted, byMs) };
    case "open":
      return { ...breaker, until: breaker.until - byMs };
    case "ramp":
      return breaker;
  }
}

function openFor(holdMs: number, now: number): Breaker {
  return { kind: "open", until: now + holdMs, holdMs };
}

/** The record with so much more in it, and without what is too old. */
function added(
  slices: readonly RecordSlice[],
  attempts: number,
  failures: number,
  now: number,
): readonly RecordSlice[] {
  const at = Math.floor(now / RECORD_SLICE_MS) * RECORD_SLICE_MS;
  const recent = slices.filter((slice) => slice.at > now - RECORD_MS);
  const current = recent.find((slice) => slice.at === at) ?? { at, attempts: 0, failures: 0 };
  const more = { at, attempts: current.attempts + attempts, failures: current.failures + failures };
  return [...recent.filter((slice) => slice.at !== at), more];
}

function shifted(slices: readonly RecordSlice[], byMs: number): readonly RecordSlice[] {
  return slices.map((slice) => ({ ...slice, at: slice.at - byMs }));
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
