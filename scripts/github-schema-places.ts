/**
 * What may stand at a path of a document that a JSON Schema (draft 7) describes, arrays transparent as in patterns. Only the
 * keywords that GitHub's schemas use: $ref, allOf, oneOf, anyOf, enum, const, type, items, properties, required,
 * additionalProperties, and `tsAdditionalProperties: false`, which closes an object that allOf adds to another one.
 */
import type { Scalar } from "../src/core/alternative.ts";
import type { Json, JsonObject } from "../src/core/result.ts";
import { isJsonObject, ownMember } from "../src/core/result.ts";
import { ADDED_MEMBERS, ADDED_VALUES, OPTIONAL_MEMBERS } from "./github-schema-differences.ts";

export interface Place {
  /** The values that may stand here, one by one. */
  readonly exact: ReadonlySet<Scalar>;
  /** The types of which any value may stand here. */
  readonly any: ReadonlySet<"string" | "number">;
  /** One for each form of object that may stand here: the schemas that it meets, all of them. */
  readonly objects: readonly (readonly JsonObject[])[];
  /** Values may stand in an array, which may be empty. */
  readonly hasArray: boolean;
  /** Nobody knows: anything may stand here, and below. */
  readonly isUnknown: boolean;
  /** Every document has it, and not in an array. */
  readonly isRequired: boolean;
}

const NOTHING: Place = {
  exact: new Set(),
  any: new Set(),
  objects: [],
  hasArray: false,
  isUnknown: false,
  isRequired: false,
};

export const UNKNOWN_PLACE: Place = { ...NOTHING, isUnknown: true };

export interface SchemaReader {
  /** The place of a whole document; undefined when there is no definition with the name. */
  readonly root: (definition: string) => Place | undefined;
  /** What the member of the objects at a place may be; undefined when none of them has it. */
  readonly member: (place: Place, name: string) => Place | undefined;
  /** The members that the objects at a place may have, as far as they are known. */
  readonly memberNames: (place: Place) => readonly string[];
  /** The names of the definitions that a definition is one of; its own name when it has no such list. */
  readonly variants: (definition: string) => readonly string[];
}

const REFERENCE = /^#\/definitions\/(.+)$/;

export function createSchemaReader(definitions: JsonObject): SchemaReader {
  const places = new Map<JsonObject, Place>();
  const definitionNames = new Map<JsonObject, string>();
  for (const [name, schema] of Object.entries(definitions)) if (isJsonObject(schema)) definitionNames.set(schema, name);

  const definitionOf = (reference: Json | undefined): { name: string; schema: JsonObject } | undefined => {
    const name = typeof reference === "string" ? REFERENCE.exec(reference)?.[1] : undefined;
    const schema = name === undefined ? undefined : ownMember(definitions, name);
    return name !== undefined && isJsonObject(schema) ? { name, schema } : undefined;
  };

  const read = (schema: Json | undefined): Place => {
    if (!isJsonObject(schema)) return UNKNOWN_PLACE;
    const known = places.get(schema);
    if (known !== undefined) return known;
    const place = readNew(schema);
    places.set(schema, place);
    return place;
  };

  const readNew = (schema: JsonObject): Place => {
    // Draft 7: what stands beside a $ref is ignored.
    if (Object.hasOwn(schema, "$ref")) return read(definitionOf(schema["$ref"])?.schema);
    const parts = listOf(schema, "allOf").map(read);
    for (const name of ["oneOf", "anyOf"]) {
      const choices = listOf(schema, name);
      if (choices.length > 0) parts.push(choices.map(read).reduce(unite));
    }
    const own = readOwn(schema);
    if (own !== undefined) parts.push(own);
    return parts.length === 0 ? UNKNOWN_PLACE : parts.reduce(intersect);
  };

  /** What the schema's own keywords say, undefined when they say nothing. */
  const readOwn = (schema: JsonObject): Place | undefined => {
    const values = Object.hasOwn(schema, "const") ? [schema["const"] ?? null] : listOf(schema, "enum");
    const types = typesOf(schema);
    if (values.length > 0) return { ...NOTHING, exact: new Set(values.filter(isScalar)) };
    if (types.length === 0) return undefined;
    const place = types.map((type): Place => {
      if (type === "object") return { ...NOTHING, objects: [[schema]] };
      if (type === "array") return { ...read(ownMember(schema, "items")), hasArray: true, isRequired: false };
      if (type === "boolean") return { ...NOTHING, exact: new Set([true, false]) };
      if (type === "null") return { ...NOTHING, exact: new Set([null]) };
      return { ...NOTHING, any: new Set([type === "string" ? "string" : "number"] as const) };
    });
    return place.reduce(unite);
  };

  const memberOf = (group: readonly JsonObject[], name: string): Place | undefined => {
    const named = group.flatMap((schema) => {
      const properties = ownMember(schema, "properties");
      return isJsonObject(properties) && Object.hasOwn(properties, name) ? [read(properties[name])] : [];
    });
    if (named.length > 0) {
      const isRequired =
        !OPTIONAL_MEMBERS.has(name) && group.some((schema) => listOf(schema, "required").includes(name));
      return { ...widen(name, named.reduce(intersect)), isRequired };
    }
    const isAdded = group.some((schema) => addedMembers(definitionNames.get(schema)).includes(name));
    if (isAdded) return UNKNOWN_PLACE;
    if (group.some(isClosed)) return undefined;
    return group.map((schema) => read(ownMember(schema, "additionalProperties"))).reduce(intersect);
  };

  const member: SchemaReader["member"] = (place, name) => {
    const found = place.objects.map((group) => memberOf(group, name));
    const known = found.filter((one) => one !== undefined);
    if (place.isUnknown) return known.length === 0 ? UNKNOWN_PLACE : { ...known.reduce(unite), isUnknown: true };
    if (known.length === 0) return undefined;
    const isOnlyObject = place.exact.size === 0 && place.any.size === 0 && !place.hasArray;
    const isRequired = place.isRequired && isOnlyObject && found.every((one) => one?.isRequired === true);
    return { ...known.reduce(unite), isRequired };
  };

  return {
    root: (definition) => {
      const schema = ownMember(definitions, definition);
      return schema === undefined ? undefined : { ...read(schema), isRequired: true };
    },
    member,
    memberNames: ({ objects }) => {
      const names = objects.flat().flatMap((schema) => {
        const properties = ownMember(schema, "properties");
        return [
          ...(isJsonObject(properties) ? Object.keys(properties) : []),
          ...addedMembers(definitionNames.get(schema)),
        ];
      });
      return [...new Set(names)];
    },
    variants: (definition) => {
      const schema = ownMember(definitions, definition);
      const choices = isJsonObject(schema) ? listOf(schema, "oneOf") : [];
      const names = choices.flatMap((choice) => {
        return isJsonObject(choice) ? (definitionOf(choice["$ref"])?.name ?? []) : [];
      });
      return names.length === 0 ? [definition] : names;
    },
  };
}

