/**
 * What deliveries give rise to: the reply that a target answered with, and the event that a bus target pipes to another bus.
 * Both pass through Sluice once more than the event that was delivered.
 */
import type { Lease } from "../core/delivery.ts";
import type { CloudEvent } from "../core/event.ts";
import { eventFingerprint } from "../core/event.ts";
import { withHop } from "../core/hops.ts";
import { orderKeyOf } from "../core/order-key.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { ReceivedEvent } from "../core/source.ts";
import type { TargetIo } from "../core/target.ts";
import type { StoredEvent } from "./ports.ts";
import type { Origin } from "./plan-event.ts";
import type { PublishPorts, Receipt } from "./publish.ts";
import { publish } from "./publish.ts";

/**
 * A reply may be published until this long after its target's timeout: the rest of the lease's margin is for the settle, and
 * a target that used up its time must not lose its reply for it.
 */
export const REPLY_MARGIN_MS = 1_000;

/** The delivery that gives rise to an event, and the event that it delivers. */
export interface Delivered {
  readonly lease: Lease;
  readonly event: StoredEvent;
}

/**
 * Publishes the reply that came with an outcome, if one did, on the bus of the rule: only then is the delivery delivered. A
 * reply that could not be stored makes it retryable, and the target sees a repeat with the same `webhook-id`; one that was
 * published by an earlier attempt (a duplicate, or a conflict when the target now answers differently) counts as published.
 */
export async function publishReply(
  outcome: Outcome,
  { lease, event }: Delivered,
  ports: PublishPorts,
  timeoutMs: number,
): Promise<Outcome> {
  if (outcome.kind !== "delivered") return outcome;
  const { reply, ...delivered } = outcome;
  const answer = delivered.answer === undefined ? {} : { answer: delivered.answer };
  const fields = { delivery: lease.deliveryId, rule: lease.rule, target: lease.target };
  if (delivered.ignoredReply !== undefined) {
    ports.log("reply.ignored", { ...fields, detail: delivered.ignoredReply });
  }
  if (reply === undefined) return delivered;

  const hopped = withHop(reply.event, event.attributes, `the reply to ${wayOf(lease)}`);
  if (!hopped.ok) {
    const detail = `the target took the event, but its reply was not published: ${hopped.error}`;
    return { kind: "permanent", reason: "hop-limit", detail, ...answer };
  }
  const origin = { name: `target:${lease.target}`, bus: event.bus, scope: `target:${lease.target}` };
  const published = await ports.within(publishOne(receivedReply(hopped.value, ports), origin, ports), timeoutMs);
  if (published === "timeout" || !published.ok) {
    const problem: NotStored = published === "timeout" ? { detail: "it was not stored in time" } : published.error;
    const detail = `the target took the event, but its reply was not published: ${problem.detail}`;
    return { kind: "retryable", reason: "reply", ...problem, detail, ...answer };
  }
  const receipt = published.value;
  ports.log("reply.published", { ...fields, receipt: receipt.id, status: receipt.status });
  if (receipt.status !== "conflict") return delivered;
  const ignoredReply = `the reply was not published: other content with its id was, as ${receipt.id}`;
  ports.log("reply.ignored", { ...fields, detail: ignoredReply });
  return { ...delivered, ignoredReply };
}

/** What a bus target publishes with. The event keeps the key and the order key of the one that is delivered. */
export function pipeOf({ lease, event }: Delivered, ports: PublishPorts): TargetIo["publish"] {
  return async ({ bus, deliveryId, event: piped }) => {
    const hopped = withHop(piped, event.attributes, wayOf(lease));
    if (!hopped.ok) return err({ reason: "hop-limit", detail: hopped.error });
    const received: ReceivedEvent = {
      event: hopped.value,
      fingerprint: eventFingerprint(hopped.value, ports.hashing.sha256),
      key: event.key,
      ...(event.orderKey === undefined ? {} : { orderKey: event.orderKey }),
      rawHeaders: event.rawHeaders,
    };
    const origin = { name: `target:${lease.target}`, bus, scope: `delivery:${deliveryId}` };
    const published = await publishOne(received, origin, ports);
    if (!published.ok) return err({ reason: "not-stored", ...published.error });
    const { id, status } = published.value;
    ports.log("pipe.published", {
      delivery: lease.deliveryId,
      rule: lease.rule,
      target: lease.target,
      receipt: id,
      status,
    });
    return ok(null);
  };
}

function wayOf(lease: Lease): string {
  return `rule ${lease.rule} -> target ${lease.target}`;
}

/** As a source of CloudEvents receives it: the key is part of the identity, so every repeat meets its first arrival. */
function receivedReply(event: CloudEvent, ports: PublishPorts): ReceivedEvent {
  return {
    event,
    fingerprint: eventFingerprint(event, ports.hashing.sha256),
    key: event.attributes.source,
    orderKey: orderKeyOf(event.attributes),
    rawHeaders: {},
  };
}

interface NotStored {
  readonly detail: string;
  readonly retryAfterMs?: number;
}

/**
 * Takes no leases: the invocation's time and slots are promised to the leases that it has, so the other partition's alarm
 * sees to the deliveries.
 */
async function publishOne(
  received: ReceivedEvent,
  origin: Origin,
  ports: PublishPorts,
): Promise<Result<Receipt, NotStored>> {
  const published = await publish([received], origin, ports, 0).catch((error: unknown) => {
    ports.log("publish.bug", { bus: origin.bus, origin: origin.name, error: String(error) });
    return undefined;
  });
  if (published === undefined) return err({ detail: "Sluice failed while publishing; see the log line publish.bug" });
  if (!published.ok) {
    const { reason } = published.error;
    const seconds = "retryAfterSeconds" in published.error ? published.error.retryAfterSeconds : undefined;
    const detail = `the bus ${origin.bus} did not store it (${reason})`;
    return err({ detail, ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1_000 }) });
  }
  const [receipt] = published.value.receipts;
  if (receipt === undefined) throw new Error("one event, one receipt");
  return ok(receipt);
}
