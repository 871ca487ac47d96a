import { describe, expect, it } from "vitest";
import type { SimulationResult } from "./simulate.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 400;

interface Run extends SimulationResult {
  /** Answers that called an event a duplicate. */
  readonly duplicates: number;
  /** Deaths of partitions; `crashes` are those of isolates. */
  readonly partitionDeaths: number;
}

async function run(seed: number): Promise<Run> {
  let duplicates = 0;
  let partitionDeaths = 0;
  const result = await simulate(seed, (text) => {
    if (/ event-\d+ duplicate /.test(text)) duplicates += 1;
    if (/ v1\/\S+ dies/.test(text)) partitionDeaths += 1;
  });
  return { ...result, duplicates, partitionDeaths };
}

describe("the promise under faults", () => {
  it(
    `holds in ${SEEDS} simulated days, each with its own crashes, losses and targets`,
    { timeout: 180_000 },
    async () => {
      const runs: Run[] = [];
      for (let seed = 1; seed <= SEEDS; seed++) {
        const result = await run(seed);
        if (result.broken.length > 0) {
          const broken = result.broken.slice(0, 5).join("\n  ");
          throw new Error(`seed ${seed}:\n  ${broken}\nTo see it: npm run sim -- --seed ${seed} --trace`);
        }
        runs.push(result);
      }
      const sum = (count: (result: Run) => number) => runs.reduce((total, result) => total + count(result), 0);
      // A simulation in which nothing happens proves nothing.
      const events = sum((result) => result.events);
      expect(events).toBeGreaterThan(SEEDS * 5);
      expect(sum(({ acknowledged }) => acknowledged)).toBeGreaterThan(events * 0.9);
      expect(sum(({ requests }) => requests)).toBeGreaterThan(events);
      expect(sum(({ duplicates }) => duplicates)).toBeGreaterThan(SEEDS);
      expect(sum(({ crashes }) => crashes)).toBeGreaterThan(SEEDS);
      expect(sum((result) => result.partitionDeaths)).toBeGreaterThan(SEEDS);
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
