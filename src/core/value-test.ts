/** Turns a field's alternatives into one test of a value. */
import type { Alternative, Scalar, ValueCondition } from "./alternative.ts";
import { foldsTo } from "./case-folding.ts";
import { cidrContains, parseAddress } from "./cidr.ts";
import { rangeContains } from "./numeric-range.ts";
import { compileWildcard } from "./wildcard.ts";

export type ValueTest = (value: Scalar) => boolean;

/** True for a value that meets at least one alternative. `absent` is met by no value; the matcher looks after it. */
export function compileAlternatives(alternatives: readonly Alternative[]): ValueTest {
  // A set compares as JSON does here: no coercion, strings by code unit, and 0 equal to -0.
  const equals = new Set<Scalar>();
  const tests: ValueTest[] = [];
  for (const alternative of alternatives) {
    if (alternative.kind === "equals") equals.add(alternative.value);
    else if (alternative.kind !== "absent") tests.push(compileAlternative(alternative));
  }
  const isEqual = compileEquals([...equals], equals);
  const [only] = tests;
  if (only === undefined) return isEqual;
  if (tests.length > 1) return (value) => isEqual(value) || tests.some((test) => test(value));
  return equals.size === 0 ? only : (value) => isEqual(value) || only(value);
}

/** Values that are compared one by one: fewer than it takes to hash a text. */
const COMPARED_MAX = 8;

function compileEquals(values: readonly Scalar[], all: ReadonlySet<Scalar>): ValueTest {
  if (values.length > COMPARED_MAX) return (value) => all.has(value);
  return (value) => {
    for (let at = 0; at < values.length; at++) if (values[at] === value) return true;
    return false;
  };
}

function compileAlternative(alternative: Exclude<Alternative, { readonly kind: "absent" }>): ValueTest {
  if (alternative.kind === "present") return () => true;
  if (alternative.kind !== "anything-but") return compileCondition(alternative);
  const isExcluded = compileAlternatives(alternative.excluded);
  return (value) => !isExcluded(value);
}

/** True for a value that meets the condition. */
export function compileCondition(condition: ValueCondition): ValueTest {
  switch (condition.kind) {
    case "equals":
      return (value) => value === condition.value;
    case "equals-ignore-case": {
      const { folded } = condition;
      return ofText((text) => text.length === folded.length && foldsTo(text, 0, folded));
    }
    case "prefix":
      return ofText((text) => text.startsWith(condition.text));
    case "prefix-ignore-case": {
      const { folded } = condition;
      return ofText((text) => foldsTo(text, 0, folded));
    }
    case "suffix":
      return ofText((text) => text.endsWith(condition.text));
    case "suffix-ignore-case": {
      const { folded } = condition;
      return ofText((text) => foldsTo(text, text.length - folded.length, folded));
    }
    case "wildcard":
      return ofText(compileWildcard(condition.wildcard));
    case "numeric":
      return (value) => typeof value === "number" && rangeContains(condition.range, value);
    case "cidr":
      return ofText((text) => {
        const address = parseAddress(text);
        return address !== null && cidrContains(condition.cidr, address);
      });
  }
}

function ofText(test: (text: string) => boolean): ValueTest {
  return (value) => typeof value === "string" && test(value);
}
