import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Delivery, PlannedLane } from "../../src/core/delivery.ts";
import { leaseDelivery, newDelivery } from "../../src/core/delivery.ts";
import type { Step } from "../../src/core/step.ts";
import { advanceDelivery, moveInLane, redriveDelivery, settleDelivery } from "../../src/core/transition.ts";
import { LOG_WINDOW_MS } from "../../src/core/windows.ts";
import type { Lanes } from "../../src/objects/lanes.ts";
import { RETAIN_ROWS_MAX, openLanes } from "../../src/objects/lanes.ts";
import { migrate } from "../../src/objects/schema.ts";
import { plannedFor, settlementFor } from "../support/deliveries.ts";
import type { NodeSql } from "../support/node-sql.ts";
import { openNodeSql } from "../support/node-sql.ts";

function openTables(): NodeSql {
  const sql = openNodeSql();
  migrate(sql);
  return sql;
}

/** Rows of events as `work` has them, and lanes that follow them. */
function openBench(sql: NodeSql = openTables()) {
  const rows = new Map<number, readonly Delivery[]>();
  const lanes = openLanes(sql);
  const change = (seq: number, deliveries: readonly Delivery[], now: number) => {
    lanes.follow(seq, rows.get(seq), deliveries, now);
    rows.set(seq, deliveries);
  };
  const settleDown = (now: number) => {
    for (let changes = lanes.arrange(now); changes.length > 0; changes = lanes.arrange(now)) {
      for (const each of changes) {
        const before = rows.get(each.member.seq) ?? [];
        const after = before.map((one) => (one.id === each.member.deliveryId ? moveInLane(one, each, now) : one));
        change(each.member.seq, after, now);
      }
    }
  };
  return {
    sql,
    lanes,
    rows,
    change,
    settleDown,
    add: (seq: number, ids: readonly string[], now = 0, more: Partial<PlannedLane> = {}) => {
      const deliveries = ids.map((id) =>
        newDelivery(plannedFor("ci", { id: `d${seq}${id}`, lane: { id, ...more }, maxAgeMs: 500 }), now),
      );
      change(seq, deliveries, now);
      settleDown(now);
    },
    state: (seq: number, index = 0) => rows.get(seq)?.[index]?.state.kind,
    /** What a new start makes of the rows. */
    restarted(): Lanes {
      const again = openLanes(sql);
      for (const [seq, deliveries] of [...rows].toSorted(([a], [b]) => a - b)) {
        if (deliveries.some(({ state }) => ["waiting", "queued", "leased", "parked"].includes(state.kind))) {
          again.follow(seq, undefined, deliveries, 0);
        }
      }
      again.recallGaps();
      return again;
    },
  };
}

function end(delivery: Delivery, now: number): Delivery {
  return { ...delivery, state: { kind: "delivered", at: now } };
}

