/** The keys with which an entry of sources.yaml describes a vendor of its own, and what they must be to each other. */
import type { Reader } from "../core/read-object.ts";
import { describe, readInteger, readList, readOneOf, readString, unknownName } from "../core/read-object.ts";
import { described, withSchema } from "../core/reader-schema.ts";
import type { JsonObject, Mistake } from "../core/result.ts";
import { isJsonObject } from "../core/result.ts";
import type { KeyForm, SignatureAlgorithm, SignatureEncoding, ValuePlace } from "../core/signature-scheme.ts";
import { SIGNATURE_ENCODINGS, TOLERANCE_DEFAULT_MS } from "../core/signature-scheme.ts";
import { isUriReference } from "../core/uri-reference.ts";
import type { MappedPlace, TimedPlace, TypeRule } from "./_hmac-places.ts";
import {
  readHeaderName,
  readMappedPlace,
  readMappedTime,
  readShortText,
  readSignedTime,
  readTypeRule,
  readValuePlace,
} from "./_hmac-places.ts";
import { SHARED_READERS, readReplays, readTolerance, readUrl } from "./_webhook-entry.ts";
import { PAYLOAD_FORMS } from "./_webhook-source.ts";

export const CONTENT_CHARACTERS_MAX = 256;
export const VALUES_MAX = 8;
export const VOLATILE_MEMBERS_MAX = 16;
export const SOURCE_CHARACTERS_MAX = 512;

/** As people say them. */
export const ALGORITHMS: Readonly<Record<string, SignatureAlgorithm>> = {
  sha256: "hmac-sha256",
  sha1: "hmac-sha1",
  sha512: "hmac-sha512",
  ed25519: "ed25519",
  "ecdsa-p256": "ecdsa-p256",
  token: "token",
};

/** By what `secret_encoding` says. */
export const SECRET_ENCODINGS: Readonly<Record<string, KeyForm>> = {
  text: "text",
  hex: "hex",
  base64: "base64",
  whsec: "prefixed",
};

/** Texts with names in braces, each pair of which is closed. */
const CONTENT = /^(?:[^{}]|\{[A-Za-z][A-Za-z0-9_]*\})*$/;
const VALUE_NAME = /^[A-Za-z][A-Za-z0-9_]{0,31}$/;
/** What the content has beside the entry's own values. */
const RESERVED = ["body", "url", "method", "timestamp", "id"] as const;

const readContent: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && value.length <= CONTENT_CHARACTERS_MAX && CONTENT.test(value)) return value;
    const expected = `expected a text of at most ${CONTENT_CHARACTERS_MAX} characters with names in braces`;
    mistakes.push({ path, message: `${expected}, such as "{timestamp}.{body}", found ${describe(value)}` });
    return undefined;
  },
  { type: "string", maxLength: CONTENT_CHARACTERS_MAX, pattern: CONTENT.source },
);

const readValues: Reader<Readonly<Record<string, ValuePlace>>> = withSchema(
  (value, path, mistakes) => {
    if (!isJsonObject(value) || Object.keys(value).length > VALUES_MAX) {
      const expected = `expected at most ${VALUES_MAX} names with where they stand, such as { nonce: { header: X-Nonce } }`;
      mistakes.push({ path, message: `${expected}, found ${isJsonObject(value) ? "more" : describe(value)}` });
      return undefined;
    }
    const read = Object.entries(value).map(([name, place]): readonly [string, ValuePlace | undefined] => {
      const at = [...path, name];
      if ((RESERVED as readonly string[]).includes(name)) {
        mistakes.push({ path: at, at: "key", message: `${name} has its meaning already; take another name` });
      } else if (!VALUE_NAME.test(name)) {
        mistakes.push({ path: at, at: "key", message: "expected letters, digits and _, beginning with a letter" });
      }
      return [name, readValuePlace(place, at, mistakes)];
    });
    return Object.fromEntries(read.flatMap(([name, place]) => (place === undefined ? [] : [[name, place]])));
  },
  {
    type: "object",
    maxProperties: VALUES_MAX,
    propertyNames: { pattern: VALUE_NAME.source },
    additionalProperties: readValuePlace.schema ?? {},
  },
);

