/**
 * What a reader accepts, as a JSON Schema (draft-07, which editors' language servers speak), so that the schemas of the rule
 * files come from the readers themselves. A schema accepts all that its reader accepts, and as little else as it can say.
 */
import type { Reader, Readers } from "./read-object.ts";
import type { JsonObject } from "./result.ts";
import { isJsonObject, ownMember } from "./result.ts";

export type SchemaReader<Value> = Reader<Value> & { readonly schema: JsonObject };

/** A reader with its schema. */
export function withSchema<Value>(read: Reader<Value>, schema: JsonObject): SchemaReader<Value> {
  return Object.assign(((value, path, mistakes) => read(value, path, mistakes)) satisfies Reader<Value>, { schema });
}

/** A reader as a member of its own: what editors show of it, and its `default`, `examples` and the like in `more`. */
export function described<Value>(read: Reader<Value>, description: string, more: JsonObject = {}): SchemaReader<Value> {
  return withSchema(read, { ...read.schema, description, ...more });
}

/** The schema of an object that `readMembers` reads with these readers; `more` says what it requires. */
export function membersSchema(readers: Readers, more: JsonObject = {}): JsonObject {
  const properties = Object.fromEntries(Object.entries(readers).map(([name, { schema = {} }]) => [name, schema]));
  return { type: "object", properties, additionalProperties: false, ...more };
}

/**
 * For the `dependencies` of an object's schema: beside one of these members the others are not allowed. An editor then names
 * the member that is too many, which it can't do of a `oneOf`. `beside` are schemas of other members that go with each.
 */
export function exclusive(names: readonly string[], beside: JsonObject = {}): JsonObject {
  const others = (name: string) => names.filter((other) => other !== name).map((other) => [other, false] as const);
  return Object.fromEntries(
    names.map((name) => [name, { properties: { ...Object.fromEntries(others(name)), ...beside } }]),
  );
}

/** The schema of an object that has the members of two others; `more` as in `membersSchema`. */
export function mergeMembers(first: JsonObject, second: JsonObject, more: JsonObject = {}): JsonObject {
  const properties = { ...membersOf(first, "properties"), ...membersOf(second, "properties") };
  return { ...first, ...second, properties, ...more };
}

function membersOf(schema: JsonObject, name: string): JsonObject {
  const members = ownMember(schema, name);
  return isJsonObject(members) ? members : {};
}
