/**
 * Which bodies of the store belong to events of this partition: a row for each, written with the event. The table is made with
 * the first of them, so that a partition without large events has none.
 */
import type { Sql } from "./sql.ts";

/** Keys of one question: those of one page of the store. */
export const BODY_KEYS_MAX = 1_000;

export interface Bodies {
  readonly add: (key: string, seq: number) => void;
  /** Of these keys those whose event is there, in the order of the question; forgets the others. */
  readonly kept: (keys: readonly string[], hasEvent: (seq: number) => boolean) => readonly string[];
}

export function openBodies(sql: Sql): Bodies {
  let exists = false;

  function isThere(): boolean {
    exists ||= sql.all("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'bodies'").length > 0;
    return exists;
  }

  return {
    add(key, seq) {
      if (!isThere()) {
        sql.run("CREATE TABLE bodies (key TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID");
      }
      sql.run("INSERT OR REPLACE INTO bodies (key, seq) VALUES (?, ?)", key, seq);
    },

    kept(keys, hasEvent) {
      if (keys.length > BODY_KEYS_MAX)
        throw new Error(`a partition is asked about at most ${BODY_KEYS_MAX} bodies, not ${keys.length}`);
      if (!isThere()) return [];
      return keys.filter((key) => {
        const seq = sql.all<{ seq: number }>("SELECT seq FROM bodies WHERE key = ?", key)[0]?.seq;
        if (seq === undefined) return false;
        if (hasEvent(seq)) return true;
        sql.run("DELETE FROM bodies WHERE key = ?", key);
        return false;
      });
    },
  };
}
