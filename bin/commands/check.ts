/** `sluice check`: every mistake in the rule files, each with its place. */
import { relative } from "node:path";
import type { ExitCode } from "../failure.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { checkRules, countErrors, rulesFailure, sayProblems } from "../rules-check.ts";
import type { Terminal } from "../terminal.ts";

export interface CheckOptions {
  readonly rules: string;
  readonly deploy?: boolean;
  readonly json?: boolean;
}

export async function check(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const { problems, document } = await checkRules(options.rules, options.deploy === true);
  const isWrong = countErrors(problems) > 0;
  if (options.json === true) {
    const shown = problems.map((problem) => ({ ...problem, file: relative(terminal.cwd, problem.file) }));
    const counts = document && {
      version: document.version,
      rules: document.rules.length,
      sources: document.sources.length,
      targets: document.targets.length,
    };
    terminal.print(JSON.stringify({ ok: !isWrong, ...counts, problems: shown }));
    return isWrong ? EXIT_FAILURE : EXIT_OK;
  }
  sayProblems(problems, terminal);
  if (document === undefined) return terminal.fail(rulesFailure(options.rules, problems));
  const counted = [
    count(document.rules.length, "rule"),
    count(document.sources.length, "source"),
    count(document.targets.length, "target"),
  ];
  const warnings = problems.length === 0 ? "no problems" : count(problems.length, "warning");
  terminal.print(`${options.rules}: ${counted.join(", ")}, version ${document.version}: ${warnings}`);
  return EXIT_OK;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
