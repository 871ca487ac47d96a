/** How an event fares with each part of a pattern: what explanations and coverage are made of. The matcher stays the judge. */
import type { Alternative, Scalar } from "./alternative.ts";
import type { Leaf } from "./leaves.ts";
import { createLeafReader, readLeaves } from "./leaves.ts";
import { compileMatcher } from "./matcher.ts";
import type { Field, Pattern } from "./pattern.ts";
import type { JsonObject } from "./result.ts";
import type { ValueTest } from "./value-test.ts";
import { compileAlternatives } from "./value-test.ts";

export interface FieldTrace {
  readonly field: Field;
  /** The event's values at the field's path; none when it has no such field. */
  readonly values: readonly Scalar[];
  /** Indexes of the alternatives that one of the values meets, or that the lack of any meets. */
  readonly met: readonly number[];
  /**
   * `free`: met, whatever the other fields need. `tied`: met in some element of an array, so the fields that need another one
   * of its elements stand against it. `unmet`: not met, and the branch with it.
   */
  readonly standing: "free" | "tied" | "unmet";
}

export interface BranchTrace {
  readonly fields: readonly FieldTrace[];
  /** False with no field `unmet`: their values stand in different elements of one array. */
  readonly matches: boolean;
}

/** One trace for each branch of the pattern, in its order. */
export type PatternTracer = (view: JsonObject) => readonly BranchTrace[];

interface CompiledField {
  readonly field: Field;
  readonly slot: number;
  readonly tests: readonly (readonly [alternative: Alternative, test: ValueTest])[];
}

/** Compiles a pattern once, to trace many events. */
export function compileTracer({ branches }: Pattern): PatternTracer {
  const paths = [...new Set(branches.flat().map(({ path }) => path))];
  const slots = new Map(paths.map((path, slot) => [path, slot]));
  const reader = createLeafReader(paths);
  const matcher = compileMatcher(branches.map((branch) => ({ branches: [branch] })));
  // Branches share the fields that stand beside their `$or`.
  const compiled = new Map<Field, CompiledField>();
  for (const field of branches.flat()) {
    if (compiled.has(field)) continue;
    const tests = field.alternatives.map((alternative) => [alternative, compileAlternatives([alternative])] as const);
    compiled.set(field, { field, slot: slots.get(field.path) ?? -1, tests });
  }
  return (view) => {
    const leaves = readLeaves(reader, view);
    const traces = new Map([...compiled].map(([field, each]) => [field, traceField(each, leaves[each.slot] ?? [])]));
    const matching = new Set(matcher.match(view));
    return branches.map((branch, index) => {
      const matches = matching.has(index);
      const fields = branch.map((field) => settle(traces.get(field) as FieldTrace, matches));
      return { fields, matches };
    });
  };
}

/** Traces one event; for many, compile a tracer. */
export function tracePattern(pattern: Pattern, view: JsonObject): readonly BranchTrace[] {
  return compileTracer(pattern)(view);
}

function traceField({ field, tests }: CompiledField, leaves: readonly Leaf[]): FieldTrace {
  const met: number[] = [];
  let standing: FieldTrace["standing"] = "unmet";
  for (const [index, [alternative, test]] of tests.entries()) {
    if (alternative.kind === "absent") {
      if (leaves.length === 0) met.push(index);
      // An element that lacks the field may be the one that the other fields need.
      else if (standing === "unmet" && leaves.every(({ element }) => element !== null)) standing = "tied";
      continue;
    }
    const meeting = leaves.filter(({ value }) => test(value));
    if (meeting.length === 0) continue;
    met.push(index);
    if (meeting.some(({ element }) => element === null)) standing = "free";
    else if (standing === "unmet") standing = "tied";
  }
  if (leaves.length === 0 && met.length > 0) standing = "free";
  return { field, values: leaves.map(({ value }) => value), met, standing };
}

/** Where elements of an array lack a field, others may have it: then only the matcher knows that the lack was what met it. */
function settle(trace: FieldTrace, matches: boolean): FieldTrace {
  if (trace.met.length > 0 || !matches) return trace;
  const { alternatives } = trace.field;
  const absent = [...alternatives.entries()].filter(([, { kind }]) => kind === "absent");
  return { ...trace, met: absent.map(([index]) => index) };
}
