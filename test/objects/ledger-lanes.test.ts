import { describe, expect, it } from "vitest";
import type { LeasedWork } from "../../src/bus/ports.ts";
import type { Lease, PlannedLane } from "../../src/core/delivery.ts";
import { LEASE_MARGIN_MS } from "../../src/core/delivery.ts";
import type { Step } from "../../src/core/step.ts";
import { nextStep } from "../../src/core/step.ts";
import type { OnFailure } from "../../src/core/rule.ts";
import { FRESH_MS_MAX } from "../../src/objects/fresh-work.ts";
import { acceptItem } from "../support/accept-requests.ts";
import { PLANNED } from "../support/deliveries.ts";
import { START, deliveryOf, laneItem, openBench, stateOf, statusOf } from "../support/ledger-bench.ts";

const LEASE_MS = PLANNED.timeoutMs + LEASE_MARGIN_MS;
const DELIVERED: Step = { kind: "delivered" };
const RETRY: Step = { kind: "retry", delayMs: 60_000 };
const DEAD: Step = { kind: "dead", reason: "status", detail: "404" };
const PARK: Step = { kind: "park", reason: "status", detail: "404" };
const RELEASE: Step = { kind: "release", delayMs: 0 };

const idsOf = (work: readonly LeasedWork[]) => work.map(({ event }) => event.attributes.id);
const leasesOf = (work: readonly LeasedWork[]) => work.map(({ lease }) => lease);

/** Events of one lane, in this order, one request each: their numbers. */
function acceptAll(bench: ReturnType<typeof openBench>, ids: readonly string[], lane: Partial<PlannedLane> = {}) {
  return Object.fromEntries(
    ids.map((id) => [id, bench.accept(`t-${id}`, [laneItem(id, "k", lane)]).items[0]?.seq ?? 0]),
  );
}

/** Takes what is due and says what became of it, until nothing is due any more: the order in which things were sent. */
function sendAll(bench: ReturnType<typeof openBench>, now: number, step: Step = DELIVERED): string[] {
  const sent: string[] = [];
  for (let work = bench.takeDue(now); work.length > 0; work = bench.takeDue(now)) {
    sent.push(...idsOf(work));
    bench.settle(leasesOf(work), step, { now });
  }
  return sent;
}

