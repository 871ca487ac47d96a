/**
 * How much a partition lends at one time to a target that has said it has no room. Many partitions send to a target and none
 * knows of the others, so each finds its share out as senders on a network do: a denial makes the window smaller and a run of
 * permits larger (RFC 5681, section 3.1), and denials in a row double the wait (RFC 6298, section 5.5). Unlike there, a denial
 * does not halve the window: what is still out then is known to have been let through. A target that has denied nothing, or
 * nothing for a minute, has no window.
 *
 * Times are milliseconds; `now` is an argument.
 */

/** One that has grown to this is none any more: half of the leases that the alarm's dispatchers of a partition may hold. */
export const WINDOW_MAX = 12;
/** Each denial in a row doubles the wait that the gate says, so many times, and up to so long where that is not longer. */
export const DOUBLINGS_MAX = 3;
export const BACKOFF_MS_MAX = 30_000;
/** So many permits without a denial between them add one. */
export const PERMITS_PER_STEP = 8;
/** How long after the last wait it is forgotten. */
export const WINDOW_KEPT_MS = 60_000;

export interface LendWindow {
  /** Leases at one time. */
  readonly size: number;
  /** None before, since it was denied. */
  readonly until: number;
  /** None before, so that others find room. */
  readonly yieldUntil: number;
  /** How often the next wait is doubled. */
  readonly doublings: number;
  /** Permits since the last step or denial. */
  readonly permits: number;
}

/** The target has no room for `forMs`; of what was lent, `out` leases are out still. */
export function shrinkWindow(window: LendWindow | undefined, forMs: number, out: number, now: number): LendWindow {
  const atMost = Math.max(1, out);
  if (window === undefined) {
    return { size: Math.min(WINDOW_MAX - 1, atMost), until: now + forMs, yieldUntil: 0, doublings: 1, permits: 0 };
  }
  const { size, until, doublings } = window;
  // What was lent together is denied together, and that is one denial.
  if (until > now) return { ...window, size: Math.min(size, atMost), until: Math.max(until, now + forMs) };
  const waitMs = Math.max(forMs, Math.min(forMs * 2 ** doublings, BACKOFF_MS_MAX));
  return {
    ...window,
    size: Math.max(1, Math.min(size - 1, atMost)),
    until: now + waitMs,
    doublings: Math.min(doublings + 1, DOUBLINGS_MAX),
    permits: 0,
  };
}

/**
 * The target has let something through, so the wait is over; the next one is half as long as it would have been. Forgetting the
 * doublings at once would cost several denials for each permit where many partitions share a slow target. Undefined when
 * there is room for all again.
 */
export function growWindow(window: LendWindow, now: number): LendWindow | undefined {
  const isStep = window.permits + 1 >= PERMITS_PER_STEP;
  const size = isStep ? window.size + 1 : window.size;
  if (size >= WINDOW_MAX) return undefined;
  return {
    ...window,
    size,
    until: Math.min(window.until, now),
    doublings: Math.max(0, window.doublings - 1),
    permits: isStep ? 0 : window.permits + 1,
  };
}

/** When something may be lent again: past or to come. */
export function opensAt({ until, yieldUntil }: LendWindow): number {
  return Math.max(until, yieldUntil);
}

export function isForgotten({ until }: LendWindow, now: number): boolean {
  return until + WINDOW_KEPT_MS <= now;
}
