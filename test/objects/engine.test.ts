import { describe, expect, it } from "vitest";
import type { DispatchJob } from "../../src/bus/ports.ts";
import { LEASE_MARGIN_MS } from "../../src/core/delivery.ts";
import type { Engine, EnginePorts } from "../../src/objects/engine.ts";
import { ALARM_LATE_MS, openEngine } from "../../src/objects/engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { NO_TARGETS, PARTITION, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { PLANNED, settlementFor } from "../support/deliveries.ts";
import { laneItem } from "../support/ledger-bench.ts";
import type { NodeSql } from "../support/node-sql.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = Date.UTC(2026, 0, 1);
const LEASE_MS = PLANNED.timeoutMs + LEASE_MARGIN_MS;
const ids = (count: number) => Array.from({ length: count }, (_, index) => acceptItem(`e${index}`, ["ci"]));

/** An engine whose alarm, clock and dispatcher are the test's. */
function openBench(changes: Partial<EnginePorts> = {}, sql: NodeSql = openNodeSql()) {
  const alarms: number[] = [];
  const jobs: DispatchJob[] = [];
  const logs: string[] = [];
  let now = START;
  let tokens = 0;
  const boot = () =>
    openEngine({
      sql,
      limits: LEDGER_LIMITS,
      setAlarm: (at) => void alarms.push(at),
      handOver: (job) => {
        jobs.push(job);
        return Promise.resolve();
      },
      askOpenLanes: () => Promise.resolve([]),
      now: () => now,
      newToken: () => `lease-${++tokens}`,
      log: (message) => void logs.push(message),
      ...changes,
    });
  const engine = boot();
  engine.start(null);
  return {
    sql,
    engine,
    boot,
    alarms,
    jobs,
    logs,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

describe("the alarm of a partition", () => {
  it("is not set while nothing is open", () => {
    const { engine, alarms } = openBench();
    engine.accept(acceptRequest("t", [acceptItem("a", [])]));
    engine.wake(null, []);
    expect(alarms).toEqual([]);
  });

  it("is set to the end of the leases that an accept gave, or to now for what it did not give", () => {
    const leased = openBench();
    leased.engine.accept(acceptRequest("t", ids(1), 1));
    expect(leased.alarms).toEqual([START + LEASE_MS]);
    const waiting = openBench();
    waiting.engine.accept(acceptRequest("t", ids(1), 0));
    expect(waiting.alarms).toEqual([START]);
  });

  it("is set once while nothing is due earlier, and again for what is", () => {
    const { engine, alarms, pass } = openBench();
    engine.accept(acceptRequest("t1", [acceptItem("a", ["ci"])], 1));
    pass(10);
    engine.accept(acceptRequest("t2", [acceptItem("b", ["ci"])], 1));
    expect(alarms).toEqual([START + LEASE_MS]);
    const reply = engine.accept(acceptRequest("t3", [acceptItem("c", ["ci"])], 1));
    const [lease] = reply.kind === "accepted" ? reply.leases : [];
    if (lease === undefined) throw new Error("one was asked for");
    engine.settle({
      settlements: [settlementFor(lease, { kind: "retry", delayMs: 500 })],
      leasesMax: 0,
      withinMs: 0,
      ...NO_TARGETS,
    });
    expect(alarms).toEqual([START + LEASE_MS, START + 510]);
  });

  it("hands what is due to one dispatcher, four to a target, and is set for now while more is due", async () => {
    const { engine, alarms, jobs, pass } = openBench();
    engine.accept(acceptRequest("t", ids(6)));
    pass(5);
    await engine.alarm();
    await engine.alarm();
    await engine.alarm();
    expect(jobs.map(({ partition, work, holder }) => [partition, work.length, holder])).toEqual([
      [PARTITION, 4, "alarm"],
      [PARTITION, 2, "alarm"],
    ]);
    expect(alarms).toEqual([START, START + 5, START + 5 + LEASE_MS, START + 5 + LEASE_MS]);
  });

  it("knows the partition's name after a restart", async () => {
    const { engine, boot, jobs } = openBench();
    engine.accept(acceptRequest("t", ids(1)));
    const again = boot();
    again.start(START);
    await again.alarm();
    expect(jobs.map(({ partition }) => partition)).toEqual([PARTITION]);
  });

  it("survives a dispatcher that can't be reached: the leases run out and go out again", async () => {
    const { engine, alarms, logs, pass } = openBench({ handOver: () => Promise.reject(new Error("gone")) });
    engine.accept(acceptRequest("t", ids(1)));
    await engine.alarm();
    expect(logs).toEqual(["dispatch.failed"]);
    pass(LEASE_MS);
    await engine.alarm();
    expect(alarms).toEqual([START, START + LEASE_MS, START + 2 * LEASE_MS]);
  });

  it("never throws: after a failure it looks again in five seconds", async () => {
    const sql = openNodeSql();
    let broken = false;
    const flaky: NodeSql = {
      ...sql,
      run(query, ...params) {
        if (broken && query.startsWith("INSERT INTO changes_")) throw new Error("disk I/O error");
        sql.run(query, ...params);
      },
    };
    const { engine, alarms, jobs, logs } = openBench({}, flaky);
    engine.accept(acceptRequest("t", ids(1)));
    broken = true;
    await engine.alarm();
    expect(logs).toEqual(["alarm.failed"]);
    expect(jobs).toEqual([]);
    expect(alarms).toEqual([START, START + 5_000]);
    broken = false;
    await engine.alarm();
    expect(jobs).toHaveLength(1);
  });

  it("is set anew at a start that finds open work and none on record, or one that should have rung long ago", () => {
    const { engine, boot, alarms } = openBench();
    engine.accept(acceptRequest("t", ids(1), 1));
    expect(alarms).toEqual([START + LEASE_MS]);
    boot().start(START + LEASE_MS);
    expect(alarms).toHaveLength(1);
    boot().start(START + LEASE_MS + 60_000);
    boot().start(null);
    boot().start(START - 1);
    expect(alarms.slice(1)).toEqual([START + LEASE_MS, START + LEASE_MS, START + LEASE_MS]);
  });

  it("is believed for five seconds past its time, then set anew by the sweep", () => {
    const { engine, alarms, pass } = openBench();
    engine.accept(acceptRequest("t", ids(1), 1));
    pass(LEASE_MS + ALARM_LATE_MS - 1);
    engine.wake(START + LEASE_MS, []);
    expect(alarms).toEqual([START + LEASE_MS]);
    pass(1);
    engine.wake(START + LEASE_MS, []);
    expect(alarms).toEqual([START + LEASE_MS, START + LEASE_MS + ALARM_LATE_MS]);
  });

  it("is set anew by any call when it stays on record and does not ring", () => {
    const calls: readonly ((engine: Engine) => unknown)[] = [
      (engine) => engine.accept(acceptRequest("t2", [acceptItem("b", ["ci"])], 1)),
      (engine) => engine.accept(acceptRequest("t2", [acceptItem("b", [])], 0)),
      (engine) => engine.settle({ settlements: [], leasesMax: 0, withinMs: 0, ...NO_TARGETS }),
      (engine) => engine.setTargetStatuses([]),
      (engine) => engine.redrive(5, null),
    ];
    for (const call of calls) {
      const { engine, alarms, pass } = openBench();
      engine.accept(acceptRequest("t", ids(1), 1));
      pass(LEASE_MS + ALARM_LATE_MS - 1);
      call(engine);
      expect(alarms).toEqual([START + LEASE_MS]);
      pass(1);
      call(engine);
      expect(alarms).toEqual([START + LEASE_MS, START + LEASE_MS + ALARM_LATE_MS]);
      // The new one is believed as long as the first was.
      pass(ALARM_LATE_MS - 1);
      call(engine);
      expect(alarms).toHaveLength(2);
    }
  });

  it("is not believed at a start when its time has come, and is when it has not", () => {
    const { engine, boot, alarms, pass } = openBench();
    engine.accept(acceptRequest("t", ids(1), 1));
    pass(LEASE_MS - 1);
    boot().start(START + LEASE_MS);
    expect(alarms).toHaveLength(1);
    pass(1);
    boot().start(START + LEASE_MS);
    expect(alarms).toEqual([START + LEASE_MS, START + LEASE_MS]);
  });

  it("that rings twice lends what is due once", async () => {
    const { engine, boot, jobs, pass } = openBench();
    engine.accept(acceptRequest("t", ids(1), 1));
    pass(LEASE_MS);
    const again = boot();
    again.start(START + LEASE_MS);
    await again.alarm();
    await again.alarm();
    expect(jobs.map(({ work }) => work.length)).toEqual([1]);
  });

  it("is at the end of a gap that a lane waits for, also after a restart, and lets it go on", async () => {
    const { engine, boot, alarms, jobs, pass } = openBench();
    const gapped = laneItem("a", "k", { sequence: 5, gapWaitMs: 30_000 });
    engine.accept(acceptRequest("t", [gapped], 1));
    expect(alarms).toEqual([START + 30_000]);
    const again = boot();
    again.start(null);
    expect(alarms).toEqual([START + 30_000, START + 30_000]);
    pass(30_000);
    await again.alarm();
    expect(jobs.map(({ work }) => work.map(({ event }) => event.attributes.id))).toEqual([["a"]]);
  });

  it("is set anew by the sweep when it was lost", () => {
    const { engine, alarms } = openBench();
    engine.accept(acceptRequest("t", ids(1), 1));
    expect(engine.wake(START + LEASE_MS, [])).toMatchObject({ events: 1, deliveries: 1 });
    expect(alarms).toHaveLength(1);
    engine.wake(null, []);
    expect(alarms).toEqual([START + LEASE_MS, START + LEASE_MS]);
  });
});

describe("a call that fails half-way", () => {
  it("leaves nothing behind, in the tables or in memory", () => {
    const sql = openNodeSql();
    let broken = false;
    const flaky: NodeSql = {
      ...sql,
      run(query, ...params) {
        if (broken && query.startsWith("INSERT INTO pack_")) throw new Error("disk full");
        sql.run(query, ...params);
      },
    };
    const { engine } = openBench({}, flaky);
    broken = true;
    expect(() => engine.accept(acceptRequest("t", ids(2), 2))).toThrow("disk full");
    broken = false;
    expect(engine.backlog()).toEqual({ events: 0, deliveries: 0, bytes: 0 });
    const reply = engine.accept(acceptRequest("t2", ids(2), 2));
    expect(reply).toMatchObject({ items: [{ status: "accepted" }, { status: "accepted" }] });
    expect(engine.list({ before: Number.MAX_SAFE_INTEGER, limit: 10, which: "all", filter: {} }).events).toHaveLength(
      2,
    );
  });
});

describe("what the admin asks of a partition", () => {
  it("is answered with null for an event that is not there", () => {
    const { engine } = openBench();
    expect(engine.get(5)).toBeNull();
    expect(engine.redrive(5, null)).toBeNull();
  });

  it("opens dead deliveries again, with an alarm for them", () => {
    const { engine, alarms, pass } = openBench();
    const reply = engine.accept(acceptRequest("t", ids(1), 1));
    if (reply.kind !== "accepted") throw new Error(reply.kind);
    const settlements = reply.leases.map((lease) =>
      settlementFor(lease, { kind: "dead", reason: "status", detail: "404" }),
    );
    engine.settle({ settlements, leasesMax: 0, withinMs: 0, ...NO_TARGETS });
    const seq = reply.items[0]?.seq ?? 0;
    expect(engine.get(seq)?.status).toBe("dead");
    pass(1_000);
    expect(engine.redrive(seq, null)).toBe(1);
    expect(engine.get(seq)?.status).toBe("pending");
    expect(alarms.at(-1)).toBe(START + 1_000);
  });
});
