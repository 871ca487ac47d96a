/**
 * Which open deliveries can be lent when, and which rows must be looked at when. A memory of the rows of `work`, made anew at
 * every start: nothing is known here that the rows do not tell. A call costs the logarithm of what is open.
 */
import type { Delivery } from "../core/delivery.ts";
import { isOpen, LEASE_MARGIN_MS } from "../core/delivery.ts";
import type { DueHeap } from "../core/due-heap.ts";
import { createDueHeap } from "../core/due-heap.ts";

/** A delivery that waits for its attempt. */
export interface Ready {
  readonly seq: number;
  /** Its place among the event's deliveries. */
  readonly index: number;
  readonly target: string;
  /** How long a lease on it lasts. */
  readonly leaseMs: number;
  readonly expiresAt: number;
}

export interface Schedule {
  /** Follows a row to what it is now. */
  readonly follow: (seq: number, deliveries: readonly Delivery[]) => void;
  /**
   * Takes out the earliest that is due, fits and is not too old; its row must be followed next. `room` says how many more
   * leases a target may have.
   */
  readonly pick: (now: number, withinMs: number, room: (target: string) => number) => Ready | undefined;
  /** A row with a lease that has run out or a delivery that is too old. */
  readonly overdue: (now: number) => number | undefined;
  /** The first moment at which somebody must look. `freeAt` says when a target may get something; null: nobody knows. */
  readonly nextAt: (freeAt: (target: string) => number | null) => number | null;
}

export function createSchedule(): Schedule {
  // By target and by how long its leases last: a change of its timeout leaves both kinds, and one may fit where the other
  // does not. A heap stays when its last is gone; the rule files bound them.
  const ready = new Map<string, Map<number, DueHeap<Ready>>>();
  const rows = new Map<number, readonly Ready[]>();
  const overdue = createDueHeap<number>();

  function heapOf({ target, leaseMs }: Ready): DueHeap<Ready> {
    const heaps = ready.get(target) ?? new Map<number, DueHeap<Ready>>();
    ready.set(target, heaps);
    const heap = heaps.get(leaseMs) ?? createDueHeap<Ready>();
    heaps.set(leaseMs, heap);
    return heap;
  }

  /** What is too old is in `overdue` too, and ends from there. */
  function firstOf(heap: DueHeap<Ready>, now: number): { readonly key: Ready; readonly at: number } | undefined {
    for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
      if (first.key.expiresAt > now) return first;
      heap.delete(first.key);
    }
    return undefined;
  }

  return {
    follow(seq, deliveries) {
      for (const each of rows.get(seq) ?? []) heapOf(each).delete(each);
      if (!deliveries.some(isOpen)) {
        rows.delete(seq);
        overdue.delete(seq);
        return;
      }
      const waiting: Ready[] = [];
      let lookAt = Number.POSITIVE_INFINITY;
      for (const [index, { state, target, timeoutMs, expiresAt }] of deliveries.entries()) {
        if (state.kind === "leased") lookAt = Math.min(lookAt, state.deadlineAt);
        if (state.kind === "waiting" || state.kind === "queued" || state.kind === "parked") {
          lookAt = Math.min(lookAt, expiresAt);
        }
        if (state.kind !== "waiting") continue;
        const each = { seq, index, target, leaseMs: timeoutMs + LEASE_MARGIN_MS, expiresAt };
        waiting.push(each);
        heapOf(each).set(each, state.dueAt, seq);
      }
      rows.set(seq, waiting);
      overdue.set(seq, lookAt);
    },

    pick(now, withinMs, room) {
      let best: { readonly key: Ready; readonly at: number } | undefined;
      for (const [target, heaps] of ready) {
        if (room(target) <= 0) continue;
        for (const [leaseMs, heap] of heaps) {
          const first = leaseMs > withinMs ? undefined : firstOf(heap, now);
          if (first === undefined || first.at > now) continue;
          const isEarlier =
            best === undefined || first.at < best.at || (first.at === best.at && first.key.seq < best.key.seq);
          if (isEarlier) best = first;
        }
      }
      if (best !== undefined) heapOf(best.key).delete(best.key);
      return best?.key;
    },

    overdue(now) {
      const first = overdue.peek();
      return first === undefined || first.at > now ? undefined : first.key;
    },

    nextAt(freeAt) {
      let next = overdue.peek()?.at ?? null;
      for (const [target, heaps] of ready) {
        const free = freeAt(target);
        if (free === null) continue;
        for (const heap of heaps.values()) {
          const first = heap.peek();
          if (first !== undefined) next = Math.min(next ?? Number.POSITIVE_INFINITY, Math.max(first.at, free));
        }
      }
      return next;
    },
  };
}
