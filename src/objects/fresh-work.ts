/**
 * Open events whose content stands in a pack: nearly all, as most deliveries end within a second of acceptance. They are held in
 * memory, with what this commit has changed of them; a start reads them again from the packs. One that stays open for longer, or
 * that there are too many of, is given a row of its own in `work`.
 */
import type { StoredEvent, StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { isOpen } from "../core/delivery.ts";
import { seqTimeMs } from "../core/receipt.ts";
import { utf8Length } from "../core/template.ts";
import type { EventHead, Place } from "./packed-lines.ts";
import type { Packs } from "./packs.ts";

/** How long an event may stay open without a row of its own: a start reads the packs of so long a time, and what is in them. */
export const FRESH_MS_MAX = 20_000;
/** How many may, without their bodies in memory. */
export const FRESH_EVENTS_MAX = 2_000;
/** Their deliveries, all together. */
export const FRESH_DELIVERIES_MAX = 10_000;
/** All changes of one event's deliveries, in characters: past that it has a row of its own. */
export const FRESH_CHARS_MAX = 16_384;
/** How many one commit gives rows of their own. */
export const FRESH_ROWS_MAX = 200;

/** An open event without its body. */
export interface OpenEvent {
  readonly seq: number;
  readonly event: EventHead;
  readonly deliveries: readonly Delivery[];
}

export interface FreshWork {
  /** Takes in what this commit accepts; without deliveries it has ended already. Answers its bytes. */
  readonly add: (seq: number, event: StoredEvent, deliveries: readonly Delivery[]) => number;
  readonly has: (seq: number) => boolean;
  readonly peek: (seq: number) => OpenEvent;
  /** With its body. */
  readonly get: (seq: number) => StoredEventWithDeliveries;
  /** All, the oldest first, with the bytes of each. */
  readonly all: () => readonly { readonly event: OpenEvent; readonly bytes: number }[];
  /** Changes an event's deliveries; it leaves when none is open any more. */
  readonly change: (seq: number, deliveries: readonly Delivery[]) => void;
  /** Takes an event out that gets a row of its own. */
  readonly takeOut: (seq: number) => StoredEventWithDeliveries;
  /** Those whose packs are in this segment. */
  readonly inSegment: (segment: number) => readonly number[];
  /** Those that are due for a row of their own. */
  readonly overdue: (now: number) => readonly number[];
  /** Writes what this commit has taken in and changed. */
  readonly flush: (lastSeq: number, now: number) => void;
}

interface Fresh {
  readonly head: EventHead;
  deliveries: readonly Delivery[];
  readonly place: Place;
  /** Of all that tells of changes of its deliveries, in characters. */
  changedChars: number;
}

export function openFreshWork(packs: Packs): FreshWork {
  // In the order of acceptance, as a Map keeps it.
  const open = new Map<number, Fresh>();
  const large = new Set<number>();
  let deliveryCount = 0;
  for (const { seq, head, deliveries, place } of packs.open()) begin(seq, { head, deliveries, place, changedChars: 0 });

  function begin(seq: number, fresh: Fresh): void {
    open.set(seq, fresh);
    deliveryCount += fresh.deliveries.length;
  }

  function end(seq: number): void {
    deliveryCount -= mustGet(seq).deliveries.length;
    open.delete(seq);
    large.delete(seq);
  }

  function mustGet(seq: number): Fresh {
    const fresh = open.get(seq);
    if (fresh === undefined) throw new Error("a fresh event is known of and not there");
    return fresh;
  }

  function get(seq: number): StoredEventWithDeliveries {
    const { head, deliveries, place } = mustGet(seq);
    return { seq, event: { ...head, body: packs.body(place) }, deliveries };
  }

  return {
    add(seq, event, deliveries) {
      const { body, ...head } = event;
      const headText = JSON.stringify(head);
      const place = packs.add({ seq, head, deliveries }, headText, body);
      if (deliveries.some(isOpen)) begin(seq, { head, deliveries, place, changedChars: 0 });
      return utf8Length(headText) + (body?.length ?? 0);
    },

    has: (seq) => open.has(seq),

    peek(seq) {
      const { head, deliveries } = mustGet(seq);
      return { seq, event: head, deliveries };
    },

    get,
    all: () =>
      [...open].map(([seq, { head, deliveries, place }]) => {
        const bytes = utf8Length(JSON.stringify(head)) + (place.plainBytes ?? place.bytes ?? 0);
        return { event: { seq, event: head, deliveries }, bytes };
      }),

    change(seq, deliveries) {
      const fresh = mustGet(seq);
      fresh.changedChars += packs.change({ seq, deliveries: fresh.deliveries }, deliveries);
      fresh.deliveries = deliveries;
      if (!deliveries.some(isOpen)) end(seq);
      else if (fresh.changedChars > FRESH_CHARS_MAX) large.add(seq);
    },

    takeOut(seq) {
      const event = get(seq);
      end(seq);
      packs.change(event, null);
      return event;
    },

    inSegment: (segment) => [...open].flatMap(([seq, { place }]) => (place.segment === segment ? [seq] : [])),

    overdue(now) {
      const seqs = new Set(large);
      let deliveriesLeft = deliveryCount;
      for (const [seq, { deliveries }] of open) {
        const isOver =
          seqTimeMs(seq) + FRESH_MS_MAX <= now ||
          open.size - seqs.size > FRESH_EVENTS_MAX ||
          deliveriesLeft > FRESH_DELIVERIES_MAX;
        if (!isOver || seqs.size >= FRESH_ROWS_MAX) break;
        deliveriesLeft -= deliveries.length;
        seqs.add(seq);
      }
      return [...seqs];
    },

    flush(lastSeq, now) {
      const [oldest] = open.keys();
      packs.flush(lastSeq, oldest ?? lastSeq + 1, now);
    },
  };
}
