/** What sources get in tests: a fixed time, real hashing and the secrets that the test sets. */
import { createHmac } from "node:crypto";
import type { SourceContext, SourceRequest } from "../../src/core/source.ts";
import { hashing } from "../../src/hashing.ts";

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
  const head = { method: "POST", url: "https://sluice.example.com/webhooks/source", headers: new Headers(headers) };
  return { ...head, body: typeof body === "string" ? utf8(body) : body };
}

/** What GitHub's documentation says to compute, by Node's own hash. */
export function githubSignature(secret: string, body: Uint8Array | string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}
