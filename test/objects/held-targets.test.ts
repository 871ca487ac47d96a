import { describe, expect, it } from "vitest";
import type { TargetState } from "../../src/bus/gate-ports.ts";
import type { AcceptItem, DispatchJob, LeasedWork, SettleRequest } from "../../src/bus/ports.ts";
import type { Settlement } from "../../src/core/delivery.ts";
import type { Step } from "../../src/core/step.ts";
import { LEASE_MARGIN_MS } from "../../src/core/delivery.ts";
import { openEngine } from "../../src/objects/engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { NO_TARGETS, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { PLANNED, settlementFor } from "../support/deliveries.ts";
import { FREE, GATED, PAUSED, statusOf } from "../support/gates.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const LEASE_MS = PLANNED.timeoutMs + LEASE_MARGIN_MS;
const DELIVERED: Step = { kind: "delivered" };
const RETRY: Step = { kind: "retry", delayMs: 60_000 };

/** A partition on a clock that jumps from alarm to alarm; `work` is told of everything that a dispatcher gets. */
function openBench() {
  const sql = openNodeSql();
  let now = START;
  let alarmAt: number | null = null;
  let tokens = 0;
  let rings = 0;
  const got: (LeasedWork & { readonly at: number })[] = [];
  let work: (job: DispatchJob) => void = () => {};
  const boot = () =>
    openEngine({
      sql,
      limits: LEDGER_LIMITS,
      setAlarm: (at) => void (alarmAt = at),
      handOver: async (job) => {
        got.push(...job.work.map((each) => ({ ...each, at: now })));
        work(job);
      },
      askOpenLanes: async () => [],
      now: () => now,
      newToken: () => `lease-${++tokens}`,
      log: (message) => expect(message).toBe(""),
    });
  let engine = boot();
  engine.start(null);
  const settle = (settlements: readonly Settlement[], changes: Partial<SettleRequest> = {}) =>
    engine.settle({ settlements, leasesMax: 0, withinMs: 1e9, ...NO_TARGETS, ...changes });
  return {
    engine: () => engine,
    now: () => now,
    alarmAt: () => alarmAt,
    rings: () => rings,
    got,
    settle,
    restart: () => {
      engine = boot();
      engine.start(alarmAt);
    },
    onWork: (does: (job: DispatchJob) => void) => {
      work = does;
    },
    tell: (state: TargetState, version: number) => engine.setTargetStatuses([statusOf("ci", state, version)]),
    accept: (items: readonly AcceptItem[], leasesMax = 0) => {
      const reply = engine.accept(acceptRequest(`accept-${items[0]?.event.attributes.id}`, items, leasesMax));
      if (reply.kind !== "accepted") throw new Error(reply.kind);
      return reply;
    },
    /** Lets time pass; every alarm rings when it is due. */
    pass: async (ms: number) => {
      const end = now + ms;
      while (alarmAt !== null && alarmAt <= end) {
        now = Math.max(now, alarmAt);
        alarmAt = null;
        rings += 1;
        if (rings > 100_000) throw new Error("the alarm spins");
        await engine.alarm();
      }
      now = end;
    },
    settleAll: (work: readonly LeasedWork[], step: Step, changes: Partial<SettleRequest> = {}) =>
      settle(
        work.map(({ lease }) => settlementFor(lease, step)),
        changes,
      ),
  };
}

const events = (count: number, planned: Parameters<typeof acceptItem>[2] = {}) =>
  Array.from({ length: count }, (_, n) => acceptItem(`e${n}`, ["ci"], planned));
const LONG = { planned: { maxAgeMs: 3 * DAY } };

function held(forMs: number): TargetState {
  return { kind: "held", reason: "breaker", forMs };
}

