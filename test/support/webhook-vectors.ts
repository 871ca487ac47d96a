/** Recorded webhooks: the form of test/conformance/webhooks/<kind>.json. */
import type { JsonObject } from "../../src/core/result.ts";
import type { SourceAnswer, SourceContext, SourceRequest } from "../../src/core/source.ts";
import { hashing } from "../../src/hashing.ts";

/**
 * `genuine`: accepted. `tampered`: its body differs from what was signed. `stale`: sent again later: refused where the vendor signs a
 * time, else accepted as what it was (the same id, or watched as a replay). `rotated`: the entry names an old and a new secret, and it is
 * signed with the new one (OLD_SECRET and NEW_SECRET).
 */
export const VECTOR_KINDS = ["genuine", "tampered", "stale", "rotated"] as const;

export interface VectorFile {
  /** The page of the vendor's documentation, or the file of its SDK, that publishes the vectors or the scheme. */
  readonly from: string;
  /**
   * `published`: the signature of at least one case stands there. `sdk`: made with the vendor's official SDK, named in `note`. `scheme`: only the scheme
   * is published, so the signatures are computed by the test data's writer with node:crypto as it says.
   */
  readonly vectors: "published" | "sdk" | "scheme";
  readonly note?: string;
  /** The entry in sources.yaml, less `kind`. */
  readonly entry: JsonObject;
  /** Values of the named secrets: for tests, or published by the vendor. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly cases: readonly VectorCase[];
}

export interface VectorCase {
  /** `handshake`: what the vendor asks before it sends, by GET, HEAD or POST. `other`: anything else worth keeping. */
  readonly kind: (typeof VECTOR_KINDS)[number] | "handshake" | "other";
  readonly name: string;
  /** When it arrives, a timestamp. */
  readonly now: string;
  readonly request: VectorRequest;
  /** In place of, or beside, those of the file. */
  readonly entry?: JsonObject;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly expect: {
    /** Attributes of each event; `isReplayWatched` where equal content under another id would be noticed. */
    readonly events?: readonly Readonly<Record<string, unknown>>[];
    readonly answer?: SourceAnswer;
    /** The rejection's. */
    readonly reason?: string;
  };
}

export interface VectorRequest {
  /** POST where absent. */
  readonly method?: string;
  /** `https://sluice.example.com/webhooks/vendor` where absent. */
  readonly url?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: empty. */
  readonly body?: string;
  readonly bodyBase64?: string;
}

export function readVectors(text: string): VectorFile {
  return JSON.parse(text) as VectorFile;
}

export function vectorRequest({ method = "POST", url, headers, body = "", bodyBase64 }: VectorRequest): SourceRequest {
  return {
    method,
    url: url ?? "https://sluice.example.com/webhooks/vendor",
    headers: new Headers(headers),
    body: bodyBase64 === undefined ? new TextEncoder().encode(body) : Buffer.from(bodyBase64, "base64"),
  };
}

export function vectorContext(now: string, secrets: Readonly<Record<string, string>>): SourceContext {
  return {
    now: Date.parse(now),
    hashing,
    secret: (name) => (Object.hasOwn(secrets, name) ? secrets[name] : undefined),
  };
}
