import { beforeAll, describe, expect, it } from "vitest";
import type { AcceptItem, LeasedWork } from "../../src/bus/ports.ts";
import type { Step } from "../../src/core/step.ts";
import { seqAtMs } from "../../src/core/receipt.ts";
import { DEDUP_WINDOW_MS, LOG_WINDOW_MS } from "../../src/core/windows.ts";
import { hashing } from "../../src/hashing.ts";
import { RETAIN_ROWS_MAX, openLanes } from "../../src/objects/lanes.ts";
import type { LedgerLimits } from "../../src/objects/ledger-limits.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import type { Ledger } from "../../src/objects/ledger.ts";
import { openLedger } from "../../src/objects/ledger.ts";
import { BLOCK_EVENTS, contentKey, openReplayGuard } from "../../src/objects/replay-guard.ts";
import { migrate } from "../../src/objects/schema.ts";
import { TABLES_DROPPED_MAX } from "../../src/objects/segments.ts";
import { NO_TARGETS, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { settlementFor } from "../support/deliveries.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DAYS = 120;
/** When every window has been full for some days. */
const FULL_AT_DAY = 24;
const STEP_MS = 3 * HOUR;
const EVENTS_A_STEP = 12;

interface Measure {
  readonly bytes: number;
  /** Rows of a table, or of all segments of a kind; how many of those there are. */
  readonly rows: Readonly<Record<string, number>>;
  readonly tables: number;
  readonly contents: number;
  readonly open: number;
}

/** Months of a partition's life in seconds: real windows, few events. */
function live(limits: LedgerLimits, days: number) {
  const sql = openNodeSql();
  migrate(sql);
  let ledger: Ledger = openLedger(sql, limits);
  let tokens = 0;
  let events = 0;
  let late: readonly LeasedWork[] = [];
  const newToken = () => `lease-${++tokens}`;
  const measures: Measure[] = [];

  const settle = (work: readonly Pick<LeasedWork, "lease">[], stepOf: (index: number) => Step, now: number) =>
    ledger.settle(
      {
        settlements: work.map(({ lease }, index) => settlementFor(lease, stepOf(index))),
        leasesMax: 0,
        withinMs: 0,
        ...NO_TARGETS,
      },
      now,
      newToken,
    );

  /** Each key and each number of a lane comes once; every 20th event is a repeat of an earlier one. */
  function nextItem(n: number): AcceptItem {
    // Of one length, so that what is compared later does not grow with it.
    const name = (number: number) => String(number).padStart(6, "0");
    const repeated = name(n % 20 === 19 ? n - 7 : n);
    const content = n % 20 === 18 ? name(Math.max(0, n - 50)) : repeated;
    const replay = { content: hashing.sha256(content), refuse: n % 40 === 38 };
    const lane =
      n % 3 === 0
        ? { lane: { id: `ordered-${repeated}` } }
        : { lane: { id: `numbered-${repeated}`, sequence: (n % 2) + 1, gapWaitMs: 60_000 } };
    const planned = { maxAgeMs: 3 * DAY, ...(n % 2 === 0 ? lane : {}) };
    return acceptItem(`event-${repeated}`, n % 10 === 9 ? [] : ["ci"], { replay, planned, redeliver: n % 60 === 59 });
  }

  function step(now: number): void {
    const items = Array.from({ length: EVENTS_A_STEP }, () => nextItem((events += 1)));
    const reply = ledger.accept(acceptRequest(`request-${events}`, items, 2), now);
    if (reply.kind !== "accepted") throw new Error(reply.kind);
    settle(
      reply.leases.map((lease) => ({ lease })),
      (index) => (index === 0 ? { kind: "delivered" } : { kind: "retry", delayMs: 60_000 }),
      now,
    );
    // Some leases are lost, the others settled: one in four is dead.
    const work = ledger.takeDue(now + 2 * 60_000, newToken);
    settle(
      [...late, ...work.slice(1)],
      (index) => (index % 4 === 0 ? { kind: "dead", reason: "status", detail: "404" } : { kind: "delivered" }),
      now + 2 * 60_000,
    );
    late = work.slice(0, 1);
  }

  function measure(): Measure {
    const names = sql
      .all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .map(({ name }) => name);
    const rows: Record<string, number> = {};
    for (const name of names) {
      const kind = name.replace(/_\d+$/, "");
      rows[kind] = (rows[kind] ?? 0) + Number(sql.all<{ n: number }>(`SELECT count(*) AS n FROM ${name}`)[0]?.n);
    }
    const guard = openReplayGuard(sql, () => []);
    return {
      bytes: sql.bytes(),
      rows,
      tables: names.length,
      contents: guard.size(),
      open: ledger.backlog().deliveries,
    };
  }

  for (let day = 0; day < days; day++) {
    for (let at = 0; at < DAY; at += STEP_MS) {
      const now = START + day * DAY + at;
      step(now);
      ledger.retain(now);
    }
    measures.push(measure());
    // Idle objects are put away, and begin with what the tables say.
    ledger = openLedger(sql, limits);
  }
  return { sql, measures, ledger: () => ledger };
}

describe.each([
  ["the windows of a release", LEDGER_LIMITS],
  ["a log that must give way to its size", { ...LEDGER_LIMITS, logBytesMax: 600_000, segmentBytes: 100_000 }],
])("a partition after months, with %s", (_name, limits) => {
  let measures: readonly Measure[] = [];
  beforeAll(() => {
    const lived = live(limits, DAYS);
    ({ measures } = lived);
    lived.sql.close();
  });

  /** The most of a measure in the days once all windows are full, and in the last ones. */
  function compare(of: (measure: Measure) => number): readonly [number, number] {
    const most = (days: readonly Measure[]) => Math.max(...days.map(of));
    return [most(measures.slice(FULL_AT_DAY, FULL_AT_DAY + 16)), most(measures.slice(-16))];
  }

  it("has no more bytes and tables than when its windows had filled", () => {
    for (const of of [({ bytes }: Measure) => bytes, ({ tables }: Measure) => tables]) {
      const [full, last] = compare(of);
      expect(last).toBeLessThanOrEqual(full * 1.05);
    }
  });

  it("has no more rows in any table", () => {
    const names = Object.keys(measures.at(-1)?.rows ?? {}).toSorted();
    expect(names).toEqual(
      "changes dead dedup lanes lanes_elsewhere log meta pack rejections replays segments targets work".split(" "),
    );
    for (const name of names) {
      const [full, last] = compare(({ rows }) => rows[name] ?? 0);
      expect(last, name).toBeLessThanOrEqual(Math.ceil(full * 1.05));
    }
  });

  it("had something to keep in each table that events fill", () => {
    for (const name of ["dead", "dedup", "lanes", "log", "replays", "segments", "work"]) {
      expect(compare(({ rows }) => rows[name] ?? 0)[1], name).toBeGreaterThan(1);
    }
  });

  it("remembers no more contents and open deliveries", () => {
    for (const of of [({ contents }: Measure) => contents, ({ open }: Measure) => open]) {
      const [full, last] = compare(of);
      expect(full).toBeGreaterThan(0);
      expect(last).toBeLessThanOrEqual(Math.ceil(full * 1.05));
    }
  });
});

describe("a partition that has been left alone for months", () => {
  it("lets go of everything but its facts, a few tables at a sweep", () => {
    const { sql, ledger } = live({ ...LEDGER_LIMITS, segmentMs: STEP_MS }, 16);
    const tables = () =>
      Number(sql.all<{ n: number }>("SELECT count(*) AS n FROM sqlite_master WHERE name GLOB '*_[0-9]*'")[0]?.n);
    const late = START + 30 * DAY;
    // What is open ends of age first.
    for (let n = 0; n < 10; n++) ledger().takeDue(late + n * 60_000, () => "lease");
    expect(ledger().backlog().deliveries).toBe(0);
    const end = late + 15 * DAY;
    let before = tables();
    expect(before).toBeGreaterThan(100);
    for (let sweeps = 0; before > 0 && sweeps < 1_000; sweeps++) {
      ledger().retain(end + sweeps * 900_000);
      const after = tables();
      expect(before - after).toBeGreaterThan(0);
      expect(before - after).toBeLessThanOrEqual(TABLES_DROPPED_MAX);
      before = after;
    }
    for (const name of ["segments", "work", "lanes", "replays"]) {
      expect(sql.all(`SELECT count(*) AS n FROM ${name}`), name).toEqual([{ n: 0 }]);
    }
  });
});

describe("the slices of retention", () => {
  it("come to every lane's row in the end, though each sweep finds a new process and live ones stand first", () => {
    const sql = openNodeSql();
    migrate(sql);
    const now = START + LOG_WINDOW_MS;
    const insert = (id: string, at: number) => sql.run("INSERT INTO lanes (id, passed, at) VALUES (?, 1, ?)", id, at);
    sql.transaction(() => {
      for (let n = 0; n < RETAIN_ROWS_MAX; n++) insert(`a-${String(n).padStart(5, "0")}`, now);
      for (let n = 0; n < RETAIN_ROWS_MAX; n++) insert(`b-${String(n).padStart(5, "0")}`, START);
      insert("c", START + 1);
      insert("d", START);
    });
    const counts = [0, 1, 2].map(() => {
      openLanes(sql).retain(now);
      return Number(sql.all<{ n: number }>("SELECT count(*) AS n FROM lanes")[0]?.n);
    });
    expect(counts).toEqual([2 * RETAIN_ROWS_MAX + 2, RETAIN_ROWS_MAX + 2, RETAIN_ROWS_MAX + 1]);
    expect(sql.all("SELECT name FROM meta WHERE name = 'lanes-retained-to'")).toEqual([]);
  });

  it("keep what the replay guard remembers within its window, in memory too", () => {
    const sql = openNodeSql();
    migrate(sql);
    const guard = openReplayGuard(sql, () => []);
    const sizes: number[] = [];
    for (let hour = 0; hour < 24 * 60; hour++) {
      const now = START + hour * HOUR;
      for (let n = 0; n < 20; n++) guard.accepted(seqAtMs(now) + n, contentKey(hashing.sha256(`${hour}/${n}`)));
      guard.retain(seqAtMs(now - DEDUP_WINDOW_MS));
      sizes.push(guard.size());
    }
    expect(Math.max(...sizes)).toBe((24 * 4 + 1) * 20);
    const blocks = Number(sql.all<{ n: number }>("SELECT count(*) AS n FROM replays")[0]?.n);
    expect(blocks).toBeLessThanOrEqual(Math.ceil((24 * 4 * 20) / BLOCK_EVENTS) + 1);
  });
});
