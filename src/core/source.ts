/**
 * The contract of a source: an adapter from a vendor's webhook to CloudEvents. One file in `src/sources/` default-exports
 * one `Source`; the generator finds it. A source does no I/O: time and hashing come in as arguments.
 */
import type { CloudEvent, Fingerprint, Sha256 } from "./event.ts";
import type { Rejection } from "./rejection.ts";
import type { Json, JsonObject, Mistake, Result } from "./result.ts";

export type HmacAlgorithm = "sha1" | "sha256" | "sha512";

/** A hash of data that comes in parts. */
export interface RunningHash {
  readonly update: (data: Uint8Array | string) => void;
  /** Once, after the last part. */
  readonly digest: () => Uint8Array;
}

/** The hash functions that authentication needs, over raw bytes. */
export interface Hashing {
  readonly sha256: Sha256;
  readonly hmacSha256: (key: Uint8Array | string, data: Uint8Array | string) => Uint8Array;
  readonly startSha256: () => RunningHash;
  readonly startHmac: (algorithm: HmacAlgorithm, key: Uint8Array | string) => RunningHash;
  /** RFC 8032. `publicKey`: 32 bytes; `signature`: 64. What has another length or is no point of the curve is not right. */
  readonly verifyEd25519: (publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array) => boolean;
  /** `seed`: the private key's 32 bytes. */
  readonly signEd25519: (seed: Uint8Array, data: Uint8Array) => Uint8Array;
  /** ECDSA on P-256 over SHA-256. `publicKey` and `signature` are DER: SubjectPublicKeyInfo, and the pair of integers. */
  readonly verifyEcdsaP256: (publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array) => boolean;
  /** True when both have the same bytes, in a time that tells nothing of where they differ; unequal lengths are unequal. */
  readonly equalBytes: (a: Uint8Array, b: Uint8Array) => boolean;
}

/** The part of a request that comes before its body. */
export interface SourceRequestHead {
  readonly method: string;
  /** Absolute, as the sender wrote it: some vendors sign it. */
  readonly url: string;
  readonly headers: Headers;
}

/** A request with its body read. `body` is exactly what came over the wire. */
export interface SourceRequest extends SourceRequestHead {
  readonly body: Uint8Array;
  /** What came over the wire, where `body` was compressed: signatures are over these bytes. */
  readonly wireBody?: Uint8Array;
}

/** What a vendor expects to be answered, in place of the receipt. */
export interface SourceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a handshake is answered, and the names of the secrets that it was right by; absent where it proved nothing. */
export interface HandshakeAnswer extends SourceAnswer {
  readonly verifiedBy?: readonly string[];
}

export interface SourceContext {
  /** Milliseconds since the epoch: the time of this arrival, and so of first acceptance if the event is new. */
  readonly now: number;
  readonly hashing: Hashing;
  /** The value of a named secret, or undefined when it is not set (an empty value counts as not set). */
  readonly secret: (name: string) => string | undefined;
}

export interface ReceivedEvent {
  readonly event: CloudEvent;
  readonly fingerprint: Fingerprint;
  /** What `JSON.parse` makes of the event's body, where the source has parsed it: so that it is done once. */
  readonly data?: Json;
  /**
   * What the event's partition is chosen by. Every repeat of an event must have the same key whatever its content, or it
   * would not meet its first arrival.
   */
  readonly key: string;
  /** What rules with `order: key` order by, where it is not `key`: it must not be the same for two values of `key`. */
  readonly orderKey?: string;
  /** What a repeat from the same sender means: sent again by a machine, or redelivered by somebody who wants it delivered. */
  readonly repeat?: "redelivery";
  /**
   * For sources whose event ids are not signed: names the signed content, so that the same content under a new id can be
   * told from a new event. `refuse` refuses it, else it is accepted and flagged.
   */
  readonly replay?: { readonly content: string; readonly refuse: boolean };
  /** Headers of the vendor's request that a target in `raw` format gets too, lower-case names; never a signature. */
  readonly rawHeaders: Readonly<Record<string, string>>;
  /** Set by who has received a large body: it stands in the body store, and `pruned` is what rules match it by, as JSON. */
  readonly large?: { readonly key: string; readonly bytes: number; readonly pruned: Uint8Array };
}

/** What a request turned out to be. `batch` decides whether the answer is one receipt or an array of them. */
export interface Received {
  readonly events: readonly ReceivedEvent[];
  readonly batch: boolean;
  /** Names of the secrets that the request's signature or token is right by; absent where the source is open. */
  readonly verifiedBy?: readonly string[];
  /** Answered once the events are stored, of which there may be none: a challenge was answered, or the vendor wants it so. */
  readonly answer?: SourceAnswer;
}

/** What only the build needs of a source: how its entry is read. A deployed Worker has the configuration that it made. */
export interface SourceEntry<Config> {
  /** One sentence for listings. */
  readonly summary: string;
  /** The JSON Schema (draft-07) of what `parse` reads: an object with `properties`, each with a description for editors. */
  readonly schema: JsonObject;
  /**
   * Reads the source's entry of sources.yaml, less `kind` and `bus`. Paths of mistakes start at the entry. The configuration is
   * plain JSON, as it is written into the generated rules.
   */
  readonly parse: (entry: JsonObject) => Result<Config, readonly Mistake[]>;
}

/** What a deployed Worker runs of a source. */
export interface RunningSource<Config> {
  /** The word after `kind:` in sources.yaml. */
  readonly kind: string;
  /** The secrets that the configuration names. */
  readonly secretNames: (config: Config) => readonly string[];
  /** True when anyone may send to a source configured like this; start-up warns of it. */
  readonly isOpen: (config: Config) => boolean;
  /** Authenticates the request over its raw bytes and turns it into events. `sourceName` is its name in sources.yaml. */
  readonly receive: (
    request: SourceRequest,
    config: Config,
    sourceName: string,
    context: SourceContext,
  ) => Result<Received, Rejection>;
  /**
   * Answers a GET or HEAD, where the vendor asks the address whether it is ours before it sends. Absent: such requests are
   * refused with 405.
   */
  readonly handshake?: (
    head: SourceRequestHead,
    config: Config,
    context: SourceContext,
  ) => Result<HandshakeAnswer, Rejection>;
  /** The status for a request that could not be authenticated, where the vendor insists on one; absent: the problem's own. */
  readonly unauthenticatedStatus?: number;
  /** Requests whose body is over the inline limit, up to LARGE_BODY_BYTES_MAX. Absent: such requests are refused with 413. */
  readonly receiveLarge?: (
    head: SourceRequestHead,
    config: Config,
    sourceName: string,
    context: SourceContext,
  ) => Result<LargeReading, Rejection>;
}

export interface Source<Config> extends SourceEntry<Config>, RunningSource<Config> {}

/** A large request while its body streams by. Nothing of it counts before `finish` has said that it is genuine. */
export interface LargeReading {
  /** Members of the payload that the source's mapping reads, as dotted paths. */
  readonly paths: readonly string[];
  /** Called with each part of the body as it comes over the wire. */
  readonly update: (chunk: Uint8Array) => void;
  /**
   * Called once after the last part. `pruned` is the payload as JSON that holds only what `paths` and the rules name; it is
   * empty where the payload could not be read, and then only a refusal of who sent it counts. Answers one event at most: its
   * body is what streamed by, and the answer's own is not looked at.
   */
  readonly finish: (pruned: Uint8Array) => Result<Received, Rejection>;
}
