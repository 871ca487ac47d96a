/** The paths that a transform names, and what it does where one finds nothing. */
import type { JsonPath } from "./json-path.ts";
import { JSON_PATH_SCHEMA, parseJsonPath } from "./json-path.ts";
import type { Reader } from "./read-object.ts";
import { describe, readMembers } from "./read-object.ts";
import { described, membersSchema, withSchema } from "./reader-schema.ts";
import type { Json } from "./result.ts";
import { isJsonObject } from "./result.ts";
import { PLACEHOLDER_SCHEMA, isPlaceholderName } from "./read-template.ts";

/** How many paths a template may name; EventBridge allows as many. */
export const PATHS_MAX = 100;

export interface NamedPath {
  readonly text: string;
  readonly steps: JsonPath;
  readonly required: boolean;
}

export const readRequired: Reader<boolean> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "boolean") return value;
    mistakes.push({ path, message: `expected true or false, found ${describe(value)}` });
    return undefined;
  },
  { type: "boolean", default: false },
);

export const readPath: Reader<Omit<NamedPath, "required">> = withSchema((value, path, mistakes) => {
  if (typeof value !== "string") {
    mistakes.push({ path, message: `expected a path such as $.data.ref, found ${describe(value)}` });
    return undefined;
  }
  const parsed = parseJsonPath(value);
  if (parsed.ok) return { text: value, steps: parsed.value };
  mistakes.push({ path, message: parsed.error.message });
  return undefined;
}, JSON_PATH_SCHEMA);

const PATH_ENTRY_READERS = {
  path: described(readPath, "Where the value stands in the event."),
  required: described(readRequired, "true: the transform fails where the event has nothing here."),
};

const readPathEntry: Reader<NamedPath> = (value, path, mistakes) => {
  if (!isJsonObject(value)) {
    const read = readPath(value, path, mistakes);
    return read && { ...read, required: false };
  }
  const read = readMembers(value, path, PATH_ENTRY_READERS, mistakes);
  if (!Object.hasOwn(value, "path"))
    mistakes.push({ path, message: "expected the member path, such as path: $.data.ref" });
  return read.path && { ...read.path, required: read.required ?? false };
};

export const readPaths: Reader<ReadonlyMap<string, NamedPath>> = withSchema(
  (value, path, mistakes) => {
    if (!isJsonObject(value)) {
      mistakes.push({
        path,
        message: `expected names with a path each, such as sha: $.data.after, found ${describe(value)}`,
      });
      return undefined;
    }
    const names = Object.keys(value);
    if (names.length > PATHS_MAX) {
      mistakes.push({ path, message: `expected at most ${PATHS_MAX} paths, found ${names.length}` });
      return undefined;
    }
    const paths = new Map<string, NamedPath>();
    for (const name of names) {
      if (!isPlaceholderName(name)) {
        const message =
          "a placeholder's name begins with a letter or _ and goes on with letters, digits, _ and -, 64 at most";
        mistakes.push({ path: [...path, name], at: "key", message });
      }
      const read = readPathEntry(value[name] as Json, [...path, name], mistakes);
      // Stays known when its path is wrong, so that one mistake is not reported at every placeholder.
      paths.set(name, read ?? { text: "$", steps: [], required: false });
    }
    return paths;
  },
  {
    type: "object",
    maxProperties: PATHS_MAX,
    propertyNames: PLACEHOLDER_SCHEMA,
    additionalProperties: {
      ...JSON_PATH_SCHEMA,
      ...membersSchema(PATH_ENTRY_READERS, { required: ["path"] }),
      type: ["string", "object"],
    },
  },
);
