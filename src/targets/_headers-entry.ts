/** Reads `headers` of targets.yaml: which names are free, and what a value may hold. */
import { describe, readBindingName } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import { isJsonObject, ownMember } from "../core/result.ts";
import type { Json, JsonObject, Mistake, PathStep } from "../core/result.ts";
import {
  HEADER_NAME,
  HEADER_NAME_CHARS_MAX,
  HEADER_VALUE,
  HEADER_VALUE_BYTES_MAX,
  headerValueProblem,
  isHeaderName,
  isReservedHeader,
} from "./_headers.ts";
import type { TargetHeader } from "./_headers.ts";

export const HEADERS_MAX = 20;

const SECRET_READERS = { secret: described(readBindingName, "The name of the secret that holds the header's value.") };

/** All but the names that are taken: they are so in any case of letters. */
const HEADERS_SCHEMA: JsonObject = {
  type: "object",
  maxProperties: HEADERS_MAX,
  propertyNames: { maxLength: HEADER_NAME_CHARS_MAX, pattern: HEADER_NAME.source },
  additionalProperties: {
    ...membersSchema(SECRET_READERS, { required: ["secret"] }),
    type: ["string", "object"],
    minLength: 1,
    maxLength: HEADER_VALUE_BYTES_MAX,
    pattern: HEADER_VALUE.source,
  },
};

/** Reads `headers: { Name: constant, Other: { secret: NAME } }`. */
export const readHeaders: Reader<readonly TargetHeader[]> = withSchema((value, path, mistakes) => {
  if (!isJsonObject(value)) {
    mistakes.push({ path, message: `expected headers as { Name: value }, found ${describe(value)}` });
    return undefined;
  }
  const names = Object.keys(value);
  if (names.length > HEADERS_MAX) {
    mistakes.push({ path, message: `expected at most ${HEADERS_MAX} headers, found ${names.length}` });
    return undefined;
  }
  const headers: TargetHeader[] = [];
  const seen = new Set<string>();
  for (const written of names) {
    const headerPath = [...path, written];
    const name = written.toLowerCase();
    const problem = nameProblem(written, seen);
    if (problem !== undefined) {
      mistakes.push({ path: headerPath, at: "key", message: problem });
      continue;
    }
    seen.add(name);
    const header = readHeader(name, ownMember(value, written), headerPath, mistakes);
    if (header !== undefined) headers.push(header);
  }
  return headers;
}, HEADERS_SCHEMA);

function nameProblem(name: string, seen: ReadonlySet<string>): string | undefined {
  if (!isHeaderName(name)) return `expected a header's name, found ${describe(name)}`;
  if (isReservedHeader(name)) return `the header ${name} can't be set here: Sluice or the connection decides it`;
  if (seen.has(name.toLowerCase())) return `the header ${name} stands here twice; upper and lower case are the same`;
  return undefined;
}

function readHeader(
  name: string,
  value: Json | undefined,
  path: readonly PathStep[],
  mistakes: Mistake[],
): TargetHeader | undefined {
  if (isJsonObject(value)) {
    const [member, ...others] = Object.keys(value);
    if (member !== "secret" || others.length > 0) {
      mistakes.push({ path, message: "expected { secret: NAME } with nothing else in it" });
      return undefined;
    }
    const secret = readBindingName(ownMember(value, "secret") ?? null, [...path, "secret"], mistakes);
    return secret === undefined ? undefined : { name, secret };
  }
  if (typeof value !== "string" || value === "") {
    // Not described: a header's value is where a secret is pasted by mistake.
    mistakes.push({ path, message: "expected a non-empty string or { secret: NAME }" });
    return undefined;
  }
  if (name === "authorization") {
    mistakes.push({ path, message: "expected { secret: NAME }: credentials never stand in rule files" });
    return undefined;
  }
  const problem = headerValueProblem(value);
  if (problem === undefined) return { name, constant: value };
  mistakes.push({ path, message: `the value ${problem}` });
  return undefined;
}
