import { describe, expect, it } from "vitest";
import { goalLines, goalsOf, summarise, summaryTable } from "./e2e-report.ts";
import type { Round } from "./e2e-round.ts";

const ROUND: Round = {
  accepted: 1_000,
  refused: 0,
  delivered: 1_000,
  acceptedPerSecond: 100,
  eventsPerSecond: 80,
  p50Ms: 5,
  p99Ms: 20,
  cpuUsPerEvent: 700,
  backlog: 250,
  repeated: 0,
  generatorCpu: 0.1,
  targetCpu: 0.05,
  serverCpu: 0.97,
  problem: undefined,
};

function systemWith(name: string, ...rounds: readonly Partial<Round>[]) {
  return summarise({ name, rounds: rounds.map((round) => ({ ...ROUND, ...round })) });
}

describe("a summary of rounds", () => {
  it("has the median of what was measured and the sum of what went wrong", () => {
    const summary = systemWith(
      "Sluice",
      { eventsPerSecond: 90, delivered: 997, repeated: 1 },
      { eventsPerSecond: 10, refused: 4 },
      { eventsPerSecond: 80, delivered: 999, repeated: 2 },
    );
    expect(summary).toMatchObject({ eventsPerSecond: 80, missing: 4, repeated: 3, refused: 4, accepted: 3_000 });
    expect(summary.deliveredAtEnd).toBe(0.75);
  });

  it("does not make up CPU time where the system tells none", () => {
    expect(systemWith("Sluice", { cpuUsPerEvent: undefined, serverCpu: undefined })).toMatchObject({
      cpuUsPerEvent: null,
      serverCpu: null,
    });
  });

  it("is a line of a table", () => {
    const [titles, line] = summaryTable([systemWith("yardstick", {})], 200);
    expect(titles).toMatch(/accepted\/s +events\/s/);
    expect(line?.split(/\s{2,}/)).toEqual([
      "yardstick",
      "100",
      "80",
      "5.0",
      "20.0",
      "700",
      "75 %",
      "0",
      "0",
      "97 %, 10 %, 5 %",
    ]);
  });
});

describe("the goals", () => {
  const plain = systemWith("yardstick", { eventsPerSecond: 100, p99Ms: 20 });
  const grouping = systemWith("grouping", { eventsPerSecond: 200, p99Ms: 20 });

  it("are reached at the limit", () => {
    const sluice = systemWith("Sluice", { eventsPerSecond: 180, p99Ms: 30 });
    expect(goalsOf(sluice, plain, grouping).map(({ isReached }) => isReached)).toEqual([true, true, true, true]);
  });

  it("are missed beyond it, each by itself", () => {
    const slow = systemWith("Sluice", { eventsPerSecond: 179, p99Ms: 31 });
    expect(goalsOf(slow, plain, grouping).map(({ isReached }) => isReached)).toEqual([true, false, false, false]);
    const slower = systemWith("Sluice", { eventsPerSecond: 119, p99Ms: 30 });
    const lines = goalLines(goalsOf(slower, plain, grouping));
    expect(lines[0]).toBe("missed   1.19 x events/s, of the yardstick's (at least 1.2)");
    expect(lines[2]).toBe("reached  1.50 x p99 of acceptance, of the yardstick's (at most 1.5)");
  });
});
