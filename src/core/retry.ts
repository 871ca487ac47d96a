/**
 * When a failed delivery is tried again: the schedule, its jitter, and what the target asked for.
 * Times are milliseconds; randomness and "now" are arguments.
 */
import { parseHttpDate } from "./http-date.ts";
import type { Outcome } from "./outcome.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** After 5 s, 30 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h: quick while it may be a blip, 27.6 h in all. */
export const DEFAULT_RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  10 * HOUR_MS,
];

/** A scheduled delay is spread by this share to both sides; what must not come earlier, only upwards. */
export const JITTER = 0.2;

/** The least wait after a 429 or a timeout: a target that says "too much", or can't even say that, gets room. */
export const RETRY_FLOOR_MS = 60 * SECOND_MS;

/** The most that a target can ask for by Retry-After. */
export const RETRY_AFTER_MS_MAX = 24 * HOUR_MS;

/** An HTTP date has 33 characters at most; 24 h in seconds has 5. */
const RETRY_AFTER_CHARS_MAX = 64;

export interface RetryInput {
  /** How many attempts have failed, the latest included: at least 1. */
  readonly failures: number;
  /** The wait after the first failure, the second, and so on. */
  readonly delaysMs: readonly number[];
  /** What the target asked for; undefined when it asked for nothing. */
  readonly retryAfterMs: number | undefined;
  /** The least wait, `RETRY_FLOOR_MS` after a 429 or a timeout (see `retryFloorMs`), else 0. */
  readonly floorMs: number;
  /** From 0 to less than 1. */
  readonly random: number;
}

/**
 * How long to wait before the next attempt, in whole milliseconds, or null when the schedule has no delay left.
 * With `scheduled = delaysMs[failures - 1]` it is the greatest of three:
 *
 * - `scheduled` spread over ±20 %;
 * - `floorMs` spread over +20 %, so never before the floor;
 * - Retry-After spread over +20 %, then cut at 24 h: never before what the target asked for, up to the cap.
 *
 * Therefore `max(0.8 × scheduled, floorMs, min(retryAfterMs, 24 h)) <= result`, and
 * `result <= max(1.2 × scheduled, 1.2 × floorMs, min(1.2 × retryAfterMs, 24 h))` rounded up. The floor and Retry-After are
 * spread too because a target tells everyone the same number, and all would be back in the same instant.
 */
export function retryDelayMs({ failures, delaysMs, retryAfterMs = 0, floorMs, random }: RetryInput): number | null {
  if (!Number.isInteger(failures) || failures < 1) throw new RangeError("failures must be at least 1");
  const scheduledMs = delaysMs[failures - 1];
  if (scheduledMs === undefined) return null;
  const spreadUp = 1 + JITTER * random;
  return Math.ceil(
    Math.max(
      scheduledMs * (1 - JITTER + 2 * JITTER * random),
      floorMs * spreadUp,
      Math.min(retryAfterMs * spreadUp, RETRY_AFTER_MS_MAX),
    ),
  );
}

/** The floor that an outcome puts under its retry's delay: one minute after a 429 or a timeout, else none. */
export function retryFloorMs(outcome: Outcome): number {
  if (outcome.kind !== "retryable") return 0;
  return outcome.reason === "timeout" || outcome.answer?.status === 429 ? RETRY_FLOOR_MS : 0;
}

/**
 * How long a Retry-After header (RFC 9110, section 10.2.3) asks to wait, in milliseconds from `now`: from 0, for a date gone
 * by, to 24 h, for anything longer. Undefined when there is no header or it says nothing that can be obeyed, such as a
 * negative number. Fractions of a second are not in the RFC but are sent; they count.
 */
export function parseRetryAfterMs(header: string | null | undefined, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (text === "" || text.length > RETRY_AFTER_CHARS_MAX) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * SECOND_MS), RETRY_AFTER_MS_MAX);
  const dateMs = parseHttpDate(text, now);
  return dateMs === undefined ? undefined : Math.min(Math.max(0, Math.ceil(dateMs - now)), RETRY_AFTER_MS_MAX);
}
