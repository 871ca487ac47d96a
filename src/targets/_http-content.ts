/** An event as an HTTP request's headers and body, in one of three formats. */
import { structuredJson } from "../core/event.ts";
import type { Shipment } from "../core/target.ts";
import { binaryModeHeaders, contentTypeOf } from "./_binary-mode.ts";
import { isHeaderName, isReservedHeader } from "./_headers.ts";

/** `binary` and `structured` are the CloudEvents content modes; `raw` is the payload with the vendor's own headers. */
export const FORMATS = ["binary", "structured", "raw"] as const;
export type HttpFormat = (typeof FORMATS)[number];

/** A Worker's request may have 128 KB of headers; the rest is for what the platform adds. */
export const REQUEST_HEADERS_BYTES_MAX = 120_000;

/** The name of a charset has no case, but the CloudEvents SDK for JavaScript knows only this spelling. */
const STRUCTURED_MEDIA_TYPE = "application/cloudevents+json; charset=utf-8";

export interface HttpContent {
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Empty when the event has no data. */
  readonly body: Uint8Array;
}

export function encodeContent({ event, rawHeaders }: Shipment, format: HttpFormat): HttpContent {
  if (format === "structured") {
    const body = new TextEncoder().encode(structuredJson(event));
    return { headers: [["content-type", STRUCTURED_MEDIA_TYPE]], body };
  }
  const mediaType = contentTypeOf(event);
  const contentType: [string, string][] = mediaType === undefined ? [] : [["content-type", mediaType]];
  const body = event.body ?? new Uint8Array();
  if (format === "binary") return { headers: [...binaryModeHeaders(event), ...contentType], body };
  // Who the vendor was to Sluice says nothing to the target, so credentials stop here whatever a source lets through.
  const vendor = Object.entries(rawHeaders).filter(([name]) => name !== "authorization" && !isReservedHeader(name));
  return { headers: [...vendor, ...contentType], body };
}

export interface HeadersProblem {
  readonly reason: "configuration" | "too-large";
  readonly detail: string;
}

/** Attributes and vendor headers come from outside: what fetch would throw at is found here, before anything is sent. */
export function headersProblem(headers: ReadonlyMap<string, string>): HeadersProblem | undefined {
  let bytes = 0;
  for (const [name, value] of headers) {
    if (!isHeaderName(name)) {
      return { reason: "configuration", detail: "the event has an attribute whose name can't be a header's name" };
    }
    // Vendor headers may hold Latin-1, which is what fetch takes and sends as it is.
    if (!/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) {
      return { reason: "configuration", detail: `the event's value for the header ${name} can't be sent in a header` };
    }
    // "name: value\r\n", one byte per character.
    bytes += name.length + value.length + 4;
  }
  if (bytes <= REQUEST_HEADERS_BYTES_MAX) return undefined;
  const detail = `the headers have ${bytes} bytes, the limit is ${REQUEST_HEADERS_BYTES_MAX}; structured format needs fewer`;
  return { reason: "too-large", detail };
}
