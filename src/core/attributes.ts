/**
 * The rules for context attributes: CloudEvents 1.0.2, section 3, whichever way an event came in.
 * Reference: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#context-attributes
 */
import type { AttributeValue, EventAttributes } from "./event.ts";
import { isMediaType } from "./media-type.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";
import { isTimestamp } from "./timestamp.ts";
import { isAbsoluteUri, isUriReference } from "./uri-reference.ts";

/** The specification recommends at most 20 characters for a name. */
export const ATTRIBUTE_NAME_CHARACTERS_MAX = 64;

/** Names and values together, in UTF-8: a whole event of this size is what intermediaries must forward (section 5). */
export const ATTRIBUTES_BYTES_MAX = 65_536;

const INTEGER_MIN = -(2 ** 31);
const INTEGER_MAX = 2 ** 31 - 1;

/** What is wrong with an event. `detail` never repeats a value. */
export interface EventProblem {
  readonly attribute: string;
  readonly detail: string;
}

const SHOWN_NAME_CHARACTERS_MAX = 80;

export function problem(attribute: string, detail: string): EventProblem {
  return { attribute: attribute.slice(0, SHOWN_NAME_CHARACTERS_MAX), detail };
}

// Section 3.1.1: no control characters, no unpaired surrogates, no noncharacters.
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** Whether the text may be the value of a String attribute. */
export function isAttributeText(text: string): boolean {
  return !FORBIDDEN.test(text);
}

type Check = (value: string) => string | null;

/** What the specification asks of its own attributes, all of them strings; a problem in words or null. */
const CHECKS: Readonly<Record<string, Check>> = {
  specversion: (value) => (value === "1.0" ? null : 'expected "1.0", the only version that is understood'),
  id: nonEmpty,
  source: (value) => nonEmpty(value) ?? (isUriReference(value) ? null : "expected a URI-reference (RFC 3986)"),
  type: nonEmpty,
  subject: nonEmpty,
  time: (value) => (isTimestamp(value) ? null : "expected a timestamp such as 2024-05-01T12:00:00Z (RFC 3339)"),
  datacontenttype: (value) => (isMediaType(value) ? null : "expected a media type such as application/json (RFC 2046)"),
  dataschema: (value) => (isAbsoluteUri(value) ? null : "expected an absolute URI (RFC 3986)"),
};

const REQUIRED: readonly string[] = ["specversion", "id", "source", "type"];

function nonEmpty(value: string): string | null {
  return value === "" ? "expected at least one character" : null;
}

/** The attributes of an event, from names and values that were decoded but not yet checked. */
export function readAttributes(values: ReadonlyMap<string, AttributeValue>): Result<EventAttributes, EventProblem> {
  let bytes = 0;
  for (const [name, value] of values) {
    const wrong = checkName(name) ?? checkValue(name, value);
    if (wrong !== null) return err(problem(name, wrong));
    bytes += name.length + new TextEncoder().encode(String(value)).length;
    if (bytes > ATTRIBUTES_BYTES_MAX) {
      return err(problem(name, `all attributes together are larger than ${ATTRIBUTES_BYTES_MAX} bytes`));
    }
  }
  for (const name of REQUIRED) {
    if (!values.has(name)) return err(problem(name, "it is required and missing"));
  }
  // The loops above make this true: the required attributes are there and every attribute of the specification is a string.
  return ok(Object.fromEntries(values) as unknown as EventAttributes);
}

function checkName(name: string): string | null {
  // Section 3.1.2 keeps the name `data` for the event's data.
  if (name === "data" || !/^[a-z0-9]+$/.test(name)) return "attribute names have lower-case letters and digits only";
  if (name.length <= ATTRIBUTE_NAME_CHARACTERS_MAX) return null;
  return `attribute names have at most ${ATTRIBUTE_NAME_CHARACTERS_MAX} characters`;
}

function checkValue(name: string, value: AttributeValue): string | null {
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
  if (check !== undefined && typeof value !== "string") return "expected a string";
  if (typeof value === "number") {
    const inRange = Number.isInteger(value) && value >= INTEGER_MIN && value <= INTEGER_MAX;
    return inRange ? null : `expected an integer from ${INTEGER_MIN} to ${INTEGER_MAX}`;
  }
  if (typeof value === "boolean") return null;
  if (!isAttributeText(value)) return "it has control characters, unpaired surrogates or noncharacters";
  return check === undefined ? null : check(value);
}
