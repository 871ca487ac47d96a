/**
 * Why a request was not accepted. Every way to refuse is one member of this union; `http/problem.ts` maps each to a status
 * and a problem document with one exhaustive switch, and the partition records it under its reason.
 * `detail` is written for the sender; it never holds a secret, a signature or the payload.
 */
export type Rejection =
  | { readonly reason: "unknown-source"; readonly source: string }
  /** `expected`: secrets are set, but none is a key; this is what one looks like. */
  | { readonly reason: "source-not-configured"; readonly secretNames: readonly string[]; readonly expected?: string }
  /** `hint`: what would help. */
  | { readonly reason: "body-too-large"; readonly bytesMax: number; readonly hint?: string }
  /** A large payload is matched by what rules name of it, and that is more than is kept. */
  | { readonly reason: "rules-need-too-much"; readonly bytesMax: number }
  /** So many large bodies are being received that one more might take the memory of all. */
  | { readonly reason: "too-many-large-bodies"; readonly retryAfterSeconds: number }
  | { readonly reason: "body-timeout"; readonly timeoutMs: number }
  | { readonly reason: "body-unreadable" }
  | {
      readonly reason: "unsupported-content-type";
      readonly found: string;
      readonly expected: readonly string[];
      /** Why no other is taken this time, and what to do. */
      readonly hint?: string;
    }
  /** `takesGzip`: the source takes that one encoding. */
  | { readonly reason: "unsupported-content-encoding"; readonly found: string; readonly takesGzip?: true }
  | { readonly reason: "malformed-gzip" }
  | { readonly reason: "compression-ratio"; readonly ratioMax: number }
  | { readonly reason: "missing-header"; readonly header: string }
  | { readonly reason: "invalid-header"; readonly header: string; readonly detail: string }
  | { readonly reason: "missing-signature"; readonly header: string }
  | { readonly reason: "malformed-signature"; readonly header: string; readonly detail: string }
  | { readonly reason: "wrong-signature"; readonly header: string }
  /** What is signed says when it was sent, and that is too long ago or yet to come. */
  | { readonly reason: "stale-timestamp"; readonly toleranceSeconds: number }
  /** The vendor's question whether the address is ours was not asked as it should be, or by somebody else. */
  | { readonly reason: "wrong-challenge"; readonly detail: string }
  | { readonly reason: "missing-token" }
  | { readonly reason: "wrong-token" }
  | { readonly reason: "invalid-utf8" }
  | { readonly reason: "invalid-json"; readonly detail: string }
  | { readonly reason: "json-too-deep"; readonly depthMax: number }
  | { readonly reason: "invalid-form"; readonly detail: string }
  /** The payload lacks what every webhook of the vendor has. */
  | { readonly reason: "invalid-payload"; readonly detail: string }
  | { readonly reason: "invalid-event"; readonly attribute: string; readonly detail: string; readonly index?: number }
  | { readonly reason: "batch-too-large"; readonly eventsMax: number }
  /** The identity was accepted before with other content; `receipt` is the first one's. */
  | { readonly reason: "conflict"; readonly receipt: string }
  /** The same signed content was accepted under another id, which is not signed, and the source refuses that. */
  | { readonly reason: "replayed"; readonly receipt: string }
  | { readonly reason: "too-many-deliveries"; readonly deliveriesMax: number }
  | { readonly reason: "backlog-full"; readonly retryAfterSeconds: number }
  | { readonly reason: "storage-unavailable"; readonly retryAfterSeconds: number };

export type RejectionReason = Rejection["reason"];

const UNAUTHENTICATED: ReadonlySet<RejectionReason> = new Set([
  "missing-signature",
  "malformed-signature",
  "wrong-signature",
  "stale-timestamp",
  "missing-token",
  "wrong-token",
]);

/** Whether the request did not prove who sent it. */
export function isUnauthenticated({ reason }: Rejection): boolean {
  return UNAUTHENTICATED.has(reason);
}
