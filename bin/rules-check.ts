/** Reads and checks the rule files, and what only a deployment asks of them. */
import { join, resolve } from "node:path";
import type { CompiledTarget, RuleSet } from "../src/core/rule-set.ts";
import { compileRules } from "../src/core/rule-set.ts";
import type { RulesDocument } from "../src/core/rule.ts";
import { createExcerpts } from "../scripts/excerpt.ts";
import type { Problem } from "../scripts/problem.ts";
import { compareProblems, formatProblem } from "../scripts/problem.ts";
import { loadRegistry } from "../scripts/registry.ts";
import { checkFolder } from "../scripts/check-folder.ts";
import { hasErrors } from "../scripts/rule-files.ts";
import type { RuleText } from "../scripts/rule-text.ts";
import type { Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export interface CheckedRules {
  readonly problems: readonly Problem[];
  /** Both are there when no problem is an error. */
  readonly document: RulesDocument | undefined;
  readonly ruleSet: RuleSet | undefined;
}

/** Checks a folder; with `forDeploy` also what works on this machine only. */
export async function checkRules(dir: string, forDeploy: boolean): Promise<CheckedRules> {
  const registry = await loadRegistry();
  const { document, problems } = await checkFolder(resolve(dir), registry);
  if (hasErrors(problems)) return { problems, document: undefined, ruleSet: undefined };
  const ruleSet = compileRules(document, registry);
  const all = forDeploy ? [...problems, ...(await deployProblems(dir, ruleSet))].toSorted(compareProblems) : problems;
  return hasErrors(all)
    ? { problems: all, document: undefined, ruleSet: undefined }
    : { problems: all, document, ruleSet };
}

export function countErrors(problems: readonly Problem[]): number {
  return problems.filter(({ severity }) => severity === "error").length;
}

/** One line for each problem, to standard error, and below it the line of the file that it is about. */
export function sayProblems(problems: readonly Problem[], terminal: Pick<Terminal, "say" | "tint" | "cwd">): void {
  const excerpts = createExcerpts();
  for (const problem of problems) {
    const style = problem.severity === "error" ? "red" : "yellow";
    const line = formatProblem(problem, terminal.cwd);
    terminal.say(line.replace(` ${problem.severity}: `, () => ` ${terminal.tint(style, `${problem.severity}:`)} `));
    const excerpt = excerpts(problem);
    if (excerpt === undefined) continue;
    terminal.say(terminal.tint("dim", excerpt.gutter) + excerpt.line);
    terminal.say(terminal.tint("dim", excerpt.indent) + terminal.tint(style, "^"));
  }
}

export function rulesFailure(dir: string, problems: readonly Problem[]): Failure {
  const errors = countErrors(problems);
  if (errors === 0) {
    const warnings = problems.length === 1 ? "1 warning" : `${problems.length} warnings`;
    return { message: `${warnings} in the rule files of ${dir}, and --strict lets none pass` };
  }
  return { message: `${errors} ${errors === 1 ? "mistake" : "mistakes"} in the rule files of ${dir}` };
}

async function deployProblems(dir: string, ruleSet: RuleSet): Promise<readonly Problem[]> {
  const { readWranglerConfig } = await import("./local/wrangler-config.ts");
  const { queueBindings, serviceBindings, bucketBindings, vars } = await readWranglerConfig();
  const withoutUrl = bucketBindings.includes("BODIES") && (vars["PUBLIC_URL"] ?? "") === "";
  const targets = await locateEntries(resolve(dir), "targets.yaml");
  const sources = await locateEntries(resolve(dir), "sources.yaml");
  const ofTargets = ruleSet.targets.flatMap((target): readonly Problem[] => {
    const { name } = target.definition;
    const at = targets(name);
    const missing = target.target.queueBindings(target.config).filter((binding) => !queueBindings.includes(binding));
    const missingServices = target.target
      .serviceBindings(target.config)
      .filter((binding) => !serviceBindings.includes(binding));
    return [
      ...target.target.localOnly(target.config).map((reason): Problem => ({
        ...at,
        severity: "error",
        code: "local-only",
        message: `the target ${name} works only locally: ${reason}`,
      })),
      ...missing.map((binding): Problem => {
        const lines = `[[queues.producers]], binding = "${binding}", queue = "${queueNameFor(binding)}"`;
        const message = `the target ${name} needs the queue binding ${binding}: add to wrangler.toml, each on a line of its own, ${lines}`;
        return { ...at, severity: "error", message, code: "missing-queue" };
      }),
      ...missingServices.map((binding): Problem => {
        const lines = `[[services]], binding = "${binding}", service = "<the Worker's name>"`;
        const message = `the target ${name} needs the service binding ${binding}: add to wrangler.toml, each on a line of its own, ${lines}`;
        return { ...at, severity: "error", message, code: "missing-service" };
      }),
      ...placeholderHosts(target).map((host): Problem => {
        const message = `the target ${name} sends to ${host}, a placeholder: write the real address before you rely on it`;
        return { ...at, severity: "warning", message, code: "placeholder-host" };
      }),
    ];
  });
  const claiming = ruleSet.targets.find(({ target, config }) => target.queueBindings(config).length > 0);
  const ofClaims =
    withoutUrl && claiming !== undefined
      ? [{ ...targets(claiming.definition.name), severity: "warning" as const, ...MISSING_PUBLIC_URL }]
      : [];
  const open = ruleSet.sources.filter(({ source, config }) => source.isOpen(config));
  const ofSources = open.map(({ definition: { name } }): Problem => {
    return {
      ...sources(name),
      severity: "warning",
      code: "open-source",
      message: `anyone may send to the source ${name}: it says auth: none`,
    };
  });
  return [...ofTargets, ...ofClaims, ...ofSources];
}

const MISSING_PUBLIC_URL = {
  code: "missing-public-url",
  message:
    "events over 128 kB can't go to a queue: set PUBLIC_URL, the router's https address, under [vars] in wrangler.toml, and the secret DATA_SECRET (docs/queues.md)",
};

/** A name for the queue of a binding, as one may be called. */
function queueNameFor(binding: string): string {
  return `sluice-${binding.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
}

/** RFC 2606 and 6761: names that are nobody's. */
const PLACEHOLDER_HOST = /(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid)$/;

function placeholderHosts({ target, config }: CompiledTarget): readonly string[] {
  const hosts = target.urls(config).map((url) => new URL(url).hostname);
  return [...new Set(hosts)].filter((host) => PLACEHOLDER_HOST.test(host));
}

/** Where the entry with a name stands in one of the two files. The file was read before without a mistake. */
async function locateEntries(
  dir: string,
  name: string,
): Promise<(entry: string) => Pick<Problem, "file" | "line" | "column">> {
  const { readFile } = await import("node:fs/promises");
  const { readRuleText } = await import("../scripts/rule-text.ts");
  const file = join(dir, name);
  const text: RuleText = readRuleText(await readFile(file, "utf8"), false);
  return (entry) => ({ file, ...text.locate({ path: [entry], at: "key" }) });
}
