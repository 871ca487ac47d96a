/**
 * `npm run sim -- [--seed N] [--seeds COUNT] [--until-failure] [--processes N] [--trace]`: one seed with its story, or many.
 * `npm run sim -- --mutations`: planted bugs, and the seeds that catch them.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { formatMutations, isAsExpected, runMutations } from "./mutate.ts";
import { MUTATIONS } from "./mutations.ts";
import { runSeeds } from "./seed-pool.ts";
import { tallyLine } from "./seed-tally.ts";
import { simulate } from "./simulate.ts";

const PROGRESS_MS = 5_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    processes: { type: "string", default: String(availableParallelism()) },
    trace: { type: "boolean", default: false },
    "until-failure": { type: "boolean", default: false },
    mutations: { type: "boolean", default: false },
  },
});
const [first, count, processes] = [Number(values.seed), Number(values.seeds), Number(values.processes)];
if (!Number.isSafeInteger(first) || !(Number.isSafeInteger(count) && count > 0 && processes >= 1)) {
  console.error("expected whole numbers: --seed, and at least 1 as --seeds and --processes");
  process.exit(1);
}
const started = performance.now();
const seconds = () => (performance.now() - started) / 1_000;
process.exitCode = (await (values.mutations ? plantAll() : values.trace ? tellAll() : runAll())) ? 0 : 1;

async function runAll(): Promise<boolean> {
  let saidAt = started;
  const tally = await runSeeds({
    first,
    count,
    processes,
    untilFailure: values["until-failure"],
    progress(soFar) {
      if (performance.now() - saidAt < PROGRESS_MS) return;
      saidAt = performance.now();
      console.error(tallyLine(soFar, seconds()));
    },
  });
  for (const { seed, broken } of tally.failed) console.log(`seed ${seed}: ${broken.join("; ")}`);
  console.log(tallyLine(tally, seconds()));
  return tally.failed.length === 0;
}

async function tellAll(): Promise<boolean> {
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) {
    const { broken } = await simulate(seed, (text) => console.log(text));
    console.log(`seed ${seed}: ${broken.length === 0 ? "nothing broken" : broken.join("; ")}`);
    if (broken.length === 0) continue;
    failed += 1;
    if (values["until-failure"]) break;
  }
  return failed === 0;
}

async function plantAll(): Promise<boolean> {
  const results = await runMutations(MUTATIONS);
  console.log(formatMutations(results));
  console.log(`${seconds().toFixed(1)} s`);
  return results.every(isAsExpected);
}