describe("a target that is paused", () => {
  it("gets no lease at acceptance, by a settle or by the alarm, and wakes nobody for days", async () => {
    const { tell, accept, settle, pass, got, rings, alarmAt } = openBench();
    tell(PAUSED, 1);
    const { leases } = accept(events(10, LONG), 6);
    expect(leases).toEqual([]);
    for (const holder of ["ingest", "alarm"] as const) {
      expect(settle([], { leasesMax: 6, holder }).work).toEqual([]);
    }
    const before = rings();
    await pass(2 * DAY);
    expect(rings()).toBe(before);
    expect(got).toEqual([]);
    expect(alarmAt()).toBe(START + 3 * DAY);
  });

  it("does not keep other targets waiting", async () => {
    const { tell, accept, pass, got } = openBench();
    tell(PAUSED, 1);
    accept([...events(50, LONG), acceptItem("other", ["audit"])]);
    await pass(10);
    expect(got.map(({ lease }) => lease.target)).toEqual(["audit"]);
  });

  it("goes on when it is resumed, at once", async () => {
    const { tell, accept, pass, got, alarmAt, now } = openBench();
    tell(PAUSED, 1);
    accept(events(2, LONG));
    await pass(60_000);
    tell(FREE, 2);
    expect(alarmAt()).toBe(now());
    await pass(0);
    expect(got).toHaveLength(2);
    expect(got.every(({ lease }) => lease.gated === undefined)).toBe(true);
  });

  it("stays paused over a restart, and learns from the sweep what it has missed", async () => {
    const { tell, accept, pass, got, restart, engine, alarmAt } = openBench();
    tell(PAUSED, 1);
    accept(events(1, LONG));
    restart();
    await pass(60_000);
    expect(got).toEqual([]);
    engine().wake(alarmAt(), [statusOf("ci", FREE, 2)]);
    await pass(0);
    expect(got).toHaveLength(1);
  });

  it("has what waits for it end at its maximum age, and say why", async () => {
    const { tell, accept, pass, engine } = openBench();
    tell(PAUSED, 1);
    const seq = accept(events(1)).items[0]?.seq ?? 0;
    await pass(PLANNED.maxAgeMs);
    expect(engine().get(seq)?.deliveries[0]?.state).toMatchObject({
      kind: "dead",
      reason: "expired-while-held",
      detail: "its target was held: paused; never attempted",
    });
  });

  it("has what waits for it go out to be cancelled once the sweep says that the rules no longer name it", async () => {
    const { tell, accept, pass, got, engine, alarmAt } = openBench();
    tell(PAUSED, 3);
    accept(events(1, LONG));
    engine().wake(alarmAt(), [], ["ci", "audit"]);
    await pass(60_000);
    expect(got).toEqual([]);
    engine().wake(alarmAt(), [], ["audit"]);
    await pass(0);
    expect(got.map(({ lease }) => lease.gated)).toEqual([true]);
  });

  it("lets a lease that is out end as it does", async () => {
    const { tell, accept, settle, engine } = openBench();
    const { leases, items } = accept(events(1), 1);
    tell(PAUSED, 1);
    settle(leases.map((lease) => settlementFor(lease, DELIVERED)));
    expect(engine().get(items[0]?.seq ?? 0)?.status).toBe("delivered");
  });
});

