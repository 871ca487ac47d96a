/**
 * A matcher without an index: it tries every rule, field by field, and walks every name of the event. What the real one answers
 * is compared with it.
 */
import type { FieldPlaces } from "../../src/core/array-consistency.ts";
import { canChoose } from "../../src/core/array-consistency.ts";
import type { Element, Leaf } from "../../src/core/leaves.ts";
import type { Matcher } from "../../src/core/matcher.ts";
import type { Field, Pattern } from "../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import type { ValueTest } from "../../src/core/value-test.ts";
import { compileAlternatives } from "../../src/core/value-test.ts";

interface CompiledField {
  /** The place of the field's path among all paths. */
  readonly slot: number;
  readonly test: ValueTest;
  readonly mayBeAbsent: boolean;
}

type Branch = readonly CompiledField[];

export function compileNaiveMatcher(patterns: readonly Pattern[]): Matcher {
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

/** The paths to read, as a tree of names. */
interface PathTree {
  /** The path's place in the answer, or null when no path ends here. */
  slot: number | null;
  readonly children: Map<string, PathTree>;
}

/** The answer of `readLeaves` has a list of leaves for each path, in the order of the paths. */
function buildPathTree(paths: readonly string[]): PathTree {
  const root: PathTree = { slot: null, children: new Map() };
  for (const [slot, path] of paths.entries()) {
    let node = root;
    for (const name of path.split(".")) {
      const child: PathTree = node.children.get(name) ?? { slot: null, children: new Map() };
      node.children.set(name, child);
      node = child;
    }
    node.slot = slot;
  }
  return root;
}

interface Pending {
  readonly value: Json;
  readonly node: PathTree;
  readonly element: Element | null;
}

/** The order of the leaves of one path is not fixed. */
function readLeaves(view: JsonObject, paths: PathTree, pathCount: number): readonly (readonly Leaf[])[] {
  const leaves: Leaf[][] = Array.from({ length: pathCount }, () => []);
  const pending: Pending[] = [{ value: view, node: paths, element: null }];
  let arrays = 0;
  const visit = (value: Json, node: PathTree, element: Element | null): void => {
    if (typeof value === "object" && value !== null) pending.push({ value, node, element });
    else if (node.slot !== null) leaves[node.slot]?.push({ value, element });
  };
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, node, element } = next;
    if (Array.isArray(value)) {
      const array = arrays++;
      for (const [index, item] of (value as readonly Json[]).entries()) {
        const isNested = typeof item === "object" && item !== null;
        visit(item, node, isNested ? { array, index, parent: element } : element);
      }
    } else if (node.children.size > 0) {
      const object = value as JsonObject;
      for (const name of Object.keys(object)) {
        const child = descend(node, name);
        if (child !== undefined) visit(object[name] as Json, child, element);
      }
    }
  }
  return leaves;
}

function descend(node: PathTree, name: string): PathTree | undefined {
  if (!name.includes(".")) return node.children.get(name);
  let at: PathTree | undefined = node;
  for (const part of name.split(".")) {
    at = at.children.get(part);
    if (at === undefined) return undefined;
  }
  return at;
}
