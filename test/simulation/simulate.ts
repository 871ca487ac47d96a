/** One seed, from its first event to the last check. */
import { checkEnd, checkStep } from "./invariants.ts";
import { createWorld } from "./world.ts";

export interface SimulationResult {
  readonly seed: number;
  readonly broken: readonly string[];
  readonly events: number;
  readonly acknowledged: number;
  readonly requests: number;
  readonly crashes: number;
}

export async function simulate(seed: number, trace?: (text: string) => void): Promise<SimulationResult> {
  const world = createWorld(seed, trace);
  let broken: readonly string[] = [];
  try {
    await world.run(() => {
      broken = checkStep(world);
      if (broken.length > 0) throw new BrokenPromise();
    });
    broken = checkEnd(world);
  } catch (error) {
    if (!(error instanceof BrokenPromise)) broken = [...broken, `threw: ${String(error)}`];
  } finally {
    for (const host of world.hosts.values()) host.close();
  }
  return {
    seed,
    broken,
    events: world.counts.events,
    acknowledged: world.acknowledged.size,
    requests: world.counts.requests(),
    crashes: world.counts.crashes,
  };
}

class BrokenPromise extends Error {}
