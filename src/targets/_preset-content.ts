/** What a rule wants a vendor to be sent: a text, the vendor's own payload, or nothing in particular. */
import { decodeUtf8, isJsonMediaType } from "../core/event.ts";
import { parseJson } from "../core/json.ts";
import type { JsonObject, Result } from "../core/result.ts";
import { err, isJsonObject, ok } from "../core/result.ts";
import type { Shipment } from "../core/target.ts";

export type Content =
  /** The transform made a string, or text. */
  | { readonly kind: "text"; readonly text: string }
  /** The transform made an object: the vendor's payload, passed on as it was written. */
  | { readonly kind: "payload"; readonly json: string; readonly value: JsonObject }
  /** There is no transform, or it made an event without data. */
  | { readonly kind: "none" };

/** Why nothing can be sent, for people. */
export interface MessageProblem {
  readonly reason: "transform-failed" | "too-large";
  readonly detail: string;
}

/** `vendor` is the name that people know. */
export function contentOf({ event, transformed }: Shipment, vendor: string): Result<Content, MessageProblem> {
  if (transformed !== true || event.body === null) return ok({ kind: "none" });
  const text = decodeUtf8(event.body);
  if (text === null) return unusable("bytes that are no text", vendor);
  if (!isJsonMediaType(event.attributes.datacontenttype)) return textContent(text, vendor);
  const parsed = parseJson(text);
  if (!parsed.ok) return unusable("data that is not JSON though it says so", vendor);
  const { value } = parsed;
  if (isJsonObject(value)) return ok({ kind: "payload", json: text, value });
  if (Array.isArray(value)) return unusable("a list", vendor);
  if (value === null) return unusable("null", vendor);
  // A number as it was written, not as JavaScript has it.
  return textContent(typeof value === "string" ? value : text.trim(), vendor);
}

function textContent(text: string, vendor: string): Result<Content, MessageProblem> {
  return text.trim() === "" ? unusable("an empty text", vendor) : ok({ kind: "text", text });
}

function unusable(found: string, vendor: string): Result<never, MessageProblem> {
  const detail = `the transform made ${found}; ${vendor} gets a text, or an object that is its own payload`;
  return err({ reason: "transform-failed", detail });
}

/** A payload that the vendor would refuse. `wanted` says what it takes. */
export function wrongPayload(vendor: string, wanted: string): Result<never, MessageProblem> {
  return err({
    reason: "transform-failed",
    detail: `the transform's object is no message of ${vendor}: expected ${wanted}`,
  });
}

/** The message, unless it has too many bytes. */
export function withinBytes(json: string, bytesMax: number, vendor: string): Result<string, MessageProblem> {
  const bytes = new TextEncoder().encode(json).length;
  if (bytes <= bytesMax) return ok(json);
  const detail = `the message has ${bytes} bytes, ${vendor} takes ${bytesMax}; let the rule's transform make less`;
  return err({ reason: "too-large", detail });
}

/** The text, unless it is longer than the vendor takes in this place. */
export function withinChars(text: string, charsMax: number, what: string, vendor: string): MessageProblem | undefined {
  if (text.length <= charsMax) return undefined;
  return { reason: "too-large", detail: `${what} has ${text.length} characters, ${vendor} takes ${charsMax}` };
}
