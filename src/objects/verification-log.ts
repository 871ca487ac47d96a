/**
 * When each secret of some sources last verified a request: rows of `meta`, `verified:<source>:<secret>` with the time. They
 * need no table of their own, so an older Sluice can read the database.
 */
import type { VerificationEntry } from "../bus/ports.ts";
import { deleteMeta, readMeta, writeMeta } from "./schema.ts";
import type { Sql } from "./sql.ts";

/** As many as rule files may name: 1,000 sources with 5 secrets each. Beyond it the oldest gives way. */
export const VERIFICATIONS_KEPT_MAX = 5_000;
/** Entries that one call may write. */
export const VERIFICATIONS_PER_CALL_MAX = 50;

const PREFIX = "verified:";
/** What follows all names with the prefix: the character after the colon. */
const AFTER_PREFIX = "verified;";

/** Keeps the newest time of each secret: one that is older than what is known writes nothing. */
export function recordVerifications(sql: Sql, entries: readonly VerificationEntry[]): void {
  sql.transaction(() => {
    for (const { source, secret, at } of entries.slice(0, VERIFICATIONS_PER_CALL_MAX)) {
      const name = `${PREFIX}${source}:${secret}`;
      const known = readMeta(sql, name);
      if (known !== undefined && Number(known) >= at) continue;
      if (known === undefined) makeRoom(sql);
      writeMeta(sql, name, String(at));
    }
  });
}

function makeRoom(sql: Sql): void {
  const kept = sql.all<{ rows: number }>(
    "SELECT COUNT(*) AS rows FROM meta WHERE name >= ? AND name < ?",
    PREFIX,
    AFTER_PREFIX,
  )[0]?.rows;
  if ((kept ?? 0) < VERIFICATIONS_KEPT_MAX) return;
  const [oldest] = listVerifications(sql).toSorted((a, b) => a.at - b.at);
  if (oldest !== undefined) deleteMeta(sql, `${PREFIX}${oldest.source}:${oldest.secret}`);
}

/** In the order of their names. */
export function listVerifications(sql: Sql): readonly VerificationEntry[] {
  return sql
    .all<{ name: string; value: string }>(
      "SELECT name, value FROM meta WHERE name >= ? AND name < ? ORDER BY name",
      PREFIX,
      AFTER_PREFIX,
    )
    .map(({ name, value }) => {
      const colon = name.indexOf(":", PREFIX.length);
      return { source: name.slice(PREFIX.length, colon), secret: name.slice(colon + 1), at: Number(value) };
    });
}
