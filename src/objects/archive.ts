/**
 * The events of a partition that have ended, in the segments of `segments.ts`, and the identities that it has accepted.
 * Nothing here decides about deliveries.
 */
import type { StoredEventWithDeliveries } from "../bus/ports.ts";
import { eventStatus } from "../core/delivery.ts";
import { seqTimeMs } from "../core/receipt.ts";
import { openBodies } from "./bodies.ts";
import type { OpenEvent } from "./fresh-work.ts";
import type { Deflating } from "./deflating.ts";
import type { Identity } from "./identities.ts";
import { openIdentities } from "./identities.ts";
import type { PackedEvent } from "./packed-lines.ts";
import type { Packs } from "./packs.ts";
import { openPacks } from "./packs.ts";
import type { Segment, SegmentKind, SegmentLimits } from "./segments.ts";
import { needsSegment, openSegment, readSegments, retainSegments } from "./segments.ts";
import type { Sql } from "./sql.ts";
import type { EventRow } from "./stored-event.ts";
import { formatDeliveries, formatEvent, parseRow } from "./stored-event.ts";

export interface Archive {
  readonly findIdentity: (identity: Uint8Array, now: number) => Identity | undefined;
  /** Reads many at once, for this commit to find. */
  readonly readIdentities: (identities: readonly Uint8Array[]) => void;
  /** Takes one in, which `flush` writes. */
  readonly addIdentity: (identity: Uint8Array, entry: Identity) => void;
  /** Writes what this commit has taken in of identities, and forgets what it has read. */
  readonly flush: (now: number) => void;
  /** Remembers whose body stands in the store under this key. */
  readonly addBody: (key: string, seq: number) => void;
  /** Events as they were accepted. What has ended well there is filed. */
  readonly packs: Packs;
  /** Files an event that has ended in a row of its own, or dead, under the time of its acceptance. */
  readonly add: (ended: StoredEventWithDeliveries, now: number) => void;
  readonly get: (seq: number) => StoredEventWithDeliveries | undefined;
  /** The same without its body, which is not read then. */
  readonly peek: (seq: number) => OpenEvent | undefined;
  /** Takes an event out again, to be worked on in a row of its own. */
  readonly takeOut: (seq: number) => void;
  /** Writes an ended event's deliveries again, after a late attempt. */
  readonly update: (ended: OpenEvent, now: number) => void;
  /** Ended events with a lower sequence number, newest first, without their bodies. */
  readonly before: (seq: number, rowsMax: number, which: "all" | "dead") => readonly StoredEventWithDeliveries[];
  readonly lastSeq: () => number;
  readonly retain: (now: number) => void;
}

/** `beforeLogDropped` is called with a segment's number before its events give way, which may be only minutes old. */
export function openArchive(
  sql: Sql,
  limits: SegmentLimits,
  beforeLogDropped: (segment: number) => void = () => {},
  deflating?: Deflating,
): Archive {
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
    segments = retainSegments(sql, all, now, limits, beforeLogDropped);
  }

  /**
   * Where the log segment after the newest begins: past everything filed so far, so that no older segment ever holds a younger
   * event, and no later, so that an event that was accepted since then is not dropped with the older segment.
   */
  function pastAllFiled(newest: Segment): number {
    return Math.max(newest.firstSeq, lastFiled(newest) + 1);
  }

  /** The highest number in a segment. */
  function lastFiled(segment: Segment): number {
    const last = tablesOf(segment, "all").map((table) => {
      return sql.all<{ last: number | null }>(`SELECT MAX(seq) AS last FROM ${table}`)[0]?.last ?? 0;
    });
    return Math.max(...last, segment.logDropped ? 0 : packs.lastSeq(segment.n));
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

  const logs = {
    newestFirst: () => newestFirst("log").filter(({ logDropped }) => !logDropped),
    current: (now: number, seq: number) => current("log", now, seq).n,
  };
  const packs = openPacks(sql, logs, deflating);
  const identities = openIdentities(sql, () => newestFirst("dedup").map(({ n }) => n));

  function locate(seq: number, body: "body" | "NULL"): { table: string; row: EventRow } | undefined {
    for (const table of allTables()) {
      const row = sql.all<EventRow>(
        `SELECT seq, deliveries, event, ${body} AS body FROM ${table} WHERE seq = ?`,
        seq,
      )[0];
      if (row !== undefined) return { table, row };
    }
    return undefined;
  }

  function add(ended: StoredEventWithDeliveries, now: number): void {
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
  }

  return {
    findIdentity(identity, now) {
      const found = identities.find(identity);
      // A segment outlives its oldest rows; what is past the window is as good as gone.
      return found === undefined || seqTimeMs(found.seq) + limits.dedupWindowMs <= now ? undefined : found;
    },

    readIdentities: identities.read,
    addIdentity: identities.add,
    flush: (now) => identities.flush((seq) => current("dedup", now, seq).n),

    addBody: openBodies(sql).add,
    packs,
    add,

    get(seq) {
      const row = locate(seq, "body")?.row;
      if (row !== undefined) return parseRow(row);
      const packed = packs.find(seq);
      return packed === undefined ? undefined : toStored(packed, packs.body(packed.place));
    },

    peek(seq) {
      const row = locate(seq, "NULL")?.row;
      if (row !== undefined) return parseRow(row);
      const packed = packs.find(seq);
      return packed === undefined ? undefined : toStored(packed, null);
    },

    takeOut(seq) {
      const found = locate(seq, "NULL");
      // What is in a pack stays there: a row of its own speaks for it from now on.
      if (found !== undefined) sql.run(`DELETE FROM ${found.table} WHERE seq = ?`, seq);
    },

    update({ seq, event, deliveries }, now) {
      const table = locate(seq, "NULL")?.table;
      if (table !== undefined) {
        sql.run(`UPDATE ${table} SET deliveries = ? WHERE seq = ?`, formatDeliveries(deliveries), seq);
        return;
      }
      const packed = packs.find(seq);
      if (packed !== undefined) add({ seq, event: { ...event, body: packs.body(packed.place) }, deliveries }, now);
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
      // A row speaks for an event that is in a pack too.
      const packed = which === "dead" ? [] : packs.before(seq, rowsMax).map((event) => toStored(event, null));
      const events = new Map([...packed, ...rows.map(parseRow)].map((event) => [event.seq, event]));
      return [...events.values()].toSorted((a, b) => b.seq - a.seq).slice(0, rowsMax);
    },

    lastSeq() {
      return Math.max(0, ...newestFirst("log").map(lastFiled), ...segments.map(({ firstSeq }) => firstSeq));
    },

    retain(now) {
      retain(segments, now);
    },
  };
}

function toStored({ seq, head, deliveries }: PackedEvent, body: Uint8Array | null): StoredEventWithDeliveries {
  return { seq, event: { ...head, body }, deliveries };
}
