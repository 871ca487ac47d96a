/**
 * The events of a partition that still have open deliveries: the rows of `work`, what they add up to, and the memories that
 * follow them. Memory is a cache of the table, made anew at every start: nothing is known here that the rows do not tell.
 */
import type { Backlog, LeasedWork, StoredEvent, StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { describeLease, isOpen, leaseDelivery, wakesAt } from "../core/delivery.ts";
import { advanceDelivery } from "../core/transition.ts";
import { createAlarmLeases } from "./alarm-leases.ts";
import type { EventRow } from "./archive.ts";
import { formatDeliveries, formatEvent, parseRow } from "./archive.ts";
import type { Lanes } from "./lanes.ts";
import { createLeaseShare } from "./lease-share.ts";
import type { Ready } from "./schedule.ts";
import { createSchedule } from "./schedule.ts";
import type { Sql } from "./sql.ts";
import type { TargetStates } from "./target-states.ts";

/** Rows that one call brings up to date with the clock; the alarm rings again at once for the rest. */
export const ADVANCE_ROWS_MAX = 200;
/** Rows in memory at a time: a row's deliveries may have half a megabyte. */
const CHUNK_ROWS = 50;

export interface OpenWork {
  readonly get: (seq: number) => StoredEventWithDeliveries | undefined;
  /** Follows deliveries of a row that is yet to be inserted, so that their lanes can be asked for their places. */
  readonly announce: (seq: number, deliveries: readonly Delivery[], now: number) => void;
  /** Writes a new row. `announced`: its deliveries as they were announced, if they were. */
  readonly insert: (
    seq: number,
    event: StoredEvent,
    deliveries: readonly Delivery[],
    announced: readonly Delivery[] | undefined,
    now: number,
  ) => void;
  /**
   * Changes an event's deliveries within a `commit`, which writes them back to its row. When the last one has ended the row
   * goes, and the answer is true.
   */
  readonly update: (work: StoredEventWithDeliveries, deliveries: readonly Delivery[], now: number) => boolean;
  /** Writes what else is known of an event, less its body, and its deliveries, of which some are open. */
  readonly replace: (
    work: StoredEventWithDeliveries,
    event: StoredEvent,
    deliveries: readonly Delivery[],
    now: number,
  ) => void;
  /** Brings rows up to date with the clock; true when more are left. `ended` gets events whose last delivery was too old. */
  readonly advance: (now: number, ended: (event: StoredEventWithDeliveries) => void) => boolean;
  /** A transaction, at whose end the rows that it has changed are written, each once. */
  readonly commit: <Value>(change: () => Value) => Value;
  /** Lends out deliveries that are due, the earliest first. */
  readonly take: (request: TakeRequest) => readonly LeasedWork[];
  /** Leases of the alarm's dispatchers that have not run out, by target. */
  readonly alarmLeases: (now: number) => ReadonlyMap<string, number>;
  /** Rows with a lower sequence number, newest first, without bodies; else those that have a delivery in this state. */
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

export function openOpenWork(sql: Sql, lanes: Lanes, targets: TargetStates): OpenWork {
  let lastSeq = 0;
  const open = { events: 0, deliveries: 0, bytes: 0 };
  // As they were counted: an event that an earlier release has written is another number of bytes when it is read.
  const bytesOfRow = new Map<number, number>();
  const schedule = createSchedule();
  const alarmLeases = createAlarmLeases();
  // What this transaction has changed and not written yet: one that comes up in its lane is often lent out at once.
  const unwritten = new Map<number, readonly Delivery[]>();
  for (let after = -1, rows = CHUNK_ROWS; rows === CHUNK_ROWS;) {
    const chunk = sql.all<{ seq: number; deliveries: string; bytes: number }>(
      `SELECT seq, deliveries, length(CAST(event AS BLOB)) + ifnull(length(body), 0) AS bytes
       FROM work WHERE seq > ? ORDER BY seq LIMIT ?`,
      after,
      CHUNK_ROWS,
    );
    rows = chunk.length;
    for (const row of chunk) {
      const deliveries = JSON.parse(row.deliveries) as readonly Delivery[];
      after = row.seq;
      open.events += 1;
      open.deliveries += countOpen(deliveries);
      count(row.seq, row.bytes);
      follow(row.seq, undefined, deliveries, 0);
    }
    lastSeq = Math.max(lastSeq, after);
  }
  lanes.recallGaps();

  function follow(seq: number, before: readonly Delivery[] | undefined, after: readonly Delivery[], now: number): void {
    schedule.follow(seq, after);
    alarmLeases.follow(before ?? [], after);
    lanes.follow(seq, before, after, now);
  }

  function count(seq: number, bytes: number): void {
    open.bytes += bytes - (bytesOfRow.get(seq) ?? 0);
    if (bytes === 0) bytesOfRow.delete(seq);
    else bytesOfRow.set(seq, bytes);
  }

  function update(work: StoredEventWithDeliveries, deliveries: readonly Delivery[], now: number): boolean {
    open.deliveries += countOpen(deliveries) - countOpen(work.deliveries);
    follow(work.seq, work.deliveries, deliveries, now);
    if (deliveries.some(isOpen)) {
      unwritten.set(work.seq, deliveries);
      if (unwritten.size >= CHUNK_ROWS) flush();
      return false;
    }
    unwritten.delete(work.seq);
    open.events -= 1;
    count(work.seq, 0);
    sql.run("DELETE FROM work WHERE seq = ?", work.seq);
    return true;
  }

  function get(seq: number): StoredEventWithDeliveries | undefined {
    const row = sql.all<EventRow>("SELECT seq, deliveries, event, body FROM work WHERE seq = ?", seq)[0];
    if (row === undefined) return undefined;
    const known = parseRow(row);
    return { ...known, deliveries: unwritten.get(seq) ?? known.deliveries };
  }

  function flush(): void {
    for (const [seq, deliveries] of unwritten) {
      const due = dueOf(deliveries);
      sql.run("UPDATE work SET due = ?, deliveries = ? WHERE seq = ?", due, formatDeliveries(deliveries), seq);
    }
    unwritten.clear();
  }

  function mustGet(seq: number): StoredEventWithDeliveries {
    const work = get(seq);
    if (work === undefined) throw new Error("a row of work is known of and not there");
    return work;
  }

  /** Lends out deliveries of one row. */
  function lend(seq: number, picked: readonly Ready[], { now, newToken }: TakeRequest): readonly LeasedWork[] {
    const work = mustGet(seq);
    const lent: LeasedWork[] = [];
    const deliveries = work.deliveries.map((delivery, index) => {
      if (!picked.some((each) => each.index === index)) return delivery;
      const token = newToken(delivery.target);
      const gated = targets.isGated(delivery.target);
      lent.push({ lease: describeLease(delivery, seq, { token, now, gated }), event: work.event });
      return leaseDelivery(delivery, token, now);
    });
    update(work, deliveries, now);
    return lent;
  }

  return {
    get,
    update,

    commit: (change) =>
      sql.transaction(() => {
        const value = change();
        flush();
        return value;
      }),

    replace(work, event, deliveries, now) {
      sql.run("UPDATE work SET event = ? WHERE seq = ?", formatEvent(event).event, work.seq);
      count(work.seq, bytesOf(event));
      update({ ...work, event }, deliveries, now);
    },

    announce(seq, deliveries, now) {
      lanes.follow(seq, undefined, deliveries, now);
    },

    insert(seq, item, deliveries, announced, now) {
      const { event, body } = formatEvent(item);
      const due = dueOf(deliveries);
      if (due === null) throw new Error("an event without open deliveries is no work");
      sql.run(
        "INSERT INTO work (seq, due, deliveries, event, body) VALUES (?, ?, ?, ?, ?)",
        seq,
        due,
        formatDeliveries(deliveries),
        event,
        body,
      );
      open.events += 1;
      open.deliveries += countOpen(deliveries);
      count(seq, bytesOf(item));
      lastSeq = Math.max(lastSeq, seq);
      schedule.follow(seq, deliveries);
      alarmLeases.follow([], deliveries);
      lanes.follow(seq, announced, deliveries, now);
    },

    advance(now, ended) {
      for (let rows = 0; rows < ADVANCE_ROWS_MAX; rows++) {
        const seq = schedule.overdue(now);
        if (seq === undefined) return false;
        const work = mustGet(seq);
        const deliveries = work.deliveries.map((delivery) =>
          advanceDelivery(delivery, now, targets.heldBecause(delivery.target, now)),
        );
        if (update(work, deliveries, now)) ended({ ...work, deliveries });
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
        share.take(next.target, bytesOfRow.get(next.seq) ?? 0);
      }
      return [...Map.groupBy(picked, ({ seq }) => seq)].flatMap(([seq, mine]) => lend(seq, mine, request));
    },

    alarmLeases: alarmLeases.byTarget,

    before: (seq, rowsMax, which) =>
      sql
        .all<EventRow>(
          `SELECT seq, deliveries, event, NULL AS body FROM work WHERE seq < ?
           ${which === "all" ? "" : `AND instr(deliveries, '"kind":"${which}"') > 0`} ORDER BY seq DESC LIMIT ?`,
          seq,
          rowsMax,
        )
        .map(parseRow),

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

/** Counted as SQLite counts them at start: bytes of UTF-8. */
function bytesOf(item: StoredEvent): number {
  const { event, body } = formatEvent(item);
  return new TextEncoder().encode(event).length + (body?.length ?? 0);
}

function dueOf(deliveries: readonly Delivery[]): number | null {
  let due: number | null = null;
  for (const delivery of deliveries) {
    const at = wakesAt(delivery);
    if (at !== null) due = due === null ? at : Math.min(due, at);
  }
  return due;
}

function countOpen(deliveries: readonly Delivery[]): number {
  return deliveries.filter(isOpen).length;
}
