/**
 * The events of a partition that still have open deliveries: the rows of `work`, what they add up to, and when the next of
 * them is due. Memory is a cache of the table, made anew at every start: nothing is known here that the rows do not tell.
 */
import type { Backlog, LeasedWork, StoredEvent, StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { advanceDelivery, describeLease, isOpen, LEASE_MARGIN_MS, leaseDelivery, wakesAt } from "../core/delivery.ts";
import type { EventRow } from "./archive.ts";
import { formatDeliveries, formatEvent, parseRow } from "./archive.ts";
import type { Sql } from "./sql.ts";

/** Rows that one call looks at for something to lend: those that do not fit the caller's time are passed over. */
export const TAKE_ROWS_MAX = 64;

export interface OpenWork {
  readonly get: (seq: number) => StoredEventWithDeliveries | undefined;
  readonly insert: (seq: number, event: StoredEvent, deliveries: readonly Delivery[]) => void;
  /** Writes an event's deliveries back to its row. When the last one has ended the row goes, and the answer is true. */
  readonly update: (work: StoredEventWithDeliveries, deliveries: readonly Delivery[]) => boolean;
  /** Lends out deliveries that are due, oldest event first. `ended` gets events whose last delivery was too old to lend. */
  readonly take: (request: TakeRequest) => readonly LeasedWork[];
  /** Leases that are out and have not run out. */
  readonly leased: (now: number) => number;
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
  readonly ended: (event: StoredEventWithDeliveries) => void;
}

export function openOpenWork(sql: Sql): OpenWork {
  let lastSeq = 0;
  const open = { events: 0, deliveries: 0, bytes: 0 };
  let nextDueAt: number | null = null;
  for (const row of sql.all<{ seq: number; due: number; deliveries: string; bytes: number }>(
    "SELECT seq, due, deliveries, length(CAST(event AS BLOB)) + ifnull(length(body), 0) AS bytes FROM work",
  )) {
    lastSeq = Math.max(lastSeq, row.seq);
    open.events += 1;
    open.deliveries += countOpen(JSON.parse(row.deliveries) as readonly Delivery[]);
    open.bytes += row.bytes;
    nextDueAt = earlier(nextDueAt, row.due);
  }

  function update(work: StoredEventWithDeliveries, deliveries: readonly Delivery[]): boolean {
    open.deliveries += countOpen(deliveries) - countOpen(work.deliveries);
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

  return {
    get(seq) {
      const row = sql.all<EventRow>("SELECT seq, deliveries, event, body FROM work WHERE seq = ?", seq)[0];
      return row === undefined ? undefined : parseRow(row);
    },

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
    take({ now, leasesMax, withinMs, newToken, ended }) {
      const taken: LeasedWork[] = [];
      if (nextDueAt === null || nextDueAt > now) return taken;
      let after = 0;
      for (let rows = 0; rows < TAKE_ROWS_MAX && taken.length < leasesMax; rows++) {
        const row = sql.all<EventRow>(
          "SELECT seq, deliveries, event, body FROM work WHERE seq > ? AND due <= ? ORDER BY seq LIMIT 1",
          after,
          now,
        )[0];
        if (row === undefined) {
          // Rows passed over here may still be due: only a look at all of them tells when the next one is.
          nextDueAt = sql.all<{ due: number | null }>("SELECT MIN(due) AS due FROM work")[0]?.due ?? null;
          return taken;
        }
        after = row.seq;
        const work = parseRow(row);
        const deliveries = work.deliveries.map((delivery) => {
          const current = advanceDelivery(delivery, now);
          const lendable = current.state.kind === "waiting" && current.state.dueAt <= now;
          if (!lendable || taken.length >= leasesMax || current.timeoutMs + LEASE_MARGIN_MS > withinMs) return current;
          const token = newToken();
          taken.push({ lease: describeLease(current, work.seq, token, now), event: work.event });
          return leaseDelivery(current, token, now);
        });
        if (deliveries.every((delivery, index) => delivery === work.deliveries[index])) continue;
        if (update(work, deliveries)) ended({ ...work, deliveries });
      }
      return taken;
    },

    // Rows with a lease are few; the others are passed over by their text. A row that is due counts too: one of its
    // deliveries may wait while others are out.
    leased: (now) =>
      sql
        .all<{ deliveries: string }>('SELECT deliveries FROM work WHERE instr(deliveries, \'"kind":"leased"\') > 0')
        .reduce((sum, row) => sum + countLeased(JSON.parse(row.deliveries) as readonly Delivery[], now), 0),

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

function countLeased(deliveries: readonly Delivery[], now: number): number {
  return deliveries.filter(({ state }) => state.kind === "leased" && state.deadlineAt > now).length;
}

function earlier(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}
