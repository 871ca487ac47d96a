/** What one attempt did. A target's `send` returns it; `core/delivery.ts` decides from it what comes next. */
import type { CloudEvent } from "./event.ts";

export type Outcome =
  /** `ignoredReply`: why the CloudEvent in its answer is not published, in words. */
  | { readonly kind: "delivered"; readonly answer?: Answer; readonly reply?: Reply; readonly ignoredReply?: string }
  /** Not this time: the same attempt may succeed later. */
  | {
      readonly kind: "retryable";
      readonly reason: RetryReason;
      readonly detail: string;
      readonly retryAfterMs?: number;
      readonly answer?: Answer;
    }
  /** Never like this: the delivery is dead at once, and a re-drive may follow a repair. */
  | { readonly kind: "permanent"; readonly reason: PermanentReason; readonly detail: string; readonly answer?: Answer }
  /** The rule or the target no longer wants it. */
  | { readonly kind: "unwanted"; readonly reason: CancelReason }
  /** Nothing was sent: no time or no slot was left, or this dispatcher's rules are older than the delivery's. */
  | { readonly kind: "released"; readonly reason: "out-of-time" | "older-rules" }
  /** Its gate did not let it pass, or the target went away: wait, without counting it as a failure. */
  | { readonly kind: "held"; readonly delayMs: number };

export type RetryReason = "status" | "timeout" | "network" | "queue" | "service" | "reply" | "bus";

export type PermanentReason =
  | "status"
  | "redirect"
  | "target-gone"
  | "aborted-by-target"
  | "transform-failed"
  | "too-large"
  /** The event's large body is not in the body store any more. */
  | "body-missing"
  | "configuration"
  | "hop-limit";

export type CancelReason = "rule-removed" | "rule-off" | "rule-shadow" | "target-removed" | "superseded";

/** A CloudEvent that a target answered with: to be published on the rule's bus before the delivery counts as delivered. */
export interface Reply {
  readonly event: CloudEvent;
}

/** What a target answered, bounded: kept with the attempt so that a person can see why. */
export interface Answer {
  readonly status: number;
  /** The start of the body as text, at most ANSWER_BYTES_MAX bytes of it. */
  readonly body?: string;
  /** For a redirect: where it pointed. */
  readonly location?: string;
}
