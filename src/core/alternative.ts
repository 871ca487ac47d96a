/** One alternative of a pattern's field: a value, or an object with exactly one matcher. See docs/patterns.md. */
import type { Cidr } from "./cidr.ts";
import type { NumericRange } from "./numeric-range.ts";
import type { Reader } from "./read-object.ts";
import type { Json, JsonObject, Mistake, PathStep } from "./result.ts";
import type { Wildcard } from "./wildcard.ts";
import { foldCase } from "./case-folding.ts";
import { CIDR_SCHEMA, parseCidr } from "./cidr.ts";
import { NUMERIC_SCHEMA, parseNumericRange } from "./numeric-range.ts";
import { describe, unknownName } from "./read-object.ts";
import { described, membersSchema, withSchema } from "./reader-schema.ts";
import { isJsonObject } from "./result.ts";
import { WILDCARD_SCHEMA, parseWildcard } from "./wildcard.ts";

/** Alternatives of one field, and items in the list of one `anything-but`. */
export const ALTERNATIVES_PER_FIELD_MAX = 1_000;

export type Scalar = null | boolean | number | string;

/** A condition on one value. Text that is compared without regard to case is folded already. */
export type ValueCondition =
  | { readonly kind: "equals"; readonly value: Scalar }
  | { readonly kind: "equals-ignore-case"; readonly folded: string }
  | { readonly kind: "prefix"; readonly text: string }
  | { readonly kind: "prefix-ignore-case"; readonly folded: string }
  | { readonly kind: "suffix"; readonly text: string }
  | { readonly kind: "suffix-ignore-case"; readonly folded: string }
  | { readonly kind: "wildcard"; readonly wildcard: Wildcard }
  | { readonly kind: "numeric"; readonly range: NumericRange }
  | { readonly kind: "cidr"; readonly cidr: Cidr };

export type Alternative =
  | ValueCondition
  /** Met by a value that meets none of the conditions. */
  | { readonly kind: "anything-but"; readonly excluded: readonly ValueCondition[] }
  | { readonly kind: "present" }
  | { readonly kind: "absent" };

const TEXT: JsonObject = { type: "string" };
/** A matcher is an object with one member. */
const ONE_MEMBER: JsonObject = { minProperties: 1, maxProperties: 1 };
const FOLDED = "Equal to this string without regard to case.";

const readExactly: Reader<Alternative> = (value, path, mistakes) => {
  const text = readText(value, path, mistakes);
  return text === undefined ? undefined : { kind: "equals", value: text };
};

const readEqualsIgnoreCase: Reader<ValueCondition> = (value, path, mistakes) => {
  const text = readText(value, path, mistakes);
  return text === undefined ? undefined : { kind: "equals-ignore-case", folded: foldCase(text) };
};

const readWildcard: Reader<ValueCondition> = (value, path, mistakes) => {
  const text = readText(value, path, mistakes);
  if (text === undefined) return undefined;
  const wildcard = parseWildcard(text);
  if (wildcard.ok) return { kind: "wildcard", wildcard: wildcard.value };
  mistakes.push({ path, message: wildcard.error });
  return undefined;
};

const readNumeric: Reader<Alternative> = (value, path, mistakes) => {
  const range = parseNumericRange(value);
  if (range.ok) return { kind: "numeric", range: range.value };
  mistakes.push({ path, message: range.error });
  return undefined;
};

const readCidr: Reader<Alternative> = (value, path, mistakes) => {
  const cidr = typeof value === "string" ? parseCidr(value) : null;
  if (cidr !== null) return { kind: "cidr", cidr };
  const expected = "a block of addresses such as 10.0.0.0/8 or 2001:db8::/32";
  mistakes.push({ path, message: `expected ${expected}, found ${describe(value)}` });
  return undefined;
};

const readExists: Reader<Alternative> = (value, path, mistakes) => {
  if (typeof value === "boolean") return { kind: value ? "present" : "absent" };
  mistakes.push({ path, message: `expected true or false, found ${describe(value)}` });
  return undefined;
};

