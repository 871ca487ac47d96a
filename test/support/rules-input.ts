/** Rules for analyses, without files: a finding's place is told by its rule and path. */
import type { AnalysisInput } from "../../scripts/analysis/analysis.ts";
import { loadRegistry } from "../../scripts/registry.ts";
import type { JsonObject, Mistake } from "../../src/core/result.ts";
import { formatPath } from "../../src/core/result.ts";
import type { RuleDefinition } from "../../src/core/rule.ts";
import type { ProblemPlace } from "../../scripts/places.ts";

const registry = await loadRegistry();

/** `default/push`, or with members that differ from a live rule's. */
export type RuleParts = Pick<RuleDefinition, "pattern" | "targets"> &
  Partial<Pick<RuleDefinition, "mode" | "transform">>;

export interface InputParts {
  readonly rules: Readonly<Record<string, RuleParts>>;
  /** Buses of other kinds of targets are not asked for: `{ ci: {}, audit: { bus: "audit" } }`. */
  readonly targets?: Readonly<Record<string, JsonObject>>;
  /** The kind and the bus of each. */
  readonly sources?: readonly (readonly [kind: string, bus: string])[];
}

export function inputOf({ rules, targets = {}, sources = [["github", "default"]] }: InputParts): AnalysisInput {
  const place =
    (what: string) =>
    (name: string, { path }: Pick<Mistake, "path">): ProblemPlace => ({
      file: `${what} ${name}: ${formatPath(path)}`,
      line: 1,
      column: 1,
    });
  return {
    registry,
    places: { ofRule: place("rule"), ofSource: place("source"), ofTarget: place("target") },
    document: {
      version: "test",
      sources: sources.map(([kind, bus], index) => ({ name: `s${index}`, kind, bus, entry: {} })),
      targets: Object.entries(targets).map(([name, entry]) => ({
        name,
        kind: Object.hasOwn(entry, "bus") ? "bus" : Object.hasOwn(entry, "queue") ? "queue" : "http",
        entry,
        timeoutMs: 1_000,
        retryDelaysMs: [],
        maxAgeMs: 1_000,
      })),
      rules: Object.entries(rules).map(([path, parts]) => ({
        path,
        bus: path.slice(0, path.indexOf("/")),
        mode: "live",
        ...parts,
      })),
    },
  };
}
