/** A range of seeds, run one after another, and what came of it. */
import type { Counts } from "./counts.ts";
import { addCounts, NO_COUNTS } from "./counts.ts";
import { simulate } from "./simulate.ts";

export interface Seeds {
  readonly first: number;
  readonly count: number;
  /** Leaves out what follows a seed that failed. */
  readonly untilFailure: boolean;
}

export interface SeedTally {
  /** How many were run. */
  readonly seeds: number;
  readonly counts: Counts;
  /** By rising seed. */
  readonly failed: readonly FailedSeed[];
}

export interface FailedSeed {
  readonly seed: number;
  readonly broken: readonly string[];
}

const BROKEN_KEPT_MAX = 5;
export const EMPTY_TALLY: SeedTally = {
  seeds: 0,
  counts: NO_COUNTS,
  failed: [],
};

export async function tallySeeds({ first, count, untilFailure }: Seeds): Promise<SeedTally> {
  let total = EMPTY_TALLY;
  for (let seed = first; seed < first + count; seed++) {
    const { counts, broken } = await simulate(seed);
    const failed = broken.length === 0 ? [] : [{ seed, broken: broken.slice(0, BROKEN_KEPT_MAX) }];
    total = addTallies(total, { seeds: 1, counts, failed });
    if (failed.length > 0 && untilFailure) break;
    // A simulated day never leaves its tick; signals and messages get their turn here.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return total;
}

export function addTallies(a: SeedTally, b: SeedTally): SeedTally {
  const counts = addCounts(a.counts, b.counts);
  const failed = [...a.failed, ...b.failed].toSorted((one, other) => one.seed - other.seed);
  return { seeds: a.seeds + b.seeds, counts, failed };
}

export function tallyLine({ seeds, counts, failed }: SeedTally, seconds: number): string {
  const { events, requests, crashes, partitionDeaths } = counts;
  const rate = (seeds / Math.max(seconds, 0.001)).toFixed(0);
  return (
    `${seeds} seeds, ${failed.length} failed, ${seconds.toFixed(1)} s (${rate} a second): ` +
    `${events} events, ${requests} requests, ${crashes} isolates and ${partitionDeaths} partitions died`
  );
}
