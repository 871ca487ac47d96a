import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { DispatchJob } from "../../src/bus/ports.ts";
import { openEngine } from "../../src/objects/engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { SCHEMA_VERSION, migrate, readMeta, writeMeta } from "../../src/objects/schema.ts";
import { NO_TARGETS, PARTITION, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { settlementFor } from "../support/deliveries.ts";
import type { NodeSql } from "../support/node-sql.ts";
import { openNodeSql } from "../support/node-sql.ts";

/** What `released/v<n>.sql` was written at, and the numbers of its events. */
const WRITTEN_AT = Date.UTC(2026, 0, 1);
const SEQ = {
  delivered: 1809639014400000,
  unmatched: 1809639015424000,
  dead: 1809639016448000,
  open: 1809639017473024,
  failedOnce: 1809639018497024,
};

function releasedFile(version: number): string {
  return `${import.meta.dirname}/released/v${version}.sql`;
}

/** A database as the release with this schema version left it. */
function openReleased(version: number): NodeSql {
  const sql = openNodeSql();
  sql.run(readFileSync(releasedFile(version), "utf8").replace(/^--.*\n/gm, ""));
  return sql;
}

function schemaOf(sql: NodeSql) {
  return sql
    .all<{ name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '*_[0-9]*' ORDER BY name",
    )
    .map((table) => ({ ...table, sql: table.sql.replace(/\s+/g, " ") }));
}

const released = Array.from({ length: SCHEMA_VERSION - 1 }, (_, n) => n + 1);

describe("the migration of a partition's tables", () => {
  it("makes them once, and changes nothing the next time", () => {
    const sql = openNodeSql();
    migrate(sql);
    const schema = () => sql.all("SELECT name, sql FROM sqlite_master ORDER BY name");
    const made = schema();
    sql.run("INSERT INTO work (seq, due, deliveries, event) VALUES (1, 2, '[]', '{}')");
    const written = sql.rowsWritten();
    migrate(sql);
    expect(schema()).toEqual(made);
    expect(sql.rowsWritten()).toBe(written);
    expect(sql.all("SELECT seq FROM work")).toEqual([{ seq: 1 }]);
    expect(readMeta(sql, "schema")).toBe(String(SCHEMA_VERSION));
  });

  it("refuses tables that a newer Sluice has written, and says what to do", () => {
    const sql = openNodeSql();
    migrate(sql);
    writeMeta(sql, "schema", String(SCHEMA_VERSION + 1));
    expect(() => migrate(sql)).toThrow(
      `the partition's tables have version ${SCHEMA_VERSION + 1}, this Sluice knows up to ${SCHEMA_VERSION}: deploy the newer one again`,
    );
  });

  it("leaves nothing half done when it fails", () => {
    const sql = openNodeSql();
    sql.run("CREATE TABLE rejections (slot INTEGER PRIMARY KEY)");
    expect(() => migrate(sql)).toThrow();
    expect(sql.all("SELECT name FROM sqlite_master WHERE name IN ('work', 'meta')")).toEqual([]);
  });
});

describe("the facts about a partition", () => {
  it("are kept by name, the latest value of each", () => {
    const sql = openNodeSql();
    migrate(sql);
    expect(readMeta(sql, "name")).toBeUndefined();
    writeMeta(sql, "name", "a");
    writeMeta(sql, "name", "b");
    expect(readMeta(sql, "name")).toBe("b");
  });
});

describe("the databases that releases have left behind", () => {
  it("are here for every schema version before this one: whoever adds a migration writes the last one down first", () => {
    const missing = released.filter((version) => !existsSync(releasedFile(version)));
    expect(missing, "test/objects/released/v<n>.sql").toEqual([]);
    expect(existsSync(releasedFile(SCHEMA_VERSION))).toBe(false);
  });

  it.each(released)("hold version %i as its own migrations made it, with a row in every table", (version) => {
    const sql = openReleased(version);
    expect(readMeta(sql, "schema")).toBe(String(version));
    const tables = sql.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
    for (const { name } of tables) expect(sql.all(`SELECT count(*) AS n FROM ${name}`), name).not.toEqual([{ n: 0 }]);
  });
});

describe.each(released)("a partition of schema version %i, opened by this release", (version) => {
  function openOld() {
    const sql = openReleased(version);
    const jobs: DispatchJob[] = [];
    let now = WRITTEN_AT + 10_000;
    let tokens = 0;
    const engine = openEngine({
      sql,
      limits: LEDGER_LIMITS,
      setAlarm: () => {},
      handOver: async (job) => void jobs.push(job),
      askOpenLanes: async () => [],
      now: () => now,
      newToken: () => `new-${++tokens}`,
      log: (message) => expect(message).toBe(""),
    });
    engine.start(null);
    return {
      sql,
      engine,
      jobs,
      pass: (ms: number) => void (now += ms),
      settle: (work: DispatchJob["work"], kind: "delivered" = "delivered") =>
        engine.settle({
          settlements: work.map(({ lease }) => settlementFor(lease, { kind })),
          leasesMax: 0,
          withinMs: 0,
          ...NO_TARGETS,
        }),
    };
  }

  it("has the tables of a new one", () => {
    const fresh = openNodeSql();
    migrate(fresh);
    const { sql } = openOld();
    expect(schemaOf(sql)).toEqual(schemaOf(fresh));
    expect(readMeta(sql, "schema")).toBe(String(SCHEMA_VERSION));
  });

  it("delivers what was waiting, what was to be tried again, and what was lent out and never came back", async () => {
    const { engine, jobs, pass, settle } = openOld();
    expect(engine.backlog()).toMatchObject({ events: 2, deliveries: 3 });
    for (let minutes = 0; minutes < 3; minutes++, pass(60_000)) {
      await engine.alarm();
      settle(jobs.splice(0).flatMap(({ partition, work }) => (expect(partition).toBe(PARTITION), work)));
    }
    for (const seq of [SEQ.open, SEQ.failedOnce]) expect(engine.get(seq)?.status).toBe("delivered");
    expect(engine.get(SEQ.failedOnce)?.deliveries[0]?.attempts.map(({ outcome }) => outcome)).toEqual([
      "retryable",
      "delivered",
    ]);
    expect(engine.backlog()).toEqual({ events: 0, deliveries: 0, bytes: 0 });
  });

  it("takes the settle of a lease that it had given before", () => {
    const { engine, settle } = openOld();
    const lease = { seq: SEQ.open, deliveryId: "dlv_open_ci", token: "request-4#0/0" };
    engine.settle({
      settlements: [settlementFor(lease, { kind: "delivered" })],
      leasesMax: 0,
      withinMs: 0,
      ...NO_TARGETS,
    });
    settle([]);
    expect(engine.get(SEQ.open)?.deliveries.map(({ state }) => state.kind)).toEqual(["delivered", "waiting"]);
  });

  it("answers repeats of all that it has accepted, and the request whose answer was lost", () => {
    const { engine } = openOld();
    const items = [
      acceptItem("delivered", ["ci"]),
      acceptItem("unmatched", []),
      acceptItem("dead", ["ci", "audit"], { scope: "hook-1" }),
      acceptItem("open", ["ci", "audit"]),
      acceptItem("open", ["ci", "audit"], { content: "other" }),
      acceptItem("new", []),
    ];
    const reply = engine.accept(acceptRequest("request-9", items));
    expect(reply.kind === "accepted" ? reply.items.map(({ status, seq }) => [status, seq]).slice(0, 5) : reply).toEqual(
      [
        ["duplicate", SEQ.delivered],
        ["duplicate", SEQ.unmatched],
        ["duplicate", SEQ.dead],
        ["duplicate", SEQ.open],
        ["conflict", SEQ.open],
      ],
    );
    const again = engine.accept(acceptRequest("request-4", [acceptItem("open", ["ci", "audit"])], 1));
    expect(again).toMatchObject({ items: [{ status: "accepted", seq: SEQ.open }], leases: [{ target: "ci" }] });
  });

  it("lists and shows what it had, with a key where there was none", () => {
    const { engine } = openOld();
    const { events } = engine.list({ before: Number.MAX_SAFE_INTEGER, limit: 10, which: "all", filter: {} });
    expect(events.map(({ seq, status }) => [seq, status])).toEqual([
      [SEQ.failedOnce, "pending"],
      [SEQ.open, "pending"],
      [SEQ.dead, "dead"],
      [SEQ.unmatched, "unmatched"],
      [SEQ.delivered, "delivered"],
    ]);
    const dead = engine.list({ before: Number.MAX_SAFE_INTEGER, limit: 10, which: "dead", filter: {} });
    expect(dead.events.map(({ seq }) => seq)).toEqual([SEQ.dead]);
    expect(engine.get(SEQ.delivered)?.event.key).not.toBe("");
    expect(new TextDecoder().decode(engine.get(SEQ.delivered)?.event.body ?? undefined)).toBe(
      '{"content":"delivered"}',
    );
    expect(engine.listRejections(10)).toMatchObject([{ source: "github", count: 3 }]);
  });

  it("opens its dead deliveries again, by hand and by a redelivery", async () => {
    for (const open of [
      ({ engine }: ReturnType<typeof openOld>) => expect(engine.redrive(SEQ.dead, null)).toBe(1),
      ({ engine }: ReturnType<typeof openOld>) => {
        const item = acceptItem("dead", ["ci", "audit"], { scope: "hook-1", redeliver: true });
        expect(engine.accept(acceptRequest("again", [item]))).toMatchObject({ items: [{ redriven: 1 }] });
      },
    ]) {
      const old = openOld();
      open(old);
      expect(old.engine.get(SEQ.dead)?.deliveries.map(({ state }) => state.kind)).toEqual(["waiting", "delivered"]);
      await old.engine.alarm();
      old.settle(old.jobs.flatMap(({ work }) => work));
      expect(old.engine.get(SEQ.dead)?.status).toBe("delivered");
    }
  });

  it("numbers what comes next past all that it has, and lets the old go in time", () => {
    const { engine, sql, pass } = openOld();
    const reply = engine.accept(acceptRequest("t", [acceptItem("next", [])]));
    expect(reply.kind === "accepted" ? reply.items[0]?.seq : 0).toBeGreaterThan(SEQ.failedOnce);
    pass(30 * 86_400_000);
    for (let sweeps = 0; sweeps < 3; sweeps++) engine.wake(null, []);
    expect(sql.all("SELECT kind, n FROM segments")).toEqual([]);
    expect(engine.get(SEQ.dead)).toBeNull();
  });
});