describe("a lane", () => {
  it("has one delivery out at a time, in the order of acceptance, and gives the next with the settle", () => {
    const bench = openBench();
    acceptAll(bench, ["a", "b", "c"]);
    let work = bench.takeDue();
    expect(idsOf(work)).toEqual(["a"]);
    expect(bench.takeDue(START + 1)).toEqual([]);
    expect(bench.settle([], DELIVERED, { leasesMax: 6 }).work).toEqual([]);
    work = [...bench.settle(leasesOf(work), DELIVERED, { leasesMax: 6 }).work];
    expect(idsOf(work)).toEqual(["b"]);
    work = [...bench.settle(leasesOf(work), DELIVERED, { leasesMax: 6 }).work];
    expect(idsOf(work)).toEqual(["c"]);
    expect(bench.settle(leasesOf(work), DELIVERED, { leasesMax: 6 }).work).toEqual([]);
    expect(bench.ledger().backlog()).toEqual({ events: 0, deliveries: 0, bytes: 0 });
    expect(bench.ledger().nextWakeAt(START)).toBeNull();
  });

  it("keeps no other key, and nothing without an order, waiting", () => {
    const bench = openBench();
    bench.accept("t", [laneItem("a1", "a"), laneItem("a2", "a"), laneItem("b1", "b"), acceptItem("free", ["ci"])]);
    expect(idsOf(bench.takeDue()).toSorted()).toEqual(["a1", "b1", "free"]);
    expect(bench.takeDue(START + 1_000)).toEqual([]);
  });

  it("keeps the rest of an event with deliveries in several lanes going", () => {
    const bench = openBench();
    const both = (id: string) => ({
      ...acceptItem(id, ["x", "y"]),
      deliveries: ["x", "y"].map((target) => ({
        ...PLANNED,
        id: `${id}-${target}`,
        target,
        lane: { id: `lane-${target}` },
      })),
    });
    bench.accept("t", [both("a"), both("b")]);
    const first = leasesOf(bench.takeDue());
    expect(first.map(({ deliveryId }) => deliveryId)).toEqual(["a-x", "a-y"]);
    const { work } = bench.settle(first.slice(1), DELIVERED, { leasesMax: 6 });
    expect(leasesOf(work).map(({ deliveryId }) => deliveryId)).toEqual(["b-y"]);
    bench.settle([...first.slice(0, 1), ...leasesOf(work)], DELIVERED);
    expect(leasesOf(bench.takeDue()).map(({ deliveryId }) => deliveryId)).toEqual(["b-x"]);
  });

  it("gives leases at acceptance for one of each lane, in a batch too", () => {
    const bench = openBench();
    const items = [laneItem("a1", "a"), laneItem("a2", "a"), laneItem("b1", "b"), laneItem("a3", "a")];
    const { leases } = bench.accept("t", items, 6);
    expect(leases.map(({ deliveryId }) => deliveryId)).toEqual(["dlv_a1_ci", "dlv_b1_ci"]);
    expect(bench.accept("t", items, 6).leases.map(({ token }) => token)).toEqual(leases.map(({ token }) => token));
    expect(bench.accept("t2", [laneItem("a4", "a")], 6).leases).toEqual([]);
    expect(idsOf(bench.settle(leases, DELIVERED, { leasesMax: 6 }).work)).toEqual(["a2"]);
  });

  it("gives a lease at acceptance to one whose lane has become empty", () => {
    const bench = openBench();
    bench.settle(bench.accept("t1", [laneItem("a", "k")], 1).leases, DELIVERED);
    expect(bench.accept("t2", [laneItem("b", "k")], 1).leases).toHaveLength(1);
  });

  it("answers a repeat without a place in the lane, and a delivery that is given back keeps its place", () => {
    const bench = openBench();
    acceptAll(bench, ["a", "b"]);
    expect(bench.accept("again", [laneItem("a", "k")], 6)).toMatchObject({
      leases: [],
      items: [{ status: "duplicate" }],
    });
    expect(bench.ledger().backlog().deliveries).toBe(2);
    const { work } = bench.settle(leasesOf(bench.takeDue()), RELEASE, { leasesMax: 6 });
    expect(idsOf(work)).toEqual(["a"]);
  });

  it("goes on after a lease that ran out with the same delivery, and after a late success with the next", () => {
    const bench = openBench();
    const seqs = acceptAll(bench, ["a", "b"]);
    const lost = leasesOf(bench.takeDue());
    expect(idsOf(bench.takeDue(START + LEASE_MS))).toEqual(["a"]);
    const { work } = bench.settle(lost, DELIVERED, { now: START + LEASE_MS + 1, leasesMax: 6 });
    expect(idsOf(work)).toEqual(["b"]);
    expect(statusOf(bench.ledger(), seqs["a"] ?? 0)).toBe("delivered");
  });

  it("goes on after a restart where it was", () => {
    const bench = openBench();
    acceptAll(bench, ["a", "b", "c"]);
    const work = bench.takeDue();
    bench.restart();
    expect(bench.takeDue(START + 1)).toEqual([]);
    expect(idsOf(bench.settle(leasesOf(work), DELIVERED, { leasesMax: 6 }).work)).toEqual(["b"]);
    bench.restart();
    expect(idsOf(bench.takeDue(START + LEASE_MS))).toEqual(["b"]);
  });

  it("is open as long as something of it is", () => {
    const bench = openBench();
    acceptAll(bench, ["a"]);
    expect(bench.ledger().openLanes(["lane-k", "lane-x"])).toEqual([{ id: "lane-k", firstSeq: expect.any(Number) }]);
    sendAll(bench, START);
    expect(bench.ledger().openLanes(["lane-k", "lane-x"])).toEqual([]);
  });
});

