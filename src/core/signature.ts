/**
 * The one verifier of webhook signatures. It works on the bytes as they came, compares in constant time, tries every secret that
 * is set, and looks at the time only of what is genuine.
 */
import { decodeBase64, decodeBase64Url, decodeHex } from "./byte-text.ts";
import type { Rejection } from "./rejection.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";
import type {
  KeyForm,
  SignatureAlgorithm,
  SignatureEncoding,
  SignatureScheme,
  TimestampUnit,
} from "./signature-scheme.ts";
import { SIGNATURES_MAX } from "./signature-scheme.ts";
import { BODY, readSignature, readSignedValues, shownPlace } from "./signed-values.ts";
import type { HmacAlgorithm, SourceContext, SourceRequest, SourceRequestHead } from "./source.ts";
import { parseTimestampMs } from "./timestamp.ts";

export interface SignedBy {
  readonly secretNames: readonly string[];
  readonly toleranceMs: number;
}

export interface Verified {
  /** Names of the secrets that the signature is right by. */
  readonly verifiedBy: readonly string[];
  /** The scheme's values: genuine wherever they are part of what is signed. */
  readonly values: ReadonlyMap<string, string>;
}

interface Key {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** `more`: values of the content that only code can tell. */
export function verifySignature(
  scheme: SignatureScheme,
  { secretNames, toleranceMs }: SignedBy,
  request: SourceRequest,
  context: SourceContext,
  more: Readonly<Record<string, string>> = {},
): Result<Verified, Rejection> {
  const body = request.wireBody ?? request.body;
  const keys = keysOf(scheme, secretNames, context);
  if (!keys.ok) return keys;
  const signatures = signaturesOf(scheme, request, body);
  if (!signatures.ok) return signatures;
  const read = readSignedValues(scheme, request, body);
  if (!read.ok) return read;
  const values = new Map([...read.value, ...Object.entries(more)]);
  const content = contentOf(scheme.content, body, values);
  const isRight = comparisonOf(scheme.algorithm, content, context);
  // Every pair is tried, so the time doesn't tell which it was.
  const right = keys.value.filter((key) => signatures.value.filter((each) => isRight(key.bytes, each)).length > 0);
  if (right.length === 0) return err({ reason: "wrong-signature", header: shownPlace(scheme.signature) });
  const late = lateness(scheme, values, toleranceMs, context.now);
  return late === undefined ? ok({ verifiedBy: right.map(({ name }) => name), values }) : err(late);
}

/** The signatures that the request claims, of the scheme's own version, as bytes. */
function signaturesOf(
  scheme: SignatureScheme,
  head: SourceRequestHead,
  body: Uint8Array,
): Result<readonly Uint8Array[], Rejection> {
  const { prefix = "", encoding, signature } = scheme;
  const found = readSignature(scheme, head, body);
  if (!found.ok) return found;
  const malformed = (detail: string) =>
    err({ reason: "malformed-signature", header: shownPlace(signature), detail } as const);
  const own = found.value.filter((text) => text.startsWith(prefix)).map((text) => text.slice(prefix.length));
  if (own.length === 0) return malformed(`expected it to begin with ${JSON.stringify(prefix)}`);
  if (own.length > SIGNATURES_MAX) return malformed(`expected at most ${SIGNATURES_MAX} signatures`);
  const decoded = own.map((text) => decode(text, encoding));
  const right = decoded.filter((bytes) => bytes !== null && bytes.length > 0) as readonly Uint8Array[];
  // In a list, what can't be read may be for somebody else.
  return right.length > 0 ? ok(right) : malformed(`expected ${encoding}`);
}

function decode(text: string, encoding: SignatureEncoding): Uint8Array | null {
  switch (encoding) {
    case "hex":
      return decodeHex(text);
    case "base64":
      return decodeBase64(text);
    case "base64url":
      return decodeBase64Url(text);
    case "text":
      return new TextEncoder().encode(text);
  }
}

/** The secrets that are set, as keys. One that is none is nobody's request's fault. */
function keysOf(
  scheme: SignatureScheme,
  secretNames: readonly string[],
  { secret }: SourceContext,
): Result<readonly Key[], Rejection> {
  const set = secretNames.flatMap((name) => {
    const value = secret(name);
    return value === undefined || value === "" ? [] : [{ name, value }];
  });
  const keys = set.flatMap(({ name, value }): readonly Key[] => {
    const bytes = keyBytes(value, scheme);
    return bytes === null || bytes.length === 0 ? [] : [{ name, bytes }];
  });
  if (keys.length > 0) return ok(keys);
  const malformed = set.length > 0 ? { expected: KEY_FORMS[keyForm(scheme)] } : {};
  return err({ reason: "source-not-configured", secretNames, ...malformed });
}

/** `prefixed`, by what the key is for. */
type PlainKeyForm = Exclude<KeyForm, "prefixed"> | "whsec" | "whpk";

/** What each form of key looks like, for people. */
const KEY_FORMS: Readonly<Record<PlainKeyForm, string>> = {
  text: "text",
  hex: "hexadecimal digits",
  base64: "base64",
  whsec: "whsec_ and base64",
  whpk: "whpk_ and base64",
};

/** A public key must never be taken for a secret: everybody who knows it could sign with it. */
function keyForm({ key = "text", algorithm }: SignatureScheme): PlainKeyForm {
  if (key !== "prefixed") return key;
  return algorithm.startsWith("hmac-") ? "whsec" : "whpk";
}

function keyBytes(value: string, scheme: SignatureScheme): Uint8Array | null {
  const form = keyForm(scheme);
  switch (form) {
    case "text":
      return new TextEncoder().encode(value);
    case "hex":
      return decodeHex(value.trim().toLowerCase());
    case "base64":
      // A public key may have been pasted with the lines around it.
      return decodeBase64(value.replaceAll(/-----[A-Z ]+-----|\s/g, ""));
    case "whsec":
    case "whpk":
      return decodeBase64(value.trim().replace(`${form}_`, ""));
  }
}

/** Whether a signature is right by a key. Both may have any length. */
function comparisonOf(
  algorithm: SignatureAlgorithm,
  content: readonly Uint8Array[],
  { hashing }: SourceContext,
): (key: Uint8Array, signature: Uint8Array) => boolean {
  switch (algorithm) {
    case "hmac-sha1":
    case "hmac-sha256":
    case "hmac-sha512": {
      const name = algorithm.slice("hmac-".length) as HmacAlgorithm;
      const digests = new Map<Uint8Array, Uint8Array>();
      const digestOf = (key: Uint8Array): Uint8Array => {
        const hash = hashing.startHmac(name, key);
        for (const part of content) hash.update(part);
        const digest = hash.digest();
        digests.set(key, digest);
        return digest;
      };
      return (key, signature) => hashing.equalBytes(digests.get(key) ?? digestOf(key), signature);
    }
    case "ed25519":
      return (key, signature) => hashing.verifyEd25519(key, joined(content), signature);
    case "ecdsa-p256":
      return (key, signature) => hashing.verifyEcdsaP256(key, joined(content), signature);
    case "token":
      // Hashes are of one length: the time doesn't tell a token's.
      return (key, signature) => hashing.equalBytes(hashing.sha256(key), hashing.sha256(signature));
  }
}

/** What is signed, in pieces: the body stays where it is. */
function contentOf(template: string, body: Uint8Array, values: ReadonlyMap<string, string>): readonly Uint8Array[] {
  // `a{x}b`: texts at even places, names at odd ones.
  return template.split(/[{}]/).map((part, index) => {
    if (index % 2 === 0) return new TextEncoder().encode(part);
    if (part === BODY) return body;
    const value = values.get(part);
    if (value === undefined) throw new Error(`a signature's content names {${part}}, which the scheme doesn't have`);
    return new TextEncoder().encode(value);
  });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Why what was signed is not of now. */
function lateness(
  { timestamp, values = {} }: SignatureScheme,
  found: ReadonlyMap<string, string>,
  toleranceMs: number,
  now: number,
): Rejection | undefined {
  if (timestamp === undefined) return undefined;
  const timeMs = timestampMs(found.get(timestamp.value) ?? "", timestamp.unit);
  const place = values[timestamp.value];
  if (timeMs === undefined) {
    const header = place === undefined ? timestamp.value : shownPlace(place);
    return { reason: "invalid-header", header, detail: `expected a timestamp (${timestamp.unit})` };
  }
  if (Math.abs(now - timeMs) <= toleranceMs) return undefined;
  return { reason: "stale-timestamp", toleranceSeconds: Math.floor(toleranceMs / 1_000) };
}

function timestampMs(text: string, unit: TimestampUnit): number | undefined {
  switch (unit) {
    case "s":
      return /^\d{1,10}$/.test(text) ? Number(text) * 1_000 : undefined;
    case "ms":
      return /^\d{1,13}$/.test(text) ? Number(text) : undefined;
    case "iso":
      return parseTimestampMs(text);
  }
}
