/**
 * The hash functions of the runtime. `node:crypto` is native in workerd (with `nodejs_compat`) and in Node, and synchronous,
 * which `crypto.subtle` is not: sources and planning stay plain functions.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Hashing } from "./core/source.ts";

export const hashing: Hashing = {
  sha256: (data) => createHash("sha256").update(data).digest(),
  hmacSha256: (key, data) => createHmac("sha256", key).update(data).digest(),
  // timingSafeEqual throws when the lengths differ. Lengths are no secret here: hashes and MACs have fixed ones.
  equalBytes: (a, b) => a.byteLength === b.byteLength && timingSafeEqual(a, b),
};
