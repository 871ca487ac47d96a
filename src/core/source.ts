/**
 * The contract of a source: an adapter from a vendor's webhook to CloudEvents. One file in `src/sources/` default-exports
 * one `Source`; the generator finds it. A source does no I/O: time and hashing come in as arguments.
 */
import type { CloudEvent, Fingerprint, Sha256 } from "./event.ts";
import type { Rejection } from "./rejection.ts";
import type { JsonObject, Mistake, Result } from "./result.ts";

/** The hash functions that authentication needs, over raw bytes. */
export interface Hashing {
  readonly sha256: Sha256;
  readonly hmacSha256: (key: Uint8Array | string, data: Uint8Array | string) => Uint8Array;
  /** True when both have the same bytes, in a time that tells nothing of where they differ; unequal lengths are unequal. */
  readonly equalBytes: (a: Uint8Array, b: Uint8Array) => boolean;
}

/** A request with its body read. `body` is exactly what came over the wire. */
export interface SourceRequest {
  readonly headers: Headers;
  readonly body: Uint8Array;
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
}

/** What a request turned out to be. `batch` decides whether the answer is one receipt or an array of them. */
export interface Received {
  readonly events: readonly ReceivedEvent[];
  readonly batch: boolean;
  /** Names of the secrets that the request's signature or token is right by; absent where the source is open. */
  readonly verifiedBy?: readonly string[];
}

export interface Source<Config> {
  /** The word after `kind:` in sources.yaml. */
  readonly kind: string;
  /** One sentence for listings. */
  readonly summary: string;
  /** The JSON Schema (draft-07) of what `parse` reads: an object with `properties`, each with a description for editors. */
  readonly schema: JsonObject;
  /** Reads the source's entry of sources.yaml, less `kind` and `bus`. Paths of mistakes start at the entry. */
  readonly parse: (entry: JsonObject) => Result<Config, readonly Mistake[]>;
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
}
