/** Whether a delivery may have ended as it did, from what its target remembers and its rule has ever said. */
import type { Delivery } from "../../src/core/delivery.ts";
import type { OnFailure } from "../../src/core/rule.ts";

/** A retryable delivery is tried once, and once more after each of these. */
export const RETRY_DELAYS_MS = [500, 1_000, 2_000, 30_000, 60_000, 300_000];

/** An object's clock may be off by so much. */
const CLOCK_SLACK_MS = 1_000;

/** What a target remembers of one delivery id. */
export interface Seen {
  requests: number;
  successes: number;
  /** Answers that say: never like this. */
  refusals: number;
  inFlight: number;
}

/** What the deployments so far have said of a rule's failures; undefined: it had no order. */
export type Policies = readonly (OnFailure | undefined)[];

/** Whether a failure can be tried again and again, under one of these. */
export function mayRepeat(policies: Policies): boolean {
  return policies.some((policy) => policy?.kind === "block" || policy?.kind === "skip-after");
}

/** What is wrong with an ending; nothing for an open delivery. */
export function endingProblem(
  { id, state, attemptCount, expiresAt, lane }: Delivery,
  seen: Seen | undefined,
  policies: Policies,
): string | undefined {
  const canBe = (kind: OnFailure["kind"]) => policies.some((policy) => policy?.kind === kind);
  if (state.kind === "cancelled" && state.reason === "superseded" && !canBe("latest")) {
    return `${id} was superseded and its rule wants all of them`;
  }
  if (state.kind === "parked" && !canBe("park")) return `${id} is parked and its rule never said so`;
  if (state.kind !== "dead") return undefined;
  const { reason, at } = state;
  const onlyParks = lane !== undefined && policies.every((policy) => policy?.kind === "park");
  switch (reason) {
    case "retries-exhausted":
      if (attemptCount <= RETRY_DELAYS_MS.length) return `${id} was given up after ${attemptCount} attempts`;
      if (onlyParks) return `${id} was given up, and its lane was to stop with it`;
      if (policies.every((policy) => policy?.kind === "block" || policy?.kind === "skip-after"))
        return `${id} was given up, and its schedule has no end`;
      return undefined;
    case "skipped": {
      const least = policies.flatMap((policy) => (policy?.kind === "skip-after" ? policy.failures : []));
      if (!(attemptCount >= Math.min(...least))) return `${id} was skipped after ${attemptCount} attempts`;
      return undefined;
    }
    case "status":
      if ((seen?.refusals ?? 0) === 0) return `${id} counts as refused and its target never refused it`;
      return onlyParks ? `${id} was refused, and its lane was to stop with it` : undefined;
    case "expired-while-held":
      return at < expiresAt - CLOCK_SLACK_MS ? `${id} was held and ended before its time` : undefined;
    case "hop-limit":
    case "expired":
      return undefined;
    case "redirect":
    case "target-gone":
    case "aborted-by-target":
    case "transform-failed":
    case "too-large":
    case "configuration":
    case "body-missing":
      return `${id} is dead for ${reason}, which no target here answers`;
  }
}
