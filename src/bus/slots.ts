/**
 * The right to have a request waiting for its answer. The platform lets six requests of one invocation wait for response
 * headers and makes the seventh queue inside `fetch`, where its timeout already runs (Workers limits, "simultaneous open
 * connections"); so Sluice queues here instead, before the deadline starts.
 */
export const SLOTS_MAX = 6;
/** One slow target must leave room for the others. */
export const SLOTS_PER_TARGET_MAX = 4;

export interface Slots {
  /** Resolves when a slot is free for this target, to a function that gives it back. First come, first served per target. */
  readonly acquire: (target: string) => Promise<() => void>;
  readonly free: () => number;
  /** Targets with requests, running or waiting, and how many more each may have. */
  readonly room: () => Readonly<Record<string, number>>;
}

export function createSlots(slotsMax: number = SLOTS_MAX, perTargetMax: number = SLOTS_PER_TARGET_MAX): Slots {
  const held = new Map<string, number>();
  const waiting: { readonly target: string; readonly start: () => void }[] = [];
  let used = 0;

  const fits = (target: string) => used < slotsMax && (held.get(target) ?? 0) < perTargetMax;

  function hold(target: string): () => void {
    used += 1;
    held.set(target, (held.get(target) ?? 0) + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      used -= 1;
      const left = (held.get(target) ?? 1) - 1;
      if (left === 0) held.delete(target);
      else held.set(target, left);
      const next = waiting.findIndex((each) => fits(each.target));
      if (next !== -1) waiting.splice(next, 1)[0]?.start();
    };
  }

  return {
    acquire(target) {
      if (fits(target)) return Promise.resolve(hold(target));
      // Bounded by the leases that one invocation holds, a handful.
      return new Promise((resolve) => {
        waiting.push({ target, start: () => resolve(hold(target)) });
      });
    },
    free: () => Math.max(0, slotsMax - used - waiting.length),
    room() {
      const busy = new Map(held);
      for (const { target } of waiting) busy.set(target, (busy.get(target) ?? 0) + 1);
      return Object.fromEntries([...busy].map(([target, count]) => [target, Math.max(0, perTargetMax - count)]));
    },
  };
}
