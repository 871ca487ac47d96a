/**
 * What shadow rules would have sent of an event: worked out when it arrives, kept with it when it is accepted, delivered
 * nowhere. Whatever goes wrong here is written down and concerns no live rule.
 */
import type { CloudEvent } from "../core/event.ts";
import { decodeUtf8, structuredJson } from "../core/event.ts";
import { deliveryId } from "../core/receipt.ts";
import type { JsonObject } from "../core/result.ts";
import type { CompiledRule, RuleSet } from "../core/rule-set.ts";
import { toShipment } from "../core/shipment.ts";
import type { Hashing, ReceivedEvent } from "../core/source.ts";
import type { Shipment } from "../core/target.ts";
import type { ShadowMatch } from "./ports.ts";

/** Shadow rules whose work is done for one event, the first by their paths; the log line `shadow.left-out` tells of others. */
export const SHADOW_RULES_MAX = 20;
/** Bytes of one rule's output that are kept. */
export const SHADOW_OUTPUT_BYTES_MAX = 32_768;
/**
 * Bytes of all outputs that are kept of one event. They share a row of 2 MB with the body and the deliveries, and are up to twice
 * as long in it, since they are text within JSON.
 */
export const SHADOW_EVENT_BYTES_MAX = 65_536;
/**
 * What shadow rules may take of a request before its events are accepted. A transform may take half a second until it is stopped,
 * and a request may have a hundred events.
 */
export const SHADOW_TIME_MS = 1_000;
/** Characters of a problem that are kept. */
export const SHADOW_PROBLEM_CHARS_MAX = 500;

const LATE = `not worked out: the shadow rules of this request had used up their ${SHADOW_TIME_MS} ms`;
const LARGE = "not worked out: the payload is large, and only deliveries read it for their transform";
const BUG = "Sluice failed on this rule; see the log line shadow.bug";

export interface ShadowPorts {
  readonly ruleSet: Pick<RuleSet, "matchShadow">;
  readonly hashing: Hashing;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** An event on its bus; `identity` is that of `identityOf`, `arrivedAt` when its request began to be planned, in milliseconds. */
export interface ShadowedEvent {
  readonly received: ReceivedEvent;
  readonly bus: string;
  readonly identity: string;
  readonly view: JsonObject;
  readonly arrivedAt: number;
}

/** The shadow rules that match, each with what its targets would have got. Never throws. */
export async function findShadows(shadowed: ShadowedEvent, ports: ShadowPorts): Promise<readonly ShadowMatch[]> {
  const { received, bus, view } = shadowed;
  const bug = (rule: string | undefined, error: unknown) =>
    ports.log("shadow.bug", { bus, rule, error: String(error) });
  let rules: readonly CompiledRule[];
  try {
    rules = ports.ruleSet.matchShadow(bus, view);
  } catch (error) {
    bug(undefined, error);
    return [];
  }
  if (rules.length > SHADOW_RULES_MAX) {
    ports.log("shadow.left-out", { bus, event: received.event.attributes.id, rules: rules.length - SHADOW_RULES_MAX });
  }
  const matches: ShadowMatch[] = [];
  let bytesLeft = SHADOW_EVENT_BYTES_MAX;
  for (const rule of rules.slice(0, SHADOW_RULES_MAX)) {
    const { path, targets } = rule.definition;
    const base = { rule: path, targets };
    try {
      if (rule.transform === undefined) {
        matches.push(base);
        continue;
      }
      if (received.large !== undefined) {
        matches.push({ ...base, problem: LARGE });
        continue;
      }
      // The platform's clock stands still while code runs.
      await ports.sleep(0);
      if (ports.now() - shadowed.arrivedAt > SHADOW_TIME_MS) {
        matches.push({ ...base, problem: LATE });
        continue;
      }
      const shipped = await ship(rule, shadowed, ports.hashing);
      if (!shipped.ok) {
        matches.push({ ...base, problem: shipped.error.detail.slice(0, SHADOW_PROBLEM_CHARS_MAX) });
        continue;
      }
      const kept = cutText(outputOf(shipped.value, received.event), Math.min(bytesLeft, SHADOW_OUTPUT_BYTES_MAX));
      bytesLeft -= kept.bytes;
      matches.push({ ...base, ...kept.match });
    } catch (error) {
      bug(path, error);
      matches.push({ ...base, problem: BUG });
    }
  }
  return matches;
}

/** The first attempt of the delivery to the rule's first target: what is random is drawn as it would be there. */
function ship(rule: CompiledRule, { received, identity, view, arrivedAt }: ShadowedEvent, { sha256 }: Hashing) {
  const { path, targets } = rule.definition;
  return toShipment(rule, {
    event: received.event,
    view: () => view,
    deliveryId: deliveryId(identity, path, targets[0] ?? "", 0, sha256),
    attempt: 1,
    rawHeaders: received.rawHeaders,
    acceptedAt: arrivedAt,
  });
}

/** The body, where the event around it is still the one that came in; else the event that the transform has made. */
function outputOf({ event }: Shipment, before: CloudEvent): string {
  const text = event.body === null ? null : decodeUtf8(event.body);
  return text !== null && isSameEnvelope(event, before) ? text : structuredJson(event);
}

function isSameEnvelope(made: CloudEvent, before: CloudEvent): boolean {
  const names = new Set([...Object.keys(made.attributes), ...Object.keys(before.attributes)]);
  names.delete("datacontenttype");
  return [...names].every((name) => made.attributes[name] === before.attributes[name]);
}

function cutText(text: string, bytesMax: number): { readonly bytes: number; readonly match: Partial<ShadowMatch> } {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= bytesMax) return { bytes: bytes.length, match: { output: text } };
  // As a stream, so that a character which is cut in two is left out.
  const output = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes.subarray(0, bytesMax), {
    stream: true,
  });
  return { bytes: bytesMax, match: { output, outputBytes: bytes.length } };
}