describe("a hold that has ended", () => {
  it("has one lease go out at a time, by the alarm, with a permit to get, and the alarm not ring in between", async () => {
    const { tell, accept, settle, pass, got, rings } = openBench();
    tell(held(30_000), 1);
    expect(accept(events(5, LONG), 6).leases).toEqual([]);
    await pass(29_999);
    expect(got).toEqual([]);
    const before = rings();
    await pass(LEASE_MS - 1);
    expect(got.map(({ at, lease }) => [at - START, lease.gated])).toEqual([[30_000, true]]);
    expect(rings() - before).toBeLessThanOrEqual(2);
    expect(settle([], { leasesMax: 6, holder: "ingest" }).work).toEqual([]);
    expect(settle([], { leasesMax: 6, holder: "alarm" }).work).toEqual([]);
    // Nobody has settled it: it is lost, and the next one goes out.
    await pass(1_000);
    expect(got).toHaveLength(2);
  });

  it("has the next go out with the settle of the one before", async () => {
    const { tell, accept, settleAll, pass, got } = openBench();
    tell(held(30_000), 1);
    accept(events(5, LONG));
    await pass(30_000);
    const more = { leasesMax: 6, holder: "alarm" as const };
    const next = settleAll(got, DELIVERED, more).work;
    expect(next).toHaveLength(1);
    // Its gate says more each time: two, four, and then all.
    const ramp = settleAll(next, DELIVERED, { ...more, statuses: [statusOf("ci", GATED, 2)] }).work;
    expect(ramp.map(({ lease }) => lease.gated)).toEqual([true, true, true]);
    const free = settleAll(ramp.slice(0, 1), RETRY, { ...more, statuses: [statusOf("ci", FREE, 3)] }).work;
    expect(free).toEqual([]);
  });

  it("waits for the next end when the one that was tried has failed", async () => {
    const { tell, accept, settleAll, pass, got, alarmAt, rings } = openBench();
    tell(held(30_000), 1);
    accept(events(5, LONG));
    await pass(30_000);
    settleAll(got, RETRY, { holder: "alarm", leasesMax: 6, statuses: [statusOf("ci", held(60_000), 2)] });
    const rung = rings();
    await pass(59_999);
    // The alarm at the end of the lease had been set already.
    expect([rings() - rung, got.length, alarmAt()]).toEqual([1, 1, START + 90_000]);
    await pass(1);
    expect(got).toHaveLength(2);
  });

  it("wakes the partition a few times for each try of a target that is down for a day, not without end", async () => {
    const { tell, accept, settle, onWork, pass, got, rings } = openBench();
    let version = 1;
    let holdMs = 30_000;
    const waiting: DispatchJob[] = [];
    tell(held(holdMs), version);
    accept(events(200, LONG));
    onWork((job) => void waiting.push(job));
    while (got.length < 140) {
      await pass(15_000);
      for (const { work } of waiting.splice(0)) {
        holdMs = Math.min(holdMs * 2, 600_000);
        version += 1;
        settle(
          work.map(({ lease }) => settlementFor(lease, { kind: "retry", delayMs: 3_600_000 })),
          { holder: "alarm", leasesMax: 6, statuses: [statusOf("ci", held(holdMs), version)] },
        );
      }
    }
    expect(rings()).toBeLessThanOrEqual(3 * got.length);
  });

  it("counts as held to what grows too old meanwhile", async () => {
    const { tell, accept, pass, engine } = openBench();
    tell(held(30_000), 1);
    const { items } = accept(events(2));
    await pass(PLANNED.maxAgeMs + LEASE_MS);
    for (const { seq } of items) {
      expect(engine().get(seq)?.deliveries[0]?.state).toMatchObject({ kind: "dead", reason: "expired-while-held" });
    }
  });
});

describe("a target without room", () => {
  it("gets nothing before it has some, and one alarm for it", async () => {
    const { accept, settleAll, pass, got, rings } = openBench();
    accept(events(20, LONG));
    await pass(0);
    const before = got.length;
    settleAll(
      got,
      { kind: "release", delayMs: 5_000 },
      { holder: "alarm", throttles: [{ target: "ci", forMs: 5_000 }] },
    );
    const rung = rings();
    await pass(4_999);
    expect(got).toHaveLength(before);
    expect(rings() - rung).toBeLessThanOrEqual(1);
    await pass(1);
    expect(got.length).toBeGreaterThan(before);
  });

  it("has events wait for the alarm, as many at a time as it let through, until it has room for all again", async () => {
    const { accept, settle, settleAll, pass, got } = openBench();
    const arrive = (id: string) => accept([acceptItem(id, ["ci"], LONG)], 6).leases.length;
    expect(arrive("before")).toBe(1);
    settle([], { throttles: [{ target: "ci", forMs: 1_000 }] });
    expect([arrive("a"), arrive("b"), arrive("c")]).toEqual([0, 0, 0]);
    await pass(999);
    expect(got).toEqual([]);
    await pass(1);
    expect(got).toHaveLength(1);
    // The alarm does not ring for what must wait for that one.
    await pass(LEASE_MS - 1);
    expect(got).toHaveLength(1);
    const grant = { holder: "alarm", leasesMax: 6, throttles: [{ target: "ci", forMs: 0, yieldMs: 500 }] } as const;
    const next = settleAll(got, DELIVERED, grant).work;
    expect(next).toHaveLength(1);
    // Others may have room first.
    settleAll(next, { kind: "release", delayMs: 0 }, { holder: "alarm" });
    await pass(499);
    expect(got).toHaveLength(1);
    await pass(1);
    expect(got).toHaveLength(2);
    await pass(61_000);
    expect(arrive("after")).toBe(1);
  });

  it("does not have events wait that come more slowly than its limit, though it once had none", async () => {
    const { accept, settleAll, pass } = openBench();
    let deniedOnce = false;
    let atOnce = 0;
    for (let n = 0; n < 200; n++) {
      const { leases } = accept([acceptItem(`e${n}`, ["ci"], LONG)], 6);
      atOnce += leases.length;
      const throttles = [{ target: "ci", forMs: deniedOnce ? 0 : 500 }];
      settleAll(
        leases.map((lease) => ({ lease, event: acceptItem(`e${n}`, ["ci"]).event })),
        DELIVERED,
        { throttles },
      );
      deniedOnce = true;
      await pass(1_000);
    }
    // All but those of the minute after the denial.
    expect(atOnce).toBeGreaterThanOrEqual(200 - 61);
  });

  it("has what grows too old meanwhile say that it was held", async () => {
    const { accept, settle, pass, engine, now } = openBench();
    const { items } = accept(events(1));
    const seq = items[0]?.seq ?? 0;
    while (now() < START + PLANNED.maxAgeMs - 1_000) {
      settle([], { throttles: [{ target: "ci", forMs: 10_000 }] });
      await pass(9_000);
    }
    await pass(10_000);
    expect(engine().get(seq)?.deliveries[0]?.state).toMatchObject({
      reason: "expired-while-held",
      detail: "its target was held: no room within its limits; never attempted",
    });
  });
});