const readSourceUri: Reader<string> = withSchema(
  (value, path, mistakes) => {
    const isUri = typeof value === "string" && /^[A-Za-z][A-Za-z0-9+.-]*:./.test(value) && isUriReference(value);
    if (isUri && value.length <= SOURCE_CHARACTERS_MAX) return value;
    const expected = "expected an absolute URI, such as https://shop.example.com";
    mistakes.push({ path, message: `${expected}, found ${describe(value)}` });
    return undefined;
  },
  { type: "string", maxLength: SOURCE_CHARACTERS_MAX },
);

/** Keys that say how a request is verified: with `auth: none` they say nothing. */
export const SIGNATURE_READERS = {
  header: described(readHeaderName, "The header that has the signature.", { examples: ["X-Signature"] }),
  part: described(readShortText, "The signature's part of the header, as v1 in t=1700000000,v1=abc."),
  algorithm: described(
    readOneOf(Object.keys(ALGORITHMS)),
    "sha256, sha1 and sha512 are HMACs; ed25519 and ecdsa-p256 have a public key; token is the secret itself.",
    { default: "sha256" },
  ),
  encoding: described(readOneOf(SIGNATURE_ENCODINGS), "How the signature is written; a token is text.", {
    default: "hex",
  }),
  prefix: described(readShortText, "What stands before the signature.", { examples: ["sha256="] }),
  separator: described(readShortText, "What stands between several signatures, or between the parts of the header."),
  content: described(readContent, "What is signed: {body}, {timestamp}, {id}, {url}, {method} and names of values.", {
    default: "{body}",
    examples: ["{timestamp}.{body}"],
  }),
  values: described(readValues, "More of the request that is signed, by the names that content has for them."),
  timestamp: described(readSignedTime, "When it was signed: a request that is older than tolerance is refused."),
  tolerance: readTolerance(TOLERANCE_DEFAULT_MS),
  secret_encoding: described(
    readOneOf(Object.keys(SECRET_ENCODINGS)),
    "How the secret is written: text as it stands, or bytes in hex or base64; whsec: base64 after whsec_ or whpk_.",
    { default: "text" },
  ),
  replays: readReplays("flag"),
  url: readUrl,
};

export const HMAC_READERS = {
  ...SHARED_READERS,
  ...SIGNATURE_READERS,
  id: described(readMappedPlace, "The event's id, the same for each sending; without it a hash of the payload."),
  type: described(readTypeRule, "The event's type: a text, or where it stands.", { default: "webhook" }),
  subject: described(readMappedPlace, "What the event is about."),
  time: described(readMappedTime, "When it happened; without it the time of arrival."),
  source: described(readSourceUri, "The event's source: an absolute URI.", { default: "urn:webhook" }),
  payload: described(readOneOf(PAYLOAD_FORMS), "What the body is; form-payload: JSON in a form's field payload.", {
    default: "json",
  }),
  volatile: described(
    readList(readString, VOLATILE_MEMBERS_MAX),
    "Members at the top of the payload that differ between two sendings of one event.",
  ),
  answer: described(readInteger(200, 204), "The status that the sender takes for success, with an empty body."),
};

/** What the readers made of an entry. */
export interface HmacEntry {
  readonly header?: string;
  readonly part?: string;
  readonly algorithm?: string;
  readonly encoding?: SignatureEncoding;
  readonly content?: string;
  readonly values?: Readonly<Record<string, ValuePlace>>;
  readonly timestamp?: TimedPlace<ValuePlace>;
  readonly id?: MappedPlace;
  readonly type?: TypeRule;
  readonly subject?: MappedPlace;
  readonly time?: TimedPlace<MappedPlace>;
}

