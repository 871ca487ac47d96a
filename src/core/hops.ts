/**
 * Loops: how often an event has passed through Sluice again, as the reply of a target or piped to another bus. The event
 * carries the count itself, as the CloudEvents extension attribute `sluicehops`, so that it survives a detour through others.
 */
import type { CloudEvent, EventAttributes } from "./event.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** The extension attribute: an Integer, or its digits where the transport knows strings only (binary mode over HTTP). */
export const HOPS_ATTRIBUTE = "sluicehops";

export const HOPS_MAX = 8;

/**
 * How often an event has passed through Sluice again: 0 without the attribute. Null when the attribute is anything but a whole
 * number from 0: only Sluice writes it, so something on the way has broken the one thing that ends a loop.
 */
export function hopsOf(attributes: EventAttributes): number | null {
  const value = Object.hasOwn(attributes, HOPS_ATTRIBUTE) ? attributes[HOPS_ATTRIBUTE] : undefined;
  if (value === undefined) return 0;
  const hops = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof hops === "number" && hops >= 0 && (Number.isInteger(hops) || hops === Infinity) ? hops : null;
}

/** Why an event is not sent anywhere, in a sentence for people; undefined when its count is within the limit. */
export function hopsProblem(attributes: EventAttributes): string | undefined {
  const hops = hopsOf(attributes);
  if (hops === null)
    return `the event's attribute ${HOPS_ATTRIBUTE} is not a whole number from 0, so a loop could not be told`;
  if (hops <= HOPS_MAX) return undefined;
  const times = `more than ${HOPS_MAX} times`;
  return `the event's attribute ${HOPS_ATTRIBUTE} says that it has passed through Sluice ${times}: it is a loop`;
}

/**
 * The event with one hop more than what it came of: `before` are the attributes of the event that was delivered, and a count
 * that `event` itself brings is overwritten. Beyond the limit the error says so; `way` names the way that it would have gone.
 */
export function withHop(event: CloudEvent, before: EventAttributes, way: string): Result<CloudEvent, string> {
  const problem = hopsProblem(before);
  if (problem !== undefined) return err(problem);
  const hops = (hopsOf(before) ?? HOPS_MAX) + 1;
  if (hops > HOPS_MAX) {
    return err(
      `this event has passed through Sluice ${HOPS_MAX} times; ${way} would be the ${HOPS_MAX + 1}th: it is a loop`,
    );
  }
  return ok({ ...event, attributes: { ...event.attributes, [HOPS_ATTRIBUTE]: hops } });
}
