/**
 * The hash functions of the runtime. `node:crypto` is native in workerd (with `nodejs_compat`) and in Node, and synchronous,
 * which `crypto.subtle` is not: sources and planning stay plain functions.
 */
import { once } from "./core/once.ts";
import type { Hashing, RunningHash } from "./core/source.ts";

/** What stands before the key's own 32 bytes, in hexadecimal digits (RFC 8410, sections 4 and 7). */
const ED25519_PUBLIC_PREFIX = "302a300506032b6570032100";
const ED25519_PRIVATE_PREFIX = "302e020100300506032b657004220420";
const ED25519_KEY_BYTES = 32;

/** Not imported: an isolate would load it, and what it is made of, before its first answer (`npm run bench:cold`). */
const crypto = once(() => process.getBuiltinModule("node:crypto"));

export const hashing: Hashing = {
  sha256: (data) => crypto().createHash("sha256").update(data).digest(),
  hmacSha256: (key, data) => crypto().createHmac("sha256", key).update(data).digest(),
  startSha256: () => running(crypto().createHash("sha256")),
  startHmac: (algorithm, key) => running(crypto().createHmac(algorithm, key)),
  verifyEd25519: (publicKey, data, signature) =>
    publicKey.byteLength === ED25519_KEY_BYTES &&
    isVerified(null, prefixed(ED25519_PUBLIC_PREFIX, publicKey), data, signature),
  signEd25519(seed, data) {
    const key = crypto().createPrivateKey({
      key: prefixed(ED25519_PRIVATE_PREFIX, seed),
      format: "der",
      type: "pkcs8",
    });
    return crypto().sign(null, data, key);
  },
  verifyEcdsaP256: (publicKey, data, signature) => isVerified("sha256", publicKey, data, signature, "prime256v1"),
  // timingSafeEqual throws when the lengths differ. Lengths are no secret here: hashes and MACs have fixed ones.
  equalBytes: (a, b) => a.byteLength === b.byteLength && crypto().timingSafeEqual(a, b),
};

function prefixed(prefix: string, key: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix, "hex"), key]);
}

function running(hash: { update(data: Uint8Array | string): unknown; digest(): Buffer }): RunningHash {
  return { update: (data) => void hash.update(data), digest: () => hash.digest() };
}

/** Keys and signatures come from outside: those that node:crypto can't read are wrong, not bugs. */
function isVerified(
  algorithm: "sha256" | null,
  publicKey: Uint8Array,
  data: Uint8Array,
  signature: Uint8Array,
  curve?: string,
): boolean {
  try {
    const key = crypto().createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
    if (curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== curve) return false;
    return crypto().verify(algorithm, data, key, signature);
  } catch {
    return false;
  }
}
