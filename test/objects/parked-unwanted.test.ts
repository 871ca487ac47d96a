import { describe, expect, it } from "vitest";
import type { Step } from "../../src/core/step.ts";
import { PARKED_ROWS_MAX } from "../../src/objects/parked-unwanted.ts";
import { laneItem, openBench, START, stateOf } from "../support/ledger-bench.ts";

const PARK: Step = { kind: "park", reason: "status", detail: "404" };
const WANTED = ["default/all ci"];

/** A lane that has stopped with its first delivery; the second waits behind it. Events were matched at 1. */
function openParked() {
  const bench = openBench();
  const { leases, items } = bench.accept("t1", [laneItem("a", "k")], 1);
  bench.settle(leases, PARK);
  bench.accept("t2", [laneItem("b", "k")]);
  const state = () => stateOf(bench.ledger(), items[0]?.seq ?? 0);
  const sweep = (pairs: readonly string[], deployedAt: number) =>
    bench.ledger().retain(START + 1_000, undefined, { pairs, deployedAt });
  return { ...bench, state, sweep };
}

describe("a parked delivery whose rule the sweep brings no more", () => {
  it("is lent out again, so that a dispatcher finds it unwanted and cancels it", () => {
    const { state, sweep, takeDue } = openParked();
    sweep(["default/other ci", "default/all audit"], 1);
    expect(state()).toEqual({ kind: "waiting", dueAt: START + 1_000 });
    expect(takeDue(START + 1_000).map(({ lease }) => lease.deliveryId)).toEqual(["dlv_a_ci"]);
  });

  it("stays parked while the rule is there", () => {
    const { state, sweep, takeDue } = openParked();
    sweep(WANTED, 1);
    expect(state()).toMatchObject({ kind: "parked" });
    expect(takeDue(START + 1_000)).toEqual([]);
  });

  it("waits for the next sweep when there are more than one looks at", () => {
    const bench = openBench();
    for (let n = 0; n <= PARKED_ROWS_MAX; n++) {
      bench.settle(bench.accept(`t${n}`, [laneItem(`e${n}`, `k${n}`)], 1).leases, PARK);
    }
    const parked = () => bench.ledger().before(Number.MAX_SAFE_INTEGER, PARKED_ROWS_MAX + 1, "parked").length;
    expect(parked()).toBe(PARKED_ROWS_MAX + 1);
    bench.ledger().retain(START, undefined, { pairs: [], deployedAt: 1 });
    expect(parked()).toBe(1);
    bench.ledger().retain(START, undefined, { pairs: [], deployedAt: 1 });
    expect(parked()).toBe(0);
  });

  it("stays parked for rules that are older than it", () => {
    const { state, sweep } = openParked();
    sweep([], 0);
    expect(state()).toMatchObject({ kind: "parked" });
  });
});
