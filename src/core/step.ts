/** What comes next for a delivery, decided from what an attempt did. */
import type { DeadReason, Lease, ParkReason } from "./delivery.ts";
import type { CancelReason, Outcome } from "./outcome.ts";
import type { OnFailure } from "./rule.ts";
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
  /** An ordered rule's lane stops here. */
  | { readonly kind: "park"; readonly reason: ParkReason; readonly detail: string }
  | { readonly kind: "dead"; readonly reason: DeadReason; readonly detail: string }
  | { readonly kind: "cancelled"; readonly reason: CancelReason };

/** What the rule files say about failures, as they are now. */
export interface StepPolicy {
  readonly retryDelaysMs: readonly number[];
  /** Of an ordered rule. */
  readonly onFailure?: OnFailure | undefined;
}

/** Decides what an attempt's outcome leads to. */
export function nextStep(
  outcome: Outcome,
  lease: Pick<Lease, "failures" | "expiresInMs" | "ageMs">,
  policy: StepPolicy,
  random: () => number,
): Step {
  switch (outcome.kind) {
    case "delivered":
      return { kind: "delivered" };
    case "permanent":
      return failed(outcome.reason, outcome.detail, policy.onFailure);
    case "unwanted":
      return { kind: "cancelled", reason: outcome.reason };
    case "released":
      return { kind: "release", delayMs: outcome.reason === "older-rules" ? olderRulesDelayMs(lease.ageMs) : 0 };
    case "held":
      return { kind: "release", delayMs: outcome.delayMs };
    case "retryable": {
      const { onFailure, retryDelaysMs } = policy;
      const failures = lease.failures + 1;
      if (onFailure?.kind === "skip-after" && failures >= onFailure.failures) {
        return { kind: "dead", reason: "skipped", detail: `failed ${failures} times; last: ${outcome.detail}` };
      }
      // A lane that waits for this one must not go on only because the schedule is over.
      const repeats = onFailure?.kind === "block" || onFailure?.kind === "skip-after";
      const delayMs = retryDelayMs({
        failures: repeats ? Math.max(1, Math.min(failures, retryDelaysMs.length)) : failures,
        delaysMs: retryDelaysMs,
        retryAfterMs: outcome.retryAfterMs,
        floorMs: retryFloorMs(outcome),
        random: random(),
      });
      if (delayMs === null) {
        return failed("retries-exhausted", outcome.detail, onFailure);
      }
      if (delayMs >= lease.expiresInMs && onFailure?.kind === "park") {
        return failed("retries-exhausted", outcome.detail, onFailure);
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

function failed(reason: ParkReason, detail: string, onFailure: OnFailure | undefined): Step {
  return { kind: onFailure?.kind === "park" ? "park" : "dead", reason, detail };
}

function olderRulesDelayMs(ageMs: number): number {
  return Math.min(Math.max(Math.ceil(ageMs / 2), OLDER_RULES_DELAY_MS), OLDER_RULES_DELAY_MS_MAX);
}
