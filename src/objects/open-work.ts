/**
 * The events of a partition that still have open deliveries, in packs (`fresh-work.ts`) and in rows of their own (`work-rows.ts`):
 * what they add up to, and the memories that follow them. Memory is a cache of the tables, made anew at every start: nothing is
 * known here that they do not tell.
 */
import type { Backlog, LeasedWork, StoredEvent, StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { describeLease, eventStatus, isOpen, leaseDelivery } from "../core/delivery.ts";
import { advanceDelivery } from "../core/transition.ts";
import { createAlarmLeases } from "./alarm-leases.ts";
import type { OpenEvent } from "./fresh-work.ts";
import { openFreshWork } from "./fresh-work.ts";
import type { Lanes } from "./lanes.ts";
import { createLeaseShare } from "./lease-share.ts";
import type { Packs } from "./packs.ts";
import type { Ready } from "./schedule.ts";
import { createSchedule } from "./schedule.ts";
import type { Sql } from "./sql.ts";
import { bytesOf } from "./stored-event.ts";
import type { TargetStates } from "./target-states.ts";
import { openWorkRows } from "./work-rows.ts";

/** Events that one call brings up to date with the clock; the alarm rings again at once for the rest. */
export const ADVANCE_ROWS_MAX = 200;

export interface OpenWork {
  readonly get: (seq: number) => StoredEventWithDeliveries | undefined;
  /** The same without its body, which is not read then. */
  readonly peek: (seq: number) => OpenEvent | undefined;
  /** Follows deliveries of an event that is yet to be taken in, so that their lanes can be asked for their places. */
  readonly announce: (seq: number, deliveries: readonly Delivery[], now: number) => void;
  /**
   * Takes in an event that is accepted. `announced`: its deliveries as they were announced, if they were; `inRow`: it gets a row
   * of its own at once.
   */
  readonly add: (
    seq: number,
    event: StoredEvent,
    deliveries: readonly Delivery[],
    how: { readonly announced: readonly Delivery[] | undefined; readonly inRow: boolean },
    now: number,
  ) => void;
  /** Gives an event that is open again a row. */
  readonly insert: (event: StoredEventWithDeliveries, now: number) => void;
  /**
   * Changes an event's deliveries. When the last one has ended it is no work any more: the answer is the event then, unless the
   * log has it already.
   */
  readonly update: (
    known: OpenEvent,
    deliveries: readonly Delivery[],
    now: number,
  ) => StoredEventWithDeliveries | undefined;
  /** Changes what else is known of an event, less its body, and its deliveries, of which some are open. */
  readonly replace: (known: OpenEvent, event: StoredEvent, deliveries: readonly Delivery[], now: number) => void;
  /** Brings events up to date with the clock; true when more are left. `ended` gets those whose last delivery was too old. */
  readonly advance: (now: number, ended: (event: StoredEventWithDeliveries) => void) => boolean;
  /** A transaction, at whose end what it has changed is written, each event once. All changes belong into one. */
  readonly commit: <Value>(now: number, change: () => Value) => Value;
  /** Gives the open events in a segment's packs rows of their own: it is about to be dropped. */
  readonly leaveSegment: (segment: number) => void;
  /** Lends out deliveries that are due, the earliest first. */
  readonly take: (request: TakeRequest) => readonly LeasedWork[];
  /** Leases of the alarm's dispatchers that have not run out, by target. */
  readonly alarmLeases: (now: number) => ReadonlyMap<string, number>;
  /** Open events with a lower number, newest first, without bodies; else those that have a delivery in this state. */
  readonly before: (
    seq: number,
    rowsMax: number,
    which: "all" | "dead" | "parked",
  ) => readonly StoredEventWithDeliveries[];
  /** Not later than the first moment at which somebody must look; null when nothing is open. */
  readonly nextDueAt: (now: number) => number | null;
  readonly lastSeq: () => number;
  readonly backlog: () => Backlog;
}

export interface TakeRequest {
  readonly now: number;
  readonly leasesMax: number;
  /** Only leases that end within this span. */
  readonly withinMs: number;
  readonly newToken: (target: string) => string;
  /** How many more leases the taker can use for a target: one that hangs must not keep the others waiting. */
  readonly room: (target: string) => number;
  /** Whether leases of the target don't count towards `leasesMax`. */
  readonly isUncounted: (target: string) => boolean;
}

export function openOpenWork(sql: Sql, packs: Packs, lanes: Lanes, targets: TargetStates): OpenWork {
  const rows = openWorkRows(sql);
  const fresh = openFreshWork(packs);
  let lastSeq = 0;
  const open = { events: 0, deliveries: 0, bytes: 0 };
  // As they were counted: an event that an earlier release has written is another number of bytes when it is read.
  const bytesOfEvent = new Map<number, number>();
  const schedule = createSchedule();
  const alarmLeases = createAlarmLeases();
  rows.scan(({ seq, deliveries, bytes }) => begin(seq, deliveries, bytes, undefined, 0));
  for (const { event, bytes } of fresh.all()) begin(event.seq, event.deliveries, bytes, undefined, 0);
  lanes.recallGaps();

  function begin(
    seq: number,
    deliveries: readonly Delivery[],
    bytes: number,
    announced: readonly Delivery[] | undefined,
    now: number,
  ): void {
    open.events += 1;
    open.deliveries += countOpen(deliveries);
    count(seq, bytes);
    lastSeq = Math.max(lastSeq, seq);
    schedule.follow(seq, deliveries);
    alarmLeases.follow([], deliveries);
    lanes.follow(seq, announced, deliveries, now);
  }

  function count(seq: number, bytes: number): void {
    open.bytes += bytes - (bytesOfEvent.get(seq) ?? 0);
    if (bytes === 0) bytesOfEvent.delete(seq);
    else bytesOfEvent.set(seq, bytes);
  }

  function follow({ seq, deliveries: before }: OpenEvent, after: readonly Delivery[], now: number): void {
    open.deliveries += countOpen(after) - countOpen(before);
    schedule.follow(seq, after);
    alarmLeases.follow(before, after);
    lanes.follow(seq, before, after, now);
  }

  function update(
    known: OpenEvent,
    deliveries: readonly Delivery[],
    now: number,
  ): StoredEventWithDeliveries | undefined {
    const { seq } = known;
    follow(known, deliveries, now);
    const isEnded = !deliveries.some(isOpen);
    if (isEnded) {
      open.events -= 1;
      count(seq, 0);
    }
    if (fresh.has(seq)) {
      // What has ended well stays where it is: its pack is the log.
      const ended = isEnded && eventStatus(deliveries) === "dead" ? fresh.get(seq) : undefined;
      fresh.change(seq, deliveries);
      return ended === undefined ? undefined : { ...ended, deliveries };
    }
    if (isEnded) return { ...rows.remove(seq), deliveries };
    rows.setDeliveries(seq, deliveries);
    return undefined;
  }

  const get = (seq: number) => (fresh.has(seq) ? fresh.get(seq) : rows.get(seq));
  const peek = (seq: number): OpenEvent | undefined => (fresh.has(seq) ? fresh.peek(seq) : rows.peek(seq));

  function mustFind<Event>(found: Event | undefined): Event {
    if (found === undefined) throw new Error("an event is known to be open and not there");
    return found;
  }

  /** Lends out deliveries of one event. */
  function lend(seq: number, picked: readonly Ready[], { now, newToken }: TakeRequest): readonly LeasedWork[] {
    const known = mustFind(get(seq));
    const lent: LeasedWork[] = [];
    const deliveries = known.deliveries.map((delivery, index) => {
      if (!picked.some((each) => each.index === index)) return delivery;
      const token = newToken(delivery.target);
      const gated = targets.isGated(delivery.target);
      lent.push({ lease: describeLease(delivery, seq, { token, now, gated }), event: known.event });
      return leaseDelivery(delivery, token, now);
    });
    update(known, deliveries, now);
    return lent;
  }

  return {
    get,
    peek,
    update,

    commit: (now, change) =>
      sql.transaction(() => {
        const value = change();
        for (const seq of fresh.overdue(now)) rows.insert(fresh.takeOut(seq));
        fresh.flush(lastSeq, now);
        rows.flush();
        return value;
      }),

    leaveSegment(segment) {
      for (const seq of fresh.inSegment(segment)) rows.insert(fresh.takeOut(seq));
    },

    replace(known, event, deliveries, now) {
      if (fresh.has(known.seq)) rows.insert({ ...fresh.takeOut(known.seq), event });
      else rows.setEvent(known.seq, event);
      count(known.seq, bytesOf(event));
      update(known, deliveries, now);
    },

    announce(seq, deliveries, now) {
      lanes.follow(seq, undefined, deliveries, now);
    },

    add(seq, event, deliveries, { announced, inRow }, now) {
      if (inRow) rows.insert({ seq, event, deliveries });
      const bytes = inRow ? bytesOf(event) : fresh.add(seq, event, deliveries);
      lastSeq = Math.max(lastSeq, seq);
      if (deliveries.length > 0) begin(seq, deliveries, bytes, announced, now);
    },

    insert(event, now) {
      rows.insert(event);
      begin(event.seq, event.deliveries, bytesOf(event.event), undefined, now);
    },

    advance(now, ended) {
      for (let events = 0; events < ADVANCE_ROWS_MAX; events++) {
        const seq = schedule.overdue(now);
        if (seq === undefined) return false;
        const known = mustFind(peek(seq));
        const deliveries = known.deliveries.map((delivery) =>
          advanceDelivery(delivery, now, targets.heldBecause(delivery.target, now)),
        );
        const end = update(known, deliveries, now);
        if (end !== undefined) ended(end);
      }
      return schedule.overdue(now) !== undefined;
    },

    take(request) {
      const { now, withinMs } = request;
      const picked: Ready[] = [];
      const share = createLeaseShare(request);
      const left = (target: string) => share.left(target, targets.room(target, now));
      for (;;) {
        const next = schedule.pick(now, withinMs, left);
        if (next === undefined) break;
        picked.push(next);
        share.take(next.target, bytesOfEvent.get(next.seq) ?? 0);
      }
      return [...Map.groupBy(picked, ({ seq }) => seq)].flatMap(([seq, mine]) => lend(seq, mine, request));
    },

    alarmLeases: alarmLeases.byTarget,

    before(seq, rowsMax, which) {
      const isWanted = ({ deliveries }: OpenEvent) =>
        which === "all" || deliveries.some(({ state }) => state.kind === which);
      const inPacks = fresh
        .all()
        .flatMap(({ event }) =>
          event.seq < seq && isWanted(event) ? [{ ...event, event: { ...event.event, body: null } }] : [],
        );
      return [...rows.before(seq, rowsMax, which), ...inPacks].toSorted((a, b) => b.seq - a.seq).slice(0, rowsMax);
    },

    nextDueAt(now) {
      const held = alarmLeases.byTarget(now);
      const due = schedule.nextAt((target) => {
        const freeAt = targets.freeAt(target, now);
        if (freeAt === null) return null;
        // Who has all the leases that it may have then waits for the end of one, or for its settle.
        const room = targets.room(target, freeAt);
        return room !== Number.POSITIVE_INFINITY && (held.get(target) ?? 0) >= room ? null : freeAt;
      });
      const gap = lanes.nextAt();
      return due === null || gap === null ? (due ?? gap) : Math.min(due, gap);
    },

    lastSeq: () => lastSeq,
    backlog: () => ({ ...open }),
  };
}

function countOpen(deliveries: readonly Delivery[]): number {
  return deliveries.filter(isOpen).length;
}
