/** What dispatchers, partitions and the admin API ask of a target's gate, and what they tell each other of it. */
import type { TargetLimits } from "../core/rule.ts";

/** Attempts of a target since the last record. */
export interface TargetRecord {
  readonly target: string;
  readonly attempts: number;
  readonly failures: number;
}

/** What a target's gate tells partitions about it. */
export interface TargetStatus {
  readonly target: string;
  /** Rises with every change; what comes with a lower one is old news. */
  readonly version: number;
  readonly state: TargetState;
}

export type TargetState =
  /** As the rules say: no permits but for limits. */
  | { readonly kind: "free" }
  /** A permit before each attempt. */
  | { readonly kind: "gated" }
  /** Nothing is sent for so long (null: until somebody resumes it); after that as `gated`, one attempt at a time. */
  | { readonly kind: "held"; readonly reason: HoldReason; readonly forMs: number | null };

export type HoldReason = "breaker" | "paused" | "target-gone";

/** A target's gate: one object per target name. Every call is one commit. */
export interface GatePort {
  readonly acquire: (request: PermitRequest) => Promise<PermitReply>;
  /**
   * Ends a permit whose reply said so. `unsent`: nothing was sent after all; the token has no permit then, nor gets one any
   * more, so it may also be said of one whose reply has not come.
   */
  readonly finish: (token: string, result: "succeeded" | "failed" | "unsent", target: string) => Promise<GateReply>;
  readonly report: (record: TargetRecord) => Promise<GateReply>;
  /** `target-gone`: the target answered 410. */
  readonly pause: (target: string, reason: "paused" | "target-gone") => Promise<GateReply>;
  /** Ends a pause and forgets a bad record. */
  readonly resume: (target: string) => Promise<GateReply>;
  readonly status: (target: string) => Promise<GateReply>;
}

export interface PermitRequest {
  readonly target: string;
  /** The lease's: the same permit is given for the same token. */
  readonly token: string;
  /** As the rules have them now. */
  readonly limits: TargetLimits;
  /** When the permit ends by itself: with the lease. */
  readonly forMs: number;
  /** The longest that the caller can wait before it sends. */
  readonly waitMsMax: number;
}

export type PermitReply =
  /** Send after `waitMs`, not before; call `finish` afterwards when `finish` is true. */
  | {
      readonly kind: "granted";
      readonly waitMs: number;
      readonly finish: boolean;
      readonly status: TargetStatus;
      readonly changed: boolean;
    }
  | {
      readonly kind: "denied";
      readonly retryAfterMs: number;
      readonly status: TargetStatus;
      readonly changed: boolean;
    };

/** `changed`: this call changed the state, and the caller tells the partitions. */
export interface GateReply {
  readonly status: TargetStatus;
  readonly changed: boolean;
}
