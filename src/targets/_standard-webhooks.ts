/**
 * Signatures as Standard Webhooks 1.0 has them: HMAC-SHA256 over `<id>.<timestamp>.<body>`, written `v1,<Base64>`.
 * Reference: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { fromBase64, toBase64 } from "../core/event.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Hashing } from "../core/source.ts";

const SECRET_PREFIX = "whsec_";

const UTF8 = new TextEncoder();

/**
 * The signing key that a secret stands for: the decoded bytes of `whsec_<Base64>`, or else the secret's own UTF-8 bytes
 * (receivers that use the `standardwebhooks` libraries then need `format: "raw"`). The error never repeats the secret.
 */
export function signingKey(secret: string): Result<Uint8Array, string> {
  if (!secret.startsWith(SECRET_PREFIX)) return ok(UTF8.encode(secret));
  const key = fromBase64(secret.slice(SECRET_PREFIX.length));
  if (key === null || key.length === 0) return err(`starts with ${SECRET_PREFIX} but does not go on in Base64`);
  return ok(key);
}

export interface SignedContent {
  readonly id: string;
  readonly timestampSeconds: number;
  /** Exactly the bytes that are sent. */
  readonly body: Uint8Array;
}

/** The value of `webhook-signature`: one signature per key, separated by spaces, in the order of the keys. */
export function webhookSignature(content: SignedContent, keys: readonly Uint8Array[], hashing: Hashing): string {
  const head = UTF8.encode(`${content.id}.${content.timestampSeconds}.`);
  const signed = new Uint8Array(head.length + content.body.length);
  signed.set(head);
  signed.set(content.body, head.length);
  return keys.map((key) => `v1,${toBase64(hashing.hmacSha256(key, signed))}`).join(" ");
}
