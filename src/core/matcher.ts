/** Which patterns an event meets. Pure; the language is described in docs/patterns.md. */
import type { FieldPlaces } from "./array-consistency.ts";
import type { Leaf } from "./leaves.ts";
import type { Field, Pattern } from "./pattern.ts";
import type { JsonObject } from "./result.ts";
import type { ValueTest } from "./value-test.ts";
import { canChoose } from "./array-consistency.ts";
import { buildPathTree, readLeaves } from "./leaves.ts";
import { compileAlternatives } from "./value-test.ts";

export interface Matcher {
  /**
   * The indexes of the patterns that the event meets, ascending. `view` is the event as JSON (`eventView`), of bounded
   * depth (`JSON_DEPTH_MAX`); it is read once, and only at the paths that some pattern names.
   */
  readonly match: (view: JsonObject) => readonly number[];
}

interface CompiledField {
  /** The place of the field's path among all paths. */
  readonly slot: number;
  readonly test: ValueTest;
  readonly mayBeAbsent: boolean;
}

type Branch = readonly CompiledField[];

/** Compiles patterns once, to match many events against them. */
export function compileMatcher(patterns: readonly Pattern[]): Matcher {
  const slots = new Map<string, number>();
  const compiled = patterns.map((pattern) => compilePattern(pattern, slots));
  const paths = buildPathTree([...slots.keys()]);
  return {
    match: (view) => {
      const leaves = readLeaves(view, paths, slots.size);
      const matches: number[] = [];
      for (const [index, branches] of compiled.entries()) {
        if (branches.some((branch) => meetsBranch(branch, leaves))) matches.push(index);
      }
      return matches;
    },
  };
}

/** Matches one event against one pattern; for many events, compile a matcher. */
export function matchesPattern(pattern: Pattern, view: JsonObject): boolean {
  return compileMatcher([pattern]).match(view).length > 0;
}

function compilePattern(pattern: Pattern, slots: Map<string, number>): readonly Branch[] {
  // Branches share the fields that stand beside their `$or`.
  const compiled = new Map<Field["alternatives"], CompiledField>();
  const compileField = ({ path, alternatives }: Field): CompiledField => {
    const known = compiled.get(alternatives);
    if (known !== undefined) return known;
    const slot = slots.get(path) ?? slots.size;
    slots.set(path, slot);
    const mayBeAbsent = alternatives.some(({ kind }) => kind === "absent");
    const field: CompiledField = { slot, test: compileAlternatives(alternatives), mayBeAbsent };
    compiled.set(alternatives, field);
    return field;
  };
  return pattern.branches.map((branch) => branch.map(compileField));
}

type LeavesBySlot = readonly (readonly Leaf[])[];

function meetsBranch(branch: Branch, leaves: LeavesBySlot): boolean {
  const tied: CompiledField[] = [];
  let mayTiedBeAbsent = false;
  for (const field of branch) {
    const values = leaves[field.slot] ?? [];
    if (values.length === 0) {
      if (field.mayBeAbsent) continue;
      return false;
    }
    const state = stateOf(field, values);
    if (state === "unmet") return false;
    if (state === "free") continue;
    tied.push(field);
    mayTiedBeAbsent ||= field.mayBeAbsent;
  }
  if (tied.length === 0 || (tied.length === 1 && !mayTiedBeAbsent)) return true;
  // With a field that may be absent, a value in an element can serve better than one that stands free: all fields count.
  const open = mayTiedBeAbsent ? branch : tied;
  return canChoose(
    open.filter((field) => (leaves[field.slot] ?? []).length > 0).map((field) => placesOf(field, leaves)),
  );
}

/** `free` when a value outside every element meets the field; `tied` when all depends on the elements chosen. */
function stateOf({ test, mayBeAbsent }: CompiledField, values: readonly Leaf[]): "free" | "tied" | "unmet" {
  let isMet = false;
  let isAlwaysPresent = false;
  for (const { value, element } of values) {
    if (element === null) isAlwaysPresent = true;
    if (isMet && element !== null) continue;
    if (!test(value)) continue;
    if (element === null) return "free";
    isMet = true;
  }
  return isMet || (mayBeAbsent && !isAlwaysPresent) ? "tied" : "unmet";
}

function placesOf({ slot, test, mayBeAbsent }: CompiledField, leaves: LeavesBySlot): FieldPlaces {
  const values = leaves[slot] ?? [];
  const meeting = values.filter(({ value }) => test(value)).map(({ element }) => element);
  return { meeting, present: mayBeAbsent ? values.map(({ element }) => element) : null };
}