describe("a delivery of a lane that fails", () => {
  const settings = { retryDelaysMs: [60_000, 120_000] };
  const refused = { kind: "retryable", reason: "status", detail: "503" } as const;
  const gone = { kind: "permanent", reason: "status", detail: "404" } as const;

  /** Sends whatever is due for two hours, `a` always failing; answers what was sent when, in minutes. */
  function twoHours(onFailure: OnFailure, outcome: typeof refused | typeof gone, maxAgeMs = PLANNED.maxAgeMs) {
    const bench = openBench();
    const latest = onFailure.kind === "latest" ? { latest: true as const } : {};
    const seqs = ["a", "b", "c"].map(
      (id) => bench.accept(`t-${id}`, [laneItem(id, "k", latest, { maxAgeMs })]).items[0]?.seq ?? 0,
    );
    const sent: string[] = [];
    for (let minute = 0; minute < 120; minute++) {
      const now = START + minute * 60_000;
      for (let work = bench.takeDue(now); work.length > 0; work = bench.takeDue(now)) {
        for (const { lease, event } of work) {
          const { id } = event.attributes;
          sent.push(`${id}@${minute}`);
          const is = id === "a" ? outcome : ({ kind: "delivered" } as const);
          bench.settle(
            [lease],
            nextStep(is, lease, { ...settings, onFailure }, () => 0.5),
            { now },
          );
        }
      }
    }
    return { sent, ended: seqs.map((seq) => deliveryOf(bench.ledger(), seq).state) };
  }

  it("block: is tried again until it is too old, then the others go", () => {
    const { sent, ended } = twoHours({ kind: "block" }, refused, 10 * 60_000);
    expect(sent).toEqual(["a@0", "a@1", "a@3", "a@5", "a@7", "a@9", "b@9", "c@9"]);
    expect(ended).toMatchObject([{ kind: "dead", reason: "expired" }, { kind: "delivered" }, { kind: "delivered" }]);
  });

  it("skip-after: is dead with its last failure allowed, and the others go at once", () => {
    const { sent, ended } = twoHours({ kind: "skip-after", failures: 4 }, refused);
    expect(sent).toEqual(["a@0", "a@1", "a@3", "a@5", "b@5", "c@5"]);
    expect(ended).toMatchObject([{ kind: "dead", reason: "skipped" }, { kind: "delivered" }, { kind: "delivered" }]);
  });

  it("park: stops the lane, and each of it ends of age after the other", () => {
    const { sent, ended } = twoHours({ kind: "park" }, refused);
    expect(sent).toEqual(["a@0", "a@1", "a@3"]);
    expect(ended).toMatchObject(Array.from({ length: 3 }, () => ({ kind: "dead", reason: "expired-while-held" })));
  });

  it("latest: is given up as soon as a newer one waits", () => {
    const { sent, ended } = twoHours({ kind: "latest" }, refused);
    expect(sent).toEqual(["c@0"]);
    expect(ended).toMatchObject([
      { kind: "cancelled", reason: "superseded" },
      { kind: "cancelled", reason: "superseded" },
      { kind: "delivered" },
    ]);
  });

  it.each<OnFailure>([{ kind: "block" }, { kind: "skip-after", failures: 4 }])(
    "for good: is dead at once and the others go: $kind",
    (onFailure) => {
      const { sent, ended } = twoHours(onFailure, gone);
      expect(sent).toEqual(["a@0", "b@0", "c@0"]);
      expect(ended).toMatchObject([{ kind: "dead", reason: "status" }, { kind: "delivered" }, { kind: "delivered" }]);
    },
  );

  it("for good: stops the lane at once with park", () => {
    expect(twoHours({ kind: "park" }, gone).sent).toEqual(["a@0"]);
  });
});

