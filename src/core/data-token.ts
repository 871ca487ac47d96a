/**
 * The token in `GET /data/<token>`: names a body of the body store and says until when it may be fetched. Whoever has it may
 * fetch that one body, so it is signed (RFC 2104, HMAC-SHA256) and ends by itself; it holds nothing secret.
 *
 *   <base64url of {"k": key, "e": seconds since the epoch}> . <base64url of the MAC over DOMAIN and the first part>
 */
import { decodeBase64Url, encodeBase64 } from "./byte-text.ts";
import { decodeUtf8 } from "./event.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";
import type { Hashing } from "./source.ts";

/** The secret's name: `npx wrangler secret put DATA_SECRET`. */
export const DATA_SECRET = "DATA_SECRET";

/** A secret that can't be guessed: 128 bits, if it is random. */
export const DATA_SECRET_CHARS_MIN = 16;

/** R2's keys have 1,024 bytes at most (https://developers.cloudflare.com/r2/platform/limits/); this is more than one needs. */
export const DATA_TOKEN_CHARS_MAX = 2_048;

/** What is signed begins with it, so that no MAC made with the secret for anything else is right here. */
const DOMAIN = "sluice data token v1\n";

export interface DataGrant {
  /** Of the body store. */
  readonly key: string;
  /** Milliseconds since the epoch, counted in whole seconds. */
  readonly expiresAt: number;
}

/** `invalid` tells nothing of what is wrong; `expired` is said only of a token that was right. */
export type DataTokenProblem = "invalid" | "expired";

export function writeDataToken({ key, expiresAt }: DataGrant, secret: string, hashing: Hashing): string {
  const json = JSON.stringify({ k: key, e: Math.floor(expiresAt / 1_000) });
  const payload = toBase64Url(new TextEncoder().encode(json));
  return `${payload}.${toBase64Url(hashing.hmacSha256(secret, DOMAIN + payload))}`;
}

/** `now`: milliseconds since the epoch. The MAC is compared in constant time. */
export function readDataToken(
  token: string,
  secret: string,
  now: number,
  hashing: Hashing,
): Result<DataGrant, DataTokenProblem> {
  if (token.length > DATA_TOKEN_CHARS_MAX) return err("invalid");
  const [payload = "", signature = "", ...rest] = token.split(".");
  const mac = decodeBase64Url(signature);
  if (rest.length > 0 || mac === null) return err("invalid");
  if (!hashing.equalBytes(mac, hashing.hmacSha256(secret, DOMAIN + payload))) return err("invalid");
  const grant = readPayload(payload);
  if (grant === undefined) return err("invalid");
  return now < grant.expiresAt ? ok(grant) : err("expired");
}

/** Why bodies can't be handed out by this secret, or undefined. */
export function dataSecretProblem(secret: string | undefined): string | undefined {
  const wayOut = `set it with \`npx wrangler secret put ${DATA_SECRET}\`, at least ${DATA_SECRET_CHARS_MIN} random characters`;
  if (secret === undefined) return `the secret ${DATA_SECRET} is not set: ${wayOut}`;
  if (secret.length < DATA_SECRET_CHARS_MIN) return `the secret ${DATA_SECRET} is too short: ${wayOut}`;
  return undefined;
}

function readPayload(payload: string): DataGrant | undefined {
  const bytes = decodeBase64Url(payload);
  const text = bytes === null ? null : decodeUtf8(bytes);
  if (text === null) return undefined;
  // It was signed here, so it is what `writeDataToken` made of it, in this release or another.
  const { k: key, e: seconds } = JSON.parse(text) as { readonly k?: unknown; readonly e?: unknown };
  if (typeof key !== "string" || typeof seconds !== "number") return undefined;
  return { key, expiresAt: seconds * 1_000 };
}

function toBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
