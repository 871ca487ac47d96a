/** What a plan counts of one rule: numbers, and a few examples of each, however many events there are. */
import type { CloudEvent } from "./event.ts";
import { decodeUtf8, structuredJson } from "./event.ts";

/** Events named for each number. */
export const EXAMPLES_MAX = 3;
/** Characters of each side of the body that is kept as an example; larger ones are only counted. */
export const BODY_EXAMPLE_CHARS_MAX = 32_768;

/** How many events, and the first of them by name. */
export interface Tally {
  readonly count: number;
  readonly examples: readonly string[];
}

/** What one mode of a rule, live or shadow, does with the events. */
export interface ModeTally {
  /** Wanted now and not before. */
  readonly newlyMatched: Tally;
  readonly noLongerMatched: Tally;
  /** Wanted before and now, whatever becomes of their bodies. */
  readonly stillMatchedCount: number;
  /** Of those: targets get something else. */
  readonly bodyChanged: Tally;
  /** The transform fails, and did not before, or the event was not wanted then. */
  readonly failuresNew: Tally;
  /** The transform failed before, and no longer does. */
  readonly failuresGone: Tally;
}

/** What targets got of an event and would get: JSON bodies, or whole events in the JSON format where more than the body differs. */
export interface BodyExample {
  readonly event: string;
  readonly before: string;
  readonly after: string;
}

type Counted = Exclude<keyof ModeTally, "stillMatchedCount">;

/** Grows while events go by. */
export interface TallyKeeper {
  readonly add: (what: Counted, event: string) => void;
  readonly addStillMatched: () => void;
  readonly tally: () => ModeTally;
}

export function createTallyKeeper(): TallyKeeper {
  const counts: Record<Counted, { count: number; readonly examples: string[] }> = {
    newlyMatched: { count: 0, examples: [] },
    noLongerMatched: { count: 0, examples: [] },
    bodyChanged: { count: 0, examples: [] },
    failuresNew: { count: 0, examples: [] },
    failuresGone: { count: 0, examples: [] },
  };
  let stillMatchedCount = 0;
  return {
    add(what, event) {
      const counted = counts[what];
      counted.count += 1;
      if (counted.examples.length < EXAMPLES_MAX) counted.examples.push(event);
    },
    addStillMatched() {
      stillMatchedCount += 1;
    },
    tally: () => ({ ...counts, stillMatchedCount }),
  };
}

/** Whether targets get the same: every attribute, and every byte. */
export function isSameEvent(a: CloudEvent, b: CloudEvent): boolean {
  return isSameBody(a.body, b.body) && isSameEnvelope(a, b);
}

function isSameBody(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

function isSameEnvelope({ attributes: a }: CloudEvent, { attributes: b }: CloudEvent): boolean {
  if (a === b) return true;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => a[name] === b[name]);
}

/** The two to be shown one beside the other; undefined when they are too large for that. */
export function bodyExample(event: string, before: CloudEvent, after: CloudEvent): BodyExample | undefined {
  const largest = Math.max(before.body?.length ?? 0, after.body?.length ?? 0);
  // A character takes four bytes at most.
  if (largest > 4 * BODY_EXAMPLE_CHARS_MAX) return undefined;
  const bodies = isSameEnvelope(before, after) ? [before, after].map(({ body }) => body && decodeUtf8(body)) : [];
  const [left, right] = bodies;
  const texts =
    typeof left === "string" && typeof right === "string"
      ? { before: left, after: right }
      : { before: structuredJson(before), after: structuredJson(after) };
  return Math.max(texts.before.length, texts.after.length) > BODY_EXAMPLE_CHARS_MAX ? undefined : { event, ...texts };
}
