/**
 * Joins data that came as bytes to the attributes that describe it.
 */
import type { CloudEvent, EventAttributes } from "./event.ts";
import { decodeUtf8, isJsonMediaType } from "./event.ts";
import type { JsonProblem } from "./json.ts";
import { parseJson } from "./json.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

export type DataProblem = JsonProblem | { readonly reason: "invalid-utf8" };

/**
 * An event with these bytes as its data; no bytes are no data. Data declared as JSON must be JSON, so that it can be sent on
 * in structured mode. Data that nothing is declared of counts as JSON if it is that, as in the JSON format; if not, the event
 * says `application/octet-stream`, which is what RFC 9110, section 8.3 has a recipient assume.
 */
export function withData(attributes: EventAttributes, bytes: Uint8Array): Result<CloudEvent, DataProblem> {
  if (bytes.length === 0) return ok({ attributes, body: null });
  const declared = attributes.datacontenttype;
  if (!isJsonMediaType(declared)) return ok({ attributes, body: bytes });
  const found = checkJson(bytes);
  if (found === null) return ok({ attributes, body: bytes });
  if (declared !== undefined) return err(found);
  return ok({ attributes: { ...attributes, datacontenttype: "application/octet-stream" }, body: bytes });
}

function checkJson(bytes: Uint8Array): DataProblem | null {
  const text = decodeUtf8(bytes);
  if (text === null) return { reason: "invalid-utf8" };
  const parsed = parseJson(text);
  return parsed.ok ? null : parsed.error;
}
