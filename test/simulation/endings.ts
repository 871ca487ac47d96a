/** Whether a delivery may have ended as it did, from what its target remembers. */
import type { Delivery } from "../../src/core/delivery.ts";

/** A retryable delivery is tried once, and once more after each of these. */
export const RETRY_DELAYS_MS = [500, 1_000, 2_000, 30_000, 60_000, 300_000];

/** What a target remembers of one delivery id. */
export interface Seen {
  requests: number;
  successes: number;
  /** Answers that say: never like this. */
  refusals: number;
  inFlight: number;
}

/** What is wrong with an ending; nothing for an open delivery. */
export function endingProblem({ id, state, attemptCount }: Delivery, seen: Seen | undefined): string | undefined {
  if (state.kind === "delivered" && (seen?.successes ?? 0) === 0) {
    return `${id} counts as delivered and its target never took it`;
  }
  if (state.kind !== "dead") return undefined;
  if (state.reason === undefined) return `${id} is dead without a reason`;
  if (state.reason === "retries-exhausted" && attemptCount <= RETRY_DELAYS_MS.length) {
    return `${id} was given up after ${attemptCount} attempts`;
  }
  if (state.reason === "status" && (seen?.refusals ?? 0) === 0) {
    return `${id} counts as refused and its target never refused it`;
  }
  return undefined;
}
