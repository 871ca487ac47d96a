import { describe, expect, it } from "vitest";
import type { AcceptItem, AcceptRequest, DispatchJob, Layout, OpenLane } from "../../src/bus/ports.ts";
import type { Step } from "../../src/core/step.ts";
import type { Engine } from "../../src/objects/engine.ts";
import { openEngine } from "../../src/objects/engine.ts";
import {
  ASK_AGAIN_MS,
  ASK_LANES_MAX,
  ASK_PARTITIONS_MAX,
  RETAIN_LANES_MAX,
  openLanesElsewhere,
} from "../../src/objects/lanes-elsewhere.ts";
import { openLanes } from "../../src/objects/lanes.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { migrate } from "../../src/objects/schema.ts";
import { NO_TARGETS, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { deliveryWith, settlementFor } from "../support/deliveries.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = Date.UTC(2026, 0, 1);
const OLD_LAYOUT: Layout = { partitions: 1, deployedAt: 100 };
const NEW_LAYOUT: Layout = { partitions: 2, deployedAt: 200 };
const OLD = "v1/default/1/0";
const NEW = "v1/default/2/1";
const LANE = "lane-1";

describe("what is known of lanes elsewhere", () => {
  function openBench() {
    const sql = openNodeSql();
    migrate(sql);
    const open = () => {
      const lanes = openLanes(sql);
      const elsewhere = openLanesElsewhere(sql, lanes);
      let seq = 100;
      return {
        lanes,
        elsewhere,
        wait: (partition: string, ids: readonly string[]) => elsewhere.wait([{ partition, lanes: ids }]),
        /** Deliveries that wait for their turn in these lanes. */
        queue: (ids: readonly string[]) => {
          for (const id of ids) {
            const state = { kind: "queued", dueAt: START } as const;
            lanes.follow((seq += 1), undefined, [deliveryWith({ id: `d-${seq}`, lane: { id }, state })], START);
          }
          return lanes.arrange(START);
        },
      };
    };
    const rows = () => sql.all("SELECT id, partition FROM lanes_elsewhere ORDER BY id, partition");
    const ids = (count: number) => Array.from({ length: count }, (_, n) => `lane-${String(n).padStart(4, "0")}`);
    return { sql, open, rows, ids };
  }

  it("is asked at once, then every two seconds, and not when nothing waits for the answer", () => {
    const { elsewhere, wait, queue } = openBench().open();
    expect([elsewhere.nextAt(), elsewhere.questions(START)]).toEqual([null, []]);
    wait(OLD, [LANE]);
    expect(elsewhere.nextAt()).toBeNull();
    expect(queue([LANE])).toEqual([]);
    expect(elsewhere.nextAt()).toBe(0);
    expect(elsewhere.questions(START)).toMatchObject([{ partition: OLD, lanes: [LANE] }]);
    expect(elsewhere.nextAt()).toBe(START + ASK_AGAIN_MS);
    expect(elsewhere.questions(START + ASK_AGAIN_MS - 1)).toEqual([]);
    const [question] = elsewhere.questions(START + ASK_AGAIN_MS);
    if (question === undefined) throw new Error("it was to be asked");
    elsewhere.answer(question, []);
    expect(queue([]).map(({ to }) => to)).toEqual(["waiting"]);
    expect([elsewhere.nextAt(), elsewhere.questions(START + 2 * ASK_AGAIN_MS)]).toEqual([null, []]);
  });

  it("lets go on what was accepted before the first one there, and holds what was accepted after it", () => {
    const { elsewhere, wait, queue } = openBench().open();
    wait(OLD, [LANE, "lane-2"]);
    queue([LANE, "lane-2"]);
    const [question] = elsewhere.questions(START);
    if (question === undefined) throw new Error("it was to be asked");
    elsewhere.answer(question, [
      { id: LANE, firstSeq: 102 },
      { id: "lane-2", firstSeq: 101 },
    ]);
    expect(queue([]).map(({ to, member }) => [to, member.seq])).toEqual([["waiting", 101]]);
    expect(elsewhere.questions(START + ASK_AGAIN_MS)).toMatchObject([{ lanes: ["lane-2"] }]);
  });

  it("lets it go on though one that was accepted later has a lower number: the other partition waits for it", () => {
    const { elsewhere, lanes, wait } = openBench().open();
    const follow = (seq: number, sequence: number) => {
      const state = { kind: "queued", dueAt: START } as const;
      lanes.follow(seq, undefined, [deliveryWith({ id: `d-${seq}`, lane: { id: LANE, sequence }, state })], START);
    };
    wait(OLD, [LANE]);
    follow(101, 2);
    follow(103, 1);
    expect(lanes.arrange(START)).toEqual([]);
    const [question] = elsewhere.questions(START);
    if (question === undefined) throw new Error("it was to be asked");
    elsewhere.answer(question, [{ id: LANE, firstSeq: 102 }]);
    expect(lanes.arrange(START).map(({ to, member }) => [to, member.seq])).toEqual([["waiting", 101]]);
    expect(lanes.isHeld(LANE)).toBe(true);
  });

  it("of two partitions holds as the stricter says", () => {
    const { elsewhere, wait, queue } = openBench().open();
    wait(OLD, [LANE]);
    wait("v1/default/4/0", [LANE]);
    queue([LANE]);
    const questions = elsewhere.questions(START);
    expect(questions.map(({ partition }) => partition)).toEqual([OLD, "v1/default/4/0"]);
    const [first, second] = questions;
    if (first === undefined || second === undefined) throw new Error("both were to be asked");
    elsewhere.answer(first, [{ id: LANE, firstSeq: 1_000 }]);
    expect(queue([])).toEqual([]);
    elsewhere.answer(second, [{ id: LANE, firstSeq: 5 }]);
    expect(queue([])).toEqual([]);
    const [, last] = elsewhere.questions(START + ASK_AGAIN_MS);
    if (last === undefined) throw new Error("it was to be asked");
    elsewhere.answer(last, []);
    expect(queue([])).toHaveLength(1);
  });

  it("holds again when one there has been opened again", () => {
    const { elsewhere, wait, queue, lanes } = openBench().open();
    wait(OLD, [LANE]);
    queue([LANE, LANE]);
    const [question] = elsewhere.questions(START);
    if (question === undefined) throw new Error("it was to be asked");
    elsewhere.answer(question, [{ id: LANE, firstSeq: 1_000 }]);
    expect(queue([])).toHaveLength(1);
    wait(OLD, [LANE]);
    const queued = deliveryWith({ id: "d-101", lane: { id: LANE }, state: { kind: "queued", dueAt: START } });
    lanes.follow(101, [queued], [{ ...queued, state: { kind: "delivered", at: START } }], START);
    expect(queue([])).toEqual([]);
    expect([lanes.isHeld(LANE), elsewhere.nextAt()]).toEqual([true, 0]);
  });

  it("does not take an answer for one to what was heard after the question", () => {
    const { elsewhere, wait, queue, lanes } = openBench().open();
    wait(OLD, [LANE]);
    queue([LANE]);
    const [question] = elsewhere.questions(START);
    if (question === undefined) throw new Error("it was to be asked");
    wait(OLD, [LANE]);
    elsewhere.answer(question, []);
    expect(queue([])).toEqual([]);
    expect(lanes.isHeld(LANE)).toBe(true);
    expect(elsewhere.questions(START + ASK_AGAIN_MS)).toMatchObject([{ lanes: [LANE] }]);
  });

  it("is written once a lane and partition, outlives a restart, and goes when it is answered", () => {
    const { sql, open, rows } = openBench();
    const before = sql.rowsWritten();
    const { wait } = open();
    for (let n = 0; n < 3; n++) wait(OLD, [LANE, "lane-2"]);
    expect(sql.rowsWritten()).toBe(before + 2);
    const again = open();
    again.queue([LANE, "lane-2"]);
    const [question] = again.elsewhere.questions(START);
    if (question === undefined) throw new Error("it was to be asked");
    expect(question.lanes).toEqual([LANE, "lane-2"]);
    again.elsewhere.answer(question, [{ id: "lane-2", firstSeq: 1 }]);
    again.elsewhere.answer(question, [{ id: "lane-2", firstSeq: 1 }]);
    expect(rows()).toEqual([{ id: "lane-2", partition: OLD }]);
    expect(sql.rowsWritten()).toBe(before + 3);
  });

  it("is asked about so many lanes at a time, and none waits for ever behind others that stay open", () => {
    const { open, ids } = openBench();
    const all = ids(2 * ASK_LANES_MAX + 1);
    const { elsewhere, wait, queue } = open();
    wait(OLD, all);
    queue(all);
    const asked = [0, 1, 2].flatMap((n) => {
      const [question] = elsewhere.questions(START + n * ASK_AGAIN_MS);
      expect(question?.lanes).toHaveLength(ASK_LANES_MAX);
      return question?.lanes ?? [];
    });
    expect(new Set(asked)).toEqual(new Set(all));
  });

  it("is asked of so many partitions at a time, the others next", () => {
    const { open, ids } = openBench();
    const { elsewhere, queue } = open();
    const all = ids(ASK_PARTITIONS_MAX + 3);
    elsewhere.wait(all.map((id) => ({ partition: `of ${id}`, lanes: [id] })));
    queue(all);
    const first = elsewhere.questions(START);
    expect(first).toHaveLength(ASK_PARTITIONS_MAX);
    const second = elsewhere.questions(START + ASK_AGAIN_MS);
    expect(new Set([...first, ...second].map(({ partition }) => partition)).size).toBe(all.length);
  });

  it("is forgotten, so many at a time, of lanes that have nothing open here", () => {
    const { open, ids, rows } = openBench();
    const { elsewhere, wait, queue } = open();
    wait(OLD, ids(RETAIN_LANES_MAX + 2));
    queue(["lane-0001"]);
    elsewhere.retain();
    expect(rows()).toHaveLength(2);
    elsewhere.retain();
    expect(rows()).toEqual([{ id: "lane-0001", partition: OLD }]);
    elsewhere.retain();
    expect(rows()).toHaveLength(1);
    expect(open().queue(["lane-0000"])).toHaveLength(1);
  });
});

/** The partition of the layout before and the one of the new layout, on one clock; alarms ring as they are set. */
function openTwo({ aheadMs = 0 } = {}) {
  let now = START;
  let reachable = true;
  let tokens = 0;
  let asks = 0;
  const sent: string[] = [];
  const logs: string[] = [];

  function openOne(name: string) {
    const sql = openNodeSql();
    let alarmAt: number | null = null;
    const jobs: DispatchJob[] = [];
    const clock = () => now + (name === OLD ? aheadMs : 0);
    let rings = 0;
    const boot = (): Engine =>
      openEngine({
        sql,
        limits: LEDGER_LIMITS,
        setAlarm: (at) => void (alarmAt = at),
        handOver: async (job) => void jobs.push(job),
        askOpenLanes: async (partition, ids): Promise<readonly OpenLane[]> => {
          asks += 1;
          if (!reachable) throw new Error("gone");
          expect(partition).toBe(OLD);
          return old.engine().openLanes(ids);
        },
        now: clock,
        newToken: () => `lease-${++tokens}`,
        log: (message) => void logs.push(message),
      });
    let engine = boot();
    engine.start(null);
    return {
      engine: () => engine,
      alarmAt: () => alarmAt,
      rings: () => rings,
      restart: () => {
        engine = boot();
        engine.start(alarmAt);
      },
      accept: (layout: Layout, id: string, more: Partial<AcceptRequest> = {}) => {
        const request = { ...acceptRequest(`accept-${id}`, [inLane(id)], 0), partition: name, layout, ...more };
        const reply = engine.accept(request);
        if (reply.kind !== "accepted") throw new Error(reply.kind);
        return reply.items[0]?.seq ?? 0;
      },
      ring: async () => {
        if (alarmAt === null || alarmAt > clock()) return;
        alarmAt = null;
        rings += 1;
        await engine.alarm();
      },
      /** Reports all that was handed over. */
      settle: (step: Step) => {
        const work = jobs.splice(0).flatMap((job) => job.work);
        for (const { event } of work) sent.push(event.attributes.id);
        const settlements = work.map(({ lease }) => settlementFor(lease, step));
        engine.settle({ settlements, leasesMax: 0, withinMs: 0, ...NO_TARGETS });
      },
    };
  }

  const old = openOne(OLD);
  const next = openOne(NEW);
  return {
    old,
    next,
    sent,
    logs,
    asks: () => asks,
    /** A request of the new layout: asks the old owner, then accepts. */
    publish: (id: string) => {
      const known = old.engine().known({ ...acceptRequest(`known-${id}`, [inLane(id)]), layout: NEW_LAYOUT });
      const { openLanes: lanes, lastSeq } = known;
      return next.accept(
        NEW_LAYOUT,
        id,
        lanes.length === 0 ? {} : { openElsewhere: [{ partition: OLD, lanes, lastSeq }] },
      );
    },
    reach: (can: boolean) => {
      reachable = can;
    },
    pass: async (ms: number, stepMs = 100) => {
      for (const end = now + ms; now < end; now += stepMs) {
        await old.ring();
        await next.ring();
      }
    },
  };
}

function inLane(id: string): AcceptItem {
  return acceptItem(id, ["ci"], { planned: { lane: { id: LANE } } });
}

const DELIVERED: Step = { kind: "delivered" };
const state = (
  engine: { get: (seq: number) => { deliveries: readonly { state: { kind: string } }[] } | null },
  seq: number,
) => engine.get(seq)?.deliveries[0]?.state.kind;

describe("a lane whose key has moved to another partition", () => {
  it("keeps its order: the new partition waits until the old one has none open", async () => {
    const { old, next, publish, pass, sent } = openTwo();
    old.accept(OLD_LAYOUT, "a");
    old.accept(OLD_LAYOUT, "b");
    const c = publish("c");
    const d = publish("d");
    await pass(10_000);
    expect([state(next.engine(), c), state(next.engine(), d)]).toEqual(["queued", "queued"]);
    old.settle(DELIVERED);
    await pass(10_000);
    next.settle(DELIVERED);
    expect(sent).toEqual(["a"]);
    old.settle(DELIVERED);
    await pass(2 * ASK_AGAIN_MS);
    next.settle(DELIVERED);
    await pass(1_000);
    next.settle(DELIVERED);
    expect(sent).toEqual(["a", "b", "c", "d"]);
    expect(next.engine().backlog().deliveries).toBe(0);
  });

  it("keeps it though the old partition's clock is ahead", async () => {
    const { old, next, publish, pass, sent } = openTwo({ aheadMs: 60_000 });
    old.accept(OLD_LAYOUT, "a");
    old.accept(OLD_LAYOUT, "b");
    publish("c");
    await pass(10_000);
    next.settle(DELIVERED);
    expect(sent).toEqual([]);
    for (let turns = 0; turns < 3; turns++) {
      old.settle(DELIVERED);
      await pass(2 * ASK_AGAIN_MS);
      next.settle(DELIVERED);
    }
    expect(sent).toEqual(["a", "b", "c"]);
  });

  it("lets one that is opened again in the old partition go before what has not gone yet in the new one", async () => {
    const { old, next, publish, pass, sent } = openTwo();
    const a = old.accept(OLD_LAYOUT, "a");
    await pass(200);
    old.settle({ kind: "dead", reason: "status", detail: "404" });
    publish("b");
    await pass(200);
    expect(old.engine().redrive(a, null)).toBe(1);
    // Who brings the next one has heard of it.
    publish("c");
    await pass(10_000);
    next.settle(DELIVERED);
    await pass(10_000);
    next.settle(DELIVERED);
    expect(sent).toEqual(["a", "b"]);
    old.settle(DELIVERED);
    await pass(2 * ASK_AGAIN_MS);
    next.settle(DELIVERED);
    expect(sent).toEqual(["a", "b", "a", "c"]);
  });

  it("goes on within about two seconds of the old one's end, also after restarts of both", async () => {
    const { old, next, publish, pass, sent } = openTwo();
    old.accept(OLD_LAYOUT, "a");
    await pass(200);
    publish("b");
    await pass(5_000);
    old.settle(DELIVERED);
    old.restart();
    next.restart();
    await pass(ASK_AGAIN_MS + 200);
    next.settle(DELIVERED);
    expect(sent).toEqual(["a", "b"]);
  });

  it("waits while the old partition can't be asked, and asks it again", async () => {
    const { old, next, publish, pass, reach, sent, logs, asks } = openTwo();
    old.accept(OLD_LAYOUT, "a");
    await pass(200);
    publish("b");
    old.settle(DELIVERED);
    reach(false);
    await pass(20_000);
    next.settle(DELIVERED);
    expect(sent).toEqual(["a"]);
    expect(new Set(logs)).toEqual(new Set(["lanes.unasked"]));
    expect(asks()).toBeGreaterThanOrEqual(9);
    reach(true);
    await pass(ASK_AGAIN_MS + 200);
    next.settle(DELIVERED);
    expect(sent).toEqual(["a", "b"]);
  });

  it("wakes the new partition once for each time that it asks", async () => {
    const { old, next, publish, pass, asks } = openTwo();
    old.accept(OLD_LAYOUT, "a");
    publish("b");
    await pass(60_000);
    expect(asks()).toBeGreaterThanOrEqual(29);
    expect(next.rings()).toBeLessThanOrEqual(asks() + 1);
    old.settle(DELIVERED);
    await pass(5_000);
    next.settle(DELIVERED);
    const [rings, asked] = [next.rings(), asks()];
    await pass(600_000, 1_000);
    expect(asks()).toBe(asked);
    // The alarm that was set for the next question, and the end of the lease.
    expect(next.rings()).toBeLessThanOrEqual(rings + 2);
    expect(next.alarmAt()).toBeNull();
  });

  it("does not hold up other lanes or rules without an order", async () => {
    const { old, next, publish, pass, sent } = openTwo();
    old.accept(OLD_LAYOUT, "a");
    publish("b");
    const free = [acceptItem("free", ["ci"]), acceptItem("other", ["ci"], { planned: { lane: { id: "lane-2" } } })];
    next.engine().accept({ ...acceptRequest("free", free), partition: NEW, layout: NEW_LAYOUT });
    await pass(1_000);
    next.settle(DELIVERED);
    expect(sent.toSorted()).toEqual(["free", "other"]);
  });

  it("ends of age while it waits for the other partition", async () => {
    const { old, next, publish, pass } = openTwo();
    const a = old.accept(OLD_LAYOUT, "a");
    await pass(200);
    old.settle({ kind: "park", reason: "status", detail: "404" });
    const b = publish("b");
    await pass(3_600_000 + 1_000, 1_000);
    const ends = [old.engine().get(a), next.engine().get(b)].map((event) => event?.deliveries[0]?.state);
    expect(ends).toMatchObject([
      { kind: "dead", reason: "expired-while-held" },
      { kind: "dead", reason: "expired-while-held" },
    ]);
  });
});
