/**
 * A CloudEvent as Sluice carries it: plain, readonly data that survives JSON and RPC. The data stays the bytes that came in,
 * so that a target gets them unchanged; nothing here parses and writes them again.
 *
 * Reference: CloudEvents 1.0.2, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
import type { Json, JsonObject } from "./result.ts";

export type AttributeValue = string | number | boolean;

export interface CloudEvent {
  /** Every context attribute, `specversion`, `id`, `source` and `type` included, extensions too; never `data`. */
  readonly attributes: EventAttributes;
  /** The payload's bytes as received, or null when the event has no data. */
  readonly body: Uint8Array | null;
}

export interface EventAttributes {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly [extension: string]: AttributeValue | undefined;
}

/**
 * An event's identity: accepted once per dedup window. `scope` is what in Sluice the event came through: the source's name in
 * sources.yaml, or `<what>:<name>`, as no source's name has a colon. The three parts are joined by a line feed, which neither a
 * scope nor an attribute may contain (CloudEvents 1.0.2, section 3.1 forbids control characters), so no two identities collide.
 */
export function identityOf(scope: string, attributes: EventAttributes): string {
  return `${scope}\n${attributes.source}\n${attributes.id}`;
}

/** Attributes that may change between two sendings of one event, the count of hops included: no part of its fingerprint. */
const FINGERPRINT_IGNORES: ReadonlySet<string> = new Set(["time", "traceparent", "tracestate", "sluicehops"]);

export type Sha256 = (data: Uint8Array | string) => Uint8Array;

/**
 * What an event's content is compared by when its identity comes again.
 * `scope` names who sent it where a provider shares one id between several senders (GitHub: the hook's id): a repeat from
 * another scope is a duplicate whatever its content, a repeat from the same scope with another hash is a conflict.
 */
export interface Fingerprint {
  readonly scope: string;
  /** `<version>:<hex>`; a hash of another version can't be compared and counts as equal. */
  readonly hash: string;
}

const FINGERPRINT_VERSION = "1";

/** Webhooks: the payload's bytes only, because a provider's retry may carry new headers, times and signatures. */
export function payloadFingerprint(body: Uint8Array, scope: string, sha256: Sha256): Fingerprint {
  return digestFingerprint(sha256(body), scope);
}

/** The same of a payload that came in parts: `digest` is its SHA-256. */
export function digestFingerprint(digest: Uint8Array, scope: string): Fingerprint {
  return { scope, hash: `${FINGERPRINT_VERSION}:${toHex(digest)}` };
}

/** CloudEvents: the data and every attribute but `time`, trace context and the count of hops. */
export function eventFingerprint(event: CloudEvent, sha256: Sha256): Fingerprint {
  const attributes = Object.entries(event.attributes)
    .filter(([name, value]) => value !== undefined && !FINGERPRINT_IGNORES.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const head = JSON.stringify(attributes);
  const data = event.body === null ? "-" : toHex(sha256(event.body));
  return { scope: "", hash: `${FINGERPRINT_VERSION}:${toHex(sha256(`${head}\n${data}`))}` };
}

export function isConflict(first: Fingerprint, repeat: Fingerprint): boolean {
  if (first.scope !== repeat.scope) return false;
  if (versionOf(first.hash) !== versionOf(repeat.hash)) return false;
  return first.hash !== repeat.hash;
}

function versionOf(hash: string): string {
  return hash.slice(0, hash.indexOf(":"));
}

export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/**
 * Whether a media type says JSON: `application/json`, `text/json` or any `+json` suffix, parameters aside. No media type at
 * all says JSON too, as in the CloudEvents JSON format (1.0.2, section 3.1).
 */
export function isJsonMediaType(mediaType: string | undefined): boolean {
  if (mediaType === undefined) return true;
  const bare = (mediaType.split(";", 1)[0] ?? "").trim().toLowerCase();
  return /^[^/]+\/(?:json|[^/]+\+json)$/.test(bare);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Bytes as text, or null when they are not UTF-8. A leading byte order mark is not part of the text. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * The object that patterns and transforms see: the event in its JSON form, with `data` as JSON. Data that is not JSON is
 * text under `data`, or Base64 under `data_base64` where it is not UTF-8. Parse once per event and share the result; `parsed` is what
 * `JSON.parse` has made of a JSON body already.
 * A source has already refused JSON that does not parse; should such bytes come here all the same, they count as text.
 */
export function eventView(event: CloudEvent, parsed?: Json): JsonObject {
  const view: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const [name, value] of Object.entries(event.attributes)) {
    if (value !== undefined) view[name] = value;
  }
  if (event.body === null) return view;
  if (parsed !== undefined && isJsonMediaType(event.attributes.datacontenttype)) {
    view["data"] = parsed;
    return view;
  }
  const text = decodeUtf8(event.body);
  if (text === null) {
    view["data_base64"] = toBase64(event.body);
    return view;
  }
  view["data"] = isJsonMediaType(event.attributes.datacontenttype) ? parseOr(text, text) : text;
  return view;
}

function parseOr(text: string, otherwise: Json): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return otherwise;
  }
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  // String.fromCharCode takes its bytes as arguments; 8 KiB at a time stays clear of every engine's argument limit.
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(binary);
}

/** The bytes of standard Base64 (RFC 4648, section 4), or null when the text is not Base64. */
export function fromBase64(text: string): Uint8Array | null {
  // One character class: a repeated group would run out of the engine's backtracking stack at some megabytes.
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/**
 * The event in the structured mode of the CloudEvents JSON format (1.0.2, section 3). JSON data is spliced in as the text
 * that was received, so numbers, spacing and the order of members stay as they were.
 */
export function structuredJson(event: CloudEvent): string {
  const head = JSON.stringify(event.attributes);
  if (event.body === null) return head;
  const open = head.slice(0, -1);
  const text = decodeUtf8(event.body);
  if (text === null) return `${open},"data_base64":${JSON.stringify(toBase64(event.body))}}`;
  const data = isJsonMediaType(event.attributes.datacontenttype) ? text : JSON.stringify(text);
  return `${open},"data":${data}}`;
}
