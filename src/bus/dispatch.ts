/**
 * Dispatch: works on leases until none are left or its time is over. The ingest Worker runs it after its answer, the
 * partition's alarm through the Dispatch entry point; both in `waitUntil`, which the platform ends after 30 s.
 */
import type { Attempt, Lease, RulesVersion, Settlement } from "../core/delivery.ts";
import { eventView } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import type { JsonObject } from "../core/result.ts";
import type { CompiledRule, CompiledTarget, RuleSet } from "../core/rule-set.ts";
import { nextStep } from "../core/step.ts";
import type { Shipment, TargetIo } from "../core/target.ts";
import { applyTransform } from "../core/transform.ts";
import type { CallPorts } from "./partition-call.ts";
import { callPartition } from "./partition-call.ts";
import type { DispatchJob, LeasedWork, StoredEvent } from "./ports.ts";
import { createSlots } from "./slots.ts";

/** What a dispatcher uses of the 30 s that the platform grants after an answer. */
export const DISPATCH_TIME_MS = 28_000;
/** Between the end of a request's timeout and the end of its lease, for the settle to arrive. */
export const SETTLE_MARGIN_MS = 2_000;
/** Outcomes wait this long for others of the same partition, so that one event's deliveries are settled in one commit. */
export const SETTLE_WAIT_MS = 250;

