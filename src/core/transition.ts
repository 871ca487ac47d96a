/**
 * How a delivery's state changes: by what a lease's holder reports, by the clock, and by somebody who opens it again. The
 * partition stores what these functions return; it decides nothing itself.
 */
import type { Attempt, Delivery, DeliveryState, PlannedDelivery, Settlement } from "./delivery.ts";
import { isOpen, LEASE_MARGIN_MS } from "./delivery.ts";
import type { LaneChange } from "./lane.ts";

/** Attempts kept with a delivery; older ones give way, their number stays in `attemptCount`. */
export const ATTEMPTS_KEPT_MAX = 20;
/** A lease that ran out once is taken up at once; from the second time on it waits, doubling from this to the maximum. */
const LOST_DELAY_MS = 1_000;
const LOST_DELAY_MS_MAX = 300_000;

/**
 * Applies what a lease's holder reports. The token fences: only the holder of the current lease moves the delivery, with one
 * exception, a late success, which ends a delivery that has not ended. Anything else late is recorded as an attempt only.
 */
export function settleDelivery(delivery: Delivery, settlement: Settlement, now: number): Delivery {
  const { step } = settlement;
  const holds = delivery.state.kind === "leased" && delivery.state.token === settlement.token;
  const attempted = recordAttempt(delivery, settlement.attempt);
  const recorded =
    holds && settlement.timeoutMs !== undefined ? { ...attempted, timeoutMs: settlement.timeoutMs } : attempted;
  if (!holds) {
    if (isOpen(delivery) && step.kind === "delivered") return { ...recorded, state: { kind: "delivered", at: now } };
    return recorded;
  }
  switch (step.kind) {
    case "delivered":
      return { ...recorded, lostLeases: 0, state: { kind: "delivered", at: now } };
    case "retry":
      return {
        ...recorded,
        lostLeases: 0,
        failures: delivery.failures + 1,
        state: { kind: "waiting", dueAt: now + step.delayMs },
      };
    case "release":
      return { ...recorded, lostLeases: 0, state: { kind: "waiting", dueAt: now + step.delayMs } };
    case "park":
    case "dead": {
      const { reason, detail } = step;
      // A delivery from before its rule had an order has no lane to stop.
      if (step.kind === "park" && delivery.lane !== undefined) {
        return { ...recorded, state: { kind: "parked", at: now, reason: step.reason, detail } };
      }
      return { ...recorded, state: { kind: "dead", at: now, reason, detail } };
    }
    case "cancelled":
      return { ...recorded, state: { kind: "cancelled", at: now, reason: step.reason } };
  }
}

/**
 * Brings a delivery up to date with the clock: a lease that ran out is waiting again (the attempt may have happened, nobody
 * knows), and one past its maximum age is dead. `heldBecause` says why its target gets nothing at present, if so.
 */
export function advanceDelivery(delivery: Delivery, now: number, heldBecause?: string): Delivery {
  let current = delivery;
  if (current.state.kind === "leased" && current.state.deadlineAt <= now) {
    const lostLeases = current.lostLeases + 1;
    const delayMs = lostLeases === 1 ? 0 : Math.min(LOST_DELAY_MS * 2 ** (lostLeases - 2), LOST_DELAY_MS_MAX);
    const startedAt = current.state.deadlineAt - current.timeoutMs - LEASE_MARGIN_MS;
    const lost: Attempt = {
      token: current.state.token,
      startedAt,
      durationMs: current.state.deadlineAt - startedAt,
      outcome: "lost",
    };
    current = { ...recordAttempt(current, lost), lostLeases, state: { kind: "waiting", dueAt: now + delayMs } };
  }
  if (current.state.kind === "leased" || !isOpen(current) || current.expiresAt > now) return current;
  const last = current.attempts.at(-1)?.detail;
  const attempted = last === undefined ? "never attempted" : `last: ${last}`;
  const held = heldWords(current.state, heldBecause);
  const reason = held === undefined ? "expired" : "expired-while-held";
  const detail = held === undefined ? attempted : `${held}; ${attempted}`;
  return { ...current, state: { kind: "dead", at: now, reason, detail } };
}