export function unite(a: Place, b: Place): Place {
  return {
    exact: new Set([...a.exact, ...b.exact]),
    any: new Set([...a.any, ...b.any]),
    objects: [...a.objects, ...b.objects],
    hasArray: a.hasArray || b.hasArray,
    isUnknown: a.isUnknown || b.isUnknown,
    isRequired: a.isRequired && b.isRequired,
  };
}

function intersect(a: Place, b: Place): Place {
  if (a.isUnknown) return b;
  if (b.isUnknown) return a;
  const exact = [...a.exact, ...b.exact].filter((value) => mayStand(a, value) && mayStand(b, value));
  return {
    exact: new Set(exact),
    any: new Set([...a.any].filter((type) => b.any.has(type))),
    objects: a.objects.flatMap((group) => b.objects.map((other) => [...group, ...other])),
    hasArray: a.hasArray && b.hasArray,
    isUnknown: false,
    isRequired: false,
  };
}

/** Whether a value may stand at the place itself or in an array there. */
export function mayStand({ exact, any, isUnknown }: Place, value: Scalar): boolean {
  if (isUnknown || exact.has(value)) return true;
  const type = typeof value;
  return (type === "string" || type === "number") && any.has(type);
}

/** GitHub adds values to lists; and where the schemas know nothing but null, something else once stood or will. */
function widen(name: string, place: Place): Place {
  const strings = [...place.exact].filter((value) => typeof value === "string");
  const added = Object.hasOwn(ADDED_VALUES, name) ? (ADDED_VALUES[name] ?? []) : [];
  if (strings.length > 1 && added.length > 0) return { ...place, exact: new Set([...place.exact, ...added]) };
  const isNull = place.exact.size === 1 && place.exact.has(null);
  return isNull && place.any.size === 0 && place.objects.length === 0 ? { ...place, isUnknown: true } : place;
}

function addedMembers(definition: string | undefined): readonly string[] {
  if (definition === undefined || !Object.hasOwn(ADDED_MEMBERS, definition)) return [];
  return ADDED_MEMBERS[definition] ?? [];
}

function isClosed(schema: JsonObject): boolean {
  return schema["additionalProperties"] === false || schema["tsAdditionalProperties"] === false;
}

function typesOf(schema: JsonObject): readonly Json[] {
  const type = ownMember(schema, "type");
  if (Array.isArray(type)) return type as readonly Json[];
  if (type !== undefined) return [type];
  if (Object.hasOwn(schema, "properties") || Object.hasOwn(schema, "additionalProperties")) return ["object"];
  return Object.hasOwn(schema, "items") ? ["array"] : [];
}

function listOf(schema: JsonObject, name: string): readonly Json[] {
  const list = ownMember(schema, name);
  return Array.isArray(list) ? (list as readonly Json[]) : [];
}

function isScalar(value: Json): value is Scalar {
  return typeof value !== "object" || value === null;
}
