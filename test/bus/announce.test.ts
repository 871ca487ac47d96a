import { describe, expect, it } from "vitest";
import type { AnnouncePorts } from "../../src/bus/announce.ts";
import { announce, ANNOUNCE_CALLS_MAX, ANNOUNCE_PARTITIONS_MAX, ANNOUNCE_TIMEOUT_MS } from "../../src/bus/announce.ts";
import { askStatuses, GATE_CALLS_MAX, STATUSES_TIME_MS } from "../../src/bus/gate-call.ts";
import { inPool } from "../../src/bus/pool.ts";
import type { TargetStatus } from "../../src/bus/gate-ports.ts";
import { FREE, PAUSED, replyOf, scriptedGates, statusOf } from "../support/gates.ts";

const STATUSES = [statusOf("ci", PAUSED, 3)];

/** Partitions of which some fail, the first so many times. */
function openPartitions(failures: Readonly<Record<string, { readonly error: unknown; readonly times: number }>> = {}) {
  const calls: string[] = [];
  const logs: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  let open = 0;
  let openMax = 0;
  const heard = new Map<string, readonly TargetStatus[]>();
  const ports: AnnouncePorts = {
    allPartitions: () => [],
    within: (work) => work,
    sleep: () => Promise.resolve(),
    random: () => 0.5,
    log: (message, fields) => void logs.push({ message, fields }),
    adminPartition: (name) => ({
      setTargetStatuses: async (statuses) => {
        calls.push(name);
        openMax = Math.max(openMax, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        const failing = failures[name];
        if (failing !== undefined && calls.filter((each) => each === name).length <= failing.times) throw failing.error;
        heard.set(name, statuses);
      },
    }),
  };
  return { ports, calls, logs, heard, openMax: () => openMax };
}

describe("an announcement", () => {
  it("reaches every partition, so many at a time", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
    const { ports, heard, openMax } = openPartitions();
    expect(await announce(names, STATUSES, ports)).toEqual([]);
    expect([...heard.keys()].toSorted()).toEqual(names.toSorted());
    expect([...heard.values()].every((statuses) => statuses === STATUSES)).toBe(true);
    expect(openMax()).toBe(ANNOUNCE_CALLS_MAX);
  });

  it("names the partitions that it could not reach, logs them, and reaches the others", async () => {
    const down = { error: new Error("down"), times: 10 };
    const { ports, heard, logs } = openPartitions({ p1: down, p3: down });
    expect(await announce(["p0", "p1", "p2", "p3"], STATUSES, ports)).toEqual(["p1", "p3"]);
    expect([...heard.keys()]).toEqual(["p0", "p2"]);
    expect(logs.map(({ message, fields }) => [message, fields["partition"], fields["targets"]])).toEqual([
      ["announce.failed", "p1", ["ci"]],
      ["announce.failed", "p3", ["ci"]],
    ]);
  });

  it("is tried again where the platform says that this may help", async () => {
    const moved = { error: Object.assign(new Error("moved"), { retryable: true }), times: 2 };
    const { ports, calls } = openPartitions({ p0: moved });
    expect(await announce(["p0"], STATUSES, ports)).toEqual([]);
    expect(calls).toEqual(["p0", "p0", "p0"]);
  });

  it("waits no longer than the limit for a partition: it is named, and the others hear", async () => {
    const { ports, heard, logs } = openPartitions();
    const limits: number[] = [];
    const untold = await announce(["p0", "p1", "p2"], STATUSES, {
      ...ports,
      adminPartition: (name) =>
        name === "p1" ? { setTargetStatuses: () => new Promise(() => {}) } : ports.adminPartition(name),
      within: (work, timeoutMs) => {
        limits.push(timeoutMs);
        const late = new Promise<"timeout">((resolve) => setTimeout(() => resolve("timeout"), 20));
        return Promise.race([work, late]);
      },
    });
    expect(untold).toEqual(["p1"]);
    expect([...heard.keys()]).toEqual(["p0", "p2"]);
    expect(logs).toEqual([{ message: "announce.timeout", fields: { partition: "p1", targets: ["ci"] } }]);
    expect(limits).toEqual(Array.from({ length: 3 }, () => ANNOUNCE_TIMEOUT_MS));
  });

  it("to nobody is none", async () => {
    const { ports, calls } = openPartitions();
    expect(await announce([], STATUSES, ports)).toEqual([]);
    expect(calls).toEqual([]);
  });
});

