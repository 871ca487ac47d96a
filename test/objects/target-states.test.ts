import { describe, expect, it } from "vitest";
import type { TargetState } from "../../src/bus/gate-ports.ts";
import { migrate } from "../../src/objects/schema.ts";
import { openTargetStates, TARGETS_KNOWN_MAX } from "../../src/objects/target-states.ts";
import { FREE, GATED, PAUSED, statusOf } from "../support/gates.ts";
import { PERMITS_PER_STEP, WINDOW_MAX } from "../../src/core/lend-window.ts";
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
    restart: () => {
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
  const OUT = new Map([["ci", 3]]);

  it("gets nothing until it said that it has some, and then as many as were not denied", () => {
    const { targets, stands } = openBench();
    targets().throttle([{ target: "ci", forMs: 500 }], OUT, NOW);
    expect(stands(NOW + 499).slice(0, 3)).toEqual([0, false, NOW + 500]);
    expect(stands(NOW + 500).slice(0, 3)).toEqual([3, false, NOW + 500]);
    expect(targets().room("audit", NOW)).toBe(ALL);
  });

  it("gets all again after enough permits, the first of which end its wait; others leave one alone that lacks no room", () => {
    const { targets, stands } = openBench();
    const grant = (times: number, now: number) => {
      for (let count = 0; count < times; count++) targets().throttle([{ target: "ci", forMs: 0 }], OUT, now);
    };
    grant(1, NOW);
    expect(stands()).toEqual([ALL, false, NOW, undefined]);
    targets().throttle([{ target: "ci", forMs: 500 }], OUT, NOW);
    grant(1, NOW + 100);
    expect(stands(NOW + 100).slice(0, 3)).toEqual([3, false, NOW + 100]);
    grant(PERMITS_PER_STEP * (WINDOW_MAX - 3) - 2, NOW + 100);
    expect(stands(NOW + 100)[0]).toBe(WINDOW_MAX - 1);
    grant(1, NOW + 100);
    expect(stands(NOW + 100)).toEqual([ALL, false, NOW + 100, undefined]);
  });

  it("is left to others for as long as a settle says, unless it has room for all", () => {
    const { targets, stands } = openBench();
    const yielding = [{ target: "ci", forMs: 0, yieldMs: 200 }];
    targets().yieldTo(yielding, NOW);
    expect(stands()[0]).toBe(ALL);
    targets().throttle([{ target: "ci", forMs: 500 }], OUT, NOW);
    targets().throttle(yielding, OUT, NOW);
    expect(stands()[0]).toBe(3);
    targets().yieldTo(yielding, NOW);
    expect(stands(NOW + 199).slice(0, 3)).toEqual([0, false, NOW + 200]);
    expect(stands(NOW + 200)[0]).toBe(3);
  });

  it("may go on as soon as its gate says that it is no longer held", () => {
    const { targets, tell, stands } = openBench();
    tell(PAUSED, 1);
    targets().throttle([{ target: "ci", forMs: 60_000 }], OUT, NOW);
    tell(broken(1_000), 2, NOW + 5);
    expect(stands(NOW + 5)[2]).toBe(NOW + 60_000);
    tell(FREE, 3, NOW + 10);
    expect(stands(NOW + 10).slice(0, 3)).toEqual([3, false, NOW + 10]);
  });

  it("counts as held for a minute more, since it has room for a moment only", () => {
    const { targets } = openBench();
    targets().throttle([{ target: "ci", forMs: 500 }], OUT, NOW);
    expect(targets().heldBecause("ci", NOW + 60_499)).toBe("no room within its limits");
    expect(targets().room("ci", NOW + 60_499)).toBe(3);
    expect(targets().heldBecause("ci", NOW + 60_500)).toBeUndefined();
    expect(targets().room("ci", NOW + 60_500)).toBe(ALL);
  });

  it("waits for the later of its hold and its room", () => {
    const { targets, tell, stands } = openBench();
    tell(broken(1_000), 1);
    targets().throttle([{ target: "ci", forMs: 2_000 }], OUT, NOW);
    expect(stands()[2]).toBe(NOW + 2_000);
    expect(targets().room("ci", NOW + 1_500)).toBe(0);
    targets().throttle([{ target: "ci", forMs: 0 }], OUT, NOW);
    expect(stands()[2]).toBe(NOW + 1_000);
    expect(stands()[3]).toBe("breaker");
  });

  it("is asked anew after a restart", () => {
    const { targets, stands, restart } = openBench();
    targets().throttle([{ target: "ci", forMs: 500 }], OUT, NOW);
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

describe("a target that the rules no longer name", () => {
  it("gets what waits for it, with a permit, though it was held; and its gate may hold it again", () => {
    const { tell, targets, stands, restart } = openBench();
    tell(PAUSED, 7);
    targets().retain(["ci"], NOW);
    expect(stands()).toEqual([0, true, null, "paused"]);
    targets().retain(["audit"], NOW);
    expect(stands()).toEqual([ALL, true, NOW, undefined]);
    restart();
    expect(stands()).toEqual([ALL, true, NOW, undefined]);
    tell(PAUSED, 7);
    expect(stands()).toEqual([0, true, null, "paused"]);
  });

  it("is forgotten when too many are known, the oldest first; one that is named never is", () => {
    const { sql, targets } = openBench();
    const names = Array.from({ length: TARGETS_KNOWN_MAX }, (_, index) => `t${index}`);
    const known = () => sql.all<{ name: string }>("SELECT name FROM targets").map(({ name }) => name);
    targets().set(
      names.map((name) => statusOf(name, GATED)),
      NOW,
    );
    targets().retain(["t0"], NOW);
    expect(known()).toHaveLength(TARGETS_KNOWN_MAX);

    targets().set([statusOf("new", GATED)], NOW);
    targets().retain(["t0"], NOW);
    expect(known()).toHaveLength(TARGETS_KNOWN_MAX);
    expect(known()).toEqual(expect.arrayContaining(["t0", "t2", "new"]));
    expect(known()).not.toContain("t1");
    expect(targets().isGated("t1")).toBe(false);

    targets().set([statusOf("newer", GATED)], NOW);
    targets().retain([...names, "new", "newer"], NOW);
    expect(known()).toHaveLength(TARGETS_KNOWN_MAX + 1);
  });
});

describe("the sweep", () => {
  it("forgets a want of room and a count that are over, and keeps what is not", () => {
    const { targets } = openBench();
    const minute = 60_000;
    targets().throttle([{ target: "ci", forMs: 1_000 }], new Map(), NOW);
    targets().count("ci", "retryable", NOW);
    targets().retain(["ci"], NOW + minute);
    expect(targets().heldBecause("ci", NOW + minute)).toBe("no room within its limits");
    targets().retain(["ci"], NOW + minute + 1_000);
    expect(targets().takeRecords()).toEqual([]);
    // A clock that goes back shows that nothing is left of it.
    expect(targets().heldBecause("ci", NOW)).toBeUndefined();
  });
});
