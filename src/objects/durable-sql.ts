import type { Sql, SqlValue } from "./sql.ts";

/** The object's SQLite behind `Sql`. Blobs come back as ArrayBuffer; everything else here wants bytes. */
export function openSql(storage: DurableObjectStorage): Sql {
  const toRow = (row: Record<string, SqlStorageValue>) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value instanceof ArrayBuffer ? new Uint8Array(value) : value]),
    ) as Record<string, SqlValue>;
  return {
    all: <Row extends Record<string, SqlValue>>(query: string, ...params: readonly SqlValue[]) =>
      storage.sql
        .exec(query, ...params)
        .toArray()
        .map(toRow) as Row[],
    run: (query, ...params) => {
      storage.sql.exec(query, ...params);
    },
    transaction: (work) => storage.transactionSync(work),
    bytes: () => storage.sql.databaseSize,
  };
}
