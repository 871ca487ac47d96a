/** What is kept and logged of an attempt. */
import type { Attempt, Lease, Settlement } from "../core/delivery.ts";
import type { Outcome } from "../core/outcome.ts";
import type { DispatchPorts } from "./dispatch.ts";
import type { StoredEvent } from "./ports.ts";

/** The attempt as it is kept with the delivery; undefined when nothing was sent. */
export function toAttempt(
  outcome: Outcome,
  lease: Lease,
  startedAt: number,
  durationMs: number,
  rules: string,
): Attempt | undefined {
  const base = { token: lease.token, startedAt, durationMs, rules };
  switch (outcome.kind) {
    case "delivered":
      return { ...base, outcome: "delivered", ...withIgnoredReply(outcome), ...withAnswer(outcome) };
    case "retryable":
    case "permanent":
      return { ...base, outcome: outcome.kind, reason: outcome.reason, detail: outcome.detail, ...withAnswer(outcome) };
    case "unwanted":
    case "released":
    case "held":
      return undefined;
  }
}

/** The detail of an attempt that delivered: what it did not lead to. */
function withIgnoredReply({ ignoredReply }: { readonly ignoredReply?: string }): { readonly detail?: string } {
  return ignoredReply === undefined ? {} : { detail: ignoredReply };
}

function withAnswer(outcome: { readonly answer?: Attempt["answer"] }): {
  readonly answer?: NonNullable<Attempt["answer"]>;
} {
  return outcome.answer === undefined ? {} : { answer: outcome.answer };
}

export function logAttempt(
  ports: Pick<DispatchPorts, "log" | "rulesVersion">,
  lease: Lease,
  event: StoredEvent,
  outcome: Outcome,
  settlement: Settlement,
  durationMs: number,
): void {
  ports.log("delivery.attempted", {
    delivery: lease.deliveryId,
    rule: lease.rule,
    target: lease.target,
    attempt: lease.attempt,
    eventId: event.attributes.id,
    eventType: event.attributes.type,
    outcome: outcome.kind,
    ...("reason" in outcome ? { reason: outcome.reason } : {}),
    ...("answer" in outcome && outcome.answer !== undefined ? { status: outcome.answer.status } : {}),
    next: settlement.step.kind,
    ...("delayMs" in settlement.step ? { delayMs: settlement.step.delayMs } : {}),
    durationMs,
    rules: ports.rulesVersion.hash,
  });
}
