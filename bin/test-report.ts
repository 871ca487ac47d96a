/** What `sluice test` says of a run: failures with their places and diffs, what is not covered, the summary. */
import { relative } from "node:path";
import type { ProblemPlace } from "../scripts/places.ts";
import type { Problem } from "../scripts/problem.ts";
import type { CoverageFinding, RuleCoverage, Share } from "./coverage.ts";
import { shareOfAlternatives, shareOfRules } from "./coverage.ts";
import { jsonDiff } from "./json-diff.ts";
import type { CaseResult } from "./rule-tests.ts";
import type { Terminal } from "./terminal.ts";
import { printable } from "./terminal.ts";

export const FAILURES_SHOWN_MAX = 50;
/** Without `--coverage`. */
export const FINDINGS_SHOWN_MAX = 20;

export interface TestReport {
  readonly ok: boolean;
  /** Of the test files; wrong rules end a run before there is a report. */
  readonly problems: readonly Problem[];
  readonly cases: readonly CaseResult[];
  readonly coverage: readonly RuleCoverage[];
  /** Looks the places up one by one. */
  readonly findings: () => Iterable<CoverageFinding>;
  readonly tookMs: number;
}

/** `findingsMax` lines about coverage at most. */
export function printReport(report: TestReport, findingsMax: number, terminal: Terminal): void {
  const { print, paint } = terminal;
  const failed = report.cases.filter(({ failure }) => failure !== undefined);
  for (const result of failed.slice(0, FAILURES_SHOWN_MAX)) printFailure(result, terminal);
  if (failed.length > FAILURES_SHOWN_MAX) {
    print(paint("red", `… and ${count(failed.length - FAILURES_SHOWN_MAX, "more failure")}`));
    print("");
  }
  printFindings(report, findingsMax, terminal);
  const writtenCount = report.cases.filter(({ isWritten }) => isWritten).length;
  const written = writtenCount === 0 ? [] : [`${writtenCount} written`];
  const passed = report.cases.length - failed.length;
  const failures = failed.length === 0 ? [] : [paint("red", `${failed.length} failed`)];
  const counts = [paint(passed > 0 ? "green" : "dim", `${passed} passed`), ...failures, ...written].join(", ");
  const rules = report.coverage.length;
  const what = `${count(report.cases.length, "case")} of ${count(rules, "rule")}`;
  print(`${what}: ${counts} (${(report.tookMs / 1_000).toFixed(1)} s)`);
  print(`coverage: ${describeShare(shareOfRules(report.coverage), "rule")}, ${describeAlternatives(report.coverage)}`);
}

function printFailure({ rule, test, place, failure }: CaseResult, { print, paint, cwd }: Terminal): void {
  if (failure === undefined) return;
  print(`${paint("red", "FAIL")} ${paint("bold", printable(`${rule}: ${test.name}`))}`);
  const { expected, actual } = failure;
  const isDiff = expected !== undefined && actual !== undefined;
  const legend = isDiff ? ` (${paint("red", "- expected")}, ${paint("green", "+ made")})` : "";
  print(`  ${formatPlace(place(failure.path), cwd)}: ${printable(failure.message)}${legend}`);
  if (isDiff) for (const line of jsonDiff(expected, actual, paint)) print(`    ${line}`);
  print("");
}

function printFindings({ coverage, findings }: TestReport, findingsMax: number, { print, paint, cwd }: Terminal): void {
  const all = coverage.reduce((sum, { isTested, hasMiss, uncovered }) => {
    return sum + (isTested ? uncovered.length + (hasMiss ? 0 : 1) : 1);
  }, 0);
  let shown = 0;
  if (all === 0 || findingsMax === 0) return;
  print("Not covered:");
  for (const finding of findings()) {
    print(`  ${formatPlace(finding, cwd)}: ${printable(finding.message)}`);
    if (++shown === findingsMax) break;
  }
  if (all > shown) print(paint("dim", `  … and ${all - shown} more; --coverage shows them all`));
  print("");
}

function describeShare({ percent, of }: Share, noun: string): string {
  return `${percent} % of ${count(of, noun)}`;
}

function describeAlternatives(coverage: readonly RuleCoverage[]): string {
  return describeShare(shareOfAlternatives(coverage), "pattern alternative");
}

/** The same for machines, in one line. */
export function reportAsJson(report: TestReport, cwd: string): string {
  const placeOf = (place: ProblemPlace) => ({ ...place, file: relative(cwd, place.file) });
  const failed = report.cases.filter(({ failure }) => failure !== undefined).length;
  return JSON.stringify({
    ok: report.ok,
    tookMs: Math.round(report.tookMs),
    counts: {
      rules: report.coverage.length,
      cases: report.cases.length,
      passed: report.cases.length - failed,
      failed,
      written: report.cases.filter(({ isWritten }) => isWritten).length,
    },
    problems: report.problems.map((problem) => ({ ...problem, file: relative(cwd, problem.file) })),
    cases: report.cases.map(({ rule, test, place, failure, isWritten }) => {
      const { path, ...why } = failure ?? { path: ["name"] };
      const written = isWritten === true ? { written: true } : {};
      return { rule, name: test.name, ok: failure === undefined, ...placeOf(place(path)), ...why, ...written };
    }),
    coverage: {
      rules: shareOfRules(report.coverage),
      alternatives: shareOfAlternatives(report.coverage),
      uncovered: [...report.findings()].map((finding) => ({ ...finding, ...placeOf(finding) })),
    },
  });
}

function formatPlace({ file, line, column }: ProblemPlace, cwd: string): string {
  return `${relative(cwd, file)}:${line}:${column}`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
