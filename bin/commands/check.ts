/** `sluice check`: every mistake in the rule files, each with its place. */
import { relative, resolve } from "node:path";
import type { RuleSet } from "../../src/core/rule-set.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import { missingSecrets, secretNames } from "../../scripts/analysis/missing-secrets.ts";
import type { Excerpt } from "../../scripts/excerpt.ts";
import { createExcerpts, formatExcerpt } from "../../scripts/excerpt.ts";
import { createPlaces } from "../../scripts/places.ts";
import type { Problem } from "../../scripts/problem.ts";
import { compareProblems } from "../../scripts/problem.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import type { Environment } from "../local/dev-vars.ts";
import { findSecret } from "../local/dev-vars.ts";
import { checkRules, countErrors, rulesFailure, sayProblems } from "../rules-check.ts";
import type { Terminal } from "../terminal.ts";

const FILE_CODE = "rule-file";

export interface CheckOptions {
  readonly rules: string;
  readonly deploy?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

export async function check(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const checked = await checkRules(options.rules, options.deploy === true);
  const { document, ruleSet } = checked;
  // Deployed, secrets are Cloudflare's to keep: this machine needs none of them.
  const missing =
    document === undefined || ruleSet === undefined || options.deploy === true
      ? []
      : await lackingSecrets(options.rules, document, ruleSet, terminal.env);
  const problems = [...checked.problems, ...missing].toSorted(compareProblems);
  const isWrong = countErrors(problems) > 0 || (options.strict === true && problems.length > 0);
  if (options.json === true) {
    const excerpts = createExcerpts();
    const shown = problems.map((problem) => shownProblem(problem, excerpts(problem), terminal.cwd));
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
  if (document === undefined || isWrong) return terminal.fail(rulesFailure(options.rules, problems));
  const counted = [
    count(document.rules.length, "rule"),
    count(document.sources.length, "source"),
    count(document.targets.length, "target"),
  ];
  const warnings = problems.length === 0 ? "no problems" : count(problems.length, "warning");
  terminal.print(`${options.rules}: ${counted.join(", ")}, version ${document.version}: ${warnings}`);
  return EXIT_OK;
}

/** Secrets that neither the environment nor `.dev.vars` has. */
async function lackingSecrets(
  dir: string,
  document: RulesDocument,
  ruleSet: RuleSet,
  env: Environment,
): Promise<readonly Problem[]> {
  const known = new Set<string>();
  for (const name of secretNames(ruleSet)) {
    const found = await findSecret(name, env);
    // A file that can't be read is no reason to fail here: whoever needs the secrets says so.
    if (found.ok && found.value !== undefined) known.add(name);
  }
  return missingSecrets(document, ruleSet, known, createPlaces(resolve(dir), new Map()));
}

/** A problem as JSON; mistakes that the readers of files find have one code for all. */
function shownProblem(
  { file, line, column, severity, code, message }: Problem,
  excerpt: Excerpt | undefined,
  cwd: string,
) {
  const shown = { file: relative(cwd, file), line, column, severity, code: code ?? FILE_CODE, message };
  return excerpt === undefined ? shown : { ...shown, excerpt: formatExcerpt(excerpt) };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
