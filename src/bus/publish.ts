/**
 * Publish: events of one request, authenticated and parsed, become durable. Read top to bottom: match and plan each event,
 * group by partition, one accept per partition, then one answer for the whole request.
 */
import type { PlannedDelivery, RulesVersion } from "../core/delivery.ts";
import { eventView, identityOf } from "../core/event.ts";
import { deliveryId, formatReceipt, partitionOf } from "../core/receipt.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { CompiledSource, RuleSet } from "../core/rule-set.ts";
import type { Hashing, ReceivedEvent } from "../core/source.ts";
import type { CallPorts } from "./partition-call.ts";
import { callPartition } from "./partition-call.ts";
import type { AcceptItem, AcceptReply, DispatchJob, StoredEvent } from "./ports.ts";
import { SLOTS_MAX } from "./slots.ts";

/** Deliveries that one event may fan out to. Their states are one row, and a row has at most 2 MB. */
export const DELIVERIES_PER_EVENT_MAX = 500;
/** Acceptance gives up after this and answers 503: far under GitHub's 10 s, which is a failed delivery that it does not retry. */
export const ACCEPT_TIMEOUT_MS = 4_000;
const STORAGE_RETRY_AFTER_SECONDS = 5;

export interface PublishPorts extends CallPorts {
  readonly ruleSet: RuleSet;
  readonly rulesVersion: RulesVersion;
  /** How many partitions each bus has in this layout. */
  readonly partitions: number;
  readonly hashing: Hashing;
  readonly newToken: () => string;
  readonly now: () => number;
  /** The work's result, or "timeout" when it takes longer; the work itself goes on. */
  readonly within: <Value>(work: Promise<Value>, timeoutMs: number) => Promise<Value | "timeout">;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface Receipt {
  readonly id: string;
  readonly status: "accepted" | "duplicate" | "conflict";
  readonly rules: readonly string[];
}

export interface Published {
  /** One per event, in the order of the request. */
  readonly receipts: readonly Receipt[];
  /** Leases that came with the acceptance, to be worked on after the answer. */
  readonly jobs: readonly DispatchJob[];
}

interface Planned {
  readonly partition: string;
  readonly item: AcceptItem;
}

export async function publish(
  events: readonly ReceivedEvent[],
  source: CompiledSource,
  ports: PublishPorts,
): Promise<Result<Published, Rejection>> {
  const planned: Planned[] = [];
  for (const received of events) {
    const plan = planEvent(received, source, ports);
    if (!plan.ok) return plan;
    planned.push(plan.value);
  }
  const askedAt = ports.now();
  const byPartition = Map.groupBy(planned, (each) => each.partition);
  const leasesEach = Math.floor(SLOTS_MAX / Math.max(1, byPartition.size));
  const replies = await Promise.all(
    [...byPartition].map(async ([partition, group]) => {
      const items = group.map((each) => each.item);
      return { partition, group, reply: await acceptInTime(partition, items, leasesEach, ports) };
    }),
  );

  const receiptOf = new Map<Planned, Receipt>();
  const jobs: DispatchJob[] = [];
  let refusal: Rejection | undefined;
  for (const { partition, group, reply } of replies) {
    if (reply === "unavailable") {
      refusal ??= { reason: "storage-unavailable", retryAfterSeconds: STORAGE_RETRY_AFTER_SECONDS };
    } else if (reply.kind === "backlog-full") {
      refusal ??= { reason: "backlog-full", retryAfterSeconds: reply.retryAfterSeconds };
    } else {
      for (const [index, item] of reply.items.entries()) {
        const each = group[index];
        if (each === undefined) throw new Error("a partition answered more items than it was sent");
        receiptOf.set(each, {
          id: formatReceipt({ partition, seq: item.seq }),
          status: item.status,
          rules: item.rules,
        });
      }
      // A lease is for what was accepted: a repeat in the same request has the same number, and may have other content.
      const eventOf = new Map<number, StoredEvent>();
      for (const [index, { status, seq }] of reply.items.entries()) {
        const event = group[index]?.item.event;
        if (status === "accepted" && event !== undefined) eventOf.set(seq, event);
      }
      const work = reply.leases.flatMap((lease) => {
        const event = eventOf.get(lease.seq);
        return event === undefined ? [] : [{ lease, event }];
      });
      if (work.length > 0) jobs.push({ partition, work, holder: "ingest", askedAt });
    }
  }
  // All or nothing to the sender. What other partitions have accepted is delivered, and answers "duplicate" next time; its
  // leases are not worked on here but run out, which costs a delay and nothing else.
  if (refusal !== undefined) return err(refusal);
  const receipts = planned.map((each) => {
    const receipt = receiptOf.get(each);
    if (receipt === undefined) throw new Error("a partition left an item unanswered");
    return receipt;
  });
  return ok({ receipts, jobs });
}

/** Matches an event and plans one delivery per rule and target. */
function planEvent(received: ReceivedEvent, source: CompiledSource, ports: PublishPorts): Result<Planned, Rejection> {
  const { name, bus } = source.definition;
  const { attributes, body } = received.event;
  const identity = identityOf(name, attributes);
  const rules = ports.ruleSet.match(bus, eventView(received.event));
  const deliveries = rules.flatMap(({ definition }) =>
    definition.targets.map((targetName): PlannedDelivery => {
      const target = ports.ruleSet.target(targetName);
      if (target === undefined) throw new Error(`rule ${definition.path} names a target that is not there`);
      return {
        id: deliveryId(identity, definition.path, targetName, 0, ports.hashing.sha256),
        rule: definition.path,
        target: targetName,
        timeoutMs: target.definition.timeoutMs,
        maxAgeMs: target.definition.maxAgeMs,
      };
    }),
  );
  if (deliveries.length > DELIVERIES_PER_EVENT_MAX) {
    return err({ reason: "too-many-deliveries", deliveriesMax: DELIVERIES_PER_EVENT_MAX });
  }
  const event: StoredEvent = {
    attributes,
    body,
    source: name,
    bus,
    rawHeaders: received.rawHeaders,
    rules: rules.map((rule) => rule.definition.path),
    rulesVersion: ports.rulesVersion,
  };
  const item: AcceptItem = {
    identity: ports.hashing.sha256(identity),
    fingerprint: received.fingerprint,
    event,
    deliveries,
  };
  return ok({ partition: partitionOf(bus, received.key, ports.partitions, ports.hashing.sha256), item });
}

/** One accept, tried again with the same token where that helps, until the time is over. */
async function acceptInTime(
  partition: string,
  items: readonly AcceptItem[],
  leasesMax: number,
  ports: PublishPorts,
): Promise<AcceptReply | "unavailable"> {
  const request = { partition, token: ports.newToken(), items, leasesMax };
  const accepted = callPartition(partition, (port) => port.accept(request), ports).catch((error: unknown) => {
    ports.log("accept.failed", { partition, error: String(error) });
    return "unavailable" as const;
  });
  const reply = await ports.within(accepted, ACCEPT_TIMEOUT_MS);
  if (reply !== "timeout") return reply;
  ports.log("accept.timeout", { partition });
  return "unavailable";
}
