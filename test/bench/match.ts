/**
 * `npm run bench:match`: events a second that are parsed and matched, beside those that are parsed alone, in turns. With files it
 * prints one line of JSON; without, it measures a workload of its own.
 */
import { Command } from "commander";
import { EXIT_USAGE } from "../../bin/failure.ts";
import { createTerminal } from "../../bin/terminal.ts";
import type { Pattern } from "../../src/core/pattern.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { Json } from "../../src/core/result.ts";
import { readEventTexts, readPatternTexts } from "./match-files.ts";
import type { Effort, MatchResult } from "./match-measure.ts";
import { QUICK, STEADY, measureMatching } from "./match-measure.ts";
import { KINDS, githubTexts, patternsOf } from "./match-workload.ts";

const RULE_COUNTS = [10, 100, 1_000, 10_000];
const RULES_OF_ONE_KIND = 1_000;

const COLUMNS: readonly (readonly [name: string, width: number])[] = [
  ["rules", 14],
  ["events as", 11],
  ["count", 7],
  ["matches/event", 14],
  ["events/s", 9],
  ["parse only", 11],
  ["ratio", 6],
  ["compile ms", 11],
  ["heap MB", 8],
];

interface Options {
  readonly rules?: string;
  readonly events?: string;
  readonly json?: true;
}

const terminal = createTerminal(process);
const command = new Command("bench:match")
  .description("Measures the matcher on one thread: events parsed and matched a second, next to JSON.parse alone.")
  .option("--rules <file>", "patterns as JSON, one a line")
  .option("--events <file>", "events as JSON, one a line; matched as they stand")
  .option("--json", "without files: one line of JSON for each measurement, not a table")
  .addHelpText(
    "after",
    `
With --rules and --events it prints one line of JSON:
  {rules, events, matches, eventsPerSecond, parseOnlyEventsPerSecond, ratioToParse, compileMs, heapMb}
Parsing is included in eventsPerSecond; matches are of all events together. Without files it measures GitHub's
published payloads with rules of mixed kinds, ${RULE_COUNTS.join(", ")} of them, and ${RULES_OF_ONE_KIND} of each kind alone.

Examples:
  npm run -s bench:match -- --rules rules.ndjson --events events.ndjson
  npm run -s bench:match
  npm run -s bench:match -- --json

A rules file:                           An events file:
  {"action":["opened"]}                   {"action":"opened","number":1}
  {"number":[{"numeric":[">",10]}]}       {"action":"closed","number":11}`,
  )
  .showHelpAfterError("See npm run bench:match -- --help.")
  .parse();

process.exitCode = run(command.opts<Options>());

function run({ rules, events, json }: Options): number {
  if (rules !== undefined && events !== undefined) return measureFiles(rules, events);
  if (rules !== undefined || events !== undefined) {
    const [given, missing] = rules === undefined ? ["--events", "--rules"] : ["--rules", "--events"];
    const hint = "Give both, or neither for the benchmark's own rules and events.";
    terminal.fail({ message: `${given} goes with ${missing}`, hint, isUsage: true });
    return EXIT_USAGE;
  }
  measureOwn(json === true);
  return 0;
}

function measureFiles(rulesFile: string, eventsFile: string): number {
  const patternTexts = readPatternTexts(rulesFile);
  if (!patternTexts.ok) return terminal.fail(patternTexts.error);
  const eventTexts = readEventTexts(eventsFile);
  if (!eventTexts.ok) return terminal.fail(eventTexts.error);
  const values = patternTexts.value.map((text) => JSON.parse(text) as Json);
  terminal.print(JSON.stringify(measureMatching(() => parseAll(values), eventTexts.value, STEADY)));
  return 0;
}

function measureOwn(isJson: boolean): void {
  const payloads = githubTexts("payload");
  const cloudEvents = githubTexts("cloudevent");
  const measure = (kind: string, count: number, form: "payload" | "cloudevent", effort: Effort): void => {
    terminal.progress(`${count} rules, ${kind}, ${form}`);
    const values = patternsOf(kind, count, form);
    const result = measureMatching(() => parseAll(values), form === "payload" ? payloads : cloudEvents, effort);
    terminal.progress(null);
    terminal.print(isJson ? JSON.stringify({ kind, form, ...result }) : row(kind, form, result));
  };
  if (!isJson) {
    const bytes = payloads.reduce((sum, text) => sum + text.length, 0) / payloads.length;
    terminal.print(`${payloads.length} GitHub events of ${Math.round(bytes)} bytes on average, one thread, medians\n`);
    terminal.print(line(COLUMNS.map(([name]) => name)));
  }
  for (const count of RULE_COUNTS) measure("mixed", count, "payload", QUICK);
  for (const count of RULE_COUNTS) measure("mixed", count, "cloudevent", QUICK);
  for (const kind of KINDS) measure(kind, RULES_OF_ONE_KIND, "payload", QUICK);
}

function row(kind: string, form: string, result: MatchResult): string {
  const { rules, events, matches, eventsPerSecond, parseOnlyEventsPerSecond, ratioToParse, compileMs, heapMb } = result;
  const perEvent = (matches / events).toFixed(2);
  return line([
    kind,
    form,
    rules,
    perEvent,
    eventsPerSecond,
    parseOnlyEventsPerSecond,
    ratioToParse,
    compileMs,
    heapMb,
  ]);
}

/** Words to the left, numbers to the right. */
function line(cells: readonly (string | number | null)[]): string {
  return COLUMNS.map(([, width], at) => {
    const cell = String(cells[at] ?? "");
    return at < 2 ? cell.padEnd(width) : cell.padStart(width);
  }).join(" ");
}

function parseAll(values: readonly Json[]): readonly Pattern[] {
  return values.map((value) => {
    const pattern = parsePattern(value);
    if (!pattern.ok) throw new Error(pattern.error.map(({ message }) => message).join("\n"));
    return pattern.value;
  });
}
