/** The headers that a rule file adds to a target's requests: which names are free, and what a value may hold. */
import { describe, readBindingName } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import type { Json, JsonObject, Mistake, PathStep } from "../core/result.ts";
import { isJsonObject, ownMember } from "../core/result.ts";

/** A header with its lower-case name, and its value or the name of the secret that holds the value. */
export type TargetHeader =
  | { readonly name: string; readonly constant: string }
  | { readonly name: string; readonly secret: string };

export const HEADERS_MAX = 20;
export const HEADER_NAME_CHARS_MAX = 100;
export const HEADER_VALUE_BYTES_MAX = 4_096;

/** Headers that belong to the connection, to Cloudflare's edge, to cookies, or that Sluice writes itself. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const RESERVED_PREFIXES = ["ce-", "cf-", "proxy-", "webhook-", "x-forwarded-"];

export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED_NAMES.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix));
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007e]*$/;

/** Whether a name is a token (RFC 9110, section 5.6.2) of bearable length. */
export function isHeaderName(name: string): boolean {
  return name.length <= HEADER_NAME_CHARS_MAX && HEADER_NAME.test(name);
}

/** What keeps a text from being a header's value, or undefined. Never repeats the text: it may be a secret. */
export function headerValueProblem(value: string): string | undefined {
  if (value.length > HEADER_VALUE_BYTES_MAX) return `is longer than ${HEADER_VALUE_BYTES_MAX} bytes`;
  if (/[\r\n]/.test(value)) return "holds a line break";
  if (!HEADER_VALUE.test(value)) return "holds a character other than visible ASCII, space and tab";
  return undefined;
}

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
