/** From an event and a rule to what its targets are sent: the one way, for deliveries, shadows, tests and explanations. */
import type { CloudEvent } from "./event.ts";
import { HOPS_ATTRIBUTE } from "./hops.ts";
import type { JsonObject, Result } from "./result.ts";
import { ok } from "./result.ts";
import type { CompiledRule } from "./rule-set.ts";
import type { LargeBody, Shipment } from "./target.ts";
import type { TransformFailure } from "./transform.ts";
import { applyTransform } from "./transform.ts";

/** One delivery of an event, before its rule's transform. */
export interface ShipmentParts {
  readonly event: CloudEvent;
  /** `eventView(event)`, made when it is needed: several rules can share it. */
  readonly view: () => JsonObject;
  readonly deliveryId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly rawHeaders: Readonly<Record<string, string>>;
  /** The payload, where it stands in the body store: then `view` is of what the transform reads of it. */
  readonly large?: LargeBody;
  /** When the event was first accepted, in milliseconds. */
  readonly acceptedAt: number;
}

/** Applies the rule's transform. What Sluice counts itself, the hops, survives a transform that makes an event of its own. */
export async function toShipment(
  rule: Pick<CompiledRule, "transform">,
  parts: ShipmentParts,
): Promise<Result<Shipment, TransformFailure>> {
  const { event, deliveryId, attempt, rawHeaders, acceptedAt } = parts;
  const base = { deliveryId, attempt, rawHeaders };
  if (rule.transform === undefined)
    return ok({ ...base, event, ...(parts.large === undefined ? {} : { large: parts.large }) });
  const made = await applyTransform(rule.transform, parts.view(), { acceptedAt, seed: deliveryId });
  if (!made.ok) return made;
  if (made.value.kind === "body") {
    const attributes = { ...event.attributes, datacontenttype: "application/json" };
    return ok({ ...base, transformed: true, event: { attributes, body: new TextEncoder().encode(made.value.text) } });
  }
  const { [HOPS_ATTRIBUTE]: _ownCount, ...attributes } = made.value.event.attributes;
  const hops = event.attributes[HOPS_ATTRIBUTE];
  const counted = { ...attributes, ...(hops === undefined ? {} : { [HOPS_ATTRIBUTE]: hops }) };
  const own = { attributes: counted as CloudEvent["attributes"], body: made.value.event.body };
  return ok({ ...base, transformed: true, event: own });
}
