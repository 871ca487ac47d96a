/**
 * The partition's tables and their versions. `docs/storage.md` describes every column; change both together.
 * The version stands in a table of its own because Durable Objects refuse `PRAGMA user_version`.
 */
import { createPackTables } from "./segments.ts";
import type { Sql } from "./sql.ts";

/**
 * One entry per schema version, run in order, each once. Entries of a released version are never edited: a change is a new
 * entry. Tables that are cut in segments are made by `segments.ts` when a segment opens.
 */
const MIGRATIONS: readonly ((sql: Sql) => void)[] = [
  (sql) => {
    sql.run(`CREATE TABLE work (
      seq INTEGER PRIMARY KEY,
      due INTEGER NOT NULL,
      deliveries TEXT NOT NULL,
      event TEXT NOT NULL,
      body BLOB
    )`);
    sql.run(`CREATE TABLE segments (
      kind TEXT NOT NULL,
      n INTEGER NOT NULL,
      opened_at INTEGER NOT NULL,
      first_seq INTEGER NOT NULL,
      bytes_before INTEGER NOT NULL,
      log_dropped INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (kind, n)
    ) WITHOUT ROWID`);
    sql.run(`CREATE TABLE rejections (
      slot INTEGER PRIMARY KEY,
      n INTEGER NOT NULL,
      at INTEGER NOT NULL,
      source TEXT NOT NULL,
      reason TEXT NOT NULL,
      count INTEGER NOT NULL,
      detail TEXT NOT NULL
    )`);
  },
  (sql) => {
    sql.run("CREATE TABLE lanes (id TEXT PRIMARY KEY, passed INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID");
    sql.run(`CREATE TABLE targets (
      name TEXT PRIMARY KEY,
      version INTEGER NOT NULL,
      kind TEXT NOT NULL,
      reason TEXT NOT NULL,
      until INTEGER NOT NULL
    ) WITHOUT ROWID`);
    sql.run("CREATE TABLE replays (last_seq INTEGER PRIMARY KEY, entries BLOB NOT NULL)");
    sql.run("CREATE TABLE lanes_elsewhere (id TEXT, partition TEXT, PRIMARY KEY (id, partition)) WITHOUT ROWID");
  },
  (sql) => {
    const logs = sql.all<{ n: number }>("SELECT n FROM segments WHERE kind = 'log' AND log_dropped = 0");
    for (const { n } of logs) createPackTables(sql, n);
  },
];

export const SCHEMA_VERSION = MIGRATIONS.length;

export function migrate(sql: Sql): void {
  runMigrations(sql, MIGRATIONS, "the partition's tables have");
}

/**
 * Brings an object's tables to the newest version, all in one transaction. Refuses a database that a newer Sluice has written;
 * `tables` begins the sentence that says so.
 */
export function runMigrations(sql: Sql, migrations: readonly ((sql: Sql) => void)[], tables: string): void {
  const newest = migrations.length;
  sql.transaction(() => {
    sql.run("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    const version = Number(readMeta(sql, "schema") ?? "0");
    if (version > newest) {
      throw new Error(`${tables} version ${version}, this Sluice knows up to ${newest}: deploy the newer one again`);
    }
    for (const migration of migrations.slice(version)) migration(sql);
    if (version < newest) writeMeta(sql, "schema", String(newest));
  });
}

export function readMeta(sql: Sql, name: string): string | undefined {
  return sql.all<{ value: string }>("SELECT value FROM meta WHERE name = ?", name)[0]?.value;
}

export function writeMeta(sql: Sql, name: string, value: string): void {
  sql.run("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value);
}

export function deleteMeta(sql: Sql, name: string): void {
  sql.run("DELETE FROM meta WHERE name = ?", name);
}
