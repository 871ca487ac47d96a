/**
 * The binary content mode of the CloudEvents HTTP binding: attributes in `ce-` headers, data in the body.
 * Reference: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode
 */
import type { EventProblem } from "./attributes.ts";
import { problem, readAttributes } from "./attributes.ts";
import type { AttributeValue, EventAttributes } from "./event.ts";
import { decodeHeaderBytes } from "./percent-encoding.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

const PREFIX = "ce-";

/** The attributes that a request's headers carry. Values are strings: the binding doesn't tell an extension's type. */
export function readHeaderAttributes(headers: Headers): Result<EventAttributes, EventProblem> {
  const values = new Map<string, AttributeValue>();
  for (const [header, value] of headers) {
    if (!header.startsWith(PREFIX)) continue;
    const name = header.slice(PREFIX.length);
    // Section 3.1.1: Content-Type is the attribute; this header MUST NOT be there too, and two answers would be no answer.
    if (name === "datacontenttype") {
      return err(problem(name, "binary mode has it in Content-Type; the header ce-datacontenttype is not allowed"));
    }
    const decoded = decodeHeaderValue(value);
    if (!decoded.ok) return err(problem(name, decoded.error));
    values.set(name, decoded.value);
  }
  const contentType = headers.get("content-type");
  if (contentType !== null) values.set("datacontenttype", contentType);
  const attributes = readAttributes(values);
  if (attributes.ok || !hasEscapes(headers, attributes.error.attribute)) return attributes;
  const detail = `${attributes.error.detail}; a % in a value is sent as %25, because headers are percent-decoded`;
  return err({ ...attributes.error, detail });
}

function hasEscapes(headers: Headers, attribute: string): boolean {
  return /^[a-z0-9]+$/.test(attribute) && (headers.get(`${PREFIX}${attribute}`) ?? "").includes("%");
}

// A value is text, not a file: a byte order mark that was encoded belongs to it.
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Section 3.1.3.2: unquotes double-quoted strings, then percent-decodes once. */
export function decodeHeaderValue(value: string): Result<string, string> {
  // Runtimes disagree on how the bytes beyond ASCII read, so such a value has no sure meaning.
  if (/[^\t\x20-\x7e]/.test(value)) return err("characters beyond printable ASCII have to be percent-encoded");
  const unquoted = unquote(value);
  if (unquoted === null) return err("a double quote in it is not closed");
  if (!unquoted.includes("%")) return ok(unquoted);
  try {
    return ok(UTF8.decode(decodeHeaderBytes(new TextEncoder().encode(unquoted))));
  } catch {
    return err("its percent-encoded bytes are not UTF-8");
  }
}

/** Takes the quotes and backslash escapes of RFC 7230, section 3.2.6 away; null when a quote stays open. */
function unquote(value: string): string | null {
  if (!value.includes('"')) return value;
  let text = "";
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    const character = value.charAt(at);
    if (character === '"') quoted = !quoted;
    else if (character === "\\" && quoted) text += value.charAt(++at);
    else text += character;
  }
  return quoted ? null : text;
}