/** The matchers `prefix` and `suffix`. */
function readAffix(kind: "prefix" | "suffix"): Reader<Alternative> {
  const read: Reader<Alternative> = (value, path, mistakes) => {
    if (typeof value === "string") return { kind, text: value };
    if (!isJsonObject(value)) {
      const expected = 'a string or {"equals-ignore-case": a string}';
      mistakes.push({ path, message: `expected ${expected}, found ${describe(value)}` });
      return undefined;
    }
    const readFolded: Reader<Alternative> = (text, textPath) => {
      const folded = readText(text, textPath, mistakes);
      return folded === undefined ? undefined : { kind: `${kind}-ignore-case` as const, folded: foldCase(folded) };
    };
    return readMatcher(value, path, mistakes, `matcher in ${kind}`, { "equals-ignore-case": readFolded });
  };
  const folded = membersSchema({ "equals-ignore-case": described(read, FOLDED, TEXT) }, ONE_MEMBER);
  return withSchema(read, { ...folded, type: ["string", "object"] });
}

const readAnythingBut: Reader<Alternative> = (value, path, mistakes) => {
  if (isJsonObject(value)) return readMatcher(value, path, mistakes, "matcher in anything-but", NESTED_READERS);
  const items = Array.isArray(value) ? (value as readonly Json[]) : [value];
  if (!isBoundedList(items, path, mistakes)) return undefined;
  const type = typeof items[0];
  const odd = items.findIndex((item) => typeof item !== type || (type !== "string" && type !== "number"));
  if (odd !== -1) {
    const found = odd === 0 ? describe(items[0]) : `${describe(items[0])} beside ${describe(items[odd])}`;
    const expected = "a string, a number, a list of only strings or only numbers, or an object with a nested matcher";
    mistakes.push({
      path: Array.isArray(value) ? [...path, odd] : path,
      message: `expected ${expected}, found ${found}`,
    });
    return undefined;
  }
  return { kind: "anything-but", excluded: items.map((item) => ({ kind: "equals", value: item as Scalar })) };
};

/** A nested matcher of `anything-but`: one string or a list of them, each read on its own. */
function readExcluded(readItem: Reader<ValueCondition>): Reader<Alternative> {
  const read: Reader<Alternative> = (value, path, mistakes) => {
    const items = Array.isArray(value) ? (value as readonly Json[]) : [value];
    if (!isBoundedList(items, path, mistakes)) return undefined;
    const excluded: ValueCondition[] = [];
    for (const [index, item] of items.entries()) {
      const condition = readItem(item, Array.isArray(value) ? [...path, index] : path, mistakes);
      if (condition !== undefined) excluded.push(condition);
    }
    return { kind: "anything-but", excluded };
  };
  return withSchema(read, { ...readItem.schema, type: ["string", "array"], ...listSchema(readItem.schema ?? {}) });
}

function readExcludedAffix(kind: "prefix" | "suffix"): Reader<ValueCondition> {
  const read: Reader<ValueCondition> = (value, path, mistakes) => {
    const text = readText(value, path, mistakes);
    if (text === undefined) return undefined;
    if (text !== "") return { kind, text };
    mistakes.push({ path, message: `expected a non-empty string: every string has the empty ${kind}` });
    return undefined;
  };
  return withSchema(read, { ...TEXT, minLength: 1 });
}

type Matchers = Readonly<Record<string, Reader<Alternative>>>;

const readNotFolded = readExcluded(withSchema(readEqualsIgnoreCase, TEXT));
const readNotWildcard = readExcluded(withSchema(readWildcard, WILDCARD_SCHEMA));

const NESTED_READERS: Matchers = {
  prefix: described(readExcluded(readExcludedAffix("prefix")), "Strings that don't begin so, or with any of these."),
  suffix: described(readExcluded(readExcludedAffix("suffix")), "Strings that don't end so, or with any of these."),
  "equals-ignore-case": described(readNotFolded, "Other strings than this one or these, without regard to case."),
  wildcard: described(readNotWildcard, "Strings that don't fit this wildcard, or any of these."),
};

