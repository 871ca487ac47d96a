/** Many seeds, side by side in processes of their own: a simulation is one thread's work. */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Seeds, SeedTally } from "./seed-tally.ts";
import { addTallies, EMPTY_TALLY, tallySeeds } from "./seed-tally.ts";

const WORKER = fileURLToPath(new URL("./seed-worker.ts", import.meta.url).href);
/** What a process is given at a time: about a second's work. */
const SEEDS_AT_ONCE = 25;
/** Far beyond what so many seeds take on a busy machine: one of them spins where no step is counted. */
const SEEDS_MS_MAX = 300_000;
const PROCESSES_MAX = 64;

export interface SeedPoolOptions extends Seeds {
  /** With 1 all is done in this process. */
  readonly processes: number;
  /** What has been run so far; called about once a second for each process. */
  readonly progress?: (tally: SeedTally) => void;
  readonly signal?: AbortSignal;
}

/** With `untilFailure` the lowest seed that fails is among those reported. Throws when a process ends or hangs. */
export async function runSeeds(options: SeedPoolOptions): Promise<SeedTally> {
  const { first, count, untilFailure, progress = () => {}, signal } = options;
  const processes = Math.min(options.processes, PROCESSES_MAX, Math.ceil(count / SEEDS_AT_ONCE));
  let total = EMPTY_TALLY;
  let next = first;

  async function work(tally: (seeds: Seeds) => Promise<SeedTally>): Promise<void> {
    while (next < first + count && !(untilFailure && total.failed.length > 0)) {
      signal?.throwIfAborted();
      const seeds = { first: next, count: Math.min(SEEDS_AT_ONCE, first + count - next), untilFailure };
      next += seeds.count;
      const done = await tally(seeds);
      total = addTallies(total, done);
      progress(total);
    }
  }

  if (processes <= 1) {
    await work(tallySeeds);
    return total;
  }
  const children = Array.from({ length: processes }, () => fork(WORKER, { execArgv: [] }));
  const end = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", end);
  signal?.addEventListener("abort", end);
  try {
    await Promise.all(children.map((child) => work((seeds) => ask(child, seeds))));
    return total;
  } finally {
    end();
    process.off("exit", end);
    signal?.removeEventListener("abort", end);
  }
}

function ask(child: ChildProcess, seeds: Seeds): Promise<SeedTally> {
  return new Promise((resolve, reject) => {
    const where = `seeds ${seeds.first} to ${seeds.first + seeds.count - 1}`;
    const settle = (act: () => void) => {
      clearTimeout(timer);
      child.removeAllListeners();
      act();
    };
    const timer = setTimeout(() => settle(() => reject(new Error(`${where}: no end`))), SEEDS_MS_MAX);
    child.once("message", (tally) => settle(() => resolve(tally as SeedTally)));
    child.once("error", (error) => settle(() => reject(error)));
    child.once("exit", (code, name) =>
      settle(() => reject(new Error(`${where}: the process ended with ${code ?? name}`))),
    );
    child.send(seeds);
  });
}
