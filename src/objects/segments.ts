/**
 * Tables cut in time, so that what is old goes by dropping a table, not by deleting rows (each deleted row is billed):
 * - `dedup_<n>`: identities, kept for the dedup window;
 * - `pack_<n>` and `changes_<n>`: events as they were accepted, and what became of them (`packs.ts`); `log_<n>`: events that ended
 *   in a row of their own. All three are kept 14 days or until the log is too large;
 * - `dead_<n>`: events with a dead delivery, kept the full 14 days. Same numbers and bounds as `log_<n>`.
 * A segment closes when it is old enough or has grown enough; it is dropped as a whole when its youngest row is too old.
 * Their number is bounded by time (one a day) and, for the log, by LOG_BYTES_MAX / SEGMENT_BYTES more.
 */
import { DEDUP_WINDOW_MS, LOG_WINDOW_MS } from "../core/windows.ts";
import type { Sql } from "./sql.ts";

const LOG_BYTES_MAX = 1_073_741_824;
const SEGMENT_MS = 86_400_000;
const SEGMENT_BYTES = 67_108_864;
/** Tables that one call drops at most. A segment that opens adds four, and calls it too: so what is over gets less. */
export const TABLES_DROPPED_MAX = 8;
/** Of a segment of the log, those that hold what has ended well: they are dropped together. */
const LOG_TABLES = ["log", "pack", "changes"] as const;

export type SegmentKind = "dedup" | "log";

export interface Segment {
  readonly kind: SegmentKind;
  readonly n: number;
  readonly openedAt: number;
  /** Rows of this segment have this sequence number or a higher one, up to the next segment's. */
  readonly firstSeq: number;
  /** What the database measured when the segment opened. */
  readonly bytesBefore: number;
  /** The log's table gave way to newer events; its dead are still there. */
  readonly logDropped: boolean;
}

export interface SegmentLimits {
  readonly dedupWindowMs: number;
  readonly logWindowMs: number;
  readonly logBytesMax: number;
  readonly segmentMs: number;
  readonly segmentBytes: number;
}

export const SEGMENT_LIMITS: SegmentLimits = {
  dedupWindowMs: DEDUP_WINDOW_MS,
  logWindowMs: LOG_WINDOW_MS,
  logBytesMax: LOG_BYTES_MAX,
  segmentMs: SEGMENT_MS,
  segmentBytes: SEGMENT_BYTES,
};

type Row = { kind: string; n: number; opened_at: number; first_seq: number; bytes_before: number; log_dropped: number };

/** All segments, oldest first per kind. */
export function readSegments(sql: Sql): readonly Segment[] {
  return sql
    .all<Row>("SELECT kind, n, opened_at, first_seq, bytes_before, log_dropped FROM segments ORDER BY kind, n")
    .map((row) => ({
      kind: row.kind as SegmentKind,
      n: row.n,
      openedAt: row.opened_at,
      firstSeq: row.first_seq,
      bytesBefore: row.bytes_before,
      logDropped: row.log_dropped === 1,
    }));
}

/** Whether rows accepted now need a new segment of this kind. `newest` is the segment that is open. */
export function needsSegment(
  newest: Segment | undefined,
  kind: SegmentKind,
  now: number,
  bytes: number,
  limits: SegmentLimits,
): boolean {
  if (newest === undefined || now - newest.openedAt >= limits.segmentMs) return true;
  return kind === "log" && bytes - newest.bytesBefore >= limits.segmentBytes;
}

export function openSegment(sql: Sql, kind: SegmentKind, n: number, now: number, firstSeq: number): Segment {
  const segment: Segment = { kind, n, openedAt: now, firstSeq, bytesBefore: sql.bytes(), logDropped: false };
  if (kind === "dedup") {
    sql.run(`CREATE TABLE dedup_${n} (
      identity BLOB PRIMARY KEY, seq INTEGER NOT NULL, fingerprint TEXT NOT NULL, token TEXT NOT NULL
    ) WITHOUT ROWID`);
  } else {
    for (const table of [`log_${n}`, `dead_${n}`]) {
      sql.run(`CREATE TABLE ${table} (
        seq INTEGER PRIMARY KEY, status TEXT NOT NULL, deliveries TEXT NOT NULL, event TEXT NOT NULL, body BLOB
      )`);
    }
    createPackTables(sql, n);
  }
  sql.run(
    "INSERT INTO segments (kind, n, opened_at, first_seq, bytes_before) VALUES (?, ?, ?, ?, ?)",
    kind,
    n,
    segment.openedAt,
    segment.firstSeq,
    segment.bytesBefore,
  );
  return segment;
}

/** Of a segment of the log; those from before packs get them from `schema.ts`. */
export function createPackTables(sql: Sql, n: number): void {
  sql.run(`CREATE TABLE pack_${n} (
    first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, open_from INTEGER NOT NULL,
    heads TEXT NOT NULL, bodies BLOB NOT NULL
  )`);
  sql.run(`CREATE TABLE changes_${n} (n INTEGER PRIMARY KEY, open_from INTEGER NOT NULL, entries TEXT NOT NULL)`);
}

/** When nothing in the segment can be within its window any more. Rows younger than SEGMENT_MS after its opening are elsewhere. */
function overAt(segment: Segment, limits: SegmentLimits): number {
  return segment.openedAt + limits.segmentMs + windowMs(segment.kind, limits);
}

function windowMs(kind: SegmentKind, limits: SegmentLimits): number {
  return kind === "dedup" ? limits.dedupWindowMs : limits.logWindowMs;
}

/**
 * `beforeLogDropped` is called with a segment's number before its log is dropped. Drops what is over, then the oldest log tables while the database is too large, at most TABLES_DROPPED_MAX tables in all.
 * Answers the segments that are left, those among them that the next call goes on with.
 */
export function retainSegments(
  sql: Sql,
  segments: readonly Segment[],
  now: number,
  limits: SegmentLimits,
  beforeLogDropped: (n: number) => void = () => {},
): readonly Segment[] {
  let tablesLeft = TABLES_DROPPED_MAX;
  let kept = segments;

  function dropLog(segment: Segment): Segment {
    beforeLogDropped(segment.n);
    for (const table of LOG_TABLES) sql.run(`DROP TABLE ${table}_${segment.n}`);
    sql.run("UPDATE segments SET log_dropped = 1 WHERE kind = 'log' AND n = ?", segment.n);
    tablesLeft -= LOG_TABLES.length;
    const left = { ...segment, logDropped: true };
    kept = kept.map((each) => (each === segment ? left : each));
    return left;
  }

  for (const segment of segments.filter((each) => overAt(each, limits) <= now)) {
    const isWhole = segment.kind === "log" && !segment.logDropped;
    if (tablesLeft < (isWhole ? LOG_TABLES.length + 1 : 1)) return kept;
    const last = isWhole ? dropLog(segment) : segment;
    sql.run(`DROP TABLE ${segment.kind === "dedup" ? "dedup" : "dead"}_${segment.n}`);
    sql.run("DELETE FROM segments WHERE kind = ? AND n = ?", segment.kind, segment.n);
    tablesLeft -= 1;
    kept = kept.filter((each) => each !== last);
  }
  const closedLogs = kept.filter((segment) => segment.kind === "log").slice(0, -1);
  for (const segment of closedLogs) {
    if (tablesLeft < LOG_TABLES.length || sql.bytes() <= limits.logBytesMax) break;
    if (!segment.logDropped) dropLog(segment);
  }
  return kept;
}
