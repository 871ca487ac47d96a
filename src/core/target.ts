/**
 * The contract of a target: an adapter that sends one delivery somewhere. One file in `src/targets/` default-exports one
 * `Target`; the generator finds it. All I/O comes in as arguments, so the same code runs in workerd, in Node and in the simulation.
 */
import type { CloudEvent } from "./event.ts";
import type { Outcome } from "./outcome.ts";
import type { JsonObject, Mistake, Result } from "./result.ts";
import type { TargetLimits } from "./rule.ts";
import type { Hashing } from "./source.ts";

/** What is to be sent: the event, and the body that the rule's transform made of it. */
export interface Shipment {
  /** The delivery's id: sent as `webhook-id`, the same on every attempt. */
  readonly deliveryId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /**
   * The event to send. Untransformed, its body is the payload as received; with a transform, the body is the transform's
   * result and `datacontenttype` says so.
   */
  readonly event: CloudEvent;
  /** The event, or its body, is what the rule's transform made. */
  readonly transformed?: true;
  /** Vendor headers that `raw` format passes on, lower-case names. */
  readonly rawHeaders: Readonly<Record<string, string>>;
  /** The payload is too large for a partition and stands in the body store; the event's own body is null then. */
  readonly large?: LargeBody;
}

/** A body in the body store. */
export interface LargeBody {
  readonly key: string;
  readonly bytes: number;
}

/** What a message only refers to: a body to be stored for it, or one that stands in the body store already. */
export type Claim =
  | { readonly deliveryId: string; readonly contentType: string | undefined; readonly body: Uint8Array }
  | { readonly large: LargeBody };

/** Why there is nothing to refer to: `configuration` will not pass by itself, `unavailable` may. */
export interface ClaimProblem {
  readonly reason: "configuration" | "unavailable";
  readonly detail: string;
}

/** Another Worker of the account: its fetch, and the methods of its entry point. */
export interface ServiceBinding {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly [method: string]: unknown;
}

export interface QueueBinding {
  /** `signal` is for who gathers messages: the platform takes none. */
  readonly send: (
    message: string,
    options: { readonly contentType: "text" | "json"; readonly signal?: AbortSignal },
  ) => Promise<unknown>;
  /** All of them or none (Queues, JavaScript APIs, `sendBatch`). */
  readonly sendBatch?: (messages: readonly QueueMessage[]) => Promise<unknown>;
}

export interface QueueMessage {
  readonly body: string;
  readonly contentType: "text" | "json";
}

/** An event for another bus of this router. */
export interface PipedEvent {
  readonly bus: string;
  /** However often one delivery is tried, the other bus accepts its event once. */
  readonly deliveryId: string;
  readonly event: CloudEvent;
}

/** Why a piped event was not accepted. `detail` is for people. */
export type PipeProblem =
  | { readonly reason: "not-stored"; readonly detail: string; readonly retryAfterMs?: number }
  /** It has passed through Sluice too often: never. */
  | { readonly reason: "hop-limit"; readonly detail: string };

export interface TargetIo {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** A signal that aborts after so many milliseconds, counted from the call. */
  readonly timeoutSignal: (timeoutMs: number) => AbortSignal;
  readonly hashing: Hashing;
  readonly secret: (name: string) => string | undefined;
  readonly queue: (binding: string) => QueueBinding | undefined;
  readonly service: (binding: string) => ServiceBinding | undefined;
  /** The URL at which a consumer gets the body, without a token of its own, for as long as a queue keeps a message. */
  readonly claim: (claim: Claim) => Promise<Result<string, ClaimProblem>>;
  /** A body of the body store from its start; null when it is not there any more. */
  readonly openBody: (key: string) => Promise<ReadableStream<Uint8Array> | null>;
  /** Publishes on another bus; ok once the event is stored there, by this or by an earlier call. */
  readonly publish: (piped: PipedEvent) => Promise<Result<null, PipeProblem>>;
  /** Local mode: replaces the target's URL where its entry has `local:`; undefined when deployed. */
  readonly local: LocalMode | undefined;
}

/** Set only by `npm start`. Allows plain http to this machine, and `local: print` targets. */
export interface LocalMode {
  /** Where `local: print` targets deliver: a small server that prints what arrives. Its path may name the target. */
  readonly printUrl: string;
}

/** A request as `send` would make it, for people to read. Secrets and what is computed from them stand in it by name only. */
export interface Preview {
  /** `POST https://ci.example.com/hooks`, `send to queue AUDIT`, `publish on bus audit`: what is done, and where. */
  readonly action: string;
  /** HTTP only: the method and URL of `action`. */
  readonly method?: string;
  readonly url?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** Of a body that is streamed from the body store, and so not in `body`. */
  readonly bodyBytes?: number;
  /** Why `send` would refuse it before anything leaves: too large for a queue, a header that can't be sent. */
  readonly problem?: string;
}

/** `hashing` and the time are not asked for: a signature would be another one by then. */
export interface PreviewIo {
  readonly local: LocalMode | undefined;
}

/** What only the build needs of a target: how its entry is read. A deployed Worker has the configuration that it made. */
export interface TargetEntry<Config> {
  /** One sentence for listings. */
  readonly summary: string;
  /** The JSON Schema (draft-07) of what `parse` reads: an object with `properties`, each with a description for editors. */
  readonly schema: JsonObject;
  /**
   * Reads the target's entry of targets.yaml, less the keys shared by all targets (`timeout`, `retry`, `max-age`).
   * The entry still holds the kind's own key. Paths of mistakes start at the entry. The configuration is plain JSON, as it is
   * written into the generated rules.
   */
  readonly parse: (entry: JsonObject) => Result<Config, readonly Mistake[]>;
}

/** What a deployed Worker runs of a target. */
export interface RunningTarget<Config> {
  /** The key that names this kind in targets.yaml, as in `{ http: https://… }`. */
  readonly kind: string;
  readonly secretNames: (config: Config) => readonly string[];
  /** Queue bindings that wrangler.toml must have for this target. */
  readonly queueBindings: (config: Config) => readonly string[];
  /**
   * Sends that are under way together leave in one call: those of the same name share the right to wait for an answer
   * (src/bus/slots.ts). Absent: each send is a call of its own.
   */
  readonly sharesSlot?: (config: Config) => string;
  /** Service bindings that wrangler.toml must have for this target. */
  readonly serviceBindings: (config: Config) => readonly string[];
  /** Absolute URLs that it sends to when deployed: none of them may lead back to this router. */
  readonly urls: (config: Config) => readonly string[];
  /** Reasons why this configuration works on a laptop but not deployed, for `npm run deploy`; empty when there are none. */
  readonly localOnly: (config: Config) => readonly string[];
  /**
   * Limits that hold beside those of the rule files, as far as this isolate knows: what the endpoint has allowed. Asked before
   * each attempt, they are the gate's to keep.
   */
  readonly limits?: (config: Config) => TargetLimits | undefined;
  /** What `send` would do with the shipment, without doing any of it. */
  readonly preview: (shipment: Shipment, config: Config, io: PreviewIo) => Preview;
  /** Sends within `timeoutMs`, counted from this call and covering the answer's body. Never throws for what a target does. */
  readonly send: (shipment: Shipment, config: Config, timeoutMs: number, io: TargetIo) => Promise<Outcome>;
}

export interface Target<Config> extends TargetEntry<Config>, RunningTarget<Config> {}
