/**
 * `npm run bench:scaling`: what an event costs by how many are stored, how many rules there are and how many targets it goes to.
 * Writes the figures to docs/performance/scaling.json and draws them beside it.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join, relative } from "node:path";
import { Command, Option } from "commander";
import { createTerminal } from "../../bin/terminal.ts";
import { number } from "./bench-options.ts";
import { startBenchTarget } from "./bench-process.ts";
import { drawChart } from "./chart.ts";
import type { Scaling } from "./scaling-charts.ts";
import { scalingCharts, scalingTables } from "./scaling-charts.ts";
import { measureFanOut } from "./scaling-fan-out.ts";
import { measureRules } from "./scaling-rules.ts";
import { measureStored } from "./scaling-stored.ts";

const DIR = join(import.meta.dirname, "../../docs/performance");
const FILE = join(DIR, "scaling.json");
const STORED = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
const STORED_MAX = 1_000_000;
const RULES = [1, 10, 100, 1_000, 10_000];
const FAN_OUTS = [1, 2, 3, 5, 10, 15, 20];
const SECONDS_MAX = 60;
const PARTS = ["stored", "rules", "fan-out"] as const;

interface Options {
  readonly draw?: true;
  readonly only?: (typeof PARTS)[number];
  readonly storedMax: number;
  readonly seconds: number;
  readonly json?: true;
}

const options = new Command("bench:scaling")
  .description(
    "Cost of an event against stored events, rules and fan-out: docs/performance/scaling.json and its pictures.",
  )
  .usage("[options]      (npm run bench:scaling -- [options])")
  .option("--draw", "only draw again what was measured")
  .addOption(new Option("--only <part>", "measure only this, and keep the other figures").choices(PARTS))
  .addOption(
    number(
      "--stored-max <n>",
      "events to fill a partition with; with fewer, nothing is written",
      STORED_MAX,
      STORED_MAX,
    ),
  )
  .addOption(number("--seconds <n>", "load for each fan-out", SECONDS_MAX, 5))
  .option("--json", "print JSON")
  .addHelpText(
    "after",
    `
Examples:
  npm run bench:scaling
  npm run bench:scaling -- --only stored --stored-max 30000
  npm run bench:scaling -- --draw`,
  )
  .parse()
  .opts<Options>();
const terminal = createTerminal(process);
const before = await readScaling();
if (options.draw === true && before === undefined) {
  process.exitCode = terminal.fail({
    message: `there is nothing to draw: ${relative(process.cwd(), FILE)} is not there`,
    hint: "Measure first: npm run bench:scaling",
  });
} else {
  const scaling = options.draw === true && before !== undefined ? before : await measure(before);
  // The documentation's figures are whole ones.
  if (options.storedMax === STORED_MAX) await write(scaling);
  else terminal.say(`not written to ${relative(process.cwd(), DIR)}: measured with --stored-max`);
  if (options.json === true) terminal.print(JSON.stringify(scaling, null, 2));
  else for (const line of scalingTables(scaling, terminal.width)) terminal.print(line);
}

async function write(scaling: Scaling): Promise<void> {
  await mkdir(DIR, { recursive: true });
  await writeFile(FILE, `${JSON.stringify(scaling, null, 2)}\n`);
  for (const [name, chart] of Object.entries(scalingCharts(scaling))) {
    await writeFile(join(DIR, `${name}.png`), drawChart(chart));
    terminal.say(`wrote ${relative(process.cwd(), join(DIR, `${name}.png`))}`);
  }
}

async function readScaling(): Promise<Scaling | undefined> {
  const text = await readFile(FILE, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Scaling);
}

async function measure(known: Scaling | undefined): Promise<Scaling> {
  const wants = (part: (typeof PARTS)[number]) => options.only === undefined || options.only === part;
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, Node ${process.versions.node}`;
  const rules = wants("rules") ? await measureRules(RULES) : (known?.rules ?? []);
  const fanOut = wants("fan-out") ? await measureFanOuts() : (known?.fanOut ?? []);
  const stored = wants("stored")
    ? await measureStored(
        STORED.filter((size) => size <= options.storedMax),
        (count) => terminal.progress(`${count} events stored`),
      )
    : (known?.stored ?? []);
  terminal.progress(null);
  return { machine, stored, rules, fanOut };
}

async function measureFanOuts(): Promise<Scaling["fanOut"]> {
  const target = await startBenchTarget();
  try {
    const costs: Scaling["fanOut"][number][] = [];
    for (const fanOut of FAN_OUTS) {
      terminal.progress(`${fanOut} targets for each event`);
      costs.push(await measureFanOut(fanOut, options.seconds, target));
    }
    return costs;
  } finally {
    target.close();
  }
}
