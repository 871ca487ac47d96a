import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import type { Counts } from "./counts.ts";
import { runSeeds } from "./seed-pool.ts";
import { addTallies, EMPTY_TALLY, tallyLine, tallySeeds } from "./seed-tally.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 10_000;
const RUN_MS_MAX = 900_000;

/** How often something happens in a simulated day, at the least: about half of what it is. */
const FLOORS: Partial<Counts> = {
  duplicates: 4,
  batches: 0.5,
  grouped: 0.3,
  settledTogether: 0.3,
  crashes: 1,
  partitionDeaths: 4,
  gateDeaths: 2,
  lostAlarms: 0.2,
  clockJumps: 0.25,
  deployments: 0.5,
  ordered: 5,
  parked: 0.1,
  superseded: 0.08,
  skipped: 0.2,
  gapsPassed: 0.15,
  lateNumbers: 0.004,
  expiredWhileHeld: 0.25,
  permits: 7,
  deniedPermits: 1.5,
  breakersOpened: 0.4,
  pauses: 0.3,
  gone: 0.05,
  moved: 0.25,
  lanesElsewhere: 0.06,
  redelivered: 0.12,
  redriven: 1,
  replaysRefused: 0.3,
  replaysFlagged: 0.2,
  replies: 0.8,
  piped: 1,
  loopsEnded: 0.25,
  shadowed: 6,
  overshadowed: 0.08,
  rebuilds: 4,
};

describe("the promise under faults", () => {
  it(
    `holds in ${SEEDS} simulated days, each with its own crashes, losses and targets`,
    { timeout: RUN_MS_MAX },
    async ({ signal }) => {
      const started = performance.now();
      const processes = availableParallelism();
      const tally = await runSeeds({ first: 1, count: SEEDS, processes, untilFailure: true, signal });
      console.log(tallyLine(tally, (performance.now() - started) / 1_000));
      const [worst] = tally.failed;
      if (worst !== undefined) {
        const broken = worst.broken.join("\n  ");
        throw new Error(`seed ${worst.seed}:\n  ${broken}\nTo see it: npm run sim -- --seed ${worst.seed} --trace`);
      }
      expect(tally.seeds).toBe(SEEDS);
      // A simulation in which nothing happens proves nothing.
      const { counts } = tally;
      expect(counts.events).toBeGreaterThan(SEEDS * 5);
      expect(counts.acknowledged).toBeGreaterThan(counts.events * 0.9);
      expect(counts.requests).toBeGreaterThan(counts.events);
      const tooFew = Object.entries(FLOORS).filter(([name, floor]) => counts[name as keyof Counts] < SEEDS * floor);
      expect(tooFew.map(([name]) => `${name}: ${counts[name as keyof Counts]}`)).toEqual([]);
      expect(Object.keys(counts).filter((name) => counts[name as keyof Counts] === 0)).toEqual([]);
    },
  );

  it("goes the same way for the same seed", async () => {
    const tell = async (): Promise<readonly string[]> => {
      const story: string[] = [];
      await simulate(7, (text) => story.push(text));
      return story;
    };
    const first = await tell();
    expect(first.length).toBeGreaterThan(20);
    expect(await tell()).toEqual(first);
  });
});

describe("a run of many seeds", () => {
  it("comes to the same in several processes as in this one", { timeout: 60_000 }, async () => {
    const seeds = { first: 3, count: 60, untilFailure: false };
    const here = await runSeeds({ ...seeds, processes: 1 });
    expect(here.seeds).toBe(60);
    expect(await runSeeds({ ...seeds, processes: 3 })).toEqual(here);
  });

  it("adds up counts, and lists what failed by seed", async () => {
    const one = await tallySeeds({ first: 1, count: 1, untilFailure: false });
    const [late, early] = [9, 4].map((seed) => ({ ...one, failed: [{ seed, broken: ["it"] }] }));
    if (late === undefined || early === undefined) throw new Error("there are two");
    const both = addTallies(late, early);
    expect(both).toMatchObject({ seeds: 2, counts: { events: 2 * one.counts.events } });
    expect(both.failed.map(({ seed }) => seed)).toEqual([4, 9]);
    expect(addTallies(EMPTY_TALLY, one)).toEqual(one);
  });

  it("ends with an error when it is called off", async () => {
    const signal = AbortSignal.timeout(50);
    const run = runSeeds({ first: 1, count: 100_000, processes: 2, untilFailure: false, signal });
    await expect(run).rejects.toThrow(/ended with SIGKILL|aborted/);
  });
});
