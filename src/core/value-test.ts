/** Turns a field's alternatives into one test of a value. */
import type { Alternative, Scalar, ValueCondition } from "./alternative.ts";
import { foldCase } from "./case-folding.ts";
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
  if (tests.length === 0) return (value) => equals.has(value);
  return (value) => equals.has(value) || tests.some((test) => test(value));
}

function compileAlternative(alternative: Exclude<Alternative, { readonly kind: "absent" }>): ValueTest {
  if (alternative.kind === "present") return () => true;
  if (alternative.kind !== "anything-but") return compileCondition(alternative);
  const isExcluded = compileAlternatives(alternative.excluded);
  return (value) => !isExcluded(value);
}

function compileCondition(condition: ValueCondition): ValueTest {
  switch (condition.kind) {
    case "equals":
      return (value) => value === condition.value;
    case "equals-ignore-case": {
      const { folded } = condition;
      return ofText((text) => text.length === folded.length && foldCase(text) === folded);
    }
    case "prefix":
      return ofText((text) => text.startsWith(condition.text));
    case "prefix-ignore-case": {
      const { folded } = condition;
      return ofText((text) => foldCase(text.slice(0, folded.length)) === folded);
    }
    case "suffix":
      return ofText((text) => text.endsWith(condition.text));
    case "suffix-ignore-case": {
      const { folded } = condition;
      return ofText((text) => foldCase(text.slice(Math.max(0, text.length - folded.length))) === folded);
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
