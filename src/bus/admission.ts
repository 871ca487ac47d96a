/**
 * Admission: an isolate that has many deliveries under way lets those end before it takes in more. All of them share one thread;
 * whoever takes in without end leaves thousands half done, which costs memory and a quarter of what it can do, and deliveries fall
 * behind. The wait is short and bounded, and nobody is refused for it: a slow target must not keep senders away.
 */
import type { Invocation } from "./call-groups.ts";

/** Requests whose deliveries are under way in an isolate, their settles included, before others wait. */
export const ADMITTED_MAX = 32;
/** A request waits no longer than this, whatever is under way. */
export const ADMISSION_WAIT_MS = 50;
/** What is under way for longer waits for its target, and takes nothing from others; or its invocation has died. */
export const ADMITTED_MS_MAX = 1_000;

export interface Admission {
  /** Before a request's body is read. */
  readonly enter: (invocation: Pick<Invocation, "now" | "within">) => Promise<void>;
  /** Deliveries that follow a request's answer. */
  readonly during: (work: Promise<void>, now: number) => Promise<void>;
}

/** Made once in an isolate. */
export function createAdmission(): Admission {
  // When each began, the oldest first.
  const underWay = new Set<{ readonly startedAt: number }>();
  // In the order of their coming. Bounded by the platform: each is a request that is open.
  const waiting = new Set<() => void>();

  function isFull(now: number): boolean {
    for (const each of underWay) {
      if (now < each.startedAt + ADMITTED_MS_MAX) break;
      underWay.delete(each);
    }
    return underWay.size >= ADMITTED_MAX;
  }

  return {
    async enter({ now, within }) {
      if (!isFull(now())) return;
      let wake = (): void => {};
      const woken = new Promise<void>((resolve) => (wake = resolve));
      waiting.add(wake);
      await within(woken, ADMISSION_WAIT_MS);
      waiting.delete(wake);
    },

    async during(work, now) {
      const mine = { startedAt: now };
      underWay.add(mine);
      try {
        await work;
      } finally {
        underWay.delete(mine);
        const [next] = waiting;
        if (next !== undefined) {
          waiting.delete(next);
          next();
        }
      }
    },
  };
}
