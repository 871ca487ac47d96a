/**
 * Dispatch: works on leases until none are left or its time is over. The ingest Worker runs it after its answer, the
 * partition's alarm through the Dispatch entry point; both in `waitUntil`, which the platform ends after 30 s.
 */
import type { Attempt, Lease, Settlement } from "../core/delivery.ts";
import { eventView } from "../core/event.ts";
import { hopsProblem } from "../core/hops.ts";
import type { Outcome } from "../core/outcome.ts";
import type { JsonObject } from "../core/result.ts";
import { ok } from "../core/result.ts";
import type { CompiledRule, CompiledTarget, RuleSet } from "../core/rule-set.ts";
import { seqTimeMs } from "../core/receipt.ts";
import { toShipment } from "../core/shipment.ts";
import type { StepPolicy } from "../core/step.ts";
import { nextStep } from "../core/step.ts";
import { strictest } from "../core/target-limits.ts";
import type { LocalMode, TargetIo } from "../core/target.ts";
import { logAttempt, toAttempt } from "./attempt-record.ts";
import { LATE_VIEW, readLargeView } from "./large-view.ts";
import { callPartition } from "./partition-call.ts";
import type { PermitPorts } from "./permit.ts";
import { takePermit, wasSent } from "./permit.ts";
import type { DispatchJob, LeasedWork, StoredEvent } from "./ports.ts";
import { batchQueues } from "./queue-batches.ts";
import { roomToShare, slotNameOf } from "./shared-slots.ts";
import { createSlots } from "./slots.ts";
import { REPLY_MARGIN_MS, pipeOf, publishReply } from "./publish-again.ts";
import type { PublishPorts } from "./publish.ts";
import type { TargetNews } from "./target-news.ts";
import { createTargetNews } from "./target-news.ts";

/** What a dispatcher uses of the 30 s that the platform grants after an answer. */
export const DISPATCH_TIME_MS = 28_000;
/** Between the end of a request's timeout and the end of its lease, for the settle to arrive. */
export const SETTLE_MARGIN_MS = 2_000;
/**
 * Leases that one invocation works on. The platform grants it 10,000 calls (Workers limits, "subrequests", paid plan), and one
 * that it refuses looks like a failure of the target. A lease takes up to eight: its request, asking its gate and telling it,
 * each up to three times, and its share of the settles.
 */
export const DISPATCH_LEASES_MAX = 1_000;
/** Outcomes wait this long for others of the same partition, so that one event's deliveries are settled in one commit. */
export const SETTLE_WAIT_MS = 250;
/** A body that takes longer to be stored holds up those behind it no more; its own delivery waits until its deadline. */
export const CLAIM_CALL_MS_MAX = 5_000;

const OUT_OF_TIME: Outcome = { kind: "released", reason: "out-of-time" };

/** `log`: one wide line per attempt and per failed settle. */
export interface DispatchPorts extends PublishPorts, PermitPorts {
  /** What a target publishes with is made for each delivery. */
  readonly io: Omit<TargetIo, "publish">;
}

