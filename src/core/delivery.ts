/**
 * A delivery: one event to one target by one rule, and every way its state may change. The partition stores what these
 * functions return; it decides nothing itself.
 *
 *            lease                settle: success
 *   waiting ------> leased ----------------------------> delivered
 *      ^              |  settle: never like this, too old  dead  --- redrive ---> waiting
 *      |--------------|  settle: not wanted any more       cancelled
 *   settle: retry, release; or the lease ran out
 */
import type { Answer, CancelReason, PermanentReason, RetryReason } from "./outcome.ts";
import type { Step } from "./step.ts";

/** Attempts kept with a delivery; older ones give way, their number stays in `attemptCount`. */
export const ATTEMPTS_KEPT_MAX = 20;
/** What a lease lasts beyond its target's timeout: waiting for a slot before the request, settling after it. */
export const LEASE_MARGIN_MS = 5_000;
/** A lease that ran out once is taken up at once; from the second time on it waits, doubling from this to the maximum. */
const LOST_DELAY_MS = 1_000;
const LOST_DELAY_MS_MAX = 300_000;

/** Which rules a decision was made under: a content hash, and when that content was uploaded (milliseconds). */
export interface RulesVersion {
  readonly hash: string;
  readonly deployedAt: number;
}

/** What publish plans: a delivery that does not exist yet. */
export interface PlannedDelivery {
  readonly id: string;
  /** The rule's path, `<bus>/<name>`. */
  readonly rule: string;
  /** The target's name. */
  readonly target: string;
  readonly timeoutMs: number;
  /** From acceptance (or re-drive) to giving up. */
  readonly maxAgeMs: number;
}

export interface Delivery extends PlannedDelivery {
  readonly state: DeliveryState;
  readonly expiresAt: number;
  readonly attemptCount: number;
  /** Failed attempts since acceptance or the last re-drive: the position in the retry schedule. */
  readonly failures: number;
  /** Leases in a row that ran out without a settle. */
  readonly lostLeases: number;
  /** The newest attempts, oldest first. */
  readonly attempts: readonly Attempt[];
}

export type DeliveryState =
  | { readonly kind: "waiting"; readonly dueAt: number }
  | { readonly kind: "leased"; readonly token: string; readonly deadlineAt: number }
  | { readonly kind: "delivered"; readonly at: number }
  | { readonly kind: "dead"; readonly at: number; readonly reason: DeadReason; readonly detail: string }
  | { readonly kind: "cancelled"; readonly at: number; readonly reason: CancelReason };

export type DeadReason = PermanentReason | "retries-exhausted" | "expired";

export interface Attempt {
  /** The lease's token: an attempt that is reported twice, or after its lease was given up, is still one attempt. */
  readonly token: string;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly outcome: "delivered" | "retryable" | "permanent" | "lost";
  readonly reason?: RetryReason | PermanentReason;
  readonly detail?: string;
  readonly answer?: Answer;
  /** Hash of the rules that the attempt ran under; absent when the lease was lost. */
  readonly rules?: string;
}

/** The right to make one attempt. Times are spans, not instants: the holder's clock is not the partition's. */
export interface Lease {
  readonly seq: number;
  readonly deliveryId: string;
  readonly rule: string;
  readonly target: string;
  readonly token: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly failures: number;
  /** The target's timeout that the lease was made for; the target may have another one by now. */
  readonly timeoutMs: number;
  /** How long the lease lasts, counted from before it was asked for. */
  readonly leaseMs: number;
  readonly expiresInMs: number;
  /** Since acceptance or the last re-drive. */
  readonly ageMs: number;
}

/** What a lease's holder reports. */
export interface Settlement {
  readonly seq: number;
  readonly deliveryId: string;
  readonly token: string;
  readonly step: Step;
  /** The target's timeout, where it no longer is what the lease was made for. */
  readonly timeoutMs?: number;
  /** Absent when nothing was sent. */
  readonly attempt?: Attempt;
}

export function newDelivery(planned: PlannedDelivery, now: number): Delivery {
  return {
    ...planned,
    state: { kind: "waiting", dueAt: now },
    expiresAt: now + planned.maxAgeMs,
    attemptCount: 0,
    failures: 0,
    lostLeases: 0,
    attempts: [],
  };
}

/** Lends the delivery out for one attempt. Only a waiting delivery that is due may be lent. */
export function leaseDelivery(delivery: Delivery, token: string, now: number): Delivery {
  const deadlineAt = now + delivery.timeoutMs + LEASE_MARGIN_MS;
  return { ...delivery, state: { kind: "leased", token, deadlineAt } };
}

export function describeLease(delivery: Delivery, seq: number, token: string, now: number): Lease {
  return {
    seq,
    deliveryId: delivery.id,
    rule: delivery.rule,
    target: delivery.target,
    token,
    attempt: delivery.attemptCount + 1,
    failures: delivery.failures,
    timeoutMs: delivery.timeoutMs,
    leaseMs: delivery.timeoutMs + LEASE_MARGIN_MS,
    expiresInMs: delivery.expiresAt - now,
    ageMs: Math.max(0, delivery.maxAgeMs - (delivery.expiresAt - now)),
  };
}

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
    const open = delivery.state.kind === "waiting" || delivery.state.kind === "leased";
    if (open && step.kind === "delivered") return { ...recorded, state: { kind: "delivered", at: now } };
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
    case "dead":
      return { ...recorded, state: { kind: "dead", at: now, reason: step.reason, detail: step.detail } };
    case "cancelled":
      return { ...recorded, state: { kind: "cancelled", at: now, reason: step.reason } };
  }
}

/**
 * Brings a delivery up to date with the clock: a lease that ran out is waiting again (the attempt may have happened, nobody
 * knows), and a waiting delivery past its maximum age is dead.
 */
export function advanceDelivery(delivery: Delivery, now: number): Delivery {
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
  if (current.state.kind === "waiting" && current.expiresAt <= now) {
    const last = current.attempts.at(-1)?.detail;
    const detail = last === undefined ? "never attempted" : `last: ${last}`;
    return { ...current, state: { kind: "dead", at: now, reason: "expired", detail } };
  }
  return current;
}

/** Opens a dead delivery again, from the start of its retry schedule. The id stays, so receivers can still deduplicate. */
export function redriveDelivery(delivery: Delivery, now: number): Delivery {
  if (delivery.state.kind !== "dead") return delivery;
  return {
    ...delivery,
    state: { kind: "waiting", dueAt: now },
    expiresAt: now + delivery.maxAgeMs,
    failures: 0,
    lostLeases: 0,
  };
}

export function isOpen(delivery: Delivery): boolean {
  return delivery.state.kind === "waiting" || delivery.state.kind === "leased";
}

/** When the delivery next needs somebody: its due time or the end of its lease; null once it has ended. */
export function wakesAt(delivery: Delivery): number | null {
  switch (delivery.state.kind) {
    case "waiting":
      return Math.min(delivery.state.dueAt, delivery.expiresAt);
    case "leased":
      return delivery.state.deadlineAt;
    case "delivered":
    case "dead":
    case "cancelled":
      return null;
  }
}

/** An event's status, from those of its deliveries. */
export type EventStatus = "unmatched" | "pending" | "delivered" | "dead" | "cancelled";

export function eventStatus(deliveries: readonly Delivery[]): EventStatus {
  if (deliveries.length === 0) return "unmatched";
  if (deliveries.some(isOpen)) return "pending";
  if (deliveries.some((delivery) => delivery.state.kind === "dead")) return "dead";
  if (deliveries.every((delivery) => delivery.state.kind === "cancelled")) return "cancelled";
  return "delivered";
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
