/** The last rejections of some sources: a ring of rows, each counting equal rejections of one isolate in one second or so. */
import type { RejectionEntry } from "../bus/ports.ts";
import type { RejectionReason } from "../core/rejection.ts";
import type { Sql } from "./sql.ts";

export const REJECTIONS_KEPT_MAX = 1_000;
/** Entries that one call may write. */
export const REJECTIONS_PER_CALL_MAX = 50;

type Row = { at: number; source: string; reason: string; count: number; detail: string };

export function recordRejections(sql: Sql, entries: readonly RejectionEntry[]): void {
  sql.transaction(() => {
    let n = sql.all<{ n: number | null }>("SELECT MAX(n) AS n FROM rejections")[0]?.n ?? 0;
    for (const entry of entries.slice(0, REJECTIONS_PER_CALL_MAX)) {
      n += 1;
      sql.run(
        "INSERT OR REPLACE INTO rejections (slot, n, at, source, reason, count, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
        n % REJECTIONS_KEPT_MAX,
        n,
        entry.at,
        entry.source,
        entry.reason,
        entry.count,
        entry.detail,
      );
    }
  });
}

/** Newest first. */
export function listRejections(sql: Sql, limit: number): readonly RejectionEntry[] {
  return sql
    .all<Row>("SELECT at, source, reason, count, detail FROM rejections ORDER BY n DESC LIMIT ?", limit)
    .map((row) => ({ ...row, reason: row.reason as RejectionReason }));
}
