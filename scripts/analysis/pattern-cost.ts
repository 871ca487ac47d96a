/**
 * What a pattern can cost: an event is read once, but its values are tested for each branch and each alternative that names
 * their field. One unit is one look at every value of an event; at an event of 1 MiB made for the purpose it takes about
 * 5 ms. The weights are measured. docs/patterns.md tells the same.
 */
import type { Alternative, Scalar } from "../../src/core/alternative.ts";
import type { Field, Pattern } from "../../src/core/pattern.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { PathStep } from "../../src/core/result.ts";
import type { Problem } from "../problem.ts";
import type { Analysis } from "./analysis.ts";

/** At this cost an event of 256 KiB made for the purpose takes 30 s, all the CPU time that a Worker has unless told otherwise. */
export const PATTERN_COST_MAX = 25_000;

/** Finding the element of an array that meets several fields of a branch, against one look at each value. */
const ARRAY_COST = 20;

/** Beyond any limit; keeps the number readable. */
const EXPONENT_MAX = 20;

const WILDCARD_COST = 2;
/** Text beyond ASCII is folded letter by letter. */
const IGNORE_CASE_COST = 4;
const CIDR_COST = { ipv4: 4, ipv6: 20 };

export interface PatternCost {
  readonly cost: number;
  /** Where most of it comes from: the field's place in the pattern, and words. */
  readonly at: readonly PathStep[];
  readonly reason: string;
}

/** Each rule whose pattern costs too much, or more than half of that, if the rule is not off. */
export const patternCosts: Analysis = ({ document, places }) =>
  document.rules.flatMap((rule): readonly Problem[] => {
    const pattern = rule.mode === "off" ? undefined : parsePattern(rule.pattern);
    if (pattern?.ok !== true) return [];
    const { cost, at, reason } = patternCost(pattern.value);
    if (cost <= PATTERN_COST_MAX / 2) return [];
    const isTooMuch = cost > PATTERN_COST_MAX;
    const limit = `${shown(PATTERN_COST_MAX)} (PATTERN_COST_MAX)`;
    const message =
      `${isTooMuch ? `a pattern may cost ${limit}` : `a pattern may cost ${limit}, and more than half of it is much`}, this one costs ` +
      `${shown(cost)}: ${reason}; exact values in one list cost least`;
    const place = places.ofRule(rule.path, { path: ["pattern", ...at], at: "key" });
    return [{ ...place, message, severity: isTooMuch ? "error" : "warning", code: "pattern-cost" }];
  });

/** The formula of docs/patterns.md. Fields outside `data` have one value each and count for nothing. */
export function patternCost({ branches }: Pattern): PatternCost {
  const byPath = new Map<string, PathUse>();
  let choices = 0;
  let mostChoices: { readonly field: Field; readonly optional: number } | undefined;
  for (const branch of branches) {
    const fields = branch.filter(({ path }) => path === "data" || path.startsWith("data."));
    for (const field of fields) addUse(byPath, field, fields.length > 1);
    const optional = fields.filter(({ alternatives }) => mayBeEither(alternatives));
    if (fields.length < 2 || optional.length < 2) continue;
    choices += 2 ** Math.min(optional.length, EXPONENT_MAX) * optional.length;
    const [field] = optional;
    if (field !== undefined && optional.length > (mostChoices?.optional ?? 0)) {
      mostChoices = { field, optional: optional.length };
    }
  }
  // An event has its bytes once: all of them stand where they cost most.
  const dearest = [...byPath.values()].toSorted((a, b) => costAt(b) - costAt(a))[0];
  const ofValues = dearest === undefined ? 0 : costAt(dearest);
  const cost = ofValues + choices;
  if (mostChoices !== undefined && choices > ofValues) {
    const { field, optional } = mostChoices;
    const reason = `${shown(choices)} of it because ${optional} fields of a branch may be there or not, which arrays of objects multiply`;
    return { cost, at: field.at, reason };
  }
  if (dearest === undefined) return { cost, at: [], reason: "no field lies in data" };
  const { field, branches: number, tests } = dearest;
  const where = number === 1 ? "is" : `is in ${shown(number)} branches, in all`;
  const arrays = arrayCost(dearest);
  const reason =
    `${shown(ofValues)} of it at ${field.path.slice(0, SHOWN_PATH_CHARACTERS)}, which ${where} ${shown(tests)} for its alternatives` +
    (arrays === 0 ? "" : ` and ${shown(arrays)} for other fields that must be met in the same element of an array`);
  return { cost, at: field.at, reason };
}

const SHOWN_PATH_CHARACTERS = 80;

/** How a pattern uses one field, all branches together. */
interface PathUse {
  readonly field: Field;
  branches: number;
  tests: number;
  /** Branches that name other fields of `data` beside it, by the exact values that they take here; and those that take more. */
  readonly tiedBy: Map<Scalar, number>;
  tiedByAny: number;
}

function addUse(byPath: Map<string, PathUse>, field: Field, hasOthers: boolean): void {
  const use = byPath.get(field.path) ?? {
    field,
    branches: 0,
    tests: 0,
    tiedBy: new Map<Scalar, number>(),
    tiedByAny: 0,
  };
  byPath.set(field.path, use);
  use.branches += 1;
  use.tests += 1 + field.alternatives.reduce((sum, alternative) => sum + testCost(alternative), 0);
  if (!hasOthers) return;
  if (field.alternatives.some(({ kind }) => kind !== "equals")) use.tiedByAny += 1;
  else {
    for (const each of field.alternatives) {
      if (each.kind === "equals") use.tiedBy.set(each.value, (use.tiedBy.get(each.value) ?? 0) + 1);
    }
  }
}

function costAt(use: PathUse): number {
  return use.tests + arrayCost(use);
}

/** One value can occupy only the branches that take it. */
function arrayCost({ tiedBy, tiedByAny }: PathUse): number {
  let most = 0;
  for (const branches of tiedBy.values()) most = Math.max(most, branches);
  return ARRAY_COST * (tiedByAny + most);
}

function mayBeEither(alternatives: readonly Alternative[]): boolean {
  return alternatives.length > 1 && alternatives.some(({ kind }) => kind === "absent");
}

/** Exact values are looked up all at once, which the look at the value pays for. */
function testCost(alternative: Alternative): number {
  switch (alternative.kind) {
    case "equals":
    case "absent":
      return 0;
    case "prefix":
    case "suffix":
    case "numeric":
    case "present":
      return 1;
    case "wildcard":
      return WILDCARD_COST;
    case "equals-ignore-case":
    case "prefix-ignore-case":
    case "suffix-ignore-case":
      return IGNORE_CASE_COST;
    case "cidr":
      return alternative.cidr.network.length === 2 ? CIDR_COST.ipv4 : CIDR_COST.ipv6;
    case "anything-but":
      return alternative.excluded.reduce((sum, excluded) => sum + testCost(excluded), 1);
  }
}

function shown(cost: number): string {
  return cost.toLocaleString("en-US");
}
