/** `npm run sim -- [--seed N] [--seeds COUNT] [--trace]`: one seed with its story, or many. */
import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
  },
});
const first = Number(values.seed);
const started = performance.now();
let failed = 0;
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const result = await simulate(seed, values.trace ? (text) => console.log(text) : undefined);
  if (result.broken.length === 0) continue;
  failed += 1;
  console.log(`seed ${seed}: ${result.broken.slice(0, 5).join("; ")}`);
}
console.log(`${values.seeds} seeds, ${failed} failed, ${((performance.now() - started) / 1_000).toFixed(1)} s`);
process.exitCode = failed === 0 ? 0 : 1;
