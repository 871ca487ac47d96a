/** What an ordered rule and its targets say that is right in itself and yet has no effect together. */
import { formatDuration } from "../src/core/read-object.ts";
import type { Mistake } from "../src/core/result.ts";
import type { RuleDefinition, TargetDefinition } from "../src/core/rule.ts";

/** Warnings about the rule, their paths from its file's root. Targets that it names and `targets` lacks count as fine. */
export function orderWarnings(rule: RuleDefinition, targets: readonly TargetDefinition[]): readonly Mistake[] {
  if (rule.order === undefined) return [];
  const { by, onFailure, gapWaitMs } = rule.order;
  return targets
    .filter(({ name }) => rule.targets.includes(name))
    .flatMap(({ name, retryDelaysMs, maxAgeMs }): readonly Mistake[] => [
      ...(onFailure.kind === "skip-after" && onFailure.failures > 1 && retryDelaysMs.length === 0
        ? [
            {
              path: ["on_failure"],
              message: `the target ${name} has retry: none, so its deliveries end with the first failure`,
            },
          ]
        : []),
      ...(by === "sequence" && maxAgeMs <= gapWaitMs
        ? [
            {
              path: ["order"],
              message: `the target ${name} has max-age: ${formatDuration(maxAgeMs)}, so what waits ${formatDuration(gapWaitMs)} for a gap is dead before it goes on`,
            },
          ]
        : []),
    ]);
}
