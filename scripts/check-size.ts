/**
 * `node scripts/check-size.ts [--json] [--files] [--record]`, a step of `npm run check`: what the Worker weighs that is uploaded, with
 * the rules of this checkout and with everything on. Fails when everything but JSONata is over BUNDLE_GZIP_BYTES_MAX. `--files` lists
 * what each file has in it; `--record` keeps the parts as what the next failure compares with.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BundleSize } from "./bundle-size.ts";
import { measureBundle, sizeLine, sizeProblem } from "./bundle-size.ts";
import { checkFolder } from "./check-folder.ts";
import { everythingOn } from "./everything-on.ts";
import { RULES_DIR } from "./generate.ts";
import { loadRegistry } from "./registry.ts";
import { buildWorker } from "./worker-bundle.ts";

/** Of every kind of source and target, the admin API included. JSONata's package alone is 26 kB more, for rules that use it. */
export const BUNDLE_GZIP_BYTES_MAX = 120_000;

const RECORD = join(import.meta.dirname, "bundle-parts.json");

/** The command line. Answers the exit code: 0, 1 over the budget, 2 for wrong arguments. */
export async function main(
  args: readonly string[],
  print: (line: string) => void,
  gzipBytesMax = BUNDLE_GZIP_BYTES_MAX,
): Promise<number> {
  let options;
  try {
    const known = { json: { type: "boolean" }, files: { type: "boolean" }, record: { type: "boolean" } } as const;
    options = parseArgs({ args: [...args], options: known }).values;
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    print("usage: node scripts/check-size.ts [--json] [--files] [--record]");
    return 2;
  }
  const registry = await loadRegistry();
  const { document } = await checkFolder(RULES_DIR, registry);
  const [here, everything, withJsonata] = await Promise.all([
    buildWorker(document, { minify: true }),
    buildWorker(everythingOn(registry, { jsonata: false }), { minify: true }),
    buildWorker(everythingOn(registry, { jsonata: true }), { minify: true }),
  ]);
  const budgeted = measureBundle("every kind of source and target", everything);
  const sizes: readonly BundleSize[] = [
    measureBundle("the rules of this checkout", here),
    budgeted,
    measureBundle("the same with JSONata", withJsonata),
  ];
  if (options.json === true) print(JSON.stringify({ gzipBytesMax, sizes }));
  else for (const size of sizes) print(sizeLine(size));
  if (options.files === true) {
    const files = Object.entries(everything.report.inputs).toSorted(
      ([, a], [, b]) => b.bytesInOutput - a.bytesInOutput,
    );
    for (const [file, { bytesInOutput }] of files) print(`${String(bytesInOutput).padStart(7)} ${file}`);
  }
  if (options.record === true) await writeFile(RECORD, `${JSON.stringify(budgeted.parts, null, 2)}\n`);
  const problem = sizeProblem(budgeted, gzipBytesMax, await recordedParts());
  if (problem === undefined) return 0;
  print(problem);
  return 1;
}

async function recordedParts(): Promise<Readonly<Record<string, number>>> {
  return JSON.parse(await readFile(RECORD, "utf8")) as Readonly<Record<string, number>>;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), console.log);
