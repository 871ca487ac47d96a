/** What the test cases of a folder leave out: rules without a case, and alternatives of patterns that no case meets. */
import type { Field, Pattern } from "../src/core/pattern.ts";
import { compileTracer } from "../src/core/pattern-trace.ts";
import type { Json, JsonObject, PathStep } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";
import type { ProblemPlace } from "../scripts/places.ts";

/** Characters of an alternative that a message shows. */
const SHOWN_CHARS_MAX = 60;

/** What the cases of one rule cover. Paths start at the pattern. */
export interface RuleCoverage {
  readonly rule: string;
  readonly isTested: boolean;
  /** A case shows what the rule leaves alone. */
  readonly hasMiss: boolean;
  readonly alternatives: number;
  readonly uncovered: readonly (readonly PathStep[])[];
}

/** How many of something are covered, in percent rounded down: 100 means all. */
export interface Share {
  readonly covered: number;
  readonly of: number;
  readonly percent: number;
}

export interface CoverageFinding extends ProblemPlace {
  readonly rule: string;
  readonly kind: "rule" | "alternative" | "miss";
  readonly message: string;
}

/**
 * `hits` are the views of the cases that say match: true and do match, `isTested` whether there is any case at all. An alternative is
 * covered when one of them meets it in a branch that matches.
 */
export function coverRule(
  rule: string,
  pattern: Pattern,
  cases: { readonly isTested: boolean; readonly hasMiss: boolean; readonly hits: readonly JsonObject[] },
): RuleCoverage {
  const fields = new Map<Field, Set<number>>(
    pattern.branches.flat().map((field) => [field, new Set(field.alternatives.keys())]),
  );
  const alternatives = [...fields.values()].reduce((sum, { size }) => sum + size, 0);
  let left = alternatives;
  const trace = compileTracer(pattern);
  for (const view of cases.hits) {
    if (left === 0) break;
    for (const branch of trace(view).filter(({ matches }) => matches)) {
      for (const { field, met } of branch.fields) {
        for (const index of met) if (fields.get(field)?.delete(index) === true) left--;
      }
    }
  }
  const uncovered = [...fields].flatMap(([{ at }, indexes]) => [...indexes].map((index) => [...at, index]));
  return { rule, isTested: cases.isTested, hasMiss: cases.hasMiss, alternatives, uncovered };
}

export function shareOfRules(coverage: readonly RuleCoverage[]): Share {
  return share(coverage.filter(({ isTested }) => isTested).length, coverage.length);
}

export function shareOfAlternatives(coverage: readonly RuleCoverage[]): Share {
  const all = coverage.reduce((sum, { alternatives }) => sum + alternatives, 0);
  return share(all - coverage.reduce((sum, { uncovered }) => sum + uncovered.length, 0), all);
}

function share(covered: number, of: number): Share {
  return { covered, of, percent: of === 0 ? 100 : Math.floor((covered / of) * 100) };
}

/** Everything that is left out, each with its place when that is asked for: looking it up reads the rule's file. */
export function* findingsOf(
  coverage: readonly RuleCoverage[],
  patternOf: (rule: string) => Json,
  placeOf: (rule: string, path: readonly PathStep[]) => ProblemPlace,
): Generator<CoverageFinding> {
  for (const { rule, isTested, hasMiss, uncovered } of coverage) {
    if (!isTested) {
      const file = `${rule.slice(rule.indexOf("/") + 1)}.test.yaml`;
      yield { ...placeOf(rule, []), rule, kind: "rule", message: `this rule has no case: write ${file} beside it` };
      continue;
    }
    for (const path of uncovered) {
      const message = `this alternative is matched by no case: ${show(valueAt(patternOf(rule), path))}`;
      yield { ...placeOf(rule, ["pattern", ...path]), rule, kind: "alternative", message };
    }
    if (hasMiss) continue;
    const message = "no case shows an event that this rule leaves alone: add one with match: false";
    yield { ...placeOf(rule, ["pattern"]), rule, kind: "miss", message };
  }
}

function valueAt(value: Json, path: readonly PathStep[]): Json | undefined {
  let at: Json | undefined = value;
  for (const step of path) {
    if (typeof step === "number") at = Array.isArray(at) ? (at as readonly Json[])[step] : undefined;
    else at = isJsonObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }
  return at;
}

function show(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}
