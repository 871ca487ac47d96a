/** One seed, from its first event to the last check. */
import type { Counts } from "./counts.ts";
import { checkEnd, checkMoment, checkStep } from "./invariants.ts";
import { createWorld } from "./world.ts";

/** Steps from one dear check to the next. */
const STEPS_BETWEEN = 700;

export interface SimulationResult {
  readonly seed: number;
  readonly broken: readonly string[];
  readonly counts: Counts;
}

export async function simulate(seed: number, trace?: (text: string) => void): Promise<SimulationResult> {
  const world = createWorld(seed, trace);
  let broken: readonly string[] = [];
  let steps = 0;
  try {
    await world.run(() => {
      broken = checkStep(world);
      if (broken.length === 0 && ++steps % STEPS_BETWEEN === 0) broken = checkMoment(world);
      if (broken.length > 0) throw new BrokenPromise();
    });
    broken = checkEnd(world);
  } catch (error) {
    if (!(error instanceof BrokenPromise)) broken = [...broken, `threw: ${String(error)}`];
  } finally {
    world.close();
  }
  return { seed, broken, counts: world.counts() };
}

class BrokenPromise extends Error {}
