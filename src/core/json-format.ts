/**
 * The CloudEvents JSON format, one event or a batch. Data is cut out of the received text, never parsed and written again.
 * Reference: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
import type { EventProblem } from "./attributes.ts";
import { problem, readAttributes } from "./attributes.ts";
import { withData } from "./event-data.ts";
import type { AttributeValue, CloudEvent, EventAttributes } from "./event.ts";
import { fromBase64, isJsonMediaType } from "./event.ts";
import type { JsonProblem } from "./json.ts";
import { JSON_DEPTH_MAX, elementSpans, memberSpans, parseJson } from "./json.ts";
import type { Json, JsonObject, Result } from "./result.ts";
import { err, isJsonObject, ok, ownMember } from "./result.ts";

export const BATCH_EVENTS_MAX = 100;

export type JsonFormatProblem =
  | JsonProblem
  | { readonly reason: "batch-too-large"; readonly eventsMax: number }
  | ({ readonly reason: "invalid-event"; readonly index?: number } & EventProblem);

/** The event that the text of `application/cloudevents+json` holds. */
export function readStructured(text: string): Result<CloudEvent, JsonFormatProblem> {
  const parsed = parseJson(text, JSON_DEPTH_MAX + 1);
  if (!parsed.ok) return parsed;
  if (!isJsonObject(parsed.value)) return err({ reason: "invalid-json", detail: "expected an object, a CloudEvent" });
  const event = readEvent(text, 0, parsed.value);
  return event.ok ? event : err({ reason: "invalid-event", ...event.error });
}

/** The events that the text of `application/cloudevents-batch+json` holds; all of them or the first one's problem. */
export function readBatch(text: string): Result<readonly CloudEvent[], JsonFormatProblem> {
  const parsed = parseJson(text, JSON_DEPTH_MAX + 2);
  if (!parsed.ok) return parsed;
  if (!Array.isArray(parsed.value)) return err({ reason: "invalid-json", detail: "expected a list of CloudEvents" });
  const values = parsed.value as readonly Json[];
  if (values.length > BATCH_EVENTS_MAX) return err({ reason: "batch-too-large", eventsMax: BATCH_EVENTS_MAX });
  const events: CloudEvent[] = [];
  for (const [index, span] of elementSpans(text).entries()) {
    const value = values[index];
    const event = isJsonObject(value)
      ? readEvent(text, span.start, value)
      : err(problem("specversion", "expected an object, a CloudEvent"));
    if (!event.ok) return err({ reason: "invalid-event", ...event.error, index });
    events.push(event.value);
  }
  return ok(events);
}

/** `value` is what the text holds from `start` on; where a member stands twice, both know its last value. */
function readEvent(text: string, start: number, value: JsonObject): Result<CloudEvent, EventProblem> {
  const written = new Map<string, string>();
  for (const member of memberSpans(text, start)) written.set(member.name, text.slice(member.start, member.end));

  const values = new Map<string, AttributeValue>();
  for (const [name, valueText] of written) {
    if (name === "data" || name === "data_base64") continue;
    const attribute = ownMember(value, name);
    // Section 2.2: null is the same as absent.
    if (attribute === null || attribute === undefined) continue;
    if (typeof attribute === "object") return err(problem(name, "expected a string, an integer or a boolean"));
    if (typeof attribute === "number" && !/^-?\d+$/.test(valueText)) {
      return err(problem(name, "expected an integer without fraction or exponent"));
    }
    values.set(name, attribute === 0 ? 0 : attribute);
  }
  const attributes = readAttributes(values);
  if (!attributes.ok) return attributes;
  return readData(attributes.value, written.get("data"), ownMember(value, "data"), ownMember(value, "data_base64"));
}

/** Section 3.1.2. */
function readData(
  attributes: EventAttributes,
  dataText: string | undefined,
  data: Json | undefined,
  base64: Json | undefined,
): Result<CloudEvent, EventProblem> {
  if (base64 !== undefined && base64 !== null) {
    if (dataText !== undefined) return err(problem("data_base64", "an event has data or data_base64, not both"));
    return readBase64(attributes, base64);
  }
  if (dataText === undefined || data === undefined) return ok({ attributes, body: null });
  if (isJsonMediaType(attributes.datacontenttype)) {
    return ok({ attributes, body: new TextEncoder().encode(dataText) });
  }
  // Serializers that write every unset member write this one too; there is no null in text or bytes.
  if (data === null) return ok({ attributes, body: null });
  if (typeof data !== "string") return err(problem("data", "expected a string, as datacontenttype is not JSON"));
  if (!data.isWellFormed()) return err(problem("data", "it has unpaired surrogates, which UTF-8 can't carry"));
  return ok({ attributes, body: data === "" ? null : new TextEncoder().encode(data) });
}

function readBase64(attributes: EventAttributes, base64: Json): Result<CloudEvent, EventProblem> {
  const bytes = typeof base64 === "string" ? fromBase64(base64) : null;
  if (bytes === null) return err(problem("data_base64", "expected Base64 (RFC 4648, section 4)"));
  const event = withData(attributes, bytes);
  return event.ok ? event : err(problem("data_base64", "datacontenttype says JSON, and the decoded bytes are not"));
}
