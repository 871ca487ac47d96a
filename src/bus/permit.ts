/**
 * A permit to send: asked of a target's gate once a slot is held, before the attempt, and ended after it. A target without
 * limits and without a bad record costs no call, unless it answers that it is gone, which its gate must know.
 */
import type { Lease } from "../core/delivery.ts";
import type { Outcome, PermanentReason } from "../core/outcome.ts";
import type { Rate, TargetLimits } from "../core/rule.ts";
import { callGate } from "./gate-call.ts";
import type { Pacer } from "./pacer.ts";
import type { GatePort } from "./gate-ports.ts";
import type { NewsPorts, TargetNews } from "./target-news.ts";

/** A slot does not wait longer for a permit. */
export const PERMIT_WAIT_MS_MAX = 5_000;
/** Kept of the time that is left, for the gate's answer to arrive. */
export const PERMIT_CALL_MS = 250;
/** Without its gate nothing is sent to a target that has limits or a bad record: a limit is a promise. */
export const GATE_LOST_DELAY_MS = 5_000;
/**
 * Who has just ended a request would be the first to ask for the next permit, and keep a target with few of them to itself. So
 * it asks after this share of the time that the request took.
 */
export const YIELD_SHARE = 0.1;
/** For a delivery to a target that is gone: its partition hears with the same settle that it must wait longer. */
export const GONE_DELAY_MS = 1_000;

/** Permanent failures that Sluice finds out by itself: they say nothing of the target. */
const NEVER_SENT: ReadonlySet<PermanentReason> = new Set([
  "transform-failed",
  "too-large",
  "configuration",
  "hop-limit",
  "body-missing",
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

export interface PermitPorts extends NewsPorts {
  /** One for all dispatchers of an isolate. */
  readonly pacer: Pacer;
}

/** Resolves when the moment to send has come. Never throws: a gate out of reach is a reason to hold. */
export async function takePermit(request: PermitRequest, news: TargetNews, ports: PermitPorts): Promise<Permit> {
  const { lease, limits, sendBy } = request;
  const gated = lease.gated === true;
  if (limits === undefined && !gated) {
    return { kind: "granted", counted: false, end: (outcome) => settleGone(outcome, lease, gated, news, ports) };
  }
  const yieldMs = Math.min(news.yieldMs(lease.target), sendBy - ports.now());
  if (yieldMs > 0) await ports.sleep(yieldMs);
  const reply = await callGate(lease.target, (gate) => gate.acquire(describeRequest(request, ports.now())), ports);
  if (reply === undefined) {
    // The answer may only be late, or the question: a permit that nobody uses would stand in the way until the lease's end.
    news.beside(finish("unsent"));
    news.throttle(lease.target, GATE_LOST_DELAY_MS);
    return { kind: "held", delayMs: GATE_LOST_DELAY_MS };
  }
  news.hear(reply, gated);
  if (reply.kind === "denied") {
    news.throttle(lease.target, reply.retryAfterMs);
    return { kind: "held", delayMs: reply.retryAfterMs };
  }
  // A rate's permit is not finished: that there was one is all that tells of room.
  if (!reply.finish) news.granted(lease.target);
  if (reply.waitMs > 0) await ports.sleep(reply.waitMs);
  if (limits?.rate !== undefined) await paceStart(request, limits.rate, ports);
  const startedAt = ports.now();
  return {
    kind: "granted",
    counted: reply.finish,
    async end(outcome) {
      ports.pacer.end(lease.target, ports.now());
      const settled = await settleGone(outcome, lease, gated, news, ports);
      // Not waited for: the settle is more urgent, and a permit that is never finished ends by itself.
      if (!reply.finish) return settled;
      const result = resultOf(outcome);
      news.beside(finish(result));
      const tookMs = ports.now() - startedAt;
      if (result === "succeeded") news.free(lease.target, Math.ceil(tookMs * YIELD_SHARE));
      return settled;
    },
  };

  async function finish(result: Parameters<GatePort["finish"]>[1]): Promise<void> {
    const finished = await callGate(lease.target, (gate) => gate.finish(lease.token, result, lease.target), ports);
    if (finished !== undefined) news.hear(finished, gated);
  }
}

/** Resolves when the isolate may start a request, or when it is too late to. */
async function paceStart({ lease, sendBy }: PermitRequest, rate: Rate, ports: PermitPorts): Promise<void> {
  for (;;) {
    const now = ports.now();
    if (now > sendBy) return;
    const waitMs = ports.pacer.start(lease.target, rate, now);
    if (waitMs === 0) return;
    await ports.sleep(Math.min(waitMs, sendBy - now + 1));
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

/** Whether the attempt got as far as its target. */
export function wasSent(outcome: Outcome): boolean {
  return outcome.kind !== "permanent" || !NEVER_SENT.has(outcome.reason);
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
      return wasSent(outcome) ? "succeeded" : "unsent";
    case "unwanted":
    case "released":
    case "held":
      return "unsent";
  }
}
