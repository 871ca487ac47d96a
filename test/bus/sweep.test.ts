import { describe, expect, it } from "vitest";
import { sweep, SWEEP_CALLS_MAX, SWEEP_PARTITIONS_MAX, SWEEP_TIMEOUT_MS } from "../../src/bus/sweep.ts";
import type { SweepPorts } from "../../src/bus/sweep.ts";
import { PAUSED, statusOf } from "../support/gates.ts";

const NEWS = {
  statuses: [statusOf("ci", PAUSED)],
  targets: ["ci", "audit"],
  wanted: { pairs: ["default/all ci"], deployedAt: 1 },
};
const BACKLOG = { events: 0, deliveries: 0, bytes: 0 };
const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);

/** Partitions of which one fails and one never answers. */
function openPartitions({ failing = "", hanging = "" } = {}) {
  const woken: string[] = [];
  const told: unknown[] = [];
  const logs: string[] = [];
  const timeouts: number[] = [];
  let open = 0;
  let openMax = 0;
  const ports: SweepPorts = {
    adminPartition: (name) => ({
      wake: async (statuses, targets, wanted) => {
        woken.push(name);
        told.push({ statuses, targets, wanted });
        if (name === hanging) return new Promise(() => {});
        openMax = Math.max(openMax, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        if (name === failing) throw new Error("down");
        return BACKLOG;
      },
    }),
    within: (work, timeoutMs) => {
      timeouts.push(timeoutMs);
      const late = new Promise<"timeout">((resolve) => {
        setTimeout(() => resolve("timeout"), 20);
      });
      return Promise.race([work, late]);
    },
    log: (message, { partition }) => void logs.push(`${message} ${String(partition)}`),
  };
  return { ports, woken, told, logs, timeouts, openMax: () => openMax };
}

describe("a sweep", () => {
  it("wakes every partition, so many at a time, and tells it of the targets and what the rules want", async () => {
    const { ports, woken, told, openMax, timeouts } = openPartitions();
    await sweep(namesOf(20), 0, NEWS, ports);
    expect(woken.toSorted()).toEqual(namesOf(20).toSorted());
    expect(told.every((each) => JSON.stringify(each) === JSON.stringify(NEWS))).toBe(true);
    expect(openMax()).toBe(SWEEP_CALLS_MAX);
    expect(new Set(timeouts)).toEqual(new Set([SWEEP_TIMEOUT_MS]));
  });

  it("goes on past a partition that fails and one that hangs, and says which", async () => {
    const { ports, woken, logs } = openPartitions({ failing: "p1", hanging: "p3" });
    await sweep(namesOf(12), 0, NEWS, ports);
    expect(woken).toHaveLength(12);
    expect(logs.toSorted()).toEqual(["sweep.failed p1", "sweep.timeout p3"]);
  });

  it("wakes as many as one may; of one more, it is the next sweep's turn, then all begins anew", async () => {
    const wokenBy = async (count: number, turn: number) => {
      const { ports, woken } = openPartitions();
      await sweep(namesOf(count), turn, NEWS, ports);
      return woken;
    };
    expect(await wokenBy(SWEEP_PARTITIONS_MAX, 7)).toHaveLength(SWEEP_PARTITIONS_MAX);
    const last = `p${SWEEP_PARTITIONS_MAX}`;
    expect(await wokenBy(SWEEP_PARTITIONS_MAX + 1, 0)).not.toContain(last);
    expect(await wokenBy(SWEEP_PARTITIONS_MAX + 1, 1)).toEqual([last]);
    expect(await wokenBy(SWEEP_PARTITIONS_MAX + 1, 2)).toHaveLength(SWEEP_PARTITIONS_MAX);
    expect(await wokenBy(0, 3)).toEqual([]);
  });
});