describe("a parked lane", () => {
  function parkedBench() {
    const bench = openBench();
    const seqs = acceptAll(bench, ["a", "b", "c"]);
    bench.settle(leasesOf(bench.takeDue()), PARK);
    return { ...bench, seq: (id: string) => seqs[id] ?? 0 };
  }

  it("sends nothing, also what comes later, and says why", () => {
    const { seq, takeDue, ledger, accept } = parkedBench();
    const { items, leases } = accept("t-d", [laneItem("d", "k")], 6);
    expect(leases).toEqual([]);
    expect(takeDue(START + 60_000)).toEqual([]);
    expect(stateOf(ledger(), seq("a"))).toEqual({ kind: "parked", at: START, reason: "status", detail: "404" });
    expect([seq("b"), seq("c"), items[0]?.seq ?? 0].map((each) => stateOf(ledger(), each).kind)).toEqual([
      "queued",
      "queued",
      "queued",
    ]);
    expect(
      ledger()
        .before(Number.MAX_SAFE_INTEGER, 10, "parked")
        .map((each) => each.seq),
    ).toEqual([seq("a")]);
    expect(ledger().nextWakeAt(START)).toBe(START + PLANNED.maxAgeMs);
  });

  it("goes on from its first when that is opened again, in order, after a restart too", () => {
    const bench = parkedBench();
    bench.restart();
    expect(bench.ledger().redrive(bench.seq("b"), undefined, START + 5)).toBe(0);
    expect(bench.ledger().redrive(bench.seq("a"), undefined, START + 5)).toBe(1);
    expect(sendAll(bench, START + 5)).toEqual(["a", "b", "c"]);
  });

  it("goes on when the parked one turns out to have been delivered", () => {
    const bench = openBench();
    acceptAll(bench, ["a", "b"]);
    const lost = leasesOf(bench.takeDue());
    bench.settle(leasesOf(bench.takeDue(START + LEASE_MS)), PARK, { now: START + LEASE_MS });
    bench.settle(lost, DELIVERED, { now: START + LEASE_MS + 1 });
    expect(sendAll(bench, START + LEASE_MS + 1)).toEqual(["b"]);
  });

  it("parks the next when the first has grown too old, and so on to the last; each can be opened again", () => {
    const bench = openBench();
    const seqs = ["a", "b", "c"].map((id, n) => {
      const { items } = bench.accept(`t-${id}`, [laneItem(id, "k")], 0, START + n);
      return items[0]?.seq ?? 0;
    });
    const states = () => seqs.map((seq) => stateOf(bench.ledger(), seq));
    bench.settle(leasesOf(bench.takeDue(START + 5)), PARK, { now: START + 5 });
    const late = START + PLANNED.maxAgeMs;
    expect(bench.takeDue(late)).toEqual([]);
    expect(states()).toMatchObject([
      { kind: "dead", reason: "expired-while-held", detail: expect.stringContaining("its lane was parked: 404") },
      { kind: "parked", reason: "lane-parked", at: late },
      { kind: "queued" },
    ]);
    bench.restart();
    expect(bench.ledger().nextWakeAt(late)).toBe(late + 1);
    expect(bench.takeDue(late + 1)).toEqual([]);
    expect(states()).toMatchObject([{ kind: "dead" }, { kind: "dead" }, { kind: "parked", reason: "lane-parked" }]);
    expect(bench.ledger().redrive(seqs[0] ?? 0, undefined, late + 1)).toBe(1);
    expect(sendAll(bench, late + 1)).toEqual(["a", "c"]);
    expect(bench.ledger().redrive(seqs[1] ?? 0, undefined, late + 1)).toBe(1);
    expect(sendAll(bench, late + 1)).toEqual(["b"]);
    expect(bench.ledger().backlog().events).toBe(0);
  });

  it("ends one that is too old while it is queued, and those before and behind it stay", () => {
    const bench = openBench();
    const seqs = [1, 3, 2].map((hours, n) => {
      const { items } = bench.accept(`t${n}`, [laneItem(`e${n}`, "k", {}, { maxAgeMs: hours * 3_600_000 })]);
      return items[0]?.seq ?? 0;
    });
    const states = () => seqs.map((seq) => stateOf(bench.ledger(), seq));
    const [parked] = leasesOf(bench.takeDue());
    bench.settle(parked === undefined ? [] : [parked], PARK);
    expect(bench.ledger().redrive(seqs[0] ?? 0, undefined, START + 3_500_000)).toBe(1);
    bench.settle(leasesOf(bench.takeDue(START + 3_500_000)), PARK, { now: START + 3_500_000 });
    bench.takeDue(START + 7_000_000);
    bench.takeDue(START + 7_200_000);
    expect(states()).toMatchObject([
      { kind: "dead", reason: "expired-while-held" },
      { kind: "parked", reason: "lane-parked" },
      {
        kind: "dead",
        reason: "expired-while-held",
        detail: "it waited behind others of its lane; never attempted",
      },
    ]);
  });
});

