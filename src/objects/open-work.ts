/**
 * The events of a partition that still have open deliveries: the rows of `work`, what they add up to, and when the next of
 * them is due. Memory is a cache of the table, made anew at every start: nothing is known here that the rows do not tell.
 */
import type { Backlog, LeasedWork, StoredEvent, StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { advanceDelivery, describeLease, isOpen, LEASE_MARGIN_MS, leaseDelivery, wakesAt } from "../core/delivery.ts";
import type { EventRow } from "./archive.ts";
import { createAlarmLeases } from "./alarm-leases.ts";
import { formatDeliveries, formatEvent, parseRow } from "./archive.ts";
import type { Sql } from "./sql.ts";

/** Rows that one call looks at for something to lend; the next call goes on where it stopped. */
export const TAKE_ROWS_MAX = 1_000;
/** Rows read at a time: a row's deliveries may have half a megabyte. */
const CHUNK_ROWS = 50;

export interface OpenWork {
  readonly get: (seq: number) => StoredEventWithDeliveries | undefined;
  readonly insert: (seq: number, event: StoredEvent, deliveries: readonly Delivery[]) => void;
  /** Writes an event's deliveries back to its row. When the last one has ended the row goes, and the answer is true. */
  readonly update: (work: StoredEventWithDeliveries, deliveries: readonly Delivery[]) => boolean;
  /** Lends out deliveries that are due, oldest event first. `ended` gets events whose last delivery was too old to lend. */
  readonly take: (request: TakeRequest) => readonly LeasedWork[];
  /** Leases of the alarm's dispatchers that have not run out, by target. */
  readonly alarmLeases: (now: number) => ReadonlyMap<string, number>;
  /** Rows with a lower sequence number, newest first, without bodies; for "dead" those that have a dead delivery. */
  readonly before: (seq: number, rowsMax: number, which: "all" | "dead") => readonly StoredEventWithDeliveries[];
  /** Not later than the first moment at which somebody must look; null when nothing is open. */
  readonly nextDueAt: () => number | null;
  readonly lastSeq: () => number;
  readonly backlog: () => Backlog;
}

export interface TakeRequest {
  readonly now: number;
  readonly leasesMax: number;
  /** Only leases that end within this span. */
  readonly withinMs: number;
  readonly newToken: () => string;
  /** How many more leases the taker can use for a target: one that hangs must not keep the others waiting. */
  readonly room: (target: string) => number;
  readonly ended: (event: StoredEventWithDeliveries) => void;
}

export function openOpenWork(sql: Sql): OpenWork {
  let lastSeq = 0;
  const open = { events: 0, deliveries: 0, bytes: 0 };
  let nextDueAt: number | null = null;
  // Where `take` goes on: rows before it had nothing to lend, or not yet.
  let scannedTo = 0;
  const alarmLeases = createAlarmLeases();
  for (let after = -1, rows = CHUNK_ROWS; rows === CHUNK_ROWS;) {
    const chunk = sql.all<{ seq: number; due: number; deliveries: string; bytes: number }>(
      `SELECT seq, due, deliveries, length(CAST(event AS BLOB)) + ifnull(length(body), 0) AS bytes
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
      open.bytes += row.bytes;
      nextDueAt = earlier(nextDueAt, row.due);
      alarmLeases.follow([], deliveries);
    }
    lastSeq = Math.max(lastSeq, after);
  }

  function update(work: StoredEventWithDeliveries, deliveries: readonly Delivery[]): boolean {
    open.deliveries += countOpen(deliveries) - countOpen(work.deliveries);
    alarmLeases.follow(work.deliveries, deliveries);
    const due = dueOf(deliveries);
    if (due !== null) {
      sql.run("UPDATE work SET due = ?, deliveries = ? WHERE seq = ?", due, formatDeliveries(deliveries), work.seq);
      nextDueAt = earlier(nextDueAt, due);
      return false;
    }
    open.events -= 1;
    open.bytes -= bytesOf(work.event);
    sql.run("DELETE FROM work WHERE seq = ?", work.seq);
    return true;
  }

  function get(seq: number): StoredEventWithDeliveries | undefined {
    const row = sql.all<EventRow>("SELECT seq, deliveries, event, body FROM work WHERE seq = ?", seq)[0];
    return row === undefined ? undefined : parseRow(row);
  }

  /** Brings one row up to date with the clock and lends out what of it fits the request. */
  function lendRow(seq: number, before: readonly Delivery[], request: TakeRequest, taken: LeasedWork[]): void {
    const { now, leasesMax, withinMs, newToken, room } = request;
    const lent: { readonly delivery: Delivery; readonly token: string }[] = [];
    const deliveries = before.map((delivery) => {
      const current = advanceDelivery(delivery, now);
      if (current.state.kind !== "waiting" || current.state.dueAt > now) return current;
      if (taken.length + lent.length >= leasesMax || current.timeoutMs + LEASE_MARGIN_MS > withinMs) return current;
      const ofTarget = [...taken.map(({ lease }) => lease), ...lent.map((each) => each.delivery)];
      if (ofTarget.filter(({ target }) => target === current.target).length >= room(current.target)) return current;
      const token = newToken();
      lent.push({ delivery: current, token });
      return leaseDelivery(current, token, now);
    });
    if (deliveries.every((delivery, index) => delivery === before[index])) return;
    // The body is read only for what is lent.
    const work = get(seq);
    if (work === undefined) throw new Error("a row of work is gone within its own transaction");
    for (const { delivery, token } of lent) {
      taken.push({ lease: describeLease(delivery, seq, token, now), event: work.event });
    }
    if (update(work, deliveries)) request.ended({ ...work, deliveries });
  }

  return {
    get,

    insert(seq, item, deliveries) {
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
      open.bytes += bytesOf(item);
      lastSeq = Math.max(lastSeq, seq);
      nextDueAt = earlier(nextDueAt, due);
    },

    update,

    // Leaves `nextDueAt` as it is while there may be more: it is a lower bound, and being too early costs only a look.
    take(request) {
      const { now, leasesMax } = request;
      const taken: LeasedWork[] = [];
      if (leasesMax <= 0 || nextDueAt === null || nextDueAt > now) return taken;
      let fromStart = scannedTo === 0;
      for (let looked = 0; looked < TAKE_ROWS_MAX;) {
        const chunk = sql.all<{ seq: number; deliveries: string }>(
          "SELECT seq, deliveries FROM work WHERE seq > ? AND due <= ? ORDER BY seq LIMIT ?",
          scannedTo,
          now,
          CHUNK_ROWS,
        );
        for (const row of chunk) {
          if (taken.length >= leasesMax) return taken;
          lendRow(row.seq, JSON.parse(row.deliveries) as readonly Delivery[], request, taken);
          scannedTo = row.seq;
          looked += 1;
        }
        if (chunk.length === CHUNK_ROWS) continue;
        scannedTo = 0;
        if (fromStart) {
          // Rows passed over here may still be due: only a look at all of them tells when the next one is.
          nextDueAt = sql.all<{ due: number | null }>("SELECT MIN(due) AS due FROM work")[0]?.due ?? null;
          return taken;
        }
        fromStart = true;
      }
      return taken;
    },

    alarmLeases: alarmLeases.byTarget,

    before: (seq, rowsMax, which) =>
      sql
        .all<EventRow>(
          `SELECT seq, deliveries, event, NULL AS body FROM work WHERE seq < ?
           ${which === "dead" ? 'AND instr(deliveries, \'"kind":"dead"\') > 0' : ""} ORDER BY seq DESC LIMIT ?`,
          seq,
          rowsMax,
        )
        .map(parseRow),

    nextDueAt: () => nextDueAt,
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
    if (at !== null) due = earlier(due, at);
  }
  return due;
}

function countOpen(deliveries: readonly Delivery[]): number {
  return deliveries.filter(isOpen).length;
}

function earlier(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}
