/**
 * `npm run test:crash -- [--kills N] [--seed N] [--negative] [--unordered]`: progress to standard error, a table to standard output.
 * Exits with 1 when an acknowledged event is lost, out of order, or anything else that was promised is broken.
 */
import { parseArgs } from "node:util";
import { crashRun } from "./crash-run.ts";
import { reportLines } from "./report.ts";

const KILLS_MAX = 10_000;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    negative: { type: "boolean", default: false },
    unordered: { type: "boolean", default: false },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (!Number.isInteger(kills) || kills < 1 || kills > KILLS_MAX || !Number.isSafeInteger(seed)) {
  console.error(`expected --kills from 1 to ${KILLS_MAX} and a whole number as --seed`);
  process.exit(1);
}
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));
const startedAt = performance.now();
const verdict = await crashRun({
  kills,
  seed,
  negative: values.negative,
  unordered: values.unordered,
  hangs: true,
  progress: (text) => console.error(text),
  signal: interrupted.signal,
});
console.log(reportLines(verdict, { kills, seed, seconds: (performance.now() - startedAt) / 1_000 }).join("\n"));
process.exitCode = verdict.broken.length === 0 ? 0 : 1;