describe("a dead delivery that is opened again", () => {
  /** `a` is dead, `b` next in line and `c` behind it. */
  function deadBench() {
    const bench = openBench();
    const seqs = acceptAll(bench, ["a", "b", "c"]);
    bench.settle(leasesOf(bench.takeDue()), DEAD);
    const redrive = (now = START) => expect(bench.ledger().redrive(seqs["a"] ?? 0, undefined, now)).toBe(1);
    const kinds = () => ["a", "b", "c"].map((id) => stateOf(bench.ledger(), seqs[id] ?? 0).kind);
    return { ...bench, redrive, kinds };
  }

  it("goes before what waits", () => {
    const bench = deadBench();
    expect(bench.kinds()).toEqual(["dead", "waiting", "queued"]);
    bench.redrive();
    expect(bench.kinds()).toEqual(["waiting", "queued", "queued"]);
    expect(sendAll(bench, START)).toEqual(["a", "b", "c"]);
  });

  it("goes before a retry, which keeps its due time", () => {
    const bench = deadBench();
    bench.settle(leasesOf(bench.takeDue()), RETRY);
    bench.redrive();
    expect(sendAll(bench, START)).toEqual(["a"]);
    expect(sendAll(bench, START + 59_999)).toEqual([]);
    expect(sendAll(bench, START + 60_000)).toEqual(["b", "c"]);
  });

  it("waits for what is out, and goes next, also when that is tried again", () => {
    for (const [step, order] of [
      [DELIVERED, ["a", "c"]],
      [RELEASE, ["a", "b", "c"]],
    ] as const) {
      const bench = deadBench();
      const out = leasesOf(bench.takeDue());
      bench.redrive();
      expect(bench.kinds()).toEqual(["queued", "leased", "queued"]);
      expect(bench.takeDue(START + 1)).toEqual([]);
      bench.restart();
      bench.settle(out, step, { now: START + 1 });
      expect(sendAll(bench, START + 1)).toEqual(order);
    }
  });

  it("goes before a parked one, which is tried again after it", () => {
    const bench = deadBench();
    bench.settle(leasesOf(bench.takeDue()), PARK);
    expect(bench.kinds()).toEqual(["dead", "parked", "queued"]);
    bench.redrive();
    expect(bench.kinds()).toEqual(["waiting", "queued", "queued"]);
    expect(sendAll(bench, START)).toEqual(["a", "b", "c"]);
  });

  it("goes before what has been delivered meanwhile can be undone: it stays delivered", () => {
    const bench = deadBench();
    sendAll(bench, START);
    bench.redrive();
    expect(bench.kinds()).toEqual(["waiting", "delivered", "delivered"]);
    expect(sendAll(bench, START)).toEqual(["a"]);
  });
});

describe("a lane where only the newest counts", () => {
  const latest = { latest: true as const };

  it("gives up what waits and leaves what is out", () => {
    const bench = openBench();
    const seqs = acceptAll(bench, ["a", "b"], latest);
    const kinds = () => Object.values(seqs).map((seq) => statusOf(bench.ledger(), seq));
    expect(kinds()).toEqual(["cancelled", "pending"]);
    const out = leasesOf(bench.takeDue());
    Object.assign(seqs, acceptAll(bench, ["c", "d"], latest));
    expect(kinds()).toEqual(["cancelled", "pending", "cancelled", "pending"]);
    bench.settle(out, DELIVERED);
    expect(sendAll(bench, START)).toEqual(["d"]);
    expect(kinds()).toEqual(["cancelled", "delivered", "cancelled", "delivered"]);
  });

  it("gives the one that is out up when it must be tried again", () => {
    const bench = openBench();
    const seqs = acceptAll(bench, ["a"], latest);
    const out = leasesOf(bench.takeDue());
    Object.assign(seqs, acceptAll(bench, ["b"], latest));
    expect(idsOf(bench.settle(out, RETRY, { leasesMax: 6 }).work)).toEqual(["b"]);
    expect(stateOf(bench.ledger(), seqs["a"] ?? 0)).toMatchObject({ kind: "cancelled", reason: "superseded" });
    expect(deliveryOf(bench.ledger(), seqs["a"] ?? 0).attemptCount).toBe(1);
  });

  it("gives the one up whose lease ran out, and writes each row once", () => {
    const bench = openBench();
    acceptAll(bench, ["a"], latest);
    bench.takeDue();
    acceptAll(bench, ["b"], latest);
    const { statements } = bench.costOf(() => expect(idsOf(bench.takeDue(START + LEASE_MS))).toEqual(["b"]));
    // The older one ends in a change, the newer one is old enough by now for a row of its own.
    const writes = statements.filter((each) => /^(?:INSERT|UPDATE|DELETE)/.test(each));
    expect(writes.map((each) => /(?:work|changes)/.exec(each)?.[0])).toEqual(["work", "changes"]);
  });

  it("wants only the last of a batch, with or without leases", () => {
    for (const [leasesMax, leased] of [
      [0, []],
      [1, ["dlv_a_ci"]],
      [6, ["dlv_a_ci"]],
    ] as const) {
      const bench = openBench();
      const items = ["a", "b", "c"].map((id) => laneItem(id, "k", latest));
      const reply = bench.accept("t", items, leasesMax);
      expect(reply.leases.map(({ deliveryId }) => deliveryId)).toEqual(leased);
      bench.settle(reply.leases, DELIVERED);
      expect(sendAll(bench, START)).toEqual(["c"]);
      expect(bench.ledger().backlog().events).toBe(0);
    }
  });

  it("opens one that was given up no more, and gives a dead one up that is opened again too late", () => {
    const bench = openBench();
    const seqs = acceptAll(bench, ["a"], latest);
    bench.settle(leasesOf(bench.takeDue()), DEAD);
    Object.assign(seqs, acceptAll(bench, ["b"], latest));
    expect(bench.ledger().redrive(seqs["a"] ?? 0, undefined, START)).toBe(1);
    expect(statusOf(bench.ledger(), seqs["a"] ?? 0)).toBe("cancelled");
    expect(bench.ledger().redrive(seqs["a"] ?? 0, undefined, START)).toBe(0);
    expect(sendAll(bench, START)).toEqual(["b"]);
  });
});

