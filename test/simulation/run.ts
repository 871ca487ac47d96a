/**
 * `npm run sim -- [--seed N] [--seeds COUNT] [--until-failure] [--trace]`: one seed with its story, or many.
 * `npm run sim -- --mutations`: planted bugs, and the seeds that catch them.
 */
import { parseArgs } from "node:util";
import { formatMutations, isAsExpected, runMutations } from "./mutate.ts";
import { MUTATIONS } from "./mutations.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    "until-failure": { type: "boolean", default: false },
    mutations: { type: "boolean", default: false },
  },
});
const started = performance.now();
const seconds = () => ((performance.now() - started) / 1_000).toFixed(1);
process.exitCode = (await (values.mutations ? plantAll() : runSeeds())) ? 0 : 1;

async function runSeeds(): Promise<boolean> {
  const first = Number(values.seed);
  let seed = first;
  let failed = 0;
  for (; seed < first + Number(values.seeds); seed++) {
    if (failed > 0 && values["until-failure"]) break;
    const result = await simulate(seed, values.trace ? (text) => console.log(text) : undefined);
    if (result.broken.length === 0) continue;
    failed += 1;
    console.log(`seed ${seed}: ${result.broken.slice(0, 5).join("; ")}`);
  }
  console.log(`${seed - first} seeds, ${failed} failed, ${seconds()} s`);
  return failed === 0;
}

async function plantAll(): Promise<boolean> {
  const results = await runMutations(MUTATIONS);
  console.log(formatMutations(results));
  console.log(`${seconds()} s`);
  return results.every(isAsExpected);
}
