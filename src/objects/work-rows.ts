/** The rows of `work`: open events that have a row of their own. What a transaction changes of a row is written once, at its end. */
import type { StoredEvent, StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { wakesAt } from "../core/delivery.ts";
import type { OpenEvent } from "./fresh-work.ts";
import type { Sql } from "./sql.ts";
import type { EventRow } from "./stored-event.ts";
import { formatDeliveries, formatEvent, parseRow } from "./stored-event.ts";

/** Rows in memory at a time: a row's deliveries may have half a megabyte. */
const CHUNK_ROWS = 50;

/** A row as it is read at a start. */
export interface ScannedRow {
  readonly seq: number;
  readonly deliveries: readonly Delivery[];
  /** Of the event and its body. */
  readonly bytes: number;
}

export interface WorkRows {
  /** Every row, in order, some in memory at a time. */
  readonly scan: (each: (row: ScannedRow) => void) => void;
  readonly get: (seq: number) => StoredEventWithDeliveries | undefined;
  /** The same without reading the body. */
  readonly peek: (seq: number) => OpenEvent | undefined;
  readonly insert: (event: StoredEventWithDeliveries) => void;
  readonly setDeliveries: (seq: number, deliveries: readonly Delivery[]) => void;
  /** All of the event but its body. */
  readonly setEvent: (seq: number, event: StoredEvent) => void;
  /** Deletes the row and answers what it held. */
  readonly remove: (seq: number) => Pick<StoredEventWithDeliveries, "seq" | "event">;
  /** Rows with a lower number, newest first; else those that have a delivery in this state. */
  readonly before: (
    seq: number,
    rowsMax: number,
    which: "all" | "dead" | "parked",
  ) => readonly StoredEventWithDeliveries[];
  readonly flush: () => void;
}

export function openWorkRows(sql: Sql): WorkRows {
  // What this transaction has changed and not written yet: one that comes up in its lane is often lent out at once.
  const unwritten = new Map<number, readonly Delivery[]>();

  function find(seq: number, body: "body" | "NULL"): StoredEventWithDeliveries | undefined {
    const row = sql.all<EventRow>(`SELECT seq, deliveries, event, ${body} AS body FROM work WHERE seq = ?`, seq)[0];
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

  return {
    scan(each) {
      for (let after = -1, rows = CHUNK_ROWS; rows === CHUNK_ROWS;) {
        const chunk = sql.all<{ seq: number; deliveries: string; bytes: number }>(
          `SELECT seq, deliveries, length(CAST(event AS BLOB)) + ifnull(length(body), 0) AS bytes
           FROM work WHERE seq > ? ORDER BY seq LIMIT ?`,
          after,
          CHUNK_ROWS,
        );
        rows = chunk.length;
        for (const { seq, deliveries, bytes } of chunk) {
          after = seq;
          each({ seq, bytes, deliveries: JSON.parse(deliveries) as readonly Delivery[] });
        }
      }
    },

    get: (seq) => find(seq, "body"),
    peek: (seq) => find(seq, "NULL"),

    insert({ seq, event: stored, deliveries }) {
      const { event, body } = formatEvent(stored);
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
    },

    setDeliveries(seq, deliveries) {
      unwritten.set(seq, deliveries);
      if (unwritten.size >= CHUNK_ROWS) flush();
    },

    setEvent(seq, event) {
      sql.run("UPDATE work SET event = ? WHERE seq = ?", formatEvent(event).event, seq);
    },

    remove(seq) {
      unwritten.delete(seq);
      const row = sql.all<EventRow>(
        "DELETE FROM work WHERE seq = ? RETURNING seq, '[]' AS deliveries, event, body",
        seq,
      )[0];
      if (row === undefined) throw new Error("a row of work is known of and not there");
      return parseRow(row);
    },

    before: (seq, rowsMax, which) =>
      sql
        .all<EventRow>(
          `SELECT seq, deliveries, event, NULL AS body FROM work WHERE seq < ?
           ${which === "all" ? "" : `AND instr(deliveries, '"kind":"${which}"') > 0`} ORDER BY seq DESC LIMIT ?`,
          seq,
          rowsMax,
        )
        .map(parseRow),

    flush,
  };
}

function dueOf(deliveries: readonly Delivery[]): number | null {
  let due: number | null = null;
  for (const delivery of deliveries) {
    const at = wakesAt(delivery);
    if (at !== null) due = due === null ? at : Math.min(due, at);
  }
  return due;
}
