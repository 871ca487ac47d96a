/** A pattern's alternatives and an event's values in words, each short enough for one line. */
import type { Alternative, Scalar, ValueCondition } from "./alternative.ts";
import type { Address } from "./cidr.ts";
import type { NumericRange } from "./numeric-range.ts";
import type { Wildcard } from "./wildcard.ts";

/** Of a longer list, one fewer is shown, and how many more there are. */
export const SHOWN_MAX = 5;
/** Characters of one text, be it the pattern's or the event's. */
export const SHOWN_TEXT_CHARS_MAX = 80;

/** `"refs/heads/main"`, `starts with "refs/"`, `a number >= 5`, `no such field`. */
export function describeAlternative(alternative: Alternative): string {
  if (alternative.kind === "present") return "any value";
  if (alternative.kind === "absent") return "no such field";
  if (alternative.kind !== "anything-but") return describeCondition(alternative);
  return `anything but ${listWords(alternative.excluded.map(describeCondition), "and")}`;
}

function describeCondition(condition: ValueCondition): string {
  switch (condition.kind) {
    case "equals":
      return describeValue(condition.value);
    case "equals-ignore-case":
      return `${describeValue(condition.folded)} in any case`;
    case "prefix":
      return `starts with ${describeValue(condition.text)}`;
    case "prefix-ignore-case":
      return `starts with ${describeValue(condition.folded)} in any case`;
    case "suffix":
      return `ends with ${describeValue(condition.text)}`;
    case "suffix-ignore-case":
      return `ends with ${describeValue(condition.folded)} in any case`;
    case "wildcard":
      return `like ${describeValue(writeWildcard(condition.wildcard))}`;
    case "numeric":
      return describeRange(condition.range);
    case "cidr":
      return `an address in ${writeAddress(condition.cidr.network)}/${condition.cidr.prefixBits}`;
  }
}

/** A value as JSON, cut where it is long. */
export function describeValue(value: Scalar): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return JSON.stringify(value.length > SHOWN_TEXT_CHARS_MAX ? `${value.slice(0, SHOWN_TEXT_CHARS_MAX)}…` : value);
}

/** `a, b or c`; of a long list the first ones `and 3 more`. */
export function listWords(words: readonly string[], joint: "and" | "or"): string {
  if (words.length > SHOWN_MAX) {
    const shown = words.slice(0, SHOWN_MAX - 1);
    return `${shown.join(", ")} and ${words.length - shown.length} more`;
  }
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${joint} ${words.at(-1)}`;
}

function describeRange({ low, high }: NumericRange): string {
  if (low !== undefined && high !== undefined && low.value === high.value) return `the number ${low.value}`;
  const bounds = [
    ...(low === undefined ? [] : [`${low.inclusive ? ">=" : ">"} ${low.value}`]),
    ...(high === undefined ? [] : [`${high.inclusive ? "<=" : "<"} ${high.value}`]),
  ];
  return `a number ${bounds.join(" and ")}`;
}

function writeWildcard(wildcard: Wildcard): string {
  return wildcard.map((piece) => piece.replaceAll(/[\\*]/g, "\\$&")).join("*");
}

function writeAddress(address: Address): string {
  if (address.length === 2) return address.flatMap((group) => [group >> 8, group & 0xff]).join(".");
  const groups = address.map((group) => group.toString(16)).join(":");
  // A block's end is zeros more often than not.
  return groups.replace(/:0:0(?::0){0,6}$/, "::");
}
