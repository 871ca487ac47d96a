/**
 * Spaces the requests that one isolate starts to a target. The gate says when a request may start; an isolate that is busy
 * starts it late, and what is late comes closer to what follows. So each start is counted once more where it happens, by the
 * same rule: what would come too close waits.
 *
 * The first request to a target opens a connection and may arrive long after its start. The next one waits for its end, or
 * for a second, and the first counts from then.
 */
import type { RateBucket } from "../core/gcra.ts";
import { takeStart } from "../core/gcra.ts";
import type { Rate } from "../core/rule.ts";

/** The longest that others wait for the end of the first request. */
export const FIRST_MS_MAX = 1_000;
/** How soon they ask again. */
const FIRST_RETRY_MS = 10;

export interface Pacer {
  /** 0 when a request may start now, and then it counts; else after how many milliseconds to ask again. */
  readonly start: (target: string, rate: Rate, now: number) => number;
  /** A request has ended, however it did. */
  readonly end: (target: string, now: number) => void;
}

interface Pace {
  /** When the first request started; null once it has ended. */
  firstAt: number | null;
  rate: Rate;
  buckets: readonly RateBucket[];
}

export function createPacer(): Pacer {
  // Bounded by the targets of the rule files; each keeps a few rates.
  const paces = new Map<string, Pace>();

  function endFirst(pace: Pace, now: number): void {
    pace.firstAt = null;
    const again = takeStart([], pace.rate, now, 0);
    if (again.kind === "granted") pace.buckets = again.buckets;
  }

  return {
    start(target, rate, now) {
      const pace = paces.get(target);
      if (pace === undefined) {
        paces.set(target, { firstAt: now, rate, buckets: [] });
        return 0;
      }
      if (pace.firstAt !== null) {
        if (now < pace.firstAt + FIRST_MS_MAX) return FIRST_RETRY_MS;
        endFirst(pace, now);
      }
      const answer = takeStart(pace.buckets, rate, now, 0);
      if (answer.kind === "denied") return answer.retryAfterMs;
      pace.buckets = answer.buckets;
      return 0;
    },

    end(target, now) {
      const pace = paces.get(target);
      if (pace !== undefined && pace.firstAt !== null) endFirst(pace, now);
    },
  };
}
