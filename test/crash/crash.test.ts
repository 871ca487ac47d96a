import { expect, it } from "vitest";
import { crashRun } from "./crash-run.ts";
import { reportLines } from "./report.ts";

const KILLS = 4;
const SEED = 1;
/** What a retry after a lost lease, a start of the router and a lane of retries take together, several times over. */
const RUN_MS_MAX = 120_000;

/** The long run with hanging targets is `npm run test:crash`. */
it(
  `loses, forges and reorders nothing through ${KILLS} kills under load`,
  { timeout: RUN_MS_MAX },
  async ({ signal }) => {
    const startedAt = performance.now();
    const verdict = await crashRun({
      kills: KILLS,
      seed: SEED,
      negative: false,
      unordered: false,
      hangs: false,
      progress: () => {},
      signal,
    });
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(reportLines(verdict, { kills: KILLS, seed: SEED, seconds }).join("\n"));
    expect(verdict.broken).toEqual([]);
    expect(verdict.acknowledged).toBeGreaterThan(100);
    // A run in which no lane has anything to mix up proves nothing.
    const ordered = verdict.counts.filter(({ outOfOrder }) => outOfOrder !== undefined);
    expect(ordered.length).toBeGreaterThan(0);
    for (const { target, acknowledged } of ordered) expect(acknowledged, target).toBeGreaterThan(20);
    expect(ordered.reduce((sum, { repeats }) => sum + repeats, 0)).toBeGreaterThan(0);
  },
);
