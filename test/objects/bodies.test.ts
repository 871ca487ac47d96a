import { describe, expect, test } from "vitest";
import { BODY_KEYS_MAX, openBodies } from "../../src/objects/bodies.ts";
import { openEngine } from "../../src/objects/engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { NO_TARGETS, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { settlementFor } from "../support/deliveries.ts";
import type { NodeSql } from "../support/node-sql.ts";
import { openNodeSql } from "../support/node-sql.ts";

const DAY_MS = 86_400_000;

function engineOn(sql: NodeSql, clock: { now: number }) {
  let tokens = 0;
  const engine = openEngine({
    sql,
    limits: LEDGER_LIMITS,
    setAlarm: () => {},
    handOver: async () => {},
    askOpenLanes: async () => [],
    now: () => clock.now,
    newToken: () => `token-${++tokens}`,
    log: () => {},
  });
  engine.start(null);
  return engine;
}

function largeItem(id: string, key: string, targets: readonly string[]) {
  const item = acceptItem(id, targets);
  return { ...item, event: { ...item.event, body: null, large: { key, bytes: 2_000_000 } } };
}

const tables = (sql: NodeSql) => sql.all("SELECT name FROM sqlite_master WHERE name = 'bodies'").length;

describe("bodies of a partition's events", () => {
  test("are known while the event is there, open or ended, and no others", () => {
    const sql = openNodeSql();
    const engine = engineOn(sql, { now: Date.UTC(2026, 0, 1) });
    engine.accept(acceptRequest("a", [acceptItem("plain", ["ci"])], 0));
    expect(tables(sql)).toBe(0);
    expect(engine.keptBodies(["k1"])).toEqual([]);
    const reply = engine.accept(acceptRequest("b", [largeItem("large", "k1", ["ci"])], 6));
    engine.accept(acceptRequest("c", [largeItem("unmatched", "k2", [])], 0));
    expect(engine.keptBodies(["k0", "k2", "k1"])).toEqual(["k2", "k1"]);
    if (reply.kind !== "accepted") throw new Error("it is accepted");
    const settlements = reply.leases.map((lease) => settlementFor(lease, { kind: "delivered" }));
    engine.settle({ settlements, leasesMax: 0, withinMs: 0, ...NO_TARGETS });
    expect(engine.keptBodies(["k1"])).toEqual(["k1"]);
    // Read from the tables again.
    expect(engineOn(sql, { now: Date.UTC(2026, 0, 1) }).get(reply.items[0]?.seq ?? 0)?.event).toMatchObject({
      body: null,
      large: { key: "k1", bytes: 2_000_000 },
    });
  });

  test("are not those of repeats, conflicts and refused requests", () => {
    const sql = openNodeSql();
    const engine = engineOn(sql, { now: Date.UTC(2026, 0, 1) });
    engine.accept(acceptRequest("a", [largeItem("one", "k1", ["ci"])], 0));
    const again = engine.accept(acceptRequest("b", [largeItem("one", "k2", ["ci"])], 0));
    expect(again).toMatchObject({ items: [{ status: "duplicate" }] });
    expect(engine.keptBodies(["k1", "k2"])).toEqual(["k1"]);
  });

  test("are forgotten when the event has left the log, and never while a delivery is open", () => {
    const sql = openNodeSql();
    const clock = { now: Date.UTC(2026, 0, 1) };
    const engine = engineOn(sql, clock);
    engine.accept(acceptRequest("a", [largeItem("ended", "k1", [])], 0));
    engine.accept(acceptRequest("b", [largeItem("open", "k2", ["ci"])], 0));
    clock.now += 14 * DAY_MS;
    engine.wake(null, []);
    expect(engine.keptBodies(["k1", "k2"])).toEqual(["k1", "k2"]);
    clock.now += 2 * DAY_MS;
    engine.wake(null, []);
    expect(engine.keptBodies(["k1", "k2"])).toEqual(["k2"]);
    expect(sql.all("SELECT key FROM bodies")).toEqual([{ key: "k2" }]);
  });

  test("cost one row, and plain events none", () => {
    const sql = openNodeSql();
    const engine = engineOn(sql, { now: Date.UTC(2026, 0, 1) });
    engine.accept(acceptRequest("warm-up", [largeItem("first", "k0", [])], 0));
    const rowsOf = (token: string, item: ReturnType<typeof acceptItem>) => {
      const before = sql.rowsWritten();
      engine.accept(acceptRequest(token, [item], 0));
      return sql.rowsWritten() - before;
    };
    const plain = rowsOf("a", acceptItem("plain", ["ci"]));
    expect(rowsOf("b", largeItem("large", "k1", ["ci"]))).toBe(plain + 1);
  });

  test("are asked about so many at a time, and no more", () => {
    const sql = openNodeSql();
    const bodies = openBodies(sql);
    const keys = Array.from({ length: BODY_KEYS_MAX }, (_, n) => `k${n}`);
    for (const [n, key] of keys.entries()) bodies.add(key, n);
    expect(bodies.kept(keys, () => true)).toEqual(keys);
    // What is not looked at must not look as if nobody knew it.
    expect(() => bodies.kept([...keys, "one more"], () => true)).toThrow("at most 1000");
  });

  test("of a transaction that failed are not known", () => {
    const sql = openNodeSql();
    const bodies = openBodies(sql);
    expect(() =>
      sql.transaction(() => {
        bodies.add("k1", 1);
        throw new Error("rolled back");
      }),
    ).toThrow("rolled back");
    expect(openBodies(sql).kept(["k1"], () => true)).toEqual([]);
  });
});
