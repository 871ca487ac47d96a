/** What comes next for a delivery, decided from what an attempt did. */
import type { DeadReason, Lease } from "./delivery.ts";
import type { CancelReason, Outcome } from "./outcome.ts";
import { retryDelayMs, retryFloorMs } from "./retry.ts";

/**
 * A dispatcher whose rules are older than the delivery's leaves it alone, for a newer one to come: half as long as the
 * delivery has waited so far, within these bounds. A change of deployments takes seconds; a rollback lasts.
 */
export const OLDER_RULES_DELAY_MS = 5_000;
export const OLDER_RULES_DELAY_MS_MAX = 300_000;
export type Step =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "release"; readonly delayMs: number }
  | { readonly kind: "dead"; readonly reason: DeadReason; readonly detail: string }
  | { readonly kind: "cancelled"; readonly reason: CancelReason };

/** Decides what an attempt's outcome leads to. */
export function nextStep(
  outcome: Outcome,
  lease: Pick<Lease, "failures" | "expiresInMs" | "ageMs">,
  policy: { readonly retryDelaysMs: readonly number[] },
  random: () => number,
): Step {
  switch (outcome.kind) {
    case "delivered":
      return { kind: "delivered" };
    case "permanent":
      return { kind: "dead", reason: outcome.reason, detail: outcome.detail };
    case "unwanted":
      return { kind: "cancelled", reason: outcome.reason };
    case "released":
      return { kind: "release", delayMs: outcome.reason === "older-rules" ? olderRulesDelayMs(lease.ageMs) : 0 };
    case "retryable": {
      const delayMs = retryDelayMs({
        failures: lease.failures + 1,
        delaysMs: policy.retryDelaysMs,
        retryAfterMs: outcome.retryAfterMs,
        floorMs: retryFloorMs(outcome),
        random: random(),
      });
      if (delayMs === null) {
        return { kind: "dead", reason: "retries-exhausted", detail: outcome.detail };
      }
      if (delayMs >= lease.expiresInMs) {
        return {
          kind: "dead",
          reason: "expired",
          detail: `the next retry would be past the maximum age; last: ${outcome.detail}`,
        };
      }
      return { kind: "retry", delayMs };
    }
  }
}

function olderRulesDelayMs(ageMs: number): number {
  return Math.min(Math.max(Math.ceil(ageMs / 2), OLDER_RULES_DELAY_MS), OLDER_RULES_DELAY_MS_MAX);
}
