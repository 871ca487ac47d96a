/** A genuine webhook's payload, for the mappings of vendors to read. */
import { elementSpans, memberSpans, parseJson } from "../core/json.ts";
import { decodeUtf8 } from "../core/event.ts";
import { BATCH_EVENTS_MAX } from "../core/json-format.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Json, JsonObject, Result } from "../core/result.ts";
import { err, isJsonObject, ok, ownMember } from "../core/result.ts";
import type { SourceRequest } from "../core/source.ts";
import type { PayloadForm } from "./_webhook-source.ts";

/**
 * Of a payload that is a list. A vendor sends one that was refused again as it is, so it is never cut: SendGrid's have up to
 * 768 KB, with events of 200 bytes and more.
 */
export const LISTED_EVENTS_MAX = 4_000;

/** Vendors send a few dozen fields at most. */
export const FORM_FIELDS_MAX = 1_000;

/** What writes forms writes none of these as they are. */
const JSON_START = /^[\t\n\r ]*[{[]/;

export interface WebhookPayload {
  readonly headers: Headers;
  /** What the signature covers beside the body, by the scheme's names. */
  readonly signed: ReadonlyMap<string, string>;
  /** The whole payload; a form as an object of its fields. */
  readonly json: Json;
  /** Each with its own bytes: the whole payload, or an element of a list. */
  readonly items: readonly PayloadItem[];
}

export interface PayloadItem {
  readonly json: JsonObject;
  readonly bytes: Uint8Array;
}

/** `list`: the member of an object that is the list of its events. Of more than BATCH_EVENTS_MAX the object stays one event. */
export function readPayload(
  { headers, body }: Pick<SourceRequest, "headers" | "body">,
  form: PayloadForm,
  signed: ReadonlyMap<string, string>,
  list?: string,
): Result<WebhookPayload, Rejection> {
  const text = decodeUtf8(body);
  if (text === null) return err({ reason: "invalid-utf8" });
  if (form === "form" || form === "form-payload") {
    // The content type is not signed: JSON that is sent again as a form would be another event.
    if (JSON_START.test(text)) return err({ reason: "invalid-form", detail: "it is JSON" });
    const json = readForm(text);
    if (!json.ok) return json;
    const field = form === "form-payload" ? ownMember(json.value, "payload") : undefined;
    if (typeof field === "string") {
      return readPayload({ headers, body: new TextEncoder().encode(field) }, "json", signed);
    }
    const bytes = new TextEncoder().encode(JSON.stringify(json.value));
    return ok({ headers, signed, json: json.value, items: [{ json: json.value, bytes }] });
  }
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  const json = parsed.value;
  if (isJsonObject(json)) {
    const items = list === undefined ? undefined : listedItems(text, json, list);
    return ok({ headers, signed, json, items: items ?? [{ json, bytes: body }] });
  }
  if (form === "json") return err({ reason: "invalid-json", detail: "expected an object" });
  const elements: readonly Json[] = Array.isArray(json) ? (json as readonly Json[]) : [];
  if (elements.length > LISTED_EVENTS_MAX) return err({ reason: "batch-too-large", eventsMax: LISTED_EVENTS_MAX });
  if (!Array.isArray(json) || !elements.every(isJsonObject)) {
    return err({ reason: "invalid-json", detail: "expected a list of objects" });
  }
  return ok({ headers, signed, json, items: itemsOf(text, text.search(/\S/), elements) });
}

/** Undefined where the member is no list of objects, or too long a one. Null is an empty list. */
function listedItems(text: string, json: JsonObject, name: string): readonly PayloadItem[] | undefined {
  const value = ownMember(json, name);
  if (value === null) return [];
  const elements = Array.isArray(value) ? (value as readonly Json[]) : undefined;
  if (elements === undefined || elements.length > BATCH_EVENTS_MAX || !elements.every(isJsonObject)) return undefined;
  // Of two members of one name the last one counts, as for the parser.
  const span = memberSpans(text).findLast((member) => member.name === name);
  return span === undefined ? undefined : itemsOf(text, span.start, elements);
}

function itemsOf(text: string, start: number, elements: readonly JsonObject[]): readonly PayloadItem[] {
  const spans = elementSpans(text, start);
  return elements.map((json, index): PayloadItem => {
    const span = spans[index] ?? { start: 0, end: 0 };
    return { json, bytes: new TextEncoder().encode(text.slice(span.start, span.end)) };
  });
}

/** Reference: https://url.spec.whatwg.org/#urlencoded-parsing. A field that comes several times is a list. */
function readForm(text: string): Result<JsonObject, Rejection> {
  const fields = new Map<string, Json>();
  let count = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    if (++count > FORM_FIELDS_MAX) {
      return err({ reason: "invalid-form", detail: `it has more than ${FORM_FIELDS_MAX} fields` });
    }
    const before = fields.get(name);
    fields.set(
      name,
      before === undefined ? value : [...(Array.isArray(before) ? (before as Json[]) : [before]), value],
    );
  }
  return ok(Object.fromEntries(fields));
}

/** A text or number at a dotted path, as text; undefined for anything else. */
export function textAt(json: Json | undefined, path: string): string | undefined {
  let value = json;
  for (const name of path.split(".")) {
    if (Array.isArray(value)) value = (value as readonly Json[])[Number(name)];
    else value = isJsonObject(value) ? ownMember(value, name) : undefined;
  }
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}
