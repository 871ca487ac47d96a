/**
 * The body of a webhook: a JSON object, sent as such or in a form's `payload` field. Called after authentication only.
 */
import { decodeUtf8 } from "../core/event.ts";
import { parseJson } from "../core/json.ts";
import { decodeFormField } from "../core/percent-encoding.ts";
import type { Rejection } from "../core/rejection.ts";
import type { JsonObject, Result } from "../core/result.ts";
import { err, isJsonObject, ok } from "../core/result.ts";

export const JSON_TYPE = "application/json";
export const FORM_TYPE = "application/x-www-form-urlencoded";

/** GitHub sends one field; the rest is room for those that may be added. */
export const FORM_FIELDS_MAX = 16;

export interface WebhookBody {
  /** The payload's bytes: the request's own, or the form field decoded. */
  readonly bytes: Uint8Array;
  readonly payload: JsonObject;
}

export function readWebhookBody(
  body: Uint8Array,
  mediaType: typeof JSON_TYPE | typeof FORM_TYPE,
): Result<WebhookBody, Rejection> {
  if (mediaType === JSON_TYPE) return readPayload(body);
  const field = readFormField(body, "payload");
  return field.ok ? readPayload(field.value) : field;
}

function readPayload(bytes: Uint8Array): Result<WebhookBody, Rejection> {
  const text = decodeUtf8(bytes);
  if (text === null) return err({ reason: "invalid-utf8" });
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  if (!isJsonObject(parsed.value)) return err({ reason: "invalid-json", detail: "expected an object" });
  return ok({ bytes, payload: parsed.value });
}

const AMPERSAND = 0x26;
const EQUALS = 0x3d;

/** The decoded bytes of a field that the form has exactly once. Reference: https://url.spec.whatwg.org/#urlencoded-parsing */
function readFormField(form: Uint8Array, wanted: string): Result<Uint8Array, Rejection> {
  let found: Uint8Array | undefined;
  let fields = 0;
  for (let start = 0; start < form.length;) {
    const next = form.indexOf(AMPERSAND, start);
    const end = next === -1 ? form.length : next;
    const field = form.subarray(start, end);
    start = end + 1;
    if (++fields > FORM_FIELDS_MAX) return invalidForm(`it has more than ${FORM_FIELDS_MAX} fields`);
    const equals = field.indexOf(EQUALS);
    const name = decodeFormField(equals === -1 ? field : field.subarray(0, equals));
    const value = decodeFormField(equals === -1 ? field.subarray(field.length) : field.subarray(equals + 1));
    if (name === null || value === null) return invalidForm("a % in it is not followed by two hexadecimal digits");
    if (decodeUtf8(name) !== wanted) continue;
    if (found !== undefined) return invalidForm(`it has the field ${wanted} more than once`);
    found = value;
  }
  return found === undefined ? invalidForm(`it has no field ${wanted}`) : ok(found);
}

function invalidForm(detail: string): Result<never, Rejection> {
  return err({ reason: "invalid-form", detail });
}