function heldWords(state: DeliveryState, heldBecause: string | undefined): string | undefined {
  if (state.kind === "queued") return "it waited behind others of its lane";
  if (state.kind === "parked") return `its lane was parked: ${state.detail}`;
  return heldBecause === undefined ? undefined : `its target was held: ${heldBecause}`;
}

/** Gives a delivery the place in its lane that `arrangeLane` has found for it. */
export function moveInLane(delivery: Delivery, change: LaneChange, now: number): Delivery {
  switch (change.to) {
    case "waiting": {
      const state = { kind: "waiting", dueAt: change.dueAt } as const;
      if (delivery.attemptCount > 0) return { ...delivery, state };
      // What was so when it came up before need not be so now: it was not sent then.
      const { note: _before, ...unsent } = delivery;
      return { ...unsent, state, ...(change.note === undefined ? {} : { note: change.note }) };
    }
    case "queued":
      return { ...delivery, state: { kind: "queued", dueAt: change.dueAt } };
    case "parked": {
      const detail = "the one before it had stopped the lane, and grew too old";
      return { ...delivery, state: { kind: "parked", at: now, reason: "lane-parked", detail } };
    }
    case "superseded":
      return { ...delivery, state: { kind: "cancelled", at: now, reason: "superseded" } };
  }
}

/** Opens a dead or parked delivery again, from the start of its retry schedule. The id stays, so receivers can deduplicate. */
export function redriveDelivery(delivery: Delivery, now: number): Delivery {
  return delivery.state.kind === "dead" || delivery.state.kind === "parked" ? reopen(delivery, now) : delivery;
}

/**
 * The same for an event that its sender delivers again on request, where `planned` is what the rules want of it now: one that
 * was cancelled is wanted again too, unless a newer event has replaced it. One that had ended is delivered as planned now;
 * one that is parked keeps its place in its lane.
 */
export function redeliver(delivery: Delivery, planned: PlannedDelivery, now: number): Delivery {
  const { state } = delivery;
  if (state.kind === "parked") return redriveDelivery(delivery, now);
  const isWanted = state.kind === "dead" || (state.kind === "cancelled" && state.reason !== "superseded");
  if (!isWanted) return delivery;
  const { lane: _before, ...rest } = delivery;
  const { timeoutMs, maxAgeMs, lane } = planned;
  return reopen({ ...rest, timeoutMs, maxAgeMs, ...(lane === undefined ? {} : { lane }) }, now);
}

function reopen(delivery: Delivery, now: number): Delivery {
  return {
    ...delivery,
    state: { kind: "waiting", dueAt: now },
    expiresAt: now + delivery.maxAgeMs,
    failures: 0,
    lostLeases: 0,
  };
}

function recordAttempt(delivery: Delivery, attempt: Attempt | undefined): Delivery {
  if (attempt === undefined) return delivery;
  const known = delivery.attempts.findIndex((each) => each.token === attempt.token);
  if (known !== -1) {
    if (delivery.attempts[known]?.outcome !== "lost" || attempt.outcome === "lost") return delivery;
    return { ...delivery, attempts: delivery.attempts.with(known, attempt) };
  }
  // Only the newest attempts keep the answer's text, so that a row with many deliveries stays under the platform's 2 MB.
  const earlier = delivery.attempts.slice(-(ATTEMPTS_KEPT_MAX - 1)).map(withoutAnswerBody);
  return { ...delivery, attemptCount: delivery.attemptCount + 1, attempts: [...earlier, attempt] };
}

function withoutAnswerBody(attempt: Attempt): Attempt {
  if (attempt.answer?.body === undefined) return attempt;
  const { body: _dropped, ...answer } = attempt.answer;
  return { ...attempt, answer };
}