describe("what a settle answers for gates", () => {
  it("is what was attempted of the targets that failed, once", () => {
    const { accept, settle } = openBench();
    const { leases } = accept(
      [acceptItem("a", ["ci", "audit"]), acceptItem("b", ["ci", "audit"]), acceptItem("c", ["ci"])],
      6,
    );
    const steps: Record<string, Step> = {
      a: DELIVERED,
      b: RETRY,
      c: { kind: "dead", reason: "status", detail: "404" },
    };
    const settlements = leases.map((lease) => {
      const step = lease.target === "audit" ? DELIVERED : steps[lease.deliveryId.split("_")[1] ?? ""];
      return settlementFor(lease, step ?? DELIVERED);
    });
    expect(settle(settlements).records).toEqual([{ target: "ci", attempts: 3, failures: 1 }]);
    expect(settle(settlements).records).toEqual([]);
  });

  it("leaves out attempts that the gate has counted itself, and those that were none", () => {
    const { accept, settle } = openBench();
    const { leases } = accept(events(3), 3);
    const [counted, released, failed] = leases;
    if (counted === undefined || released === undefined || failed === undefined)
      throw new Error("three were asked for");
    expect(
      settle([
        { ...settlementFor(counted, RETRY), counted: true },
        settlementFor(released, { kind: "release", delayMs: 0 }),
        settlementFor(failed, RETRY),
      ]).records,
    ).toEqual([{ target: "ci", attempts: 1, failures: 1 }]);
  });

  it("counts an attempt once, though its settle comes twice or late", async () => {
    const { accept, settle, pass } = openBench();
    const { leases } = accept(events(1), 1);
    const settlements = leases.map((lease) => settlementFor(lease, RETRY));
    await pass(LEASE_MS);
    expect(settle(settlements).records).toEqual([{ target: "ci", attempts: 1, failures: 1 }]);
    expect(settle(settlements).records).toEqual([]);
  });
});

describe("an alarm after a crowded time", () => {
  it("is set for now again as soon as nothing is out any more", async () => {
    const { accept, settleAll, pass, got, alarmAt, now } = openBench();
    // One more than the alarm's dispatchers may have of a target; it goes out with a settle, and the next alarm finds nothing.
    accept(events(LEDGER_LIMITS.alarmLeasesMax / 2 + 1, LONG));
    await pass(0);
    expect(alarmAt()).toBe(now() + 1_000);
    const last = settleAll(got, DELIVERED, { holder: "alarm", leasesMax: 6 }).work;
    expect(last).toHaveLength(1);
    settleAll(last, DELIVERED);
    await pass(5_000);
    accept([acceptItem("later", ["ci"])]);
    expect(alarmAt()).toBe(now());
  });
});
