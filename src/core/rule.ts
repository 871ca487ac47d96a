/**
 * What the rule files say, as data: the document that the generator writes and the isolate compiles at start.
 */
import type { Json, JsonObject } from "./result.ts";

export interface SourceDefinition {
  readonly name: string;
  readonly kind: string;
  readonly bus: string;
  /** Bodies may come compressed. */
  readonly gzip?: true;
  /** The entry of sources.yaml less the shared keys, for the source's own `parse`. */
  readonly entry: JsonObject;
}

export interface TargetDefinition {
  readonly name: string;
  readonly kind: string;
  /** The entry of targets.yaml less the shared keys, for the target's own `parse`. */
  readonly entry: JsonObject;
  readonly timeoutMs: number;
  readonly retryDelaysMs: readonly number[];
  readonly maxAgeMs: number;
  /** Absent when the target takes whatever comes. */
  readonly limits?: TargetLimits;
}

/** What a target's gate enforces over all partitions together. */
export interface TargetLimits {
  readonly rate?: Rate;
  /** Requests at one time. */
  readonly concurrency?: number;
}

/** In any window of `periodMs` never more than `limit + burst` requests. */
export interface Rate {
  readonly limit: number;
  readonly periodMs: number;
  /** At least 1. */
  readonly burst: number;
}

export interface RuleDefinition {
  /** `<bus>/<file name without its ending>`: names the rule everywhere, delivery ids included. */
  readonly path: string;
  readonly bus: string;
  readonly description?: string;
  readonly pattern: Json;
  readonly transform?: Json;
  /** Names of targets.yaml, each once. */
  readonly targets: readonly string[];
  readonly mode: RuleMode;
  /** Absent: deliveries don't wait for each other. */
  readonly order?: RuleOrder;
}

/** One delivery of a lane, the deliveries of one (rule, target, key), at a time. */
export interface RuleOrder {
  /** `key`: in the order of acceptance. `sequence`: by the CloudEvents extension `sequence`, waiting for gaps. */
  readonly by: "key" | "sequence";
  readonly onFailure: OnFailure;
  /** With `by: sequence`: how long a missing number is waited for, counted from the acceptance of what waits. */
  readonly gapWaitMs: number;
}

export type OnFailure =
  /** Tried again until delivered or too old; the schedule's last delay repeats. Then dead, and the lane goes on. */
  | { readonly kind: "block" }
  /** Dead after so many failed attempts, and the lane goes on. */
  | { readonly kind: "skip-after"; readonly failures: number }
  /** When its schedule is over, the lane stops with it until somebody re-drives it. */
  | { readonly kind: "park" }
  /** Only the newest waiting delivery of the lane is wanted. */
  | { readonly kind: "latest" };

/** `shadow`: matched and transformed, and what would have gone out is kept with the event; nothing is delivered. */
export type RuleMode = "live" | "shadow" | "off";

/** A definition as a deployed Worker has it: with what its kind made of the entry, in the entry's place. */
export type Running<Definition extends { readonly entry: JsonObject }> = Omit<Definition, "entry"> & {
  readonly config: unknown;
};

/** The rules document as it is generated. */
export interface RunningRules extends Omit<RulesDocument, "sources" | "targets"> {
  readonly sources: readonly Running<SourceDefinition>[];
  readonly targets: readonly Running<TargetDefinition>[];
}

/** Everything in `rules/`, checked. */
export interface RulesDocument {
  /** A hash of the content: two equal documents have the same version wherever they were built. */
  readonly version: string;
  readonly sources: readonly SourceDefinition[];
  readonly targets: readonly TargetDefinition[];
  readonly rules: readonly RuleDefinition[];
}
