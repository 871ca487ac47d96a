/**
 * How a vendor signs its webhooks, as data: where the signature stands, what is signed, and with what. One verifier
 * (signature.ts) reads them all; a vendor is a description, not code.
 */

/**
 * `hmac-*`: the secret is the key (RFC 2104). `ed25519` (RFC 8032) and `ecdsa-p256` (FIPS 186-5, over SHA-256): the secret's
 * name stands for the vendor's public key. `token`: the value is the secret itself, and nothing is signed.
 */
export const SIGNATURE_ALGORITHMS = [
  "hmac-sha1",
  "hmac-sha256",
  "hmac-sha512",
  "ed25519",
  "ecdsa-p256",
  "token",
] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** `text`: as it stands, for tokens. */
export const SIGNATURE_ENCODINGS = ["hex", "base64", "base64url", "text"] as const;
export type SignatureEncoding = (typeof SIGNATURE_ENCODINGS)[number];

/** Where a value of a request stands. */
export type ValuePlace =
  /** `part`: the value of `t` in a header such as `t=1700000000,v1=abc`. */
  | { readonly header: string; readonly part?: string }
  | { readonly query: string }
  /** A dotted path to a text or number in a JSON body. */
  | { readonly path: string };

/** What a secret's value is made of before it is a key. `prefixed`: base64, which may stand after `whsec_` (secrets) or `whpk_` (public keys). */
export type KeyForm = "text" | "hex" | "base64" | "prefixed";

export const TIMESTAMP_UNITS = ["s", "ms", "iso"] as const;
export type TimestampUnit = (typeof TIMESTAMP_UNITS)[number];

export interface SignatureScheme {
  readonly algorithm: SignatureAlgorithm;
  readonly encoding: SignatureEncoding;
  readonly signature: ValuePlace;
  /** Another header, which some vendors add while a secret is rotated: its signatures count as much. */
  readonly rotated?: { readonly header: string };
  /** Between several signatures, and between the parts of a header; absent: the value is one signature. */
  readonly separator?: string;
  /**
   * What stands before a signature: `sha256=`, `v1,`. Of several signatures those with another one are of another version and
   * not looked at.
   */
  readonly prefix?: string;
  /** What is signed: text with `{body}`, `{url}`, `{method}` and the names of `values`, such as `{id}.{timestamp}.{body}`. */
  readonly content: string;
  readonly values?: Readonly<Record<string, ValuePlace>>;
  /** The value that says when it was signed; a request without one that is in time is refused. */
  readonly timestamp?: {
    readonly value: string;
    readonly unit: TimestampUnit;
    /**
     * What the vendor's own libraries take, where it isn't TOLERANCE_DEFAULT_MS; or how long it may go on sending a request with
     * the signature of its first try.
     */
    readonly toleranceMs?: number;
  };
  /** Absent: `text`. */
  readonly key?: KeyForm;
}

/** How far a timestamp may be from now, before and after: what the Standard Webhooks libraries and most vendors take. */
export const TOLERANCE_DEFAULT_MS = 300_000;

/** A header may list several signatures while a secret is rotated; each costs a comparison for each secret. */
export const SIGNATURES_MAX = 10;

/** Of a signature's header, a timestamp or an id. The longest known, an ECDSA list, has some 600. */
export const SIGNED_VALUE_CHARACTERS_MAX = 4_096;
