/**
 * A value that many attempts need and one of them asks for: kept until its time is over, and asked for once however many want
 * it at the same time. It lives as long as the isolate.
 */
import type { Result } from "../core/result.ts";
import { ok } from "../core/result.ts";
import { beforeDeadline } from "./_deadline.ts";

export interface KeptValue<Value> {
  readonly value: Value;
  /** When it was asked for, and until when it is used, both in milliseconds since the epoch. */
  readonly askedAt: number;
  readonly until: number;
}

export interface SharedValue<Value, Failure> {
  /** The value that is kept, or else what `ask` answers, by this or another caller. `late` once the signal aborts. */
  readonly get: (asker: Asker<Value, Failure>) => Promise<Result<KeptValue<Value>, Failure> | "late">;
  /** Forgets the value, if it is still the one that is kept. */
  readonly drop: (kept: KeptValue<Value>) => void;
}

export interface Asker<Value, Failure> {
  readonly now: number;
  readonly signal: AbortSignal;
  /** How long `ask` may take at the most. */
  readonly timeoutMs: number;
  readonly ask: () => Promise<Result<{ readonly value: Value; readonly until: number }, Failure>>;
}

interface Flight<Value, Failure> {
  readonly answer: Promise<Result<KeptValue<Value>, Failure>>;
  readonly over: number;
}

export function createSharedValue<Value, Failure>(): SharedValue<Value, Failure> {
  let kept: KeptValue<Value> | undefined;
  let flight: Flight<Value, Failure> | undefined;

  async function fly({ now, ask }: Asker<Value, Failure>): Promise<Result<KeptValue<Value>, Failure>> {
    const answer = await ask();
    if (!answer.ok) return answer;
    return ok((kept = { ...answer.value, askedAt: now }));
  }

  return {
    async get(asker) {
      const { now, signal, timeoutMs } = asker;
      if (kept !== undefined && kept.until > now) return ok(kept);
      // A request that has ended takes its calls with it, and what it asked for never comes: then somebody else asks.
      if (flight === undefined || flight.over <= now) {
        const started: Flight<Value, Failure> = { answer: fly(asker), over: now + timeoutMs };
        flight = started;
        const end = (): void => {
          if (flight === started) flight = undefined;
        };
        started.answer.then(end, end);
      }
      const timed = await beforeDeadline(flight.answer, signal);
      return timed.late ? "late" : timed.value;
    },

    drop(old) {
      if (kept === old) kept = undefined;
    },
  };
}
