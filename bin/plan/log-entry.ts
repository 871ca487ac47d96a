/** An event as `/api/log` answers it and `--save` writes it, or a bare CloudEvent: one JSON text each. */
import { memberSpans, parseJson, JSON_DEPTH_MAX } from "../../src/core/json.ts";
import type { PlanEvent } from "../../src/core/plan.ts";
import type { Result } from "../../src/core/result.ts";
import { err, isJsonObject, ok, ownMember } from "../../src/core/result.ts";
import { readEventText } from "../event-input.ts";
import { describeJsonProblem } from "../request-line.ts";

export interface EntryDefaults {
  /** What a bare CloudEvent is called. */
  readonly name: string;
  readonly bus: string;
  /** When a bare CloudEvent without a time counts as accepted, in milliseconds. */
  readonly now: number;
}

/** The entry's own object and the event's, around the data. */
const ENTRY_DEPTH_MAX = JSON_DEPTH_MAX + 2;

/** `large`: the entry's payload is too large for the log, and so not in it. The error is a sentence without its stop. */
export function readLogEntry(text: string, defaults: EntryDefaults): Result<PlanEvent | "large", string> {
  const json = parseJson(text, ENTRY_DEPTH_MAX);
  if (!json.ok) return err(describeJsonProblem(json.error));
  if (!isJsonObject(json.value)) return err("expected an object: a CloudEvent in the JSON format, or a saved event");
  const entry = json.value;
  if (!isJsonObject(ownMember(entry, "event")) || Object.hasOwn(entry, "specversion")) {
    const event = readEventText(text);
    if (!event.ok) return event;
    const time = Date.parse(event.value.attributes.time ?? "");
    const acceptedAt = Number.isNaN(time) ? defaults.now : time;
    return ok({ name: defaults.name, bus: defaults.bus, acceptedAt, event: event.value });
  }
  if (isJsonObject(ownMember(entry, "large"))) return ok("large");
  const [id, bus, acceptedAt] = [ownMember(entry, "id"), ownMember(entry, "bus"), ownMember(entry, "acceptedAt")];
  const from = ownMember(entry, "from");
  const acceptedAtMs = typeof acceptedAt === "string" ? Date.parse(acceptedAt) : Number.NaN;
  if (typeof id !== "string" || typeof bus !== "string" || Number.isNaN(acceptedAtMs)) {
    return err("expected id, bus and acceptedAt beside the event");
  }
  // The last one of a name is the one that the parser takes.
  const span = memberSpans(text).findLast(({ name }) => name === "event");
  const event = readEventText(span === undefined ? "null" : text.slice(span.start, span.end));
  if (!event.ok) return event;
  const source = typeof from === "string" ? { from } : {};
  return ok({ name: id, bus, ...source, acceptedAt: acceptedAtMs, event: event.value });
}
