/** Planning: which rules an event meets, one delivery for each rule and target, and what shadow rules would have sent. */
import type { PlannedDelivery, PlannedLane, RulesVersion } from "../core/delivery.ts";
import { eventView, identityOf } from "../core/event.ts";
import { sequenceOf } from "../core/order-key.ts";
import { deliveryId, laneId } from "../core/receipt.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { CompiledSource, RuleSet } from "../core/rule-set.ts";
import type { RuleDefinition } from "../core/rule.ts";
import type { Hashing, ReceivedEvent } from "../core/source.ts";
import type { AcceptItem, StoredEvent } from "./ports.ts";
import type { ShadowPorts } from "./shadow.ts";
import { findShadows } from "./shadow.ts";

/** Deliveries that one event may fan out to. Their states are one row, and a row has at most 2 MB. */
export const DELIVERIES_PER_EVENT_MAX = 500;

/** Where events come from and go to. */
export interface Origin {
  /** Kept with the events: a source's name, or `target:<name>`. */
  readonly name: string;
  readonly bus: string;
  /** The first part of the events' identity, without a line feed: what their ids are unique within. */
  readonly scope: string;
}

export function originOf(source: CompiledSource): Origin {
  const { name, bus } = source.definition;
  return { name, bus, scope: name };
}

export interface PlanPorts extends ShadowPorts {
  readonly ruleSet: RuleSet;
  readonly rulesVersion: RulesVersion;
}

/** Matches an event and plans its deliveries. `arrivedAt`: when its request began to be planned, in milliseconds. */
export async function planEvent(
  received: ReceivedEvent,
  origin: Origin,
  ports: PlanPorts,
  arrivedAt: number,
): Promise<Result<AcceptItem, Rejection>> {
  const { name, bus, scope } = origin;
  const { sha256 } = ports.hashing;
  const { attributes, body } = received.event;
  const { large } = received;
  const identity = identityOf(scope, attributes);
  const view =
    large === undefined ? eventView(received.event, received.data) : eventView({ attributes, body: large.pruned });
  const rules = ports.ruleSet.match(bus, view);
  const deliveries = rules.flatMap(({ definition }) =>
    definition.targets.map((targetName): PlannedDelivery => {
      const target = ports.ruleSet.target(targetName);
      if (target === undefined) throw new Error(`rule ${definition.path} names a target that is not there`);
      const lane = planLane(definition, targetName, received, ports.hashing);
      return {
        id: deliveryId(identity, definition.path, targetName, 0, sha256),
        rule: definition.path,
        target: targetName,
        timeoutMs: target.definition.timeoutMs,
        maxAgeMs: target.definition.maxAgeMs,
        ...(lane === undefined ? {} : { lane }),
      };
    }),
  );
  if (deliveries.length > DELIVERIES_PER_EVENT_MAX) {
    return err({ reason: "too-many-deliveries", deliveriesMax: DELIVERIES_PER_EVENT_MAX });
  }
  const shadow = await findShadows({ received, bus, identity, view, arrivedAt }, ports);
  const event: StoredEvent = {
    attributes,
    body,
    ...(large === undefined ? {} : { large: { key: large.key, bytes: large.bytes } }),
    source: name,
    bus,
    rawHeaders: received.rawHeaders,
    rules: rules.map((rule) => rule.definition.path),
    rulesVersion: ports.rulesVersion,
    key: received.key,
    ...(received.orderKey === undefined ? {} : { orderKey: received.orderKey }),
    ...(shadow.length === 0 ? {} : { shadow }),
  };
  return ok({
    identity: sha256(identity),
    fingerprint: received.fingerprint,
    event,
    deliveries,
    redeliver: received.repeat === "redelivery",
    ...(received.replay === undefined ? {} : { replay: planReplay(received.replay, scope, ports.hashing) }),
  });
}

function planLane(
  { path, order }: RuleDefinition,
  target: string,
  { key, orderKey = key, event }: ReceivedEvent,
  { sha256 }: Hashing,
): PlannedLane | undefined {
  if (order === undefined) return undefined;
  const id = laneId(path, target, orderKey, sha256);
  const latest = order.onFailure.kind === "latest" ? { latest: true as const } : {};
  const sequence = order.by === "sequence" ? sequenceOf(event.attributes) : undefined;
  if (sequence === undefined) return { id, ...latest };
  return { id, ...latest, sequence, gapWaitMs: order.gapWaitMs };
}

/** Contents are compared within one sender's events only. */
function planReplay(
  { content, refuse }: NonNullable<ReceivedEvent["replay"]>,
  scope: string,
  hashing: Hashing,
): NonNullable<AcceptItem["replay"]> {
  return { content: hashing.sha256(`${scope}\n${content}`), refuse };
}
