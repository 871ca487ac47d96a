/** What ordered rules order CloudEvents by. */
import type { EventAttributes } from "./event.ts";

/**
 * The partitioning extension's `partitionkey`, else the subject, within the event's source: a lane lives in one partition, and
 * the source chooses it. An attribute has no line feed (CloudEvents 1.0.2, section 3.1), so the order keys of two sources are
 * never the same.
 */
export function orderKeyOf(attributes: EventAttributes): string {
  return `${attributes.source}\n${String(attributes["partitionkey"] ?? attributes.subject ?? "")}`;
}

/** Numbers up to this many digits are exact. */
const SEQUENCE_DIGITS_MAX = 15;

/**
 * The event's place in its sequence (CloudEvents sequence extension), or undefined when it has none that can be counted: the
 * extension also allows texts that only sort.
 */
export function sequenceOf(attributes: EventAttributes): number | undefined {
  const text = String(attributes["sequence"] ?? "");
  const isCounted = /^\d+$/.test(text) && text.length <= SEQUENCE_DIGITS_MAX;
  return isCounted ? Number(text) : undefined;
}
