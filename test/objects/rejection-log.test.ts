import { describe, expect, it } from "vitest";
import type { RejectionEntry } from "../../src/bus/ports.ts";
import {
  REJECTIONS_KEPT_MAX,
  REJECTIONS_PER_CALL_MAX,
  listRejections,
  recordRejections,
} from "../../src/objects/rejection-log.ts";
import { migrate } from "../../src/objects/schema.ts";
import { openNodeSql } from "../support/node-sql.ts";

function entry(at: number): RejectionEntry {
  return { at, source: "github", reason: "wrong-signature", count: 2, detail: "no" };
}

function entries(from: number, count: number): readonly RejectionEntry[] {
  return Array.from({ length: count }, (_, index) => entry(from + index));
}

function openLog() {
  const sql = openNodeSql();
  migrate(sql);
  return sql;
}

describe("the record of rejections", () => {
  it("is read newest first, as many as asked for", () => {
    const sql = openLog();
    recordRejections(sql, entries(1, 2));
    recordRejections(sql, entries(3, 1));
    expect(listRejections(sql, 10)).toEqual([entry(3), entry(2), entry(1)]);
    expect(listRejections(sql, 1)).toEqual([entry(3)]);
  });

  it("keeps the newest thousand, in a ring that overwrites the oldest", () => {
    const sql = openLog();
    for (let from = 1; from <= REJECTIONS_KEPT_MAX; from += REJECTIONS_PER_CALL_MAX) {
      recordRejections(sql, entries(from, REJECTIONS_PER_CALL_MAX));
    }
    expect(listRejections(sql, 2_000)).toHaveLength(REJECTIONS_KEPT_MAX);
    expect(listRejections(sql, 2_000).at(-1)).toEqual(entry(1));
    recordRejections(sql, entries(REJECTIONS_KEPT_MAX + 1, 1));
    const kept = listRejections(sql, 2_000);
    expect(kept).toHaveLength(REJECTIONS_KEPT_MAX);
    expect([kept[0], kept.at(-1)]).toEqual([entry(REJECTIONS_KEPT_MAX + 1), entry(2)]);
  });

  it("takes no more than its bound in one call", () => {
    const sql = openLog();
    recordRejections(sql, entries(1, REJECTIONS_PER_CALL_MAX + 1));
    expect(listRejections(sql, 2_000)).toHaveLength(REJECTIONS_PER_CALL_MAX);
  });

  it("goes on where it was after a restart", () => {
    const sql = openLog();
    recordRejections(sql, entries(1, 3));
    migrate(sql);
    recordRejections(sql, entries(4, 1));
    expect(listRejections(sql, 10).map(({ at }) => at)).toEqual([4, 3, 2, 1]);
  });
});
