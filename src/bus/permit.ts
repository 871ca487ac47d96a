/**
 * A permit to send: asked of a target's gate once a slot is held, before the attempt, and ended after it. A target without
 * limits and without a bad record costs no call, unless it answers that it is gone, which its gate must know.
 */
import type { Lease } from "../core/delivery.ts";
import type { Outcome, PermanentReason } from "../core/outcome.ts";
import type { TargetLimits } from "../core/rule.ts";
import { callGate } from "./gate-call.ts";
import type { GatePort } from "./ports.ts";
import type { NewsPorts, TargetNews } from "./target-news.ts";

/** A slot does not wait longer for a permit. */
export const PERMIT_WAIT_MS_MAX = 5_000;
/** Kept of the time that is left, for the gate's answer to arrive. */
export const PERMIT_CALL_MS = 250;
/** Without its gate nothing is sent to a target that has limits or a bad record: a limit is a promise. */
export const GATE_LOST_DELAY_MS = 5_000;
/** For a delivery to a target that is gone: its partition hears with the same settle that it must wait longer. */
export const GONE_DELAY_MS = 1_000;

/** Permanent failures that Sluice finds out by itself: they say nothing of the target. */
const NEVER_SENT: ReadonlySet<PermanentReason> = new Set([
  "transform-failed",
  "too-large",
  "configuration",
  "hop-limit",
]);

export interface PermitRequest {
  readonly lease: Lease;
  /** As the rules have them now. */
  readonly limits: TargetLimits | undefined;
  /** The last moment at which the request may start. */
  readonly sendBy: number;
  /** When the lease ends. */
  readonly endsAt: number;
}

export type Permit =
  /**
   * Send now. `end` takes what came of it, once, and answers what it comes to for the delivery. `counted`: the gate counts the
   * attempt by that, so the partition must not.
   */
  | { readonly kind: "granted"; readonly counted: boolean; readonly end: (outcome: Outcome) => Promise<Outcome> }
  | { readonly kind: "held"; readonly delayMs: number };

/** Resolves when the moment to send has come. Never throws: a gate out of reach is a reason to hold. */
export async function takePermit(request: PermitRequest, news: TargetNews, ports: NewsPorts): Promise<Permit> {
  const { lease, limits } = request;
  const gated = lease.gated === true;
  if (limits === undefined && !gated) {
    return { kind: "granted", counted: false, end: (outcome) => settleGone(outcome, lease, gated, news, ports) };
  }
  const reply = await callGate(lease.target, (gate) => gate.acquire(describeRequest(request, ports.now())), ports);
  if (reply === undefined) {
    news.throttle(lease.target, GATE_LOST_DELAY_MS);
    return { kind: "held", delayMs: GATE_LOST_DELAY_MS };
  }
  news.hear(reply, gated);
  if (reply.kind === "denied") {
    news.throttle(lease.target, reply.retryAfterMs);
    return { kind: "held", delayMs: reply.retryAfterMs };
  }
  if (reply.waitMs > 0) await ports.sleep(reply.waitMs);
  return {
    kind: "granted",
    counted: reply.finish,
    async end(outcome) {
      const settled = await settleGone(outcome, lease, gated, news, ports);
      // Not waited for: the settle is more urgent, and a permit that is never finished ends by itself.
      if (!reply.finish) return settled;
      const result = resultOf(outcome);
      news.beside(finish(result));
      if (result === "succeeded") news.free(lease.target);
      return settled;
    },
  };

  async function finish(result: Parameters<GatePort["finish"]>[1]): Promise<void> {
    const finished = await callGate(lease.target, (gate) => gate.finish(lease.token, result), ports);
    if (finished !== undefined) news.hear(finished, gated);
  }
}

function describeRequest({ lease, limits, sendBy, endsAt }: PermitRequest, now: number) {
  const waitMsMax = Math.max(0, Math.min(sendBy - now - PERMIT_CALL_MS, PERMIT_WAIT_MS_MAX));
  return { target: lease.target, token: lease.token, limits: limits ?? {}, forMs: endsAt - now, waitMsMax };
}

/** A target that says it is gone is paused, and the delivery waits for a person; every other outcome stays as it is. */
async function settleGone(
  outcome: Outcome,
  { target }: Lease,
  gated: boolean,
  news: TargetNews,
  ports: NewsPorts,
): Promise<Outcome> {
  if (outcome.kind !== "permanent" || outcome.reason !== "target-gone") return outcome;
  const paused = await callGate(target, (gate) => gate.pause(target, "target-gone"), ports);
  if (paused === undefined) {
    const { detail, answer } = outcome;
    return { kind: "retryable", reason: "status", detail, ...(answer === undefined ? {} : { answer }) };
  }
  news.hear(paused, gated);
  return { kind: "held", delayMs: GONE_DELAY_MS };
}

/** What the attempt says of its target. */
function resultOf(outcome: Outcome): "succeeded" | "failed" | "unsent" {
  switch (outcome.kind) {
    case "delivered":
      return "succeeded";
    case "retryable":
      return "failed";
    case "permanent":
      if (outcome.reason === "target-gone") return "failed";
      return NEVER_SENT.has(outcome.reason) ? "unsent" : "succeeded";
    case "unwanted":
    case "released":
    case "held":
      return "unsent";
  }
}
