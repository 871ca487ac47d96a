/**
 * The binary content mode of the CloudEvents HTTP binding: attributes as `ce-` headers, data as the body.
 * Reference: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md, section 3.1
 */
import type { CloudEvent } from "../core/event.ts";

const UTF8 = new TextEncoder();
/** Nothing that is percent-encoded: of nearly all attributes that is all. */
const PLAIN = /^[\x21\x23\x24\x26-\x7e]*$/;

/** `ce-` headers for every attribute but `datacontenttype`, which is the body's `content-type` (`contentTypeOf`). */
export function binaryModeHeaders(event: CloudEvent): readonly (readonly [name: string, value: string])[] {
  const headers: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(event.attributes)) {
    if (value === undefined || name === "datacontenttype") continue;
    headers.push([`ce-${name}`, encodeAttribute(String(value))]);
  }
  return headers;
}

/**
 * The media type of an event's body, or undefined when it has none. Data without `datacontenttype` is JSON
 * (CloudEvents JSON format 1.0.2, section 3.1), which binary mode has to say.
 */
export function contentTypeOf(event: CloudEvent): string | undefined {
  return event.body === null ? undefined : (event.attributes.datacontenttype ?? "application/json");
}

/**
 * Section 3.1.3.2: space, double quote, percent sign and everything outside U+0021..U+007E is written as the percent-encoded
 * bytes of its UTF-8 form, in upper-case hex.
 */
export function encodeAttribute(value: string): string {
  if (PLAIN.test(value)) return value;
  let text = "";
  for (const byte of UTF8.encode(value)) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x25;
    text += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}
