/**
 * A rule's pattern: which events a rule wants. This file turns what a person wrote into data that the matcher can use, and
 * says where it is wrong. The language is described in docs/patterns.md; it is Amazon EventBridge's, less its oddities.
 */
import type { Alternative } from "./alternative.ts";
import type { Json, JsonObject, Mistake, PathStep, Result } from "./result.ts";
import { readAlternatives } from "./alternative.ts";
import type { Conjunction } from "./conjunction.ts";
import { expand } from "./conjunction.ts";
import { findDuplicateMember, parseJson } from "./json.ts";
import { describe } from "./read-object.ts";
import { err, isJsonObject, ok } from "./result.ts";

/** Objects in one another, the pattern itself and the objects of a `$or` included. */
export const PATTERN_DEPTH_MAX = 32;

/** Branches after every `$or` is multiplied out. */
export const OR_BRANCHES_MAX = 1_000;

/** A `$or` takes two levels of JSON, its list and its object; a field's list and its matcher take up to four more. */
const TEXT_DEPTH_MAX = 2 * PATTERN_DEPTH_MAX + 4;

/** A pattern without `$or`: an event matches when it meets every field of at least one branch. */
export interface Pattern {
  readonly branches: readonly (readonly Field[])[];
}

export interface Field {
  /** The names from the event's root to the field, joined by ".": no path occurs twice in one branch. */
  readonly path: string;
  /** At least one, in the order of the pattern's list. The field is met when one of them is. */
  readonly alternatives: readonly Alternative[];
  /** Where the field's list of alternatives stands in the pattern. */
  readonly at: readonly PathStep[];
}

/** Reads strict JSON text. A member that is named twice is a mistake, as is anything after the pattern's end. */
export function parsePatternText(text: string): Result<Pattern, readonly Mistake[]> {
  const json = parseJson(text, TEXT_DEPTH_MAX);
  if (!json.ok) {
    const message =
      json.error.reason === "invalid-json"
        ? `expected JSON: ${json.error.detail}`
        : `expected at most ${PATTERN_DEPTH_MAX} objects in one another (PATTERN_DEPTH_MAX), found more`;
    return err([{ path: [], message }]);
  }
  const pattern = parsePattern(json.value);
  const duplicate = findDuplicateMember(text);
  if (duplicate === null) return pattern;
  const mistake: Mistake = {
    path: duplicate,
    at: "key",
    message: "expected each name once in an object, found it twice",
  };
  return err(pattern.ok ? [mistake] : [mistake, ...pattern.error]);
}

/** Reads a pattern and collects every mistake in it; paths are relative to the pattern. Never throws, whatever the JSON. */
export function parsePattern(value: Json): Result<Pattern, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const whole: Conjunction = { fields: [], ors: [] };
  if (isJsonObject(value)) readObject(value, undefined, [], 1, whole, mistakes);
  else
    mistakes.push({ path: [], message: `expected an object that names the event's fields, found ${describe(value)}` });
  checkBranches(whole, mistakes);
  if (mistakes.length === 0) checkNamedOnce(whole, new Map(), mistakes);
  return mistakes.length === 0 ? ok({ branches: expand(whole) }) : err(mistakes);
}

function readObject(
  object: JsonObject,
  prefix: string | undefined,
  at: readonly PathStep[],
  depth: number,
  into: Conjunction,
  mistakes: Mistake[],
): void {
  if (depth > PATTERN_DEPTH_MAX) {
    const message = `expected at most ${PATTERN_DEPTH_MAX} objects in one another (PATTERN_DEPTH_MAX), found more`;
    mistakes.push({ path: at, message });
    return;
  }
  const members = Object.entries(object);
  if (members.length === 0) mistakes.push({ path: at, message: "expected at least one field, found an empty object" });
  for (const [name, value] of members) {
    const memberAt = [...at, name];
    if (name === "$or") {
      readOr(value, prefix, memberAt, depth, into, mistakes);
      continue;
    }
    const path = prefix === undefined ? name : `${prefix}.${name}`;
    if (isJsonObject(value)) readObject(value, path, memberAt, depth + 1, into, mistakes);
    else if (Array.isArray(value)) {
      into.fields.push({ path, at: memberAt, alternatives: readAlternatives(value, memberAt, mistakes) });
    } else {
      const expected = "a list of alternatives, or an object with the fields below";
      const list = JSON.stringify([value]);
      const write = list.length <= 80 ? `; write ${list}` : "";
      // Mostly the fields below it stand at its own column.
      const hint = value === null ? `${write}, or indent the fields below it` : write;
      mistakes.push({ path: memberAt, message: `expected ${expected}, found ${describe(value)}${hint}` });
    }
  }
}

function readOr(
  value: Json,
  prefix: string | undefined,
  at: readonly PathStep[],
  depth: number,
  into: Conjunction,
  mistakes: Mistake[],
): void {
  if (!Array.isArray(value) || value.length < 2) {
    const found = Array.isArray(value) && value.length === 1 ? "a list of one" : describe(value);
    mistakes.push({ path: at, message: `expected a list of at least two objects under "$or", found ${found}` });
    return;
  }
  const choices: Conjunction[] = [];
  for (const [index, item] of (value as readonly Json[]).entries()) {
    const choice: Conjunction = { fields: [], ors: [] };
    if (isJsonObject(item)) readObject(item, prefix, [...at, index], depth + 1, choice, mistakes);
    else mistakes.push({ path: [...at, index], message: `expected an object in "$or", found ${describe(item)}` });
    choices.push(choice);
  }
  into.ors.push({ at, choices });
}

/** Counts before anything is multiplied out; reports the `$or` that takes the number past the limit. */
function checkBranches(whole: Conjunction, mistakes: Mistake[]): void {
  let branches = 1;
  for (const { at, choices } of whole.ors) {
    branches *= choices.reduce((sum, choice) => sum + countBranches(choice), 0);
    if (branches > OR_BRANCHES_MAX) {
      const expected = `at most ${OR_BRANCHES_MAX} branches when every "$or" is multiplied out (OR_BRANCHES_MAX)`;
      mistakes.push({ path: at, message: `expected ${expected}, found ${Math.min(branches, 1e15)}` });
      return;
    }
  }
}

function countBranches({ ors }: Conjunction): number {
  return ors.reduce(
    (product, { choices }) => product * choices.reduce((sum, choice) => sum + countBranches(choice), 0),
    1,
  );
}

/**
 * A field may be named once among the conditions that hold together, however it is spelt: EventBridge lets the textually
 * later one win, which nobody means. Objects of one `$or` never hold together. Adds the names to `named`.
 */
function checkNamedOnce(conjunction: Conjunction, named: Map<string, readonly PathStep[]>, mistakes: Mistake[]): void {
  for (const { path, at } of conjunction.fields) {
    if (named.has(path)) mistakes.push({ path: at, at: "key", message: namedTwice(path, at, named.get(path) ?? []) });
    else named.set(path, at);
  }
  for (const { choices } of conjunction.ors) {
    const outside = new Map(named);
    for (const choice of choices) {
      const inside = new Map(outside);
      checkNamedOnce(choice, inside, mistakes);
      for (const [path, at] of inside) named.set(path, at);
    }
  }
}

function namedTwice(path: string, at: readonly PathStep[], first: readonly PathStep[]): string {
  const where = at.includes("$or") || first.includes("$or") ? 'beside a "$or" and inside it' : "twice";
  return `the field ${JSON.stringify(path.slice(0, 80))} is named ${where}; put all its alternatives in one place`;
}