describe("the lanes of a partition", () => {
  it("let one of each go, whatever the others do", () => {
    const { add, state, lanes, rows, change, settleDown } = openBench();
    add(1, ["a"]);
    add(2, ["a", "b"]);
    add(3, ["b"]);
    expect([state(1), state(2), state(2, 1), state(3)]).toEqual(["waiting", "queued", "waiting", "queued"]);
    expect(lanes.open(["a", "b", "c"]).map(({ id }) => id)).toEqual(["a", "b"]);
    change(
      1,
      (rows.get(1) ?? []).map((each) => end(each, 5)),
      5,
    );
    settleDown(5);
    expect(state(2)).toBe("waiting");
    expect(state(3)).toBe("queued");
  });

  it("are not there for deliveries without an order", () => {
    const { lanes, change } = openBench();
    change(1, [newDelivery(plannedFor("ci"), 0)], 0);
    expect(lanes.arrange(0)).toEqual([]);
    expect(lanes.nextAt()).toBeNull();
  });

  it("say when the first gap is over, and then let the one behind it go", () => {
    const { add, lanes, state, settleDown } = openBench();
    add(1, ["a"], 0, { sequence: 5, gapWaitMs: 90 });
    add(2, ["b"], 10, { sequence: 5, gapWaitMs: 50 });
    expect(lanes.nextAt()).toBe(60);
    settleDown(59);
    expect(state(2)).toBe("queued");
    settleDown(60);
    expect([state(1), state(2)]).toEqual(["queued", "waiting"]);
    expect(lanes.nextAt()).toBe(90);
  });

  it("forget a gap that nobody waits for any more", () => {
    const { add, lanes, change, rows, settleDown } = openBench();
    add(1, ["a"], 0, { sequence: 5, gapWaitMs: 90 });
    change(
      1,
      (rows.get(1) ?? []).map((each) => end(each, 5)),
      5,
    );
    settleDown(5);
    expect(lanes.nextAt()).toBeNull();
    expect(lanes.open(["a"])).toEqual([]);
  });

  it("let go only what was accepted before the first that another partition has, and the rest after that", () => {
    const { add, lanes, state, settleDown, change, rows } = openBench();
    lanes.holdFrom("a", 2);
    for (const seq of [1, 2, 3]) add(seq, ["a"]);
    add(4, ["b"]);
    expect([1, 2, 3, 4].map((seq) => state(seq))).toEqual(["waiting", "queued", "queued", "waiting"]);
    expect([lanes.isHeld("a"), lanes.anyHeld()]).toEqual([false, false]);
    const finished = (rows.get(1) ?? []).map((each) => end(each, 5));
    change(1, finished, 5);
    settleDown(5);
    expect(state(2)).toBe("queued");
    expect([lanes.isHeld("a"), lanes.isHeld("b"), lanes.anyHeld()]).toEqual([true, false, true]);
    lanes.holdFrom("never-seen", undefined);
    lanes.holdFrom("a", 3);
    settleDown(6);
    expect([state(2), state(3)]).toEqual(["waiting", "queued"]);
    expect(lanes.anyHeld()).toBe(false);
  });

  it("say of each lane which of its open deliveries was accepted first", () => {
    const { add, lanes } = openBench();
    add(7, ["a"], 0, { sequence: 9, gapWaitMs: 5 });
    add(8, ["a"], 0, { sequence: 1, gapWaitMs: 5 });
    expect(lanes.open(["a", "b"])).toEqual([{ id: "a", firstSeq: 7 }]);
  });

  it("park the next when the parked one has ended of age, and only then", () => {
    const { add, state, rows, change, settleDown } = openBench();
    const each = (seq: number, turn: (delivery: Delivery) => Delivery, now: number) => {
      change(seq, (rows.get(seq) ?? []).map(turn), now);
      settleDown(now);
    };
    for (const seq of [1, 2, 3]) add(seq, ["a"], seq);
    each(1, (one) => ({ ...one, state: { kind: "parked", at: 5, reason: "status", detail: "404" } }), 5);
    expect([state(1), state(2), state(3)]).toEqual(["parked", "queued", "queued"]);
    each(1, (one) => advanceDelivery(one, one.expiresAt), 501);
    expect([state(1), state(2), state(3)]).toEqual(["dead", "parked", "queued"]);
    each(2, (one) => redriveDelivery(one, 600), 600);
    expect([state(2), state(3)]).toEqual(["waiting", "queued"]);
    each(2, (one) => end(one, 700), 700);
    expect(state(3)).toBe("waiting");
  });
});

describe("how far a numbered lane has come", () => {
  const passedOf = (sql: NodeSql) => sql.all("SELECT id, passed, at FROM lanes ORDER BY id");

  it("is written when a number ends, only upwards, and known when the lane is empty and after a restart", () => {
    const bench = openBench();
    const { add, sql, change, rows } = bench;
    const finish = (seq: number, now: number) => {
      change(
        seq,
        (rows.get(seq) ?? []).map((each) => end(each, now)),
        now,
      );
      bench.settleDown(now);
    };
    add(1, ["a"], 0, { sequence: 1, gapWaitMs: 50 });
    expect(passedOf(sql)).toEqual([]);
    finish(1, 7);
    expect(passedOf(sql)).toEqual([{ id: "a", passed: 1, at: 7 }]);
    add(2, ["a"], 8, { sequence: 2, gapWaitMs: 50 });
    expect(bench.state(2)).toBe("waiting");
    finish(2, 9);
    add(3, ["a"], 10, { sequence: 1, gapWaitMs: 50 });
    expect(rows.get(3)?.[0]?.note).toBe("late: number 1 came after 2 had gone on");
    finish(3, 11);
    expect(passedOf(sql)).toEqual([{ id: "a", passed: 2, at: 9 }]);

    const again = openBench(sql);
    again.add(4, ["a"], 12, { sequence: 4, gapWaitMs: 50 });
    expect(again.state(4)).toBe("queued");
    again.add(5, ["a"], 13, { sequence: 3, gapWaitMs: 50 });
    expect([again.state(4), again.state(5)]).toEqual(["queued", "waiting"]);
  });

  it("is not written for lanes without numbers", () => {
    const { add, change, rows, sql, settleDown } = openBench();
    add(1, ["a"]);
    change(
      1,
      (rows.get(1) ?? []).map((each) => end(each, 1)),
      1,
    );
    settleDown(1);
    expect(passedOf(sql)).toEqual([]);
  });

  it("is forgotten when nothing was heard for as long as the log goes back, unless something is open", () => {
    const { sql, lanes, add } = openBench();
    const insert = (id: string, at: number) => sql.run("INSERT INTO lanes (id, passed, at) VALUES (?, 1, ?)", id, at);
    insert("old", 0);
    insert("open", 0);
    insert("young", 1);
    add(1, ["open"]);
    lanes.retain(LOG_WINDOW_MS - 1);
    expect(passedOf(sql)).toHaveLength(3);
    lanes.retain(LOG_WINDOW_MS);
    expect(passedOf(sql).map(({ id }) => id)).toEqual(["open", "young"]);
  });

  it("is forgotten a slice at a time, round and round, whether or not there was a restart between", () => {
    const { sql, lanes } = openBench();
    const open = "lane-000003";
    const count = 2 * RETAIN_ROWS_MAX + 5;
    sql.transaction(() => {
      for (let n = 0; n < count; n++) {
        sql.run("INSERT INTO lanes (id, passed, at) VALUES (?, 1, 0)", `lane-${String(n).padStart(6, "0")}`);
      }
    });
    const left = () => sql.all<{ n: number }>("SELECT COUNT(*) AS n FROM lanes")[0]?.n;
    const keep = (each: Lanes) =>
      each.follow(1, undefined, [newDelivery(plannedFor("ci", { lane: { id: open } }), 0)], 0);
    keep(lanes);
    lanes.retain(LOG_WINDOW_MS);
    expect(left()).toBe(count - RETAIN_ROWS_MAX + 1);
    const again = openLanes(sql);
    keep(again);
    again.retain(LOG_WINDOW_MS);
    expect(left()).toBe(6);
    again.retain(LOG_WINDOW_MS);
    expect(left()).toBe(1);
    sql.run("INSERT INTO lanes (id, passed, at) VALUES ('a', 1, 0)");
    again.retain(LOG_WINDOW_MS);
    expect(sql.all("SELECT id FROM lanes")).toEqual([{ id: open }]);
  });
});

