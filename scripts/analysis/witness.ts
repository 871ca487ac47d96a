/**
 * An event that meets several patterns at once, to show that they overlap. What is found is tried on the matcher itself, so
 * it is always true; where none is found, there may still be one: work is bounded, and values in arrays are not combined.
 * No pattern's value stands beside another one's object: a field that one rule wants null and one an object is none that both get.
 */
import type { Scalar } from "../../src/core/alternative.ts";
import { JSON_DEPTH_MAX } from "../../src/core/json.ts";
import { matchesPattern } from "../../src/core/matcher.ts";
import type { Field, Pattern } from "../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { compileAlternatives } from "../../src/core/value-test.ts";
import type { Alternatives } from "./common-value.ts";
import { commonValue, isExact } from "./common-value.ts";

/** Combinations of branches, one of each pattern, that are looked at. */
export const BRANCH_COMBINATIONS_MAX = 2_000;

/** Attributes that are always text (CloudEvents 1.0.2, section 3.1), and those that no event is without. */
const TEXT_ATTRIBUTES: ReadonlySet<string> = new Set([
  "specversion",
  "id",
  "source",
  "type",
  "subject",
  "time",
  "datacontenttype",
  "dataschema",
]);
const REQUIRED_ATTRIBUTES: ReadonlySet<string> = new Set(["specversion", "id", "source", "type"]);

/** Values that an event may well have at a path: tried first, so that the example reads like one. */
export type LikelyValues = (path: string) => Iterable<Scalar>;

export interface WitnessWish {
  /** Undefined for fields that no event can meet together. Fields of several patterns with one path are one here. */
  readonly consider?: (branch: readonly Field[]) => LikelyValues | undefined;
}

/** An event that meets both patterns, or undefined when none was found. */
export function witness(a: Pattern, b?: Pattern, wish: WitnessWish = {}): JsonObject | undefined {
  return commonWitness(b === undefined ? [a] : [a, b], wish);
}

/** The same for any number of patterns. */
export function commonWitness(patterns: readonly Pattern[], wish: WitnessWish = {}): JsonObject | undefined {
  const search = { patterns, wish, combinations: 0 };
  return extend(new Map(), 0, search);
}

type FieldsByPath = ReadonlyMap<string, readonly Field[]>;

interface Search {
  readonly patterns: readonly Pattern[];
  readonly wish: WitnessWish;
  combinations: number;
}

/** Adds a branch of each further pattern to the fields chosen so far; gives one up as soon as a field can't be met. */
function extend(chosen: FieldsByPath, at: number, search: Search): JsonObject | undefined {
  const pattern = search.patterns[at];
  if (pattern === undefined) return eventFor(chosen, search);
  for (const branch of pattern.branches) {
    if (++search.combinations > BRANCH_COMBINATIONS_MAX) return undefined;
    const fields = new Map(chosen);
    let canBeMet = true;
    for (const field of branch) {
      const together = [...(chosen.get(field.path) ?? []), field];
      fields.set(field.path, together);
      canBeMet &&= together.length === 1 || valueFor(field.path, together) !== undefined;
      if (!canBeMet) break;
    }
    const found = canBeMet ? extend(fields, at + 1, search) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function eventFor(fields: FieldsByPath, { patterns, wish }: Search): JsonObject | undefined {
  const merged = [...fields.values()].map(mergeFields);
  const likely = wish.consider === undefined ? () => [] : wish.consider(merged);
  if (likely === undefined) return undefined;
  const root: Node = { children: new Map() };
  for (const [path, together] of fields) {
    const chosen = valueFor(path, together, likely);
    if (chosen === undefined) return undefined;
    const names = path.split(".");
    if (names.length >= JSON_DEPTH_MAX) return undefined;
    if (chosen !== "absent") nodeAt(root, names).value = chosen;
  }
  if (patterns.length > 1 && hasMixed(root)) return undefined;
  const event = toJson(root) as JsonObject;
  return patterns.every((pattern) => matchesPattern(pattern, event)) ? event : undefined;
}

/** Leaving a field out makes the shorter example. */
function valueFor(
  path: string,
  fields: readonly Field[],
  likely?: LikelyValues,
): { readonly value: Scalar } | "absent" | undefined {
  const mayBeAbsent = fields.every(({ alternatives }) => alternatives.some(({ kind }) => kind === "absent"));
  if (mayBeAbsent && !REQUIRED_ATTRIBUTES.has(path)) return "absent";
  return commonValue(
    fields.map(({ alternatives }) => alternatives),
    {
      ...(likely === undefined ? {} : { likely: likely(path) }),
      ...(TEXT_ATTRIBUTES.has(path) ? { isPossible: (value: Scalar) => isAttribute(path, value) } : {}),
    },
  );
}

function isAttribute(path: string, value: Scalar): boolean {
  return path === "specversion" ? value === "1.0" : typeof value === "string" && value !== "";
}

/**
 * Several lists as one that takes whatever all of them take, and maybe more: exact values of one that the others take, or
 * else one list as it is.
 */
function mergeFields(fields: readonly Field[]): Field {
  const [first, ...others] = fields as readonly [Field, ...Field[]];
  if (others.length === 0) return first;
  const exact = fields.find(({ alternatives }) => isExact(alternatives));
  if (exact === undefined)
    return fields.toSorted((a, b) => breadth(a.alternatives) - breadth(b.alternatives))[0] ?? first;
  const tests = fields.filter((field) => field !== exact).map(({ alternatives }) => compileAlternatives(alternatives));
  const kept = exact.alternatives.filter(
    (alternative) => alternative.kind === "equals" && tests.every((test) => test(alternative.value)),
  );
  return { ...exact, alternatives: kept };
}

/** Lists that leave things out say less of an event than those that name them. */
function breadth(alternatives: Alternatives): number {
  return alternatives.filter(({ kind }) => kind === "anything-but" || kind === "present" || kind === "absent").length;
}

interface Node {
  value?: { readonly value: Scalar };
  readonly children: Map<string, Node>;
}

function nodeAt(root: Node, names: readonly string[]): Node {
  let node = root;
  for (const name of names) {
    const child: Node = node.children.get(name) ?? { children: new Map() };
    node.children.set(name, child);
    node = child;
  }
  return node;
}

/** Whether a field has a value and fields below it. */
function hasMixed({ value, children }: Node): boolean {
  return (value !== undefined && children.size > 0) || [...children.values()].some(hasMixed);
}

/** A field with a value that has fields below it, too, is an array of both: arrays leave no trace in a path. */
function toJson({ value, children }: Node): Json {
  // Makes own members of all names, `__proto__` included.
  const object = Object.fromEntries([...children].map(([name, child]) => [name, toJson(child)]));
  if (value === undefined) return object;
  return children.size === 0 ? value.value : [value.value, object];
}
