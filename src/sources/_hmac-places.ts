/** Reads where a value of a request stands, as people write it in the entry of a source: `{ header: X-Id }`, `{ path: $.id }`. */
import { parseJsonPath } from "../core/json-path.ts";
import type { Reader } from "../core/read-object.ts";
import { describe, readMembers, readOneOf } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import type { Json, JsonObject, Mistake, PathStep } from "../core/result.ts";
import { isJsonObject } from "../core/result.ts";
import type { TimestampUnit, ValuePlace } from "../core/signature-scheme.ts";
import { TIMESTAMP_UNITS } from "../core/signature-scheme.ts";

export const HEADER_NAME_CHARACTERS_MAX = 128;
export const SHORT_TEXT_CHARACTERS_MAX = 64;
export const TYPE_CHARACTERS_MAX = 256;

/** RFC 9110, section 5.6.2: a token. */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const TYPE = new RegExp(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,${TYPE_CHARACTERS_MAX - 1}}$`);

export const readHeaderName: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && value.length <= HEADER_NAME_CHARACTERS_MAX && HEADER_NAME.test(value)) {
      return value;
    }
    mistakes.push({ path, message: `expected the name of a header, such as X-Signature, found ${describe(value)}` });
    return undefined;
  },
  {
    type: "string",
    maxLength: HEADER_NAME_CHARACTERS_MAX,
    pattern: HEADER_NAME.source,
    patternErrorMessage: "Expected the name of a header.",
  },
);

/** What stands before or between values: `sha256=`, a comma, a space. */
export const readShortText: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && value !== "" && value.length <= SHORT_TEXT_CHARACTERS_MAX) return value;
    mistakes.push({
      path,
      message: `expected a text of 1 to ${SHORT_TEXT_CHARACTERS_MAX} characters, found ${describe(value)}`,
    });
    return undefined;
  },
  { type: "string", minLength: 1, maxLength: SHORT_TEXT_CHARACTERS_MAX },
);

/** As dotted names: `$.data.id` is `data.id`, `$.items[0].id` is `items.0.id`. */
const readDottedPath: Reader<string> = withSchema(
  (value, path, mistakes) => {
    const parsed = typeof value === "string" ? parseJsonPath(value) : undefined;
    const steps = parsed?.ok === true ? parsed.value : [];
    const names = steps.flatMap((step) =>
      step.kind === "every" ? [] : [step.kind === "member" ? step.name : String(step.index)],
    );
    const isDotted = names.length === steps.length && names.length > 0 && names.every((name) => !name.includes("."));
    if (isDotted) return names.join(".");
    const expected = "expected a path to one value of the payload, such as $.data.id";
    mistakes.push({
      path,
      message: parsed?.ok === false ? parsed.error.message : `${expected}, found ${describe(value)}`,
    });
    return undefined;
  },
  { type: "string", pattern: "^\\$[.\\[]", patternErrorMessage: "Expected a path such as $.data.id." },
);

const READERS = {
  header: described(readHeaderName, "The header that has it."),
  part: described(readShortText, "Its part of the header, as t in t=1700000000,v1=abc."),
  query: described(readShortText, "The parameter of the address that has it."),
  path: described(readDottedPath, "Where the payload has it, such as $.data.id."),
};
const readPrefix = described(
  readType("such as com.shop"),
  "What stands before it in the event's type: com.shop makes com.shop.order.paid of order.paid.",
);
const UNIT_DESCRIPTION = "s and ms since 1970, or iso: 2026-01-01T00:00:00Z.";
const readTimeUnit = described(readOneOf(TIMESTAMP_UNITS), UNIT_DESCRIPTION);

/** Where a value of the event stands. */
export type MappedPlace = { readonly header: string } | { readonly path: string };

/** Exactly one of `header`, `query` and `path`, and what belongs to it. */
function readPlace<More extends Readonly<Record<string, Reader<unknown>>>>(
  names: readonly ("header" | "part" | "query" | "path")[],
  more: More,
  example: string,
) {
  const readers = { ...Object.fromEntries(names.map((name) => [name, READERS[name]])), ...more };
  const places = names.filter((name) => name !== "part");
  const read = (value: Json, path: readonly PathStep[], mistakes: Mistake[]) => {
    if (!isJsonObject(value)) {
      mistakes.push({ path, message: `expected where it stands, such as ${example}, found ${describe(value)}` });
      return undefined;
    }
    const before = mistakes.length;
    const members = readMembers(value, path, readers, mistakes) as Readonly<Record<string, string | undefined>>;
    const found = places.filter((name) => Object.hasOwn(value, name));
    if (mistakes.length === before && found.length !== 1) {
      const what = found.length === 0 ? "none" : found.join(" and ");
      mistakes.push({ path, message: `expected one of ${places.join(", ")}, such as ${example}, found ${what}` });
    }
    if (mistakes.length === before && Object.hasOwn(value, "part") && found[0] !== "header") {
      mistakes.push({ path: [...path, "part"], at: "key", message: "only a header has parts; leave it out" });
    }
    return mistakes.length === before ? members : undefined;
  };
  const schema: JsonObject = membersSchema(readers, { oneOf: places.map((name) => ({ required: [name] })) });
  return { read, schema };
}

const value = readPlace(["header", "part", "query", "path"], {}, "{ header: X-Id }");
/** A value of the content. */
export const readValuePlace: Reader<ValuePlace> = withSchema(
  (json, path, mistakes) => value.read(json, path, mistakes) as ValuePlace | undefined,
  value.schema,
);

export interface TimedPlace<Place> {
  readonly place: Place;
  readonly unit: TimestampUnit | undefined;
}

function readTimed<Place>(names: readonly ("header" | "part" | "path")[]): Reader<TimedPlace<Place>> {
  const { read, schema } = readPlace(names, { unit: readTimeUnit }, "{ header: X-Timestamp }");
  return withSchema((json, path, mistakes) => {
    const members = read(json, path, mistakes);
    if (members === undefined) return undefined;
    const { unit, ...place } = members;
    return { place: place as Place, unit: unit as TimestampUnit | undefined };
  }, schema);
}

/** When it was signed. */
export const readSignedTime = readTimed<ValuePlace>(["header", "part", "path"]);
/** When it happened. */
export const readMappedTime = readTimed<MappedPlace>(["header", "path"]);

const mapped = readPlace(["header", "path"], {}, "{ path: $.id }");
export const readMappedPlace: Reader<MappedPlace> = withSchema(
  (json, path, mistakes) => mapped.read(json, path, mistakes) as MappedPlace | undefined,
  mapped.schema,
);

const typed = readPlace(["header", "path"], { prefix: readPrefix }, "{ header: X-Event, prefix: com.shop }");
/** A constant type, or where it stands. */
export type TypeRule = string | { readonly place: MappedPlace; readonly prefix: string | undefined };
const readConstantType = readType("such as com.shop.order");
export const readTypeRule: Reader<TypeRule> = withSchema(
  (json, path, mistakes) => {
    if (typeof json === "string") return readConstantType(json, path, mistakes);
    const members = typed.read(json, path, mistakes);
    if (members === undefined) return undefined;
    const { prefix, ...place } = members;
    return { place: place as MappedPlace, prefix };
  },
  { anyOf: [readConstantType.schema ?? {}, typed.schema] },
);

function readType(example: string): Reader<string> {
  return withSchema(
    (json, path, mistakes) => {
      if (typeof json === "string" && TYPE.test(json)) return json;
      const expected = `expected letters, digits and _ . -, ${example}`;
      mistakes.push({ path, message: `${expected}, found ${describe(json)}` });
      return undefined;
    },
    { type: "string", pattern: TYPE.source, patternErrorMessage: `Expected letters, digits and _ . -, ${example}.` },
  );
}
