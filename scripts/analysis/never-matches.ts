/** Rules, branches of rules and single alternatives that no event can meet. */
import type { Alternative } from "../../src/core/alternative.ts";
import type { Field, Pattern } from "../../src/core/pattern.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { PathStep } from "../../src/core/result.ts";
import { formatPath } from "../../src/core/result.ts";
import { GITHUB_PREFIX } from "../github-schema.ts";
import type { Problem } from "../problem.ts";
import type { Analysis } from "./analysis.ts";
import type { BusWorld, Infeasible } from "./feasible.ts";
import { busWorld, deadAlternatives, infeasibilities } from "./feasible.ts";
import { isNowhere } from "./field-place.ts";
import { oddPrefix, oddType } from "./type-scope.ts";

/** Findings of one rule that are shown; one that has more is wrong as a whole. */
export const FINDINGS_PER_RULE_MAX = 20;

type Finding = Pick<Problem, "message" | "severity"> & {
  readonly code: string;
  readonly at: readonly PathStep[];
  readonly isKey: boolean;
};

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
    return findings.map(({ at, isKey, ...finding }) => ({
      ...places.ofRule(path, { path: ["pattern", ...at], ...(isKey ? { at: "key" as const } : {}) }),
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
    const place = placeIn(problem);
    if (isNever) add({ ...place, message, code, severity });
    // Of two `$or`, an object of the one may go with some objects of the other: that is nobody's mistake.
    else if (holders(problem.field, branches, problems).every((found) => found.length > 0)) {
      add({ ...place, message: `this branch can never match: ${message}`, code: "dead-branch", severity: "warning" });
    }
  }
  if (isNever) return [...findings.values()];
  for (const dead of deadInAll(branches, problems, world)) {
    add({ ...placeIn(dead), message: dead.message, code: dead.code, severity: dead.severity });
  }
  for (const field of branches.flat()) for (const odd of oddTypes(field, world)) add(odd);
  return [...findings.values()];
}

function placeIn({ field, alternative }: Infeasible): Pick<Finding, "at" | "isKey"> {
  if (isNowhere(field)) return { at: field.at.slice(0, topIn(field.at) + 1), isKey: true };
  return { at: alternative === undefined ? field.at : [...field.at, alternative], isKey: false };
}

/** Where the way to a field has the name at the top of the event: behind the objects of `$or` that it is in. */
function topIn(at: readonly PathStep[]): number {
  return at.findIndex((step) => typeof step === "string" && step !== "$or");
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

/** Types that are possible, but read like a slip of the pen. */
function oddTypes(field: Field, world: BusWorld): readonly Finding[] {
  if (field.path !== "type") return [];
  return [...field.alternatives.entries()].flatMap(([index, alternative]): readonly Finding[] => {
    const message = oddMessage(alternative, world);
    if (message === undefined) return [];
    return [{ at: [...field.at, index], isKey: false, message, code: "unknown-type", severity: "warning" }];
  });
}

function oddMessage(alternative: Alternative, world: BusWorld): string | undefined {
  if (alternative.kind === "prefix") {
    const nearest = oddPrefix(alternative.text);
    const shown = JSON.stringify(alternative.text);
    return nearest && `none of GitHub's types begins with ${shown}; did you mean ${JSON.stringify(nearest)}?`;
  }
  if (alternative.kind !== "equals" || typeof alternative.value !== "string") return undefined;
  const meant = world.sourceKinds.has("github") && !world.isOnlyGithub ? oddType(alternative.value) : undefined;
  const shown = JSON.stringify(alternative.value);
  return (
    meant && `GitHub's types begin with ${GITHUB_PREFIX}, and ${shown} doesn't; did you mean ${JSON.stringify(meant)}?`
  );
}