describe("asking how targets stand", () => {
  const ports = {
    sleep: () => Promise.resolve(),
    random: () => 0.5,
    within: <Value>(work: Promise<Value>) => work,
    log: () => {},
  };

  it("leaves out those whose gate is out of reach, and keeps the order", async () => {
    const { gate } = scriptedGates((target) => ({
      status: async () => {
        if (target === "b") throw new Error("no gate");
        return replyOf(target, target === "c" ? PAUSED : FREE, false);
      },
    }));
    const logs: string[] = [];
    const asked = askStatuses(["a", "b", "c"], { ...ports, gate, log: (message) => void logs.push(message) });
    expect(await asked).toEqual([statusOf("a", FREE), statusOf("c", PAUSED)]);
    expect(logs).toEqual(["gate.failed"]);
  });

  it("asks so many at a time", async () => {
    let open = 0;
    let openMax = 0;
    const { gate } = scriptedGates((target) => ({
      status: async () => {
        openMax = Math.max(openMax, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        return replyOf(target, FREE, false);
      },
    }));
    const names = Array.from({ length: 20 }, (_, index) => `t${index}`);
    expect(await askStatuses(names, { ...ports, gate })).toHaveLength(20);
    expect(openMax).toBe(GATE_CALLS_MAX);
  });
});

describe("a pool", () => {
  it("does each item once and keeps the order of the results, however long each takes", async () => {
    const done: number[] = [];
    const results = await inPool([3, 0, 2, 1], 2, async (ticks) => {
      for (let tick = 0; tick < ticks; tick++) await new Promise((resolve) => setImmediate(resolve));
      done.push(ticks);
      return ticks * 10;
    });
    expect(results).toEqual([30, 0, 20, 10]);
    expect(done.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  it("fails with the first failure", async () => {
    await expect(inPool([1, 2], 2, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });
});

describe("many partitions and targets", () => {
  const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);

  it("are all told up to the limit; of one more, its name comes back and the log says so", async () => {
    const most = openPartitions();
    expect(await announce(namesOf(ANNOUNCE_PARTITIONS_MAX), STATUSES, most.ports)).toEqual([]);
    expect(most.heard.size).toBe(ANNOUNCE_PARTITIONS_MAX);
    expect(most.logs).toEqual([]);

    const more = openPartitions();
    const untold = await announce(namesOf(ANNOUNCE_PARTITIONS_MAX + 1), STATUSES, more.ports);
    expect(untold).toEqual([`p${ANNOUNCE_PARTITIONS_MAX}`]);
    expect(more.heard.size).toBe(ANNOUNCE_PARTITIONS_MAX);
    expect(more.logs.map(({ message }) => message)).toEqual(["announce.cut"]);
  });

  it("are asked how they stand no longer than the limit: what is known by then counts, and no more are asked", async () => {
    const { ports, logs } = openPartitions();
    let end = (): void => {};
    const within = <Value>(work: Promise<Value>, timeoutMs: number): Promise<Value | "timeout"> =>
      timeoutMs === STATUSES_TIME_MS
        ? Promise.race([work, new Promise<"timeout">((resolve) => (end = () => resolve("timeout")))])
        : work;
    const asked: string[] = [];
    const lost: (() => void)[] = [];
    const gates = scriptedGates((target) => ({
      status: async () => {
        asked.push(target);
        if (target === "a") return replyOf(target, FREE, false);
        return new Promise((_, reject) => void lost.push(() => reject(new Error("out of reach"))));
      },
    }));
    const names = ["a", ...namesOf(2 * GATE_CALLS_MAX)];
    const answer = askStatuses(names, { ...ports, gate: gates.gate, within });
    await new Promise((resolve) => setImmediate(resolve));
    end();
    expect((await answer).map(({ target }) => target)).toEqual(["a"]);
    expect(logs.map(({ message }) => message)).toEqual(["gates.unasked"]);
    expect(asked).toHaveLength(1 + GATE_CALLS_MAX);
    for (const each of lost) each();
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(1 + GATE_CALLS_MAX);
  });
});
