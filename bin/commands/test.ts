/** `sluice test`: runs the cases that stand beside the rules. */
import { readFile, writeFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { decodeUtf8 } from "../../src/core/event.ts";
import type { RuleSet } from "../../src/core/rule-set.ts";
import { createPlaces } from "../../scripts/places.ts";
import type { Problem } from "../../scripts/problem.ts";
import { findingsOf, shareOfAlternatives, shareOfRules } from "../coverage.ts";
import type { ExitCode, Failure } from "../failure.ts";
import { EXIT_FAILURE, EXIT_OK, EXIT_USAGE } from "../failure.ts";
import { watchFolder } from "../local/rules-watch.ts";
import type { CaseResult, FileResult } from "../rule-tests.ts";
import { TEST_ACCEPTED_AT, runRuleTests } from "../rule-tests.ts";
import { checkRules, countErrors, rulesFailure, sayProblems } from "../rules-check.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { createEventResolver, loadExamples } from "../test-event.ts";
import { chooseRules, findTestFiles } from "../test-files.ts";
import type { TestReport } from "../test-report.ts";
import { FINDINGS_SHOWN_MAX, count, printReport, reportAsJson } from "../test-report.ts";
import { updateOutputs } from "../test-update.ts";

export interface TestOptions {
  readonly rules: string;
  readonly update?: boolean;
  readonly watch?: boolean;
  /** Undefined shows some of what is not covered. */
  readonly coverage?: boolean;
  /** Percent, of rules and of alternatives each. */
  readonly minCoverage?: number;
  readonly json?: boolean;
}

export async function test(given: readonly string[], options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.watch !== true) return runOnce(given, options, terminal);
  if (options.update === true) {
    const message = "--update and --watch don't go together: every change of a rule would become what is expected";
    return terminal.fail({ message, isUsage: true });
  }
  return keepRunning(given, options, terminal);
}

async function keepRunning(given: readonly string[], options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  // Neither the watch nor a signal's listener keeps the process alive.
  const alive = setInterval(() => {}, 60_000);
  const stopped = new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => done());
  });
  const run = async (): Promise<void> => {
    await runOnce(given, options, terminal);
    terminal.say(terminal.tint("dim", `Runs again when files in ${options.rules} change. Ctrl-C stops.`));
  };
  let last = run();
  const watch = watchFolder(resolve(options.rules), () => (last = last.then(run)));
  await last;
  await stopped;
  watch.stop();
  clearInterval(alive);
  return EXIT_OK;
}

async function runOnce(given: readonly string[], options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  const startedAt = performance.now();
  const isJson = options.json === true;
  const refuse = (failure: Failure, problems: readonly Problem[] = []): ExitCode => {
    if (!isJson) sayProblems(problems, terminal);
    else {
      const shown = problems.map((problem) => ({ ...problem, file: relative(terminal.cwd, problem.file) }));
      terminal.print(JSON.stringify({ ok: false, error: failure.message, problems: shown }));
    }
    if (!isJson) return terminal.fail(failure);
    return failure.isUsage === true ? EXIT_USAGE : EXIT_FAILURE;
  };
  const { ruleSet, problems } = await checkRules(options.rules, false);
  if (ruleSet === undefined) return refuse(rulesFailure(options.rules, problems), problems);

  const dir = resolve(options.rules);
  const rulePaths = ruleSet.rules.map(({ definition }) => definition.path);
  const found = await findTestFiles(dir, rulePaths);
  const chosen = chooseRules(given, rulePaths, dir, terminal.cwd);
  if (!chosen.ok) return refuse(chosen.error);
  const resolveEvent = createEventResolver(dir, loadExamples, TEST_ACCEPTED_AT);
  const run = await runRuleTests(chosen.value, found.tests, ruleSet, resolveEvent);

  const files = options.update === true ? await writeOutputs(run.files, ruleSet, terminal) : run.files;
  const cases = files.flatMap((file) => file.cases);
  const fileProblems = [...found.problems, ...files.flatMap((file) => file.problems)];
  const isWrong = countErrors(fileProblems) > 0 || cases.some(({ failure }) => failure !== undefined);
  const tooLow = lowCoverage(run.coverage, options.minCoverage ?? 0);
  const places = createPlaces(dir, found.rules);
  const report: TestReport = {
    ok: !isWrong && tooLow === undefined,
    problems: fileProblems,
    cases,
    coverage: run.coverage,
    findings: () =>
      findingsOf(
        run.coverage,
        (rule) => ruleSet.rule(rule)?.definition.pattern ?? null,
        (rule, path) => places.ofRule(rule, { path }),
      ),
    tookMs: performance.now() - startedAt,
  };
  if (isJson) terminal.print(reportAsJson(report, terminal.cwd));
  else {
    sayProblems(fileProblems, terminal);
    printReport(report, findingsMax(options.coverage), terminal);
  }
  if (tooLow !== undefined && !isJson) return terminal.fail({ message: tooLow });
  return report.ok ? EXIT_OK : EXIT_FAILURE;
}

