/**
 * The events of a partition that have ended, in the segments of `segments.ts`, and the identities that it has accepted.
 * Nothing here decides about deliveries.
 */
import type { StoredEvent, StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { eventStatus } from "../core/delivery.ts";
import type { Fingerprint } from "../core/event.ts";
import { seqTimeMs } from "../core/receipt.ts";
import { utf8Length } from "../core/template.ts";
import { openBodies } from "./bodies.ts";
import type { Segment, SegmentKind, SegmentLimits } from "./segments.ts";
import { needsSegment, openSegment, readSegments, retainSegments } from "./segments.ts";
import type { Sql } from "./sql.ts";

/** Text of one event's deliveries; more is cut down to what a person needs, so that a row stays under the platform's 2 MB. */
export const DELIVERIES_BYTES_MAX = 524_288;
/** What is left of a reason's detail when nothing else helps. */
const DETAIL_CHARS_KEPT = 100;

export interface Identity {
  readonly seq: number;
  readonly fingerprint: Fingerprint;
  readonly token: string;
}

export interface Archive {
  readonly findIdentity: (identity: Uint8Array, now: number) => Identity | undefined;
  readonly addIdentity: (identity: Uint8Array, entry: Identity, now: number) => void;
  /** Remembers whose body stands in the store under this key. */
  readonly addBody: (key: string, seq: number) => void;
  /** Files an event that has ended, under the time of its acceptance. */
  readonly add: (ended: StoredEventWithDeliveries, now: number) => void;
  readonly get: (seq: number) => StoredEventWithDeliveries | undefined;
  /** Takes an event out again, to be worked on. */
  readonly takeOut: (seq: number) => void;
  /** Writes an ended event's deliveries again, after a late attempt. */
  readonly update: (ended: StoredEventWithDeliveries) => void;
  /** Ended events with a lower sequence number, newest first, without their bodies. */
  readonly before: (seq: number, rowsMax: number, which: "all" | "dead") => readonly StoredEventWithDeliveries[];
  readonly lastSeq: () => number;
  readonly retain: (now: number) => void;
}

export type EventRow = { seq: number; deliveries: string; event: string; body: Uint8Array | null };

/** `beforeLogDropped` is called before events give way that may be only minutes old. */
export function openArchive(sql: Sql, limits: SegmentLimits, beforeLogDropped: () => void = () => {}): Archive {
  let segments = readSegments(sql);
  const newestFirst = (kind: SegmentKind) => segments.filter((segment) => segment.kind === kind).toReversed();

  /** The open segment of a kind; opens the next one when its time or size is over, and drops what has become too old. */
  function current(kind: SegmentKind, now: number, seq: number): Segment {
    const newest = newestFirst(kind)[0];
    if (newest !== undefined && !needsSegment(newest, kind, now, kind === "log" ? sql.bytes() : 0, limits))
      return newest;
    const firstSeq = kind === "log" && newest !== undefined ? pastAllFiled(newest) : seq;
    const opened = openSegment(sql, kind, (newest?.n ?? 0) + 1, now, firstSeq);
    retain([...segments, opened], now);
    return opened;
  }

  function retain(all: readonly Segment[], now: number): void {
    if (sql.bytes() > limits.logBytesMax) beforeLogDropped();
    segments = retainSegments(sql, all, now, limits);
  }

  /**
   * Where the log segment after the newest begins: past everything filed so far, so that no older segment ever holds a younger
   * event, and no later, so that an event that was accepted since then is not dropped with the older segment.
   */
  function pastAllFiled(newest: Segment): number {
    return Math.max(newest.firstSeq, ...tablesOf(newest, "all").map((table) => maxSeq(table) + 1));
  }

  function maxSeq(table: string): number {
    return sql.all<{ last: number | null }>(`SELECT MAX(seq) AS last FROM ${table}`)[0]?.last ?? 0;
  }

  /** The log segment that an event belongs to by its acceptance, or the nearest younger one that is still there. */
  function segmentOf(seq: number, dead: boolean): Segment | undefined {
    const usable = newestFirst("log").filter((segment) => dead || !segment.logDropped);
    return usable.find((segment) => segment.firstSeq <= seq) ?? usable.at(-1);
  }

  function tablesOf({ n, logDropped }: Segment, which: "all" | "dead"): readonly string[] {
    return which === "dead" || logDropped ? [`dead_${n}`] : [`dead_${n}`, `log_${n}`];
  }

  function allTables(): readonly string[] {
    return newestFirst("log").flatMap((segment) => tablesOf(segment, "all"));
  }

  function locate(seq: number): { table: string; row: EventRow } | undefined {
    for (const table of allTables()) {
      const row = sql.all<EventRow>(`SELECT seq, deliveries, event, body FROM ${table} WHERE seq = ?`, seq)[0];
      if (row !== undefined) return { table, row };
    }
    return undefined;
  }

  return {
    findIdentity(identity, now) {
      for (const segment of newestFirst("dedup")) {
        const row = sql.all<{ seq: number; fingerprint: string; token: string }>(
          `SELECT seq, fingerprint, token FROM dedup_${segment.n} WHERE identity = ?`,
          identity,
        )[0];
        if (row === undefined) continue;
        // A segment outlives its oldest rows; what is past the window is as good as gone.
        if (seqTimeMs(row.seq) + limits.dedupWindowMs <= now) return undefined;
        return { seq: row.seq, token: row.token, fingerprint: parseFingerprint(row.fingerprint) };
      }
      return undefined;
    },

    addIdentity(identity, entry, now) {
      const segment = current("dedup", now, entry.seq);
      sql.run(
        `INSERT OR REPLACE INTO dedup_${segment.n} (identity, seq, fingerprint, token) VALUES (?, ?, ?, ?)`,
        identity,
        entry.seq,
        formatFingerprint(entry.fingerprint),
        entry.token,
      );
    },

    addBody: openBodies(sql).add,

    add(ended, now) {
      const status = eventStatus(ended.deliveries);
      const dead = status === "dead";
      const newest = current("log", now, ended.seq);
      const segment = segmentOf(ended.seq, dead) ?? newest;
      const { event, body } = formatEvent(ended.event);
      sql.run(
        `INSERT INTO ${dead ? "dead" : "log"}_${segment.n} (seq, status, deliveries, event, body) VALUES (?, ?, ?, ?, ?)`,
        ended.seq,
        status,
        formatDeliveries(ended.deliveries),
        event,
        body,
      );
    },

    get(seq) {
      const found = locate(seq);
      return found === undefined ? undefined : parseRow(found.row);
    },

    takeOut(seq) {
      const found = locate(seq);
      if (found === undefined) throw new Error("an event that was found a moment ago is gone");
      sql.run(`DELETE FROM ${found.table} WHERE seq = ?`, seq);
    },

    update(ended) {
      const found = locate(ended.seq);
      if (found === undefined) return;
      sql.run(`UPDATE ${found.table} SET deliveries = ? WHERE seq = ?`, formatDeliveries(ended.deliveries), ended.seq);
    },

    before(seq, rowsMax, which) {
      const rows: EventRow[] = [];
      for (const segment of newestFirst("log")) {
        for (const table of tablesOf(segment, which)) {
          rows.push(
            ...sql.all<EventRow>(
              `SELECT seq, deliveries, event, NULL AS body FROM ${table} WHERE seq < ? ORDER BY seq DESC LIMIT ?`,
              seq,
              rowsMax,
            ),
          );
        }
        // Older segments hold only events from before this one's first. This one may hold some of those too, which ended
        // after their own segment was dropped: they don't count.
        if (rows.filter((row) => row.seq >= segment.firstSeq).length >= rowsMax) break;
      }
      return rows
        .toSorted((a, b) => b.seq - a.seq)
        .slice(0, rowsMax)
        .map(parseRow);
    },

    lastSeq() {
      return Math.max(0, ...allTables().map(maxSeq), ...segments.map((segment) => segment.firstSeq));
    },

    retain(now) {
      retain(segments, now);
    },
  };
}

export function parseRow(row: EventRow): StoredEventWithDeliveries {
  const head = JSON.parse(row.event) as Omit<StoredEvent, "body">;
  return {
    seq: row.seq,
    // Rows of the first schema version have no key; there it only chose the partition.
    event: { ...head, key: head.key ?? head.attributes.source, body: row.body },
    deliveries: JSON.parse(row.deliveries) as readonly Delivery[],
  };
}

export function formatEvent(event: StoredEvent): { readonly event: string; readonly body: Uint8Array | null } {
  const { body, ...head } = event;
  return { event: JSON.stringify(head), body };
}

/** Deliveries as text. Over the limit the answers' bodies go first, then all attempts but the newest, then those too. */
export function formatDeliveries(deliveries: readonly Delivery[]): string {
  const whole = JSON.stringify(deliveries);
  if (fitsRow(whole)) return whole;
  const bare = deliveries.map((delivery) => ({
    ...delivery,
    attempts: delivery.attempts.map(({ answer, ...attempt }) =>
      answer === undefined ? attempt : { ...attempt, answer: { status: answer.status } },
    ),
  }));
  const short = JSON.stringify(bare);
  if (fitsRow(short)) return short;
  const newest = JSON.stringify(bare.map((delivery) => ({ ...delivery, attempts: delivery.attempts.slice(-1) })));
  if (fitsRow(newest)) return newest;
  return JSON.stringify(
    deliveries.map(({ state, ...delivery }) => ({
      ...delivery,
      state: "detail" in state ? { ...state, detail: state.detail.slice(0, DETAIL_CHARS_KEPT) } : state,
      attempts: [],
    })),
  );
}

function fitsRow(text: string): boolean {
  // A UTF-16 unit takes three bytes of UTF-8 at most, so most texts need no counting.
  return text.length * 3 <= DELIVERIES_BYTES_MAX || utf8Length(text) <= DELIVERIES_BYTES_MAX;
}

function formatFingerprint({ scope, hash }: Fingerprint): string {
  return `${hash} ${scope}`;
}

function parseFingerprint(text: string): Fingerprint {
  const space = text.indexOf(" ");
  return { hash: text.slice(0, space), scope: text.slice(space + 1) };
}
