import { describe, expect, it } from "vitest";
import { DELIVERIES_PER_EVENT_MAX } from "../../src/bus/plan-event.ts";
import { GAPS_ENDED_MAX } from "../../src/objects/lanes.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { acceptItem } from "../support/accept-requests.ts";
import { START, deliveryOf, laneItem, openBench } from "../support/ledger-bench.ts";

const GAP_MS = 60_000;

describe("gaps that are over at the same time", () => {
  it("end so many at a call, and the alarm rings again at once for the rest", () => {
    const { accept, takeDue, ledger } = openBench();
    const count = GAPS_ENDED_MAX + 1;
    const items = Array.from({ length: count }, (_, n) =>
      laneItem(`e${n}`, `${n}`, { sequence: 5, gapWaitMs: GAP_MS }),
    );
    const seqs = accept("t", items).items.map(({ seq }) => seq);
    const over = START + GAP_MS;
    const queued = () => seqs.filter((seq) => deliveryOf(ledger(), seq).state.kind === "queued").length;
    expect(queued()).toBe(count);
    takeDue(over);
    expect(queued()).toBe(1);
    expect(ledger().nextWakeAt(over)).toBe(over);
    takeDue(over);
    expect(queued()).toBe(0);
  });
});

describe("a full backlog in one lane", () => {
  const COUNT = LEDGER_LIMITS.backlogDeliveriesMax;
  const fill = (latest: boolean) => {
    const bench = openBench();
    const items = Array.from({ length: COUNT - 1 }, (_, n) => laneItem(`e${n}`, "a"));
    const seqs: number[] = [];
    for (let at = 0; at < items.length; at += 1_000) {
      seqs.push(...bench.accept(`t${at}`, items.slice(at, at + 1_000)).items.map(({ seq }) => seq));
    }
    bench.comeToRest();
    return { ...bench, seqs, last: laneItem("last", "a", latest ? { latest: true } : {}) };
  };

  it("costs an accept and a settle no more than a short lane", () => {
    const { accept, settle, takeDue, costOf, last } = fill(false);
    expect(costOf(() => accept("last", [last])).statements.length).toBeLessThan(20);
    const [first] = takeDue();
    if (first === undefined) throw new Error("nothing is due");
    const { statements, rows } = costOf(() => settle([first.lease], { kind: "delivered" }, { leasesMax: 1 }));
    expect(statements.length).toBeLessThan(20);
    // The row that ended, its place in the log with the segment that opens for it, and the one that comes up.
    expect(rows).toBeLessThanOrEqual(4);
  });

  it("gives way to one newest in a single accept, within the time that acceptance has", () => {
    const { accept, ledger, seqs, last } = fill(true);
    const before = performance.now();
    accept("last", [last]);
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(ledger().backlog().deliveries).toBe(1);
    expect(deliveryOf(ledger(), seqs[0] ?? 0).state).toMatchObject({ kind: "cancelled", reason: "superseded" });
  });
});

describe("an event with as many ordered deliveries as there may be", () => {
  it("has each in a lane of its own, and the next event goes on in all of them when they have ended", () => {
    const { accept, settle, ledger, takeDue } = openBench();
    const targets = Array.from({ length: DELIVERIES_PER_EVENT_MAX }, (_, n) => `t${n}`);
    const itemOf = (id: string) => {
      const item = acceptItem(id, targets);
      const deliveries = item.deliveries.map((each) => ({ ...each, lane: { id: `lane-${each.target}` } }));
      return { ...item, deliveries };
    };
    const before = performance.now();
    const first = accept("a", [itemOf("a")], DELIVERIES_PER_EVENT_MAX);
    const second = accept("b", [itemOf("b")]).items[0]?.seq ?? 0;
    expect(first.leases).toHaveLength(DELIVERIES_PER_EVENT_MAX);
    expect(takeDue()).toEqual([]);
    settle(first.leases, { kind: "delivered" });
    const states = ledger()
      .get(second)
      ?.deliveries.map(({ state }) => state.kind);
    expect(states).toEqual(targets.map(() => "waiting"));
    expect(performance.now() - before).toBeLessThan(4_000);
  });
});