describe("a restart", () => {
  const steps: readonly Step[] = [
    { kind: "delivered" },
    { kind: "retry", delayMs: 20 },
    { kind: "release", delayMs: 0 },
    { kind: "park", reason: "status", detail: "404" },
    { kind: "dead", reason: "status", detail: "404" },
    { kind: "cancelled", reason: "rule-off" },
  ];
  const move = fc.record({
    kind: fc.constantFrom("add", "add", "lend", "lend", "settle", "settle", "reopen", "pass"),
    n: fc.nat(1_000),
    m: fc.nat(1_000),
  });

  it("knows from the rows and the table what the running partition knows, whatever has happened", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40, size: "max" }), (moves) => {
        const bench = openBench();
        let [now, seqs] = [0, 0];
        const turn = (n: number, which: (delivery: Delivery) => boolean, to: (delivery: Delivery) => Delivery) => {
          const fitting = [...bench.rows].filter(([, deliveries]) => deliveries.some(which));
          const [seq, deliveries] = fitting[n % Math.max(1, fitting.length)] ?? [];
          if (seq === undefined || deliveries === undefined) return;
          bench.change(
            seq,
            deliveries.map((each) => (which(each) ? to(each) : each)),
            now,
          );
        };
        for (const { kind, n, m } of moves) {
          if (kind === "add") {
            const lane =
              n % 3 === 0 ? { sequence: m % 7, gapWaitMs: 60 } : n % 3 === 1 ? {} : { latest: true as const };
            bench.add(++seqs, m % 2 === 0 ? [`${n % 3}`] : [`${n % 3}`, `x${m % 2}`], now, lane);
          } else if (kind === "lend") {
            turn(
              n,
              ({ state }) => state.kind === "waiting" && state.dueAt <= now,
              (each) => leaseDelivery(each, "t", now),
            );
          } else if (kind === "settle") {
            const step = steps[m % steps.length] ?? { kind: "delivered" };
            turn(
              n,
              ({ state }) => state.kind === "leased",
              (each) => settleDelivery(each, settlementFor({ seq: 0, deliveryId: each.id, token: "t" }, step), now),
            );
          } else if (kind === "reopen")
            turn(
              n,
              () => true,
              (each) => redriveDelivery(each, now),
            );
          else {
            now += m % 200;
            for (const [seq, deliveries] of bench.rows) {
              bench.change(
                seq,
                deliveries.map((each) => advanceDelivery(each, now)),
                now,
              );
            }
          }
          bench.settleDown(now);

          const again = bench.restarted();
          expect(again.nextAt()).toBe(bench.lanes.nextAt());
          const ids = ["0", "1", "2", "x1"];
          expect(again.open(ids)).toEqual(bench.lanes.open(ids));
          // The rows are at rest, and both would do the same when time goes on.
          expect(again.arrange(now)).toEqual([]);
          const gapAt = again.nextAt();
          if (gapAt !== null) {
            const [here, there] = [bench.restarted(), again].map((each) =>
              each
                .arrange(gapAt)
                .map((change) => JSON.stringify(change))
                .toSorted(),
            );
            expect(there).toEqual(here);
            expect(here).not.toHaveLength(0);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
