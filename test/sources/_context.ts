/** What sources get in tests: a fixed time, real hashing and the secrets that the test sets. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Hashing, SourceContext, SourceRequest } from "../../src/core/source.ts";

const hashing: Hashing = {
  sha256: (data) => new Uint8Array(createHash("sha256").update(data).digest()),
  hmacSha256: (key, data) => new Uint8Array(createHmac("sha256", key).update(data).digest()),
  equalBytes: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

const NOW_MS = Date.UTC(2026, 4, 1, 12, 0, 0, 250);
export const NOW = "2026-05-01T12:00:00.250Z";

export function contextWith(secrets: Readonly<Record<string, string>> = {}): SourceContext {
  return { now: NOW_MS, hashing, secret: (name) => (Object.hasOwn(secrets, name) ? secrets[name] : undefined) };
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : new TextDecoder().decode(bytes);
}

export function requestOf(headers: Readonly<Record<string, string>>, body: Uint8Array | string): SourceRequest {
  return { headers: new Headers(headers), body: typeof body === "string" ? utf8(body) : body };
}

/** What GitHub's documentation says to compute, by Node's own hash. */
export function githubSignature(secret: string, body: Uint8Array | string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}
