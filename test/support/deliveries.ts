/** Deliveries, leases and settlements as tests make them. */
import type { Attempt, Delivery, Lease, PlannedDelivery, Settlement } from "../../src/core/delivery.ts";
import type { Step } from "../../src/core/step.ts";
import { newDelivery } from "../../src/core/delivery.ts";

export const PLANNED: PlannedDelivery = {
  id: "dlv_1",
  rule: "default/all",
  target: "ci",
  timeoutMs: 15_000,
  maxAgeMs: 3_600_000,
};

export function plannedFor(target: string, changes: Partial<PlannedDelivery> = {}): PlannedDelivery {
  return { ...PLANNED, id: `dlv_${target}`, target, ...changes };
}

export function attemptWith(token: string, changes: Partial<Attempt> = {}): Attempt {
  return {
    token,
    startedAt: 0,
    durationMs: 10,
    outcome: "retryable",
    reason: "status",
    detail: "503",
    rules: "v1",
    ...changes,
  };
}

export function deliveryWith(changes: Partial<Delivery> = {}, now = 0): Delivery {
  return { ...newDelivery(PLANNED, now), ...changes };
}

/** What a lease's holder reports: with an attempt, unless the step says that nothing was sent. */
export function settlementFor(lease: Pick<Lease, "seq" | "deliveryId" | "token">, step: Step): Settlement {
  const base = { seq: lease.seq, deliveryId: lease.deliveryId, token: lease.token, step };
  switch (step.kind) {
    case "delivered":
      return {
        ...base,
        attempt: { token: lease.token, startedAt: 0, durationMs: 10, outcome: "delivered", rules: "v1" },
      };
    case "retry":
      return { ...base, attempt: attemptWith(lease.token) };
    case "park":
    case "dead":
      return { ...base, attempt: attemptWith(lease.token, { outcome: "permanent", detail: "404" }) };
    case "release":
    case "cancelled":
      return base;
  }
}
