/**
 * What the rule files say, as data: the document that the generator writes and the isolate compiles at start.
 */
import type { Json, JsonObject } from "./result.ts";

export interface SourceDefinition {
  readonly name: string;
  readonly kind: string;
  readonly bus: string;
  /** The entry of sources.yaml less `kind` and `bus`, for the source's own `parse`. */
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
}

export type RuleMode = "live" | "off";

/** Everything in `rules/`, checked. */
export interface RulesDocument {
  /** A hash of the content: two equal documents have the same version wherever they were built. */
  readonly version: string;
  readonly sources: readonly SourceDefinition[];
  readonly targets: readonly TargetDefinition[];
  readonly rules: readonly RuleDefinition[];
}
