/**
 * A delivery: one event to one target by one rule. `transition.ts` has every way its state may change.
 *
 *            lease                settle: success
 *   waiting ------> leased ----------------------------> delivered
 *    ^    ^           |  settle: never like this, too old  dead  --- redrive ---> waiting
 *    |    |-----------|  settle: not wanted any more       cancelled
 *    |   settle: retry, release; or the lease ran out
 *    |
 *   queued <--> waiting, parked: places in a lane (`lane.ts`)
 */
import type { Answer, CancelReason, PermanentReason, RetryReason } from "./outcome.ts";
import type { Step } from "./step.ts";

/** What a lease lasts beyond its target's timeout: waiting for a slot before the request, settling after it. */
export const LEASE_MARGIN_MS = 5_000;

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
  /** Absent when the rule has no order. */
  readonly lane?: PlannedLane;
}

/** A delivery's place in its lane: the deliveries of one (rule, target, key), of which one is sent at a time. */
export interface PlannedLane {
  /** Names the lane within its partition. */
  readonly id: string;
  /** Waiting deliveries of the lane give way to this one. */
  readonly latest?: true;
  /** `order: sequence`: the event's number, absent when it has none that counts. */
  readonly sequence?: number;
  /** How long a gap before `sequence` is waited for, from acceptance. */
  readonly gapWaitMs?: number;
}

export interface Delivery extends PlannedDelivery {
  readonly state: DeliveryState;
  readonly expiresAt: number;
  readonly attemptCount: number;
  /** Failed attempts since acceptance or the last re-drive: the position in the retry schedule. */
  readonly failures: number;
  /** Leases in a row that ran out without a settle. */
  readonly lostLeases: number;
  /** What happened to its place in a sequence, in words; absent when nothing did. */
  readonly note?: string;
  /** The newest attempts, oldest first. */
  readonly attempts: readonly Attempt[];
}

export type DeliveryState =
  | { readonly kind: "waiting"; readonly dueAt: number }
  /** Behind others of its lane, or (the first of it) behind a gap until `gapUntil`; due at the earliest at `dueAt`. */
  | { readonly kind: "queued"; readonly dueAt: number; readonly gapUntil?: number }
  | { readonly kind: "leased"; readonly token: string; readonly deadlineAt: number }
  /**
   * Its lane has stopped with it: somebody must re-drive it, or it ends of age. `lane-parked`: the one that stopped the lane
   * has ended of age, and this one keeps its place.
   */
  | {
      readonly kind: "parked";
      readonly at: number;
      readonly reason: ParkReason | "lane-parked";
      readonly detail: string;
    }
  | { readonly kind: "delivered"; readonly at: number }
  | { readonly kind: "dead"; readonly at: number; readonly reason: DeadReason; readonly detail: string }
  | { readonly kind: "cancelled"; readonly at: number; readonly reason: CancelReason };

export type DeadReason = PermanentReason | "retries-exhausted" | "skipped" | "expired" | "expired-while-held";

/** Why a lane stops with a delivery. */
export type ParkReason = PermanentReason | "retries-exhausted";

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
  /** The target's gate must be asked before the attempt, whatever the rules say of it. */
  readonly gated?: true;
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
  /** The target's gate knows of the attempt already. */
  readonly counted?: true;
}

/** One that is in a lane is queued there: the lane tells whether it may go. */
export function newDelivery(planned: PlannedDelivery, now: number): Delivery {
  const gapWaitMs = planned.lane?.gapWaitMs;
  return {
    ...planned,
    state:
      planned.lane === undefined
        ? { kind: "waiting", dueAt: now }
        : { kind: "queued", dueAt: now, ...(gapWaitMs === undefined ? {} : { gapUntil: now + gapWaitMs }) },
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

export function describeLease(
  delivery: Delivery,
  seq: number,
  { token, now, gated }: { readonly token: string; readonly now: number; readonly gated: boolean },
): Lease {
  return {
    ...(gated ? { gated } : {}),
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

export function isOpen(delivery: Delivery): boolean {
  switch (delivery.state.kind) {
    case "waiting":
    case "queued":
    case "leased":
    case "parked":
      return true;
    case "delivered":
    case "dead":
    case "cancelled":
      return false;
  }
}

/** When the delivery next needs somebody: its due time or the end of its lease; null once it has ended. */
export function wakesAt(delivery: Delivery): number | null {
  switch (delivery.state.kind) {
    case "waiting":
      return Math.min(delivery.state.dueAt, delivery.expiresAt);
    case "leased":
      return delivery.state.deadlineAt;
    case "queued":
    case "parked":
      return delivery.expiresAt;
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