const READERS: Matchers = {
  exactly: described(readExactly, "Equal to this string, as the string by itself is.", TEXT),
  prefix: described(readAffix("prefix"), "A string that begins so.", { examples: ["refs/tags/"] }),
  suffix: described(readAffix("suffix"), "A string that ends so.", { examples: [".png"] }),
  "equals-ignore-case": described(readEqualsIgnoreCase, FOLDED, TEXT),
  wildcard: described(
    readWildcard,
    "A string with * for any run of characters. \\* is an asterisk, \\\\ a backslash.",
    { ...WILDCARD_SCHEMA, examples: ["release-*"] },
  ),
  "anything-but": described(
    readAnythingBut,
    "Any value but this one or these, or strings that don't meet a nested matcher. The field must be there.",
    {
      ...membersSchema(NESTED_READERS, ONE_MEMBER),
      type: ["string", "number", "array", "object"],
      ...listSchema({ type: ["string", "number"] }),
      anyOf: [{ items: TEXT }, { items: { type: "number" } }],
    },
  ),
  numeric: described(readNumeric, "A number within bounds.", NUMERIC_SCHEMA),
  cidr: described(readCidr, "An IP address in this block.", CIDR_SCHEMA),
  exists: described(readExists, "true: the field is there, whatever it holds. false: it is not there.", {
    type: "boolean",
  }),
};

/** The object of one matcher. */
export function matcherSchema(): JsonObject {
  return membersSchema(READERS, ONE_MEMBER);
}

/** A non-empty list of such items. */
export function listSchema(items: JsonObject): JsonObject {
  return { items, minItems: 1, maxItems: ALTERNATIVES_PER_FIELD_MAX };
}

/** Reads a field's list of alternatives and pushes every mistake in it. */
export function readAlternatives(
  list: readonly Json[],
  path: readonly PathStep[],
  mistakes: Mistake[],
): readonly Alternative[] {
  if (!isBoundedList(list, path, mistakes)) return [];
  const alternatives: Alternative[] = [];
  for (const [index, item] of list.entries()) {
    const alternative = readAlternative(item, [...path, index], mistakes);
    if (alternative !== undefined) alternatives.push(alternative);
  }
  return alternatives;
}

const readAlternative: Reader<Alternative> = (value, path, mistakes) => {
  if (isJsonObject(value)) return readMatcher(value, path, mistakes, "matcher", READERS);
  if (!Array.isArray(value)) return { kind: "equals", value: value as Scalar };
  mistakes.push({ path, message: `expected a value or a matcher, found ${describe(value)} inside the list` });
  return undefined;
};

function readMatcher(
  object: { readonly [name: string]: Json },
  path: readonly PathStep[],
  mistakes: Mistake[],
  what: string,
  readers: Matchers,
): Alternative | undefined {
  const names = Object.keys(object);
  const known = Object.keys(readers);
  let alternative: Alternative | undefined;
  for (const name of names) {
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (read === undefined)
      mistakes.push({ path: [...path, name], at: "key", message: unknownName(what, name, known) });
    else alternative = read(object[name] as Json, [...path, name], mistakes);
  }
  if (names.length === 1) return alternative;
  const found = names.length === 0 ? "an empty object" : `${names.length} keys`;
  mistakes.push({ path, message: `expected exactly one ${what} (${known.join(", ")}), found ${found}` });
  return undefined;
}

function readText(value: Json, path: readonly PathStep[], mistakes: Mistake[]): string | undefined {
  if (typeof value === "string") return value;
  mistakes.push({ path, message: `expected a string, found ${describe(value)}` });
  return undefined;
}

function isBoundedList(list: readonly Json[], path: readonly PathStep[], mistakes: Mistake[]): boolean {
  if (list.length === 0) mistakes.push({ path, message: "expected a non-empty list, found an empty list" });
  if (list.length > ALTERNATIVES_PER_FIELD_MAX) {
    const expected = `at most ${ALTERNATIVES_PER_FIELD_MAX} alternatives (ALTERNATIVES_PER_FIELD_MAX)`;
    mistakes.push({ path, message: `expected ${expected}, found ${list.length}` });
  }
  return list.length > 0 && list.length <= ALTERNATIVES_PER_FIELD_MAX;
}
