import { describe, expect, it } from "vitest";
import type { TargetState } from "../../src/bus/ports.ts";
import { migrate } from "../../src/objects/schema.ts";
import { openTargetStates } from "../../src/objects/target-states.ts";
import { FREE, GATED, PAUSED, statusOf } from "../support/gates.ts";
import { openNodeSql } from "../support/node-sql.ts";

const NOW = 1_000_000;
const ALL = Number.POSITIVE_INFINITY;

function broken(forMs: number): TargetState {
  return { kind: "held", reason: "breaker", forMs };
}

function openBench() {
  const sql = openNodeSql();
  migrate(sql);
  let targets = openTargetStates(sql);
  return {
    sql,
    targets: () => targets,
    restart() {
      targets = openTargetStates(sql);
    },
    tell: (state: TargetState, version: number, now = NOW) => targets.set([statusOf("ci", state, version)], now),
    /** How the target stands: room, whether it needs permits, when it is free, why not. */
    stands: (now = NOW) => [
      targets.room("ci", now),
      targets.isGated("ci"),
      targets.freeAt("ci", now),
      targets.heldBecause("ci", now),
    ],
  };
}

describe("a target that no gate has told of", () => {
  it("gets whatever is due, without permits", () => {
    expect(openBench().stands()).toEqual([ALL, false, NOW, undefined]);
  });

  it("stays so when a gate that never had anything to tell is asked", () => {
    const { tell, stands, sql } = openBench();
    tell(FREE, 0);
    expect(stands()).toEqual([ALL, false, NOW, undefined]);
    expect(sql.all("SELECT name FROM targets")).toEqual([]);
  });
});

describe("a hold", () => {
  it("lets nothing through until its time is over, and then one at a time, each with a permit", () => {
    const { tell, stands } = openBench();
    tell(broken(30_000), 1);
    expect(stands(NOW + 29_999)).toEqual([0, true, NOW + 30_000, "breaker"]);
    expect(stands(NOW + 30_000)).toEqual([1, true, NOW + 30_000, "breaker"]);
    expect(stands(NOW + 90_000)).toEqual([1, true, NOW + 90_000, "breaker"]);
  });

  it("without an end lasts until its gate says otherwise, and nobody knows when that is", () => {
    const { tell, stands } = openBench();
    tell(PAUSED, 1);
    expect(stands(NOW + 1e12)).toEqual([0, true, null, "paused"]);
    tell(FREE, 2);
    expect(stands()).toEqual([ALL, false, NOW, undefined]);
  });

  it("is not made longer by the same news again", () => {
    const { tell, stands } = openBench();
    tell(broken(30_000), 1);
    tell(broken(30_000), 1, NOW + 20_000);
    expect(stands(NOW + 30_000)[0]).toBe(1);
  });

  it("is not ended by old news, nor brought back by it", () => {
    const { tell, stands } = openBench();
    tell(broken(30_000), 4);
    tell(FREE, 3);
    expect(stands()).toEqual([0, true, NOW + 30_000, "breaker"]);
    tell(FREE, 5);
    tell(PAUSED, 4);
    expect(stands()).toEqual([ALL, false, NOW, undefined]);
  });

  it("outlives a restart, its version too", () => {
    for (const state of [PAUSED, broken(30_000), GATED, FREE]) {
      const { tell, stands, restart, sql } = openBench();
      tell(state, 7);
      const before = [stands(), stands(NOW + 30_000)];
      restart();
      expect([stands(), stands(NOW + 30_000)]).toEqual(before);
      const written = sql.rowsWritten();
      tell(state.kind === "free" ? PAUSED : FREE, 7);
      expect(stands()).toEqual(before[0]);
      expect(sql.rowsWritten()).toBe(written);
    }
  });

  it("concerns its own target alone", () => {
    const { targets, tell } = openBench();
    tell(PAUSED, 1);
    expect(targets().room("audit", NOW)).toBe(ALL);
    expect(targets().isGated("audit")).toBe(false);
  });
});

describe("a target that its gate tries out", () => {
  it("needs permits, and may get as many leases as there are", () => {
    const { tell, stands } = openBench();
    tell(GATED, 1);
    expect(stands()).toEqual([ALL, true, NOW, undefined]);
  });
});

describe("a target without room", () => {
  it("gets nothing until it said that it has some, and then as much as before", () => {
    const { targets, stands } = openBench();
    targets().throttle([{ target: "ci", forMs: 500 }], NOW);
    expect(stands(NOW + 499).slice(0, 3)).toEqual([0, false, NOW + 500]);
    expect(stands(NOW + 500).slice(0, 3)).toEqual([ALL, false, NOW + 500]);
  });

  it("counts as held for a minute more, since it has room for a moment only", () => {
    const { targets } = openBench();
    targets().throttle([{ target: "ci", forMs: 500 }], NOW);
    expect(targets().heldBecause("ci", NOW + 60_499)).toBe("no room within its limits");
    expect(targets().heldBecause("ci", NOW + 60_500)).toBeUndefined();
  });

  it("waits for the later of its hold and its room", () => {
    const { targets, tell, stands } = openBench();
    tell(broken(1_000), 1);
    targets().throttle([{ target: "ci", forMs: 2_000 }], NOW);
    expect(stands()[2]).toBe(NOW + 2_000);
    expect(targets().room("ci", NOW + 1_500)).toBe(0);
    targets().throttle([{ target: "ci", forMs: 10 }], NOW);
    expect(stands()[2]).toBe(NOW + 1_000);
    expect(stands()[3]).toBe("breaker");
  });

  it("is asked anew after a restart", () => {
    const { targets, stands, restart } = openBench();
    targets().throttle([{ target: "ci", forMs: 500 }], NOW);
    restart();
    expect(stands()).toEqual([ALL, false, NOW, undefined]);
  });
});

describe("what is counted of a target", () => {
  it("is told once it has failed, with what it did before, and then begins anew", () => {
    const { targets } = openBench();
    targets().count("ci", "delivered", NOW);
    expect(targets().takeRecords()).toEqual([]);
    targets().count("ci", "permanent", NOW);
    targets().count("ci", "retryable", NOW + 1);
    targets().count("audit", "delivered", NOW);
    expect(targets().takeRecords()).toEqual([{ target: "ci", attempts: 3, failures: 1 }]);
    expect(targets().takeRecords()).toEqual([]);
    targets().count("ci", "retryable", NOW + 2);
    expect(targets().takeRecords()).toEqual([{ target: "ci", attempts: 1, failures: 1 }]);
  });

  it("leaves out what is older than a minute, and leases that were lost", () => {
    const { targets } = openBench();
    targets().count("ci", "delivered", NOW);
    targets().count("ci", "lost", NOW);
    targets().count("ci", "retryable", NOW + 60_000);
    expect(targets().takeRecords()).toEqual([{ target: "ci", attempts: 2, failures: 1 }]);
    targets().count("ci", "delivered", NOW);
    targets().count("ci", "retryable", NOW + 60_001);
    expect(targets().takeRecords()).toEqual([{ target: "ci", attempts: 1, failures: 1 }]);
  });
});
