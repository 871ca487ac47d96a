/** The test files of a folder of rules: `<bus>/<rule>.test.yaml`, `.yml` or `.json`, each beside its rule. */
import { readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { nearestName, unknownName } from "../src/core/read-object.ts";
import type { Result } from "../src/core/result.ts";
import { err, ok } from "../src/core/result.ts";
import type { Problem } from "../scripts/problem.ts";
import { fileProblem } from "../scripts/problem.ts";
import { isName } from "../scripts/rule-name.ts";
import type { Failure } from "./failure.ts";

const TEST_ENDING = /\.test\.(?:yaml|yml|json)$/;
const RULE_ENDING = /\.(?:yaml|yml|json)$/;

export interface TestFiles {
  /** By the rules' paths, in their order. */
  readonly tests: ReadonlyMap<string, string>;
  readonly rules: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** `dir` is absolute, and its rules were read before without a mistake; `rulePaths` are theirs. */
export async function findTestFiles(dir: string, rulePaths: readonly string[]): Promise<TestFiles> {
  const known = new Set(rulePaths);
  const tests = new Map<string, string>();
  const rules = new Map<string, string>();
  const problems: Problem[] = [];
  const buses = (await readdir(dir, { withFileTypes: true })).filter((each) => each.isDirectory() && isName(each.name));
  for (const { name: bus } of buses.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const names = (await readdir(join(dir, bus))).filter((name) => RULE_ENDING.test(name) && !name.startsWith("."));
    for (const name of names.toSorted()) {
      const file = join(dir, bus, name);
      const isTest = TEST_ENDING.test(name);
      const rule = `${bus}/${name.replace(isTest ? TEST_ENDING : RULE_ENDING, "")}`;
      const twin = tests.get(rule);
      if (!isTest) {
        if (known.has(rule)) rules.set(rule, file);
      } else if (!known.has(rule)) {
        const nearest = nearestName(rule, rulePaths);
        const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
        problems.push(fileProblem(file, `there is no rule ${rule} for these tests${hint}`));
      } else if (twin === undefined) tests.set(rule, file);
      else problems.push(fileProblem(file, `the tests of ${rule} stand also in ${relative(dir, twin)}`));
    }
  }
  return { tests, rules, problems };
}

/** The paths of the rules that are named by path, by bus, or by a file; all when nothing is named, or the folder itself. */
export function chooseRules(
  given: readonly string[],
  rulePaths: readonly string[],
  dir: string,
  cwd: string,
): Result<readonly string[], Failure> {
  if (given.length === 0) return ok(rulePaths);
  const chosen = new Set<string>();
  for (const name of given) {
    const inFolder = relative(dir, resolve(cwd, name));
    const forms = [name, inFolder].map((form) => {
      return form.replace(TEST_ENDING.test(form) ? TEST_ENDING : RULE_ENDING, "").replace(/\/$/, "");
    });
    const isWhole = name !== "" && inFolder === "";
    const found = rulePaths.filter(
      (path) => isWhole || forms.some((form) => path === form || path.startsWith(`${form}/`)),
    );
    if (found.length === 0) return err({ message: unknownRule(forms[0] ?? name, rulePaths), isUsage: true });
    for (const path of found) chosen.add(path);
  }
  return ok(rulePaths.filter((path) => chosen.has(path)));
}

function unknownRule(name: string, rulePaths: readonly string[]): string {
  const withBus = rulePaths.find((path) => path.endsWith(`/${name}`));
  if (withBus === undefined) return unknownName("rule", name, rulePaths);
  return `unknown rule ${JSON.stringify(name)}; did you mean ${JSON.stringify(withBus)}? (a rule is named with its bus)`;
}