describe("a lane by number", () => {
  const numbered = (bench: ReturnType<typeof openBench>, number: number | undefined, now = START, leasesMax = 0) => {
    const id = `n${number ?? "-"}@${now - START}`;
    const lane = number === undefined ? {} : { sequence: number, gapWaitMs: 30_000 };
    const reply = bench.accept(`t-${id}`, [laneItem(id, "k", lane)], leasesMax, now);
    return { seq: reply.items[0]?.seq ?? 0, leases: reply.leases };
  };

  it("sends by number what comes out of order", () => {
    const bench = openBench();
    for (const number of [3, 2, 4, 1]) numbered(bench, number);
    expect(sendAll(bench, START)).toEqual(["n1@0", "n2@0", "n3@0", "n4@0"]);
  });

  it("waits for a gap, no longer than the rule says, and says what was missing", () => {
    const bench = openBench();
    const { seq, leases } = numbered(bench, 3, START, 6);
    expect(leases).toEqual([]);
    expect(bench.ledger().nextWakeAt(START)).toBe(START + 30_000);
    expect(bench.takeDue(START + 29_999)).toEqual([]);
    expect(sendAll(bench, START + 30_000)).toEqual(["n3@0"]);
    expect(deliveryOf(bench.ledger(), seq)).toMatchObject({
      state: { kind: "delivered" },
      note: "went on without numbers 1 to 2, which did not come in time",
    });
  });

  it("ends the wait with the missing number, and marks a late one", () => {
    const bench = openBench();
    numbered(bench, 1);
    sendAll(bench, START);
    const gapped = numbered(bench, 3, START + 10);
    expect(sendAll(bench, START + 10)).toEqual([]);
    numbered(bench, 2, START + 20);
    expect(sendAll(bench, START + 20)).toEqual(["n2@20", "n3@10"]);
    expect(deliveryOf(bench.ledger(), gapped.seq).note).toBeUndefined();
    const late = numbered(bench, 1, START + 30);
    expect(sendAll(bench, START + 30)).toEqual(["n1@30"]);
    expect(deliveryOf(bench.ledger(), late.seq).note).toBe("late: number 1 came after 3 had gone on");
  });

  it("sends what has no number at once, before a gap is closed", () => {
    const bench = openBench();
    numbered(bench, 5);
    expect(numbered(bench, undefined, START + 1, 6).leases).toHaveLength(1);
  });

  it("counts a number as passed when its delivery is dead", () => {
    const bench = openBench();
    numbered(bench, 1);
    bench.settle(leasesOf(bench.takeDue()), DEAD);
    expect(numbered(bench, 2, START + 1, 6).leases).toHaveLength(1);
  });

  it("knows how far it has come when it has become empty, and after a restart", () => {
    const bench = openBench();
    for (const number of [1, 2]) numbered(bench, number);
    sendAll(bench, START);
    bench.restart();
    expect(numbered(bench, 4, START + 1, 6).leases).toEqual([]);
    bench.restart();
    expect(bench.ledger().nextWakeAt(START + 1)).toBe(START + 30_001);
    expect(numbered(bench, 3, START + 2, 6).leases).toHaveLength(1);
  });

  it("ends the wait for a gap after a restart too", () => {
    const bench = openBench();
    numbered(bench, 4);
    bench.restart();
    expect(bench.ledger().nextWakeAt(START)).toBe(START + 30_000);
    expect(idsOf(bench.takeDue(START + 30_000))).toEqual(["n4@0"]);
  });

  it("lets a lower number go at once when a higher one that has gone on is to be tried again", () => {
    const bench = openBench();
    numbered(bench, 3);
    const [lease] = leasesOf(bench.takeDue(START + 30_000));
    numbered(bench, 2, START + 40_000);
    bench.settle(lease === undefined ? [] : [lease], { kind: "retry", delayMs: 500_000 }, { now: START + 41_000 });
    expect(bench.ledger().nextWakeAt(START + 41_000)).toBe(START + 41_000);
    expect(sendAll(bench, START + 41_000)).toEqual(["n2@40000"]);
    expect(sendAll(bench, START + 541_000)).toEqual(["n3@0"]);
  });

  it("ends what waits for a gap at its maximum age when that comes first", () => {
    const bench = openBench();
    const item = laneItem("a", "k", { sequence: 5, gapWaitMs: 7_200_000 });
    const seq = bench.accept("t", [item]).items[0]?.seq ?? 0;
    expect(bench.takeDue(START + PLANNED.maxAgeMs)).toEqual([]);
    expect(stateOf(bench.ledger(), seq)).toMatchObject({ kind: "dead", reason: "expired-while-held" });
    expect(bench.ledger().nextWakeAt(START + PLANNED.maxAgeMs)).toBeNull();
  });
});

