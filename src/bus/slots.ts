/**
 * The right to have a request waiting for its answer. The platform lets six requests of one invocation wait for response
 * headers and makes the seventh queue inside `fetch`, where its timeout already runs (Workers limits, "simultaneous open
 * connections"); so Sluice queues here instead, before the deadline starts.
 */
export const SLOTS_MAX = 6;
/** One slow target must leave room for the others. */
export const SLOTS_PER_TARGET_MAX = 4;
/** Requests that share a slot, because they leave in one call: as many as the messages of a queue's batch. */
export const SLOT_SHARERS_MAX = 100;

/** No target's name begins with it. */
const SHARED_PREFIX = "/";

export interface Slots {
  /** Resolves when a slot is free for this target, to a function that gives it back. First come, first served per target. */
  readonly acquire: (target: string) => Promise<() => void>;
  /** The same for requests that leave in one call with all others of this name: one slot for all of them. */
  readonly share: (name: string) => Promise<() => void>;
  readonly free: () => number;
  /**
   * Of these names, how many more requests each may have in its slot. A name without a slot counts on a free one, as long as
   * there are some.
   */
  readonly roomToShare: (names: readonly string[]) => ReadonlyMap<string, number>;
  /** Targets with requests, running or waiting, and how many more each may have. */
  readonly room: () => Readonly<Record<string, number>>;
}

export function createSlots(slotsMax: number = SLOTS_MAX, perTargetMax: number = SLOTS_PER_TARGET_MAX): Slots {
  const held = new Map<string, number>();
  const waiting: { readonly target: string; readonly start: () => void }[] = [];
  const shared = new Map<string, { sharers: number; readonly slot: Promise<() => void> }>();
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

  const free = () => Math.max(0, slotsMax - used - waiting.length);

  function acquire(target: string): Promise<() => void> {
    if (fits(target)) return Promise.resolve(hold(target));
    // Bounded by the leases that one invocation holds.
    return new Promise((resolve) => {
      waiting.push({ target, start: () => resolve(hold(target)) });
    });
  }

  return {
    acquire,
    free,

    async share(name) {
      const group = shared.get(name) ?? { sharers: 0, slot: acquire(SHARED_PREFIX + name) };
      shared.set(name, group);
      group.sharers += 1;
      const giveBack = await group.slot;
      let given = false;
      return () => {
        if (given) return;
        given = true;
        group.sharers -= 1;
        if (group.sharers > 0) return;
        shared.delete(name);
        giveBack();
      };
    },

    roomToShare(names) {
      let unused = free();
      const rooms = new Map<string, number>();
      for (const name of new Set(names)) {
        const sharers = shared.get(name)?.sharers;
        if (sharers !== undefined) rooms.set(name, Math.max(0, SLOT_SHARERS_MAX - sharers));
        else if (unused > 0) {
          unused -= 1;
          rooms.set(name, SLOT_SHARERS_MAX);
        }
      }
      return rooms;
    },

    room() {
      const busy = new Map(held);
      for (const { target } of waiting) busy.set(target, (busy.get(target) ?? 0) + 1);
      const ofTargets = [...busy].filter(([target]) => !target.startsWith(SHARED_PREFIX));
      return Object.fromEntries(ofTargets.map(([target, count]) => [target, Math.max(0, perTargetMax - count)]));
    },
  };
}
