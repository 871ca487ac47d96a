/** Invocations of one isolate on vitest's clock, which may die as on Workers: nothing that they wait for comes any more. */
import type { Invocation } from "../../src/bus/call-groups.ts";

export interface DyingInvocation extends Invocation {
  readonly die: () => void;
  /** What ends with the invocation. */
  readonly guard: <Value>(work: Promise<Value>) => Promise<Value>;
  /** Work that it was to last for. */
  readonly kept: Promise<void>[];
}

export function openInvocation(): DyingInvocation {
  let isAlive = true;
  const kept: Promise<void>[] = [];
  const guard = <Value>(work: Promise<Value>): Promise<Value> =>
    new Promise((resolve, reject) => {
      work.then(
        (value) => isAlive && resolve(value),
        (error: unknown) => isAlive && reject(error as Error),
      );
    });
  return {
    now: Date.now,
    within(work, timeoutMs) {
      const late = new Promise<"timeout">((resolve) => {
        setTimeout(() => resolve("timeout"), timeoutMs);
      });
      return guard(Promise.race([work, late]));
    },
    later: (work) => void kept.push(work),
    die: () => {
      isAlive = false;
    },
    guard,
    kept,
  };
}
