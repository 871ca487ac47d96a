/**
 * Reads a pattern that `parsePattern` has found right when the rules were generated: the same result, with nothing to say about
 * mistakes, in a fraction of the code that an isolate has to load.
 */
import type { Alternative, Scalar, ValueCondition } from "./alternative.ts";
import { foldCase } from "./case-folding.ts";
import { parseCidr } from "./cidr.ts";
import type { Conjunction } from "./conjunction.ts";
import { expand } from "./conjunction.ts";
import type { NumericRange } from "./numeric-range.ts";
import type { Pattern } from "./pattern.ts";
import type { Json, JsonObject, PathStep } from "./result.ts";
import { isJsonObject } from "./result.ts";

/** Throws for some patterns that are wrong, and makes something of others: generated rules have none. */
export function checkedPattern(pattern: Json): Pattern {
  const whole: Conjunction = { fields: [], ors: [] };
  read(pattern, "", [], whole);
  return { branches: expand(whole) };
}

/** `prefix`: the path of the object with a dot behind it, empty at the root. */
function read(object: Json, prefix: string, at: readonly PathStep[], into: Conjunction): void {
  if (!isJsonObject(object)) throw new Error(`${at.join(".")}: expected an object`);
  for (const [name, value] of Object.entries(object)) {
    const here = [...at, name];
    if (name === "$or") {
      const choices = listOf(value).map((item, index) => {
        const choice: Conjunction = { fields: [], ors: [] };
        read(item, prefix, [...here, index], choice);
        return choice;
      });
      into.ors.push({ at: here, choices });
    } else if (Array.isArray(value)) {
      into.fields.push({ path: prefix + name, at: here, alternatives: (value as readonly Json[]).map(alternativeOf) });
    } else read(value, `${prefix}${name}.`, here, into);
  }
}

function alternativeOf(item: Json): Alternative {
  if (!isJsonObject(item)) return equals(item);
  const [name, value] = onlyMember(item);
  if (name === "exists") return { kind: value === true ? "present" : "absent" };
  if (name !== "anything-but") return conditionOf(name, value);
  if (!isJsonObject(value)) return { kind: "anything-but", excluded: listOf(value).map(equals) };
  const [nested, texts] = onlyMember(value);
  return { kind: "anything-but", excluded: listOf(texts).map((text) => conditionOf(nested, text)) };
}

function conditionOf(name: string, value: Json): ValueCondition {
  switch (name) {
    case "exactly":
      return equals(value);
    case "prefix":
    case "suffix":
      return isJsonObject(value)
        ? { kind: `${name}-ignore-case`, folded: foldCase(String(onlyMember(value)[1])) }
        : { kind: name, text: String(value) };
    case "equals-ignore-case":
      return { kind: name, folded: foldCase(String(value)) };
    case "wildcard":
      return { kind: name, wildcard: piecesOf(String(value)) };
    case "numeric":
      return { kind: name, range: rangeOf(listOf(value)) };
    case "cidr": {
      const cidr = parseCidr(String(value));
      if (cidr !== null) return { kind: name, cidr };
    }
  }
  throw new Error(`there is no matcher ${name} of ${JSON.stringify(value)}`);
}

function equals(value: Json): ValueCondition {
  return { kind: "equals", value: value as Scalar };
}

/** The pieces between the asterisks; a backslash takes the meaning of the character behind it. */
function piecesOf(text: string): readonly string[] {
  const pieces = [""];
  for (const [part] of text.matchAll(/\\.|\*|[^\\*]+/gs)) {
    if (part === "*") pieces.push("");
    else pieces.push((pieces.pop() ?? "") + part.replace(/^\\/, ""));
  }
  return pieces;
}

/** Pairs of an operator and a number: at most one for each end. */
function rangeOf(terms: readonly Json[]): NumericRange {
  let range: NumericRange = {};
  for (let index = 0; index < terms.length; index += 2) {
    const operator = String(terms[index]);
    const bound = { value: Number(terms[index + 1]), inclusive: operator.endsWith("=") };
    if (!operator.startsWith("<")) range = { ...range, low: bound };
    if (!operator.startsWith(">")) range = { ...range, high: bound };
  }
  return range;
}

function onlyMember(object: JsonObject): readonly [string, Json] {
  const [member] = Object.entries(object);
  if (member === undefined) throw new Error("expected a matcher, found an empty object");
  return member;
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}