/** What the content can name. */
export function contentValues({ values = {}, timestamp, id }: HmacEntry): Readonly<Record<string, ValuePlace>> {
  return {
    ...values,
    ...(timestamp === undefined ? {} : { timestamp: timestamp.place }),
    ...(id === undefined || "path" in id ? {} : { id }),
  };
}

/** Mistakes that only show when keys are seen together. */
export function checkTogether(entry: JsonObject, read: HmacEntry, mistakes: Mistake[]): void {
  const has = (name: string) => Object.hasOwn(entry, name);
  const refuse = (name: string, message: string) => mistakes.push({ path: [name], at: "key", message });
  if (has("auth")) {
    const idle = Object.keys(SIGNATURE_READERS).filter(has);
    for (const name of idle) refuse(name, "with auth: none nothing is verified; leave it out");
    return;
  }
  if (has("secrets") && !has("header")) {
    mistakes.push({ path: [], message: "expected header: the name of the header with the signature" });
  }
  checkContent(has, read, refuse, mistakes);
  if (has("tolerance") && !has("timestamp")) refuse("tolerance", "without timestamp no time is signed; leave it out");
  if (has("url") && read.content?.includes("{url}") !== true) refuse("url", "content has no {url}; leave it out");
  if (has("replays") && !isIdUnsigned(read)) {
    refuse("replays", "the id is signed, or there is none, so no copy can have another; leave it out");
  }
  for (const name of ["id", "type", "subject", "time"] as const) {
    const rule = read[name];
    if (typeof rule !== "object") continue;
    const place = "place" in rule ? rule.place : rule;
    if ("header" in place && place.header.toLowerCase() === read.header?.toLowerCase()) {
      mistakes.push({ path: [name, "header"], message: "this header has the signature, which is no part of an event" });
    }
  }
}

function checkContent(
  has: (name: string) => boolean,
  read: HmacEntry,
  refuse: (name: string, message: string) => void,
  mistakes: Mistake[],
): void {
  if (read.algorithm === "token") {
    for (const name of ["content", "values", "timestamp"].filter(has)) {
      refuse(name, "with algorithm: token nothing is signed; leave it out");
    }
    return;
  }
  if (read.encoding === "text") {
    mistakes.push({ path: ["encoding"], message: "only a token is text; expected hex, base64 or base64url" });
  }
  const { content = "{body}" } = read;
  const known = ["body", "url", "method", ...Object.keys(contentValues(read))];
  const names = Array.from(content.matchAll(/\{([^{}]*)\}/g), ([, name = ""]) => name);
  for (const name of names.filter((each) => !known.includes(each))) {
    mistakes.push({ path: ["content"], message: missingPlace(name, read) ?? unknownName("value", name, known) });
  }
  if (!names.includes("body")) {
    mistakes.push({ path: ["content"], message: "expected {body} in it, or a signature would be right for any body" });
  }
  const isTimeInBody = read.timestamp !== undefined && "path" in read.timestamp.place;
  if (read.timestamp !== undefined && !isTimeInBody && !names.includes("timestamp")) {
    const path = has("content") ? ["content"] : ["timestamp"];
    mistakes.push({ path, message: "expected {timestamp} in content: a time that is not signed proves nothing" });
  }
}

/** A name of the language that has nothing to stand for: a key of its own says where it comes from. */
function missingPlace(name: string, { id }: HmacEntry): string | undefined {
  if (name === "timestamp") return "{timestamp} needs the key timestamp, such as timestamp: { header: X-Timestamp }";
  if (name !== "id") return undefined;
  return id === undefined
    ? "{id} needs the key id, such as id: { header: X-Id }"
    : "{id} needs an id in a header, such as id: { header: X-Id }; this one stands in the body";
}

/** Whether somebody who captured a request could send it again under another id, for ever. */
export function isIdUnsigned({ id, content = "{body}", timestamp }: HmacEntry): boolean {
  return id !== undefined && "header" in id && timestamp === undefined && !content.includes("{id}");
}