describe("what a lane costs", () => {
  const warmBench = () => {
    const bench = openBench();
    bench.settle(bench.accept("warm", [laneItem("warm", "w")], 1).leases, DELIVERED);
    return bench;
  };

  it("is no row more than without an order, whether the lane is empty or something is before it", () => {
    const bench = warmBench();
    let leases: readonly Lease[] = [];
    const first = bench.costOf(() => {
      leases = bench.accept("t1", [laneItem("a", "k")], 1).leases;
    });
    const queued = bench.costOf(() => bench.accept("t2", [laneItem("b", "k")], 1));
    const passedOn = bench.costOf(() => {
      leases = leasesOf(bench.settle(leases, DELIVERED, { leasesMax: 1 }).work);
    });
    const last = bench.costOf(() => bench.settle(leases, DELIVERED));
    expect([first.rows, queued.rows, last.rows]).toEqual([2, 2, 1]);
    expect(passedOn.rows).toBe(1);
  });

  it("is one row more for each number that has passed", () => {
    const bench = warmBench();
    const { leases } = bench.accept("t", [laneItem("a", "k", { sequence: 1, gapWaitMs: 1 })], 1);
    expect(bench.costOf(() => bench.settle(leases, DELIVERED)).rows).toBe(2);
  });

  it("is as many statements with 5,000 behind one as with one", () => {
    const costs = [2, 5_000].map((count) => {
      const bench = warmBench();
      for (let n = 0; n < count; n += 100) {
        const ids = Array.from({ length: Math.min(100, count) }, (_, index) => `e${n + index}`);
        bench.accept(
          `t${n}`,
          ids.map((id) => laneItem(id, "k")),
        );
      }
      expect(bench.ledger().backlog().deliveries).toBe(count);
      bench.comeToRest(START + FRESH_MS_MAX + 100);
      let work = bench.takeDue();
      return {
        accept: bench.costOf(() => bench.accept("more", [laneItem("more", "k")], 6)),
        settle: bench.costOf(() => {
          work = bench.settle(leasesOf(work), DELIVERED, { leasesMax: 6 }).work;
        }),
        retry: bench.costOf(() => bench.settle(leasesOf(work), RETRY, { leasesMax: 6 })),
        takeDue: bench.costOf(() => {
          work = bench.takeDue(START + 60_000);
        }),
        park: bench.costOf(() => bench.settle(leasesOf(work), PARK, { now: START + 60_000 })),
        idle: bench.costOf(() => bench.takeDue(START + 60_000)),
      };
    });
    expect(costs[1]).toEqual(costs[0]);
    expect(costs[1]?.accept.statements.length).toBeLessThan(16);
  });
});
