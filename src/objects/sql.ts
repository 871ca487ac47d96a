/**
 * The little of SQLite that the partition uses, so that one text of every statement runs in a Durable Object and on
 * `node:sqlite` in the simulation. Everything is synchronous: between two awaits, a Durable Object's writes are one commit.
 */
export type SqlValue = string | number | Uint8Array | null;

export interface Sql {
  readonly all: <Row extends Record<string, SqlValue>>(query: string, ...params: readonly SqlValue[]) => readonly Row[];
  readonly run: (query: string, ...params: readonly SqlValue[]) => void;
  /** Rolls every write back when `work` throws. An exception alone rolls nothing back in a Durable Object. */
  readonly transaction: <Value>(work: () => Value) => Value;
  /** Bytes that the database uses, free pages not counted. */
  readonly bytes: () => number;
}
