/**
 * Signatures as Standard Webhooks 1.0 has them, over `<id>.<timestamp>.<body>`: HMAC-SHA256, written `v1,<Base64>`, or ed25519,
 * written `v1a,<Base64>`, which receivers verify with a public key.
 * Reference: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme"
 */
import { fromBase64, toBase64 } from "../core/event.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Hashing } from "../core/source.ts";

const SYMMETRIC_PREFIX = "whsec_";
const PRIVATE_PREFIX = "whsk_";

const SEED_BYTES = 32;
/** The seed and its public key: what libsodium and Go call the private key. */
const PAIR_BYTES = 64;

const UTF8 = new TextEncoder();

export interface SigningKey {
  /** How the signature is marked. */
  readonly version: "v1" | "v1a";
  /** Of `v1a`, the seed. */
  readonly bytes: Uint8Array;
}

/**
 * The signing key that a secret stands for: ed25519 with the seed (or the seed and its public key) of `whsk_<Base64>`, else
 * HMAC with the decoded bytes of `whsec_<Base64>` or the secret's own UTF-8 bytes (receivers that use the `standardwebhooks`
 * libraries then need `format: "raw"`). The error never repeats the secret.
 */
export function signingKey(
  secret: string,
  hashing: Pick<Hashing, "signEd25519" | "verifyEd25519">,
): Result<SigningKey, string> {
  if (secret.startsWith(PRIVATE_PREFIX)) return privateKey(secret.slice(PRIVATE_PREFIX.length), hashing);
  if (!secret.startsWith(SYMMETRIC_PREFIX)) return ok({ version: "v1", bytes: UTF8.encode(secret) });
  const bytes = fromBase64(secret.slice(SYMMETRIC_PREFIX.length));
  if (bytes === null || bytes.length === 0) {
    return err(`starts with ${SYMMETRIC_PREFIX} but does not go on in Base64`);
  }
  return ok({ version: "v1", bytes });
}

function privateKey(
  text: string,
  { signEd25519, verifyEd25519 }: Pick<Hashing, "signEd25519" | "verifyEd25519">,
): Result<SigningKey, string> {
  const bytes = fromBase64(text);
  if (bytes === null || (bytes.length !== SEED_BYTES && bytes.length !== PAIR_BYTES)) {
    const expected = `the Base64 of ${SEED_BYTES} bytes (a seed) or ${PAIR_BYTES} (the seed and its public key)`;
    return err(`starts with ${PRIVATE_PREFIX} but does not go on in ${expected}`);
  }
  const seed = bytes.slice(0, SEED_BYTES);
  const publicKey = bytes.subarray(SEED_BYTES);
  // An expanded private key has 64 bytes as well, and what it signs as a seed nobody could verify.
  if (publicKey.length > 0 && !verifyEd25519(publicKey, UTF8.encode("pair"), signEd25519(seed, UTF8.encode("pair")))) {
    return err(`starts with ${PRIVATE_PREFIX} but its last ${PAIR_BYTES - SEED_BYTES} bytes are not its public key`);
  }
  return ok({ version: "v1a", bytes: seed });
}

export interface SignedContent {
  readonly id: string;
  readonly timestampSeconds: number;
  /** The payload, before it is compressed. */
  readonly body: Uint8Array;
}

/** The value of `webhook-signature`: one signature per key, separated by spaces, in the order of the keys. */
export function webhookSignature(
  content: SignedContent,
  keys: readonly SigningKey[],
  hashing: Pick<Hashing, "hmacSha256" | "signEd25519">,
): string {
  const head = UTF8.encode(`${content.id}.${content.timestampSeconds}.`);
  const signed = new Uint8Array(head.length + content.body.length);
  signed.set(head);
  signed.set(content.body, head.length);
  return keys
    .map(({ version, bytes }) => {
      const signature = version === "v1" ? hashing.hmacSha256(bytes, signed) : hashing.signEd25519(bytes, signed);
      return `${version},${toBase64(signature)}`;
    })
    .join(" ");
}
