/** The names of buses, rules, sources and targets: they stand in URLs, file names and delivery ids. */
import type { Reader } from "../src/core/read-object.ts";
import { describe } from "../src/core/read-object.ts";
import { withSchema } from "../src/core/reader-schema.ts";
import type { JsonObject } from "../src/core/result.ts";

export const NAME_CHARS_MAX = 63;

const NAME = new RegExp(`^[a-z0-9][a-z0-9-]{0,${NAME_CHARS_MAX - 1}}$`);

export function isName(name: string): boolean {
  return NAME.test(name);
}

export const NAME_RULE = `lower-case letters, digits and -, not beginning with -, ${NAME_CHARS_MAX} characters at most`;

export const NAME_SCHEMA: JsonObject = {
  type: "string",
  pattern: NAME.source,
  patternErrorMessage: `Expected a name in ${NAME_RULE}.`,
};

export function readName(what: string, at: "key" | "value"): Reader<string> {
  const read: Reader<string> = (value, path, mistakes) => {
    if (typeof value === "string" && isName(value)) return value;
    mistakes.push({ path, at, message: `expected the ${what}'s name in ${NAME_RULE}, found ${describe(value)}` });
    return undefined;
  };
  return withSchema(read, NAME_SCHEMA);
}
