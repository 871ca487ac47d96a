/** The partition's SQL port on `node:sqlite`: the same statements as in a Durable Object, without the object. */
import { DatabaseSync } from "node:sqlite";
import type { Sql, SqlValue } from "../../src/objects/sql.ts";

export interface NodeSql extends Sql {
  /** Rows written so far, by the platform's count for tables without secondary indexes: one per row changed. */
  readonly rowsWritten: () => number;
  readonly close: () => void;
}

/** Without a file's path, in memory. */
export function openNodeSql(path = ":memory:"): NodeSql {
  const database = new DatabaseSync(path);
  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  let depth = 0;
  let written = 0;
  const prepare = (query: string) => {
    let statement = statements.get(query);
    if (statement === undefined) statements.set(query, (statement = database.prepare(query)));
    return statement;
  };
  const pragma = (name: string) => Number(Object.values(prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  return {
    all: <Row extends Record<string, SqlValue>>(query: string, ...params: readonly SqlValue[]) =>
      prepare(query).all(...params) as Row[],
    run(query, ...params) {
      // Statements about tables hold on to the schema that they were prepared under.
      if (/^\s*(?:CREATE|DROP)/i.test(query)) {
        statements.clear();
        database.exec(query);
        return;
      }
      written += Number(prepare(query).run(...params).changes);
    },
    transaction<Value>(work: () => Value): Value {
      depth += 1;
      const name = `level_${depth}`;
      database.exec(`SAVEPOINT ${name}`);
      try {
        const value = work();
        database.exec(`RELEASE ${name}`);
        return value;
      } catch (error) {
        database.exec(`ROLLBACK TO ${name}`);
        database.exec(`RELEASE ${name}`);
        throw error;
      } finally {
        depth -= 1;
      }
    },
    bytes: () => (pragma("page_count") - pragma("freelist_count")) * pragma("page_size"),
    rowsWritten: () => written,
    close: () => database.close(),
  };
}