export interface DispatchPorts extends CallPorts {
  readonly ruleSet: RuleSet;
  readonly rulesVersion: RulesVersion;
  readonly io: TargetIo;
  readonly now: () => number;
  /** One wide line per attempt and per failed settle. */
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Works on the jobs of one invocation; all of them share its slots. Never throws: a lease that is lost runs out. */
export async function dispatch(jobs: readonly DispatchJob[], ports: DispatchPorts): Promise<void> {
  const startedAt = ports.now();
  const slots = createSlots();
  await Promise.all(jobs.map((job) => dispatchJob(job)));

  async function dispatchJob(job: DispatchJob): Promise<void> {
    const { partition } = job;
    let settlements: Settlement[] = [];
    let running = 0;
    let settling: Promise<void> | undefined;
    const views = new WeakMap<StoredEvent, JsonObject>();

    return new Promise((resolve) => {
      start(job.work, job.askedAt ?? startedAt);
      if (running === 0) resolve();

      function start(work: readonly LeasedWork[], askedAt: number): void {
        for (const each of work) {
          running += 1;
          void runLease(each, askedAt, views)
            .then((settlement) => void settlements.push(settlement))
            .catch((error: unknown) => ports.log("dispatch.bug", { partition, error: String(error) }))
            .then(() => {
              running -= 1;
              settleSoon();
            });
        }
      }

      function settleSoon(): void {
        if (settling !== undefined) return;
        const wait = running === 0 ? Promise.resolve() : ports.sleep(SETTLE_WAIT_MS);
        settling = wait.then(async () => {
          const batch = settlements;
          settlements = [];
          const askedAt = ports.now();
          const withinMs = startedAt + DISPATCH_TIME_MS - askedAt;
          const leasesMax = withinMs > 0 ? slots.free() : 0;
          try {
            const request = { settlements: batch, leasesMax, withinMs, targetRoom: slots.room(), holder: job.holder };
            const reply = await callPartition(partition, (port) => port.settle(request), ports);
            start(reply.work, askedAt);
          } catch (error) {
            // The leases run out and are taken up again: the targets see a repeat with the same webhook-id.
            ports.log("settle.failed", { partition, error: String(error) });
          }
          settling = undefined;
          if (settlements.length > 0) settleSoon();
          else if (running === 0) resolve();
        });
      }
    });
  }

  /** One lease: look the rule up, make the body, send, decide. Always comes to a settlement. */
  async function runLease(
    { lease, event }: LeasedWork,
    askedAt: number,
    views: WeakMap<StoredEvent, JsonObject>,
  ): Promise<Settlement> {
    const settle = (outcome: Outcome, policy: readonly number[], attempt?: Attempt): Settlement => ({
      seq: lease.seq,
      deliveryId: lease.deliveryId,
      token: lease.token,
      step: nextStep(outcome, lease, { retryDelaysMs: policy }, ports.random),
      ...(attempt === undefined ? {} : { attempt }),
    });
    const wanted = findWanted(lease, event, ports);
    if ("outcome" in wanted) return settle(wanted.outcome, []);
    const { target, rule } = wanted;
    const { retryDelaysMs } = target.definition;
    const { timeoutMs } = target.definition;
    // A timeout that has grown since does not fit this lease; the next one is made for it.
    if (timeoutMs > lease.timeoutMs) {
      return { ...settle({ kind: "released", reason: "out-of-time" }, retryDelaysMs), timeoutMs };
    }

    const giveBack = await slots.acquire(lease.target);
    try {
      const sentAt = ports.now();
      const endsAt = Math.min(askedAt + lease.leaseMs, startedAt + DISPATCH_TIME_MS);
      if (sentAt + timeoutMs + SETTLE_MARGIN_MS > endsAt) {
        return settle({ kind: "released", reason: "out-of-time" }, retryDelaysMs);
      }
      const outcome = await send(lease, event, rule, target, timeoutMs, views);
      const durationMs = ports.now() - sentAt;
      const attempt = toAttempt(outcome, lease, sentAt, durationMs, ports.rulesVersion.hash);
      const settlement = settle(outcome, retryDelaysMs, attempt);
      logAttempt(ports, lease, event, outcome, settlement, durationMs);
      return settlement;
    } finally {
      giveBack();
    }
  }

  async function send(
    lease: Lease,
    event: StoredEvent,
    rule: CompiledRule,
    target: CompiledTarget,
    timeoutMs: number,
    views: WeakMap<StoredEvent, JsonObject>,
  ): Promise<Outcome> {
    try {
      const shipped = toShipment(lease, event, rule, views);
      if ("outcome" in shipped) return shipped.outcome;
      return await target.target.send(shipped.shipment, target.config, timeoutMs, ports.io);
    } catch (error) {
      // A bug in a target or a transform. Unknown means try again: the schedule bounds it, and nothing is lost.
      ports.log("delivery.bug", {
        delivery: lease.deliveryId,
        rule: lease.rule,
        target: lease.target,
        error: String(error),
      });
      return {
        kind: "retryable",
        reason: "network",
        detail: "Sluice failed while sending; see the log line delivery.bug",
      };
    }
  }
}

type Wanted = { readonly rule: CompiledRule; readonly target: CompiledTarget } | { readonly outcome: Outcome };

/** The rule and target as they are now, or why the delivery is not wanted. Older rules never cancel what newer ones planned. */
function findWanted(lease: Lease, event: StoredEvent, ports: DispatchPorts): Wanted {
  const rule = ports.ruleSet.rule(lease.rule);
  const target = ports.ruleSet.target(lease.target);
  if (
    rule !== undefined &&
    target !== undefined &&
    rule.definition.mode === "live" &&
    rule.definition.targets.includes(lease.target)
  ) {
    return { rule, target };
  }
  const planned = event.rulesVersion;
  if (ports.rulesVersion.hash !== planned.hash && ports.rulesVersion.deployedAt < planned.deployedAt) {
    return { outcome: { kind: "released", reason: "older-rules" } };
  }
  if (rule === undefined) return { outcome: { kind: "unwanted", reason: "rule-removed" } };
  if (rule.definition.mode !== "live") return { outcome: { kind: "unwanted", reason: "rule-off" } };
  return { outcome: { kind: "unwanted", reason: "target-removed" } };
}

function toShipment(
  lease: Lease,
  event: StoredEvent,
  rule: CompiledRule,
  views: WeakMap<StoredEvent, JsonObject>,
): { readonly shipment: Shipment } | { readonly outcome: Outcome } {
  const base = { deliveryId: lease.deliveryId, attempt: lease.attempt, rawHeaders: event.rawHeaders };
  if (rule.transform === undefined) {
    return { shipment: { ...base, event: { attributes: event.attributes, body: event.body } } };
  }
  let view = views.get(event);
  if (view === undefined) views.set(event, (view = eventView(event)));
  const body = applyTransform(rule.transform, view);
  if (!body.ok) return { outcome: { kind: "permanent", reason: "transform-failed", detail: body.error.detail } };
  const attributes = { ...event.attributes, datacontenttype: "application/json" };
  return { shipment: { ...base, event: { attributes, body: new TextEncoder().encode(body.value) } } };
}

function toAttempt(
  outcome: Outcome,
  lease: Lease,
  startedAt: number,
  durationMs: number,
  rules: string,
): Attempt | undefined {
  const base = { token: lease.token, startedAt, durationMs, rules };
  switch (outcome.kind) {
    case "delivered":
      return { ...base, outcome: "delivered", ...withAnswer(outcome) };
    case "retryable":
    case "permanent":
      return { ...base, outcome: outcome.kind, reason: outcome.reason, detail: outcome.detail, ...withAnswer(outcome) };
    case "unwanted":
    case "released":
      return undefined;
  }
}

function withAnswer(outcome: { readonly answer?: Attempt["answer"] }): {
  readonly answer?: NonNullable<Attempt["answer"]>;
} {
  return outcome.answer === undefined ? {} : { answer: outcome.answer };
}

function logAttempt(
  ports: DispatchPorts,
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
