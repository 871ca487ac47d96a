/** Rules, branches of rules and single alternatives that no event can meet. */
import type { Field, Pattern } from "../../src/core/pattern.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { PathStep } from "../../src/core/result.ts";
import { formatPath } from "../../src/core/result.ts";
import type { Problem } from "../problem.ts";
import type { Analysis } from "./analysis.ts";
import type { BusWorld, Infeasible } from "./feasible.ts";
import { busWorld, deadAlternatives, infeasibilities } from "./feasible.ts";
import { oddPrefix } from "./type-scope.ts";

/** Findings of one rule that are shown; one that has more is wrong as a whole. */
export const FINDINGS_PER_RULE_MAX = 20;

type Finding = Pick<Problem, "message" | "severity"> & { readonly code: string; readonly at: readonly PathStep[] };

export const neverMatches: Analysis = (input) => {
  const { document, places } = input;
  const worlds = new Map<string, BusWorld>();
  return document.rules.flatMap(({ path, bus, mode, pattern }): readonly Problem[] => {
    if (mode === "off") return [];
    const world = worlds.get(bus) ?? busWorld(input, bus);
    worlds.set(bus, world);
    const parsed = parsePattern(pattern);
    if (!parsed.ok) return [];
    const findings = findingsOf(parsed.value, world).slice(0, FINDINGS_PER_RULE_MAX);
    return findings.map(({ at, ...finding }) => ({
      ...places.ofRule(path, { path: ["pattern", ...at] }),
      ...finding,
    }));
  });
};

function findingsOf(pattern: Pattern, world: BusWorld): readonly Finding[] {
  const { branches } = pattern;
  const problems = branches.map((branch) => infeasibilities(branch, world));
  const isNever = problems.every((found) => found.length > 0);
  const findings = new Map<string, Finding>();
  const add = (finding: Finding): void => {
    const key = formatPath(finding.at);
    if (!findings.has(key)) findings.set(key, finding);
  };
  for (const problem of problems.flat()) {
    const { message, code, severity } = problem;
    const at = placeIn(problem);
    if (isNever) add({ at, message, code, severity });
    // Of two `$or`, an object of the one may go with some objects of the other: that is nobody's mistake.
    else if (holders(problem.field, branches, problems).every((found) => found.length > 0)) {
      add({ at, message: `this branch can never match: ${message}`, code: "dead-branch", severity: "warning" });
    }
  }
  if (isNever) return [...findings.values()];
  for (const dead of deadInAll(branches, problems, world)) {
    add({ at: placeIn(dead), message: dead.message, code: dead.code, severity: dead.severity });
  }
  for (const field of branches.flat()) for (const odd of oddPrefixes(field)) add(odd);
  return [...findings.values()];
}

function placeIn({ field, alternative }: Infeasible): readonly PathStep[] {
  return alternative === undefined ? field.at : [...field.at, alternative];
}

/** What is said of the branches that have the field. */
function holders<Said>(field: Field, branches: Pattern["branches"], said: readonly Said[]): readonly Said[] {
  return said.filter((_, index) => branches[index]?.includes(field) === true);
}

/** Alternatives that are dead in every branch with their field that is not dead itself. */
function deadInAll(
  branches: Pattern["branches"],
  problems: readonly (readonly Infeasible[])[],
  world: BusWorld,
): readonly Infeasible[] {
  const dead = branches.map((branch, index) =>
    problems[index]?.length === 0 ? deadAlternatives(branch, world) : undefined,
  );
  return dead
    .flatMap((found) => found ?? [])
    .filter((one) => {
      const others = holders(one.field, branches, dead).filter((list) => list !== undefined);
      return others.every((list) =>
        list.some(({ field, alternative }) => field === one.field && alternative === one.alternative),
      );
    });
}

function oddPrefixes(field: Field): readonly Finding[] {
  if (field.path !== "type") return [];
  return [...field.alternatives.entries()].flatMap(([index, alternative]): readonly Finding[] => {
    const nearest = alternative.kind === "prefix" ? oddPrefix(alternative.text) : undefined;
    if (nearest === undefined || alternative.kind !== "prefix") return [];
    const message = `none of GitHub's types begins with ${JSON.stringify(alternative.text)}; did you mean ${JSON.stringify(nearest)}?`;
    return [{ at: [...field.at, index], message, code: "unknown-type", severity: "warning" }];
  });
}