/** Works on the jobs of one invocation; all of them share its slots. Never throws: a lease that is lost runs out. */
export async function dispatch(jobs: readonly DispatchJob[], ports: DispatchPorts): Promise<void> {
  const startedAt = ports.now();
  const slots = createSlots();
  const targetIo = { ...ports.io, queue: batchQueues(ports.io.queue, ports), claim: oneAtATime(ports.io.claim, ports) };
  let leasesLeft = DISPATCH_LEASES_MAX;
  await Promise.all(jobs.map((job) => dispatchJob(job)));

  async function dispatchJob(job: DispatchJob): Promise<void> {
    const { partition } = job;
    let settlements: Settlement[] = [];
    let running = 0;
    let isAwaited = false;
    let onIdle = () => {};
    let settling: Promise<void> | undefined;
    const views = new WeakMap<StoredEvent, JsonObject>();
    const news = createTargetNews(partition, ports);

    await new Promise<void>((resolve) => {
      start(job.work, job.askedAt ?? startedAt);
      if (running === 0) resolve();

      function start(work: readonly LeasedWork[], askedAt: number): void {
        leasesLeft -= work.length;
        for (const each of work) {
          running += 1;
          void runLease(each, askedAt, views, news)
            .then((settlement) => {
              settlements.push(settlement);
              isAwaited ||= isAwaitedByOthers(each.lease, settlement, ports.ruleSet);
            })
            .catch((error: unknown) => ports.log("dispatch.bug", { partition, error: String(error) }))
            .then(() => {
              running -= 1;
              if (running === 0) onIdle();
              settleSoon();
            });
        }
      }

      function settleSoon(): void {
        if (settling !== undefined) return;
        const since = ports.now();
        const idle = new Promise<void>((done) => {
          onIdle = done;
        });
        const wait = running === 0 ? Promise.resolve() : Promise.race([idle, ports.sleep(SETTLE_WAIT_MS)]);
        settling = wait.then(async () => {
          const batch = settlements;
          settlements = [];
          // What is left of it may be waited for other dispatchers.
          const mayWaitMs = isAwaited ? 0 : Math.max(0, since + SETTLE_WAIT_MS - ports.now());
          isAwaited = false;
          const askedAt = ports.now();
          const withinMs = startedAt + DISPATCH_TIME_MS - askedAt;
          const leasesMax = withinMs > 0 ? Math.max(0, Math.min(slots.free(), leasesLeft)) : 0;
          try {
            const base = { settlements: batch, leasesMax, withinMs, holder: job.holder };
            const shared = leasesMax > 0 ? roomToShare(slots, leasesLeft - leasesMax, ports.ruleSet) : {};
            const room = { ...slots.room(), ...shared };
            const request = { ...base, ...news.take(room), uncounted: Object.keys(shared) };
            const reply = await callPartition(partition, (port) => port.settle(request, mayWaitMs), ports);
            start(reply.work, askedAt);
            news.report(reply.records);
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
    await news.close();
  }

  /** One lease: look the rule up, take a permit, make the body, send, decide. Always comes to a settlement. */
  async function runLease(
    { lease, event }: LeasedWork,
    askedAt: number,
    views: WeakMap<StoredEvent, JsonObject>,
    news: TargetNews,
  ): Promise<Settlement> {
    const settle = (outcome: Outcome, policy: StepPolicy, attempt?: Attempt): Settlement => ({
      seq: lease.seq,
      deliveryId: lease.deliveryId,
      token: lease.token,
      step: nextStep(outcome, lease, policy, ports.random),
      ...(attempt === undefined ? {} : { attempt }),
    });
    const wanted = findWanted(lease, event, ports);
    if ("outcome" in wanted) return settle(wanted.outcome, { retryDelaysMs: [] });
    const { target, rule } = wanted;
    const { timeoutMs, retryDelaysMs } = target.definition;
    const policy = { retryDelaysMs, onFailure: rule.definition.order?.onFailure };
    // A timeout that has grown since does not fit this lease; the next one is made for it.
    if (timeoutMs > lease.timeoutMs) {
      return { ...settle(OUT_OF_TIME, policy), timeoutMs };
    }

    // What a transform takes from a large body is read from the store, which is a request of its own.
    const reads = event.large !== undefined && rule.transform !== undefined;
    const shared = lease.gated === true || reads ? undefined : slotNameOf(target);
    const giveBack = await (shared === undefined ? slots.acquire(lease.target) : slots.share(shared));
    try {
      const endsAt = askedAt + lease.leaseMs;
      const sendBy = Math.min(endsAt, startedAt + DISPATCH_TIME_MS) - timeoutMs - SETTLE_MARGIN_MS;
      const isLate = () => ports.now() > sendBy;
      if (isLate()) return settle(OUT_OF_TIME, policy);
      const limits = strictest(target.definition.limits, target.target.limits?.(target.config));
      const permit = await takePermit({ lease, limits, sendBy, endsAt }, news, ports);
      if (permit.kind === "held") return settle(permit, policy);
      if (isLate()) return settle(await permit.end(OUT_OF_TIME), policy);
      const sentAt = ports.now();
      const sent = await send(lease, event, rule, target, timeoutMs, views);
      const durationMs = ports.now() - sentAt;
      // The target's gate hears of what the target did; that a reply could not be stored is not its fault.
      const ended = await permit.end(sent);
      const replyMs = sentAt + timeoutMs + REPLY_MARGIN_MS - ports.now();
      const outcome = await publishReply(sent, { lease, event }, ports, replyMs);
      const attempt = toAttempt(outcome, lease, sentAt, durationMs, ports.rulesVersion.hash);
      const settlement = settle(sent.kind === "delivered" ? outcome : ended, policy, attempt);
      logAttempt(ports, lease, event, outcome, settlement, durationMs);
      // An attempt that never reached its target says nothing of it, so nobody counts it.
      return permit.counted || !wasSent(sent) ? { ...settlement, counted: true } : settlement;
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
      const looping = hopsProblem(event.attributes);
      if (looping !== undefined) return { kind: "permanent", reason: "hop-limit", detail: looping };
      const startedAt = ports.now();
      const { attributes, body, large } = event;
      const view =
        large === undefined || rule.transform === undefined
          ? ok(() => viewOf(event, views))
          : await readLargeView(rule.transform, attributes, large, { timeoutMs, ...ports });
      if (!view.ok) return view.error;
      const shipped = await toShipment(rule, {
        event: { attributes, body },
        view: view.value,
        ...(large === undefined ? {} : { large }),
        deliveryId: lease.deliveryId,
        attempt: lease.attempt,
        rawHeaders: event.rawHeaders,
        acceptedAt: seqTimeMs(lease.seq),
      });
      if (!shipped.ok) return { kind: "permanent", reason: "transform-failed", detail: shipped.error.detail };
      const local = printingFor(lease.target, targetIo.local);
      const io = { ...targetIo, local, publish: pipeOf({ lease, event }, ports) };
      const timeLeftMs = large === undefined ? timeoutMs : timeoutMs - (ports.now() - startedAt);
      if (timeLeftMs <= 0) return LATE_VIEW;
      return await target.target.send(shipped.value, target.config, timeLeftMs, io);
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

/** Stores one body at a time: leases that share a slot would make many calls at once, and each needs a connection. */
function oneAtATime(claim: TargetIo["claim"], { within }: Pick<DispatchPorts, "within">): TargetIo["claim"] {
  let last: Promise<unknown> = Promise.resolve();
  return (wanted) => {
    const claimed = last.then(() => claim(wanted));
    last = last.then(() => within(claimed, CLAIM_CALL_MS_MAX)).catch(() => undefined);
    return claimed;
  };
}

/** Somebody waits for this settlement: a lane for its next one, a gated target for its permit, another dispatcher for what is released. */
function isAwaitedByOthers({ rule, gated }: Lease, { step }: Settlement, ruleSet: RuleSet): boolean {
  const known = ruleSet.rule(rule)?.definition;
  return gated === true || step.kind === "release" || known === undefined || known.order !== undefined;
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
  switch (rule.definition.mode) {
    case "shadow":
      return { outcome: { kind: "unwanted", reason: "rule-shadow" } };
    case "off":
      return { outcome: { kind: "unwanted", reason: "rule-off" } };
    case "live":
      return { outcome: { kind: "unwanted", reason: "target-removed" } };
  }
}

function viewOf(event: StoredEvent, views: WeakMap<StoredEvent, JsonObject>): JsonObject {
  let view = views.get(event);
  if (view === undefined) views.set(event, (view = eventView(event)));
  return view;
}

/** Several targets print in one terminal: each says which it is. */
function printingFor(target: string, local: LocalMode | undefined): LocalMode | undefined {
  return local === undefined ? undefined : { ...local, printUrl: new URL(target, local.printUrl).href };
}
