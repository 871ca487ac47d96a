/**
 * Simulated time: a list of things to happen, run one by one in order. After each one all promises that it set off run to
 * where they wait for another, so the order of everything depends on the seed alone.
 */
const STEPS_MAX = 60_000;
/** Steps without any time between them. */
const STEPS_AT_ONCE_MAX = 2_000;

export interface Timeline {
  readonly now: () => number;
  readonly after: (ms: number, happen: () => void) => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** Runs until nothing is left before `until`, checking after each step. */
  readonly run: (until: number, afterEach: () => void) => Promise<void>;
  readonly idle: () => boolean;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

export function createTimeline(start: number): Timeline {
  let time = start;
  let order = 0;
  let steps = 0;
  let stepsAtOnce = 0;
  const heap: Entry[] = [];
  const earlier = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order);

  function push(entry: Entry): void {
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !earlier(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  function pop(): Entry | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && earlier(right, left)) child += 1;
      const smaller = heap[child];
      if (smaller === undefined || !earlier(smaller, last)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  // Clocks tell whole milliseconds.
  const after = (ms: number, happen: () => void) =>
    push({ at: time + Math.max(0, Math.ceil(ms)), order: order++, happen });
  return {
    now: () => time,
    after,
    sleep: (ms) => new Promise((resolve) => after(ms, resolve)),
    idle: () => heap.length === 0,
    async run(until, afterEach) {
      // Within a tick of Node's, as a message's handler is, the next one would come before the promises: after this, it comes after.
      await Promise.resolve();
      for (;;) {
        const next = heap[0];
        if (next === undefined || next.at > until) break;
        pop();
        stepsAtOnce = next.at === time ? stepsAtOnce + 1 : 0;
        time = next.at;
        next.happen();
        // Runs when no promise has anything left to do. `setImmediate` would as well, for a turn of the event loop more.
        await new Promise<void>((resolve) => process.nextTick(resolve));
        afterEach();
        if (++steps > STEPS_MAX) throw new Error(`more than ${STEPS_MAX} steps: something spins`);
        if (stepsAtOnce > STEPS_AT_ONCE_MAX) throw new Error(`${STEPS_AT_ONCE_MAX} steps at once: something spins`);
      }
      time = Math.max(time, until);
    },
  };
}
