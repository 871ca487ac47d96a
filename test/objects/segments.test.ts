import { describe, expect, it } from "vitest";
import { migrate } from "../../src/objects/schema.ts";
import type { SegmentKind, SegmentLimits } from "../../src/objects/segments.ts";
import { SEGMENT_LIMITS, needsSegment, openSegment, readSegments, retainSegments } from "../../src/objects/segments.ts";
import { openNodeSql } from "../support/node-sql.ts";

const LIMITS: SegmentLimits = {
  dedupWindowMs: 40,
  logWindowMs: 140,
  logBytesMax: 1_000_000_000,
  segmentMs: 10,
  segmentBytes: 100,
};

function openBench() {
  const sql = openNodeSql();
  migrate(sql);
  const tables = () =>
    sql
      .all<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB '*_[0-9]*' ORDER BY name")
      .map(({ name }) => name);
  const open = (kind: SegmentKind, n: number, now: number) => openSegment(sql, kind, n, now, now * 1_024);
  const fill = (table: string) =>
    sql.run(`INSERT INTO ${table} (seq, status, deliveries, event, body) VALUES (1, '', '', '', zeroblob(100000))`);
  return { sql, tables, open, fill };
}

describe("a segment", () => {
  it("is made of its tables and a row that is found again after a restart", () => {
    const { sql, tables, open } = openBench();
    const made = [open("dedup", 1, 5), open("log", 1, 6), open("log", 2, 7)];
    expect(tables()).toEqual("changes_1 changes_2 dead_1 dead_2 dedup_1 log_1 log_2 pack_1 pack_2".split(" "));
    expect(readSegments(sql)).toEqual(made);
  });

  it("gives way to the next one when its time is over", () => {
    const newest = openBench().open("log", 1, 100);
    expect(needsSegment(undefined, "log", 100, 0, LIMITS)).toBe(true);
    for (const kind of ["log", "dedup"] as const) {
      expect(needsSegment(newest, kind, 109, newest.bytesBefore, LIMITS)).toBe(false);
      expect(needsSegment(newest, kind, 110, newest.bytesBefore, LIMITS)).toBe(true);
    }
  });

  it("gives way when it has grown enough, if it holds events; identities are only cut in time", () => {
    const newest = openBench().open("log", 1, 100);
    expect(needsSegment(newest, "log", 100, newest.bytesBefore + 99, LIMITS)).toBe(false);
    expect(needsSegment(newest, "log", 100, newest.bytesBefore + 100, LIMITS)).toBe(true);
    expect(needsSegment(newest, "dedup", 100, newest.bytesBefore + 100, LIMITS)).toBe(false);
  });
});

describe("retention", () => {
  it("drops a segment whole when its youngest row is out of the window, and not before", () => {
    const { sql, tables, open } = openBench();
    let segments = [open("dedup", 1, 100), open("log", 1, 100), open("dedup", 2, 110)];
    segments = [...retainSegments(sql, segments, 149, LIMITS)];
    expect(tables()).toEqual(["changes_1", "dead_1", "dedup_1", "dedup_2", "log_1", "pack_1"]);
    segments = [...retainSegments(sql, segments, 150, LIMITS)];
    expect(tables()).toEqual(["changes_1", "dead_1", "dedup_2", "log_1", "pack_1"]);
    segments = [...retainSegments(sql, segments, 249, LIMITS)];
    expect(tables()).toEqual(["changes_1", "dead_1", "log_1", "pack_1"]);
    expect(readSegments(sql)).toEqual(segments);
    expect(retainSegments(sql, segments, 250, LIMITS)).toEqual([]);
    expect(tables()).toEqual([]);
    expect(readSegments(sql)).toEqual([]);
  });

  it("drops the oldest logs while the database is too large, but neither the dead nor what is open", () => {
    const { sql, tables, open, fill } = openBench();
    const empty = sql.bytes();
    const segments = [1, 2, 3].map((n) => open("log", n, n));
    for (const n of [1, 2, 3]) fill(`log_${n}`);
    fill("dead_1");
    const limits = { ...LIMITS, logBytesMax: empty + 400_000 };
    const dropped: number[] = [];
    const kept = retainSegments(sql, segments, 5, limits, (n) => dropped.push(n));
    expect(dropped).toEqual([1]);
    expect(tables()).toEqual("changes_2 changes_3 dead_1 dead_2 dead_3 log_2 log_3 pack_2 pack_3".split(" "));
    expect(kept.map(({ logDropped }) => logDropped)).toEqual([true, false, false]);
    expect(readSegments(sql)).toEqual(kept);
    const last = retainSegments(sql, kept, 5, { ...limits, logBytesMax: 0 });
    expect(tables()).toEqual(["changes_3", "dead_1", "dead_2", "dead_3", "log_3", "pack_3"]);
    expect(retainSegments(sql, last, 1_000, limits)).toEqual([]);
    expect(tables()).toEqual([]);
  });

  it("has few tables by its bounds, so that looking through all of them stays cheap", () => {
    const { dedupWindowMs, logWindowMs, segmentMs, segmentBytes, logBytesMax } = SEGMENT_LIMITS;
    expect(dedupWindowMs / segmentMs + 2).toBeLessThanOrEqual(6);
    expect(logWindowMs / segmentMs + logBytesMax / segmentBytes + 2).toBeLessThanOrEqual(32);
  });
});