function findingsMax(coverage: boolean | undefined): number {
  if (coverage === undefined) return FINDINGS_SHOWN_MAX;
  return coverage ? Number.POSITIVE_INFINITY : 0;
}

function lowCoverage(coverage: Parameters<typeof shareOfRules>[0], minPercent: number): string | undefined {
  const shares = { rules: shareOfRules(coverage), "pattern alternatives": shareOfAlternatives(coverage) };
  const low = Object.entries(shares).find(([, { percent }]) => percent < minPercent);
  return low && `${low[1].percent} % of the ${low[0]} are covered, and --min-coverage asks for ${minPercent} %`;
}

/** Writes what the rule made where a case has another `output`, or a transform and nothing that it expects of it. */
async function writeOutputs(
  files: readonly FileResult[],
  ruleSet: RuleSet,
  terminal: Terminal,
): Promise<readonly FileResult[]> {
  const after: FileResult[] = [];
  for (const each of files) {
    const wanted = each.cases.filter((result) => isWritable(result, ruleSet));
    const isWritten = wanted.length > 0 && (await writeFileOutputs(each, wanted, terminal));
    const cases = each.cases.map((result): CaseResult => {
      return isWritten && wanted.includes(result) ? { ...result, failure: undefined, isWritten: true } : result;
    });
    after.push({ ...each, cases });
  }
  return after;
}

function isWritable({ rule, test: { expectation }, failure, output }: CaseResult, ruleSet: RuleSet): boolean {
  if (output === undefined) return false;
  if (expectation === undefined) return failure === undefined && ruleSet.rule(rule)?.transform !== undefined;
  return expectation.kind === "output" && failure !== undefined;
}

async function writeFileOutputs(
  { file, text = "" }: FileResult,
  wanted: readonly CaseResult[],
  terminal: Terminal,
): Promise<boolean> {
  const updates = wanted.map(({ test: { index }, output }) => ({ index, value: output?.value ?? null }));
  const written = updateOutputs(text, file.endsWith(".json"), updates);
  const shown = relative(terminal.cwd, file);
  const giveUp = (why: string): boolean => {
    terminal.say(`${shown}: ${terminal.tint("yellow", "warning:")} --update ${why}`);
    return false;
  };
  if (written === undefined) return giveUp("can't write this file, for an alias in it; write the outputs by hand");
  try {
    const bytes = await readFile(file);
    if (decodeUtf8(bytes) !== text) return giveUp("leaves this file alone: it changed meanwhile");
    // A byte order mark is no part of the text, and of the file it is.
    const mark = bytes.length > Buffer.byteLength(text) ? "\ufeff" : "";
    await writeFile(file, mark + written);
  } catch (error) {
    return giveUp(`can't write this file (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  const names = wanted.map(({ test: { name } }) => printable(name)).join("; ");
  terminal.say(`${shown}: wrote the output of ${count(wanted.length, "case")}: ${names}`);
  return true;
}
