/** Measures a matcher on events as JSON text, beside parsing the same text alone. */
import type { Matcher } from "../../src/core/matcher.ts";
import { compileMatcher } from "../../src/core/matcher.ts";
import type { Pattern } from "../../src/core/pattern.ts";
import type { JsonObject } from "../../src/core/result.ts";

export interface MatchResult {
  readonly rules: number;
  readonly events: number;
  /** Of all events together. */
  readonly matches: number;
  /** Text parsed and matched, the median of the rounds. */
  readonly eventsPerSecond: number;
  /** The same text parsed and nothing else, in turns with the former. */
  readonly parseOnlyEventsPerSecond: number;
  readonly ratioToParse: number;
  /** From JSON values to a matcher that has matched its first event. */
  readonly compileMs: number;
  /** What the compiled rules keep, once each event has been matched; null without `--expose-gc`. */
  readonly heapMb: number | null;
}

export interface Effort {
  /** Rounds of each kind. */
  readonly rounds: number;
  /** About what one round takes. */
  readonly roundMs: number;
  readonly warmUpMs: number;
}

/** About twelve seconds. Short rounds in turns: what disturbs the machine disturbs both. */
export const STEADY: Effort = { rounds: 301, roundMs: 15, warmUpMs: 1_500 };
/** About one second. */
export const QUICK: Effort = { rounds: 31, roundMs: 10, warmUpMs: 400 };

const BYTES_PER_MB = 1_000_000;

/** `compile` makes the patterns anew from what was read of the file, so that nothing but the matcher keeps them. */
export function measureMatching(
  compile: () => readonly Pattern[],
  texts: readonly string[],
  effort: Effort,
): MatchResult {
  const first = JSON.parse(texts[0] as string) as JsonObject;
  const heapBefore = heapBytes();
  const startedAt = performance.now();
  const patterns = compile();
  const rules = patterns.length;
  const matcher = compileMatcher(patterns);
  matcher.match(first);
  const compileMs = performance.now() - startedAt;
  return measureMatcher(matcher, { rules, compileMs, heapBefore }, texts, effort);
}

function measureMatcher(
  { match }: Matcher,
  { rules, compileMs, heapBefore }: { readonly rules: number; readonly compileMs: number; readonly heapBefore: number },
  texts: readonly string[],
  { rounds, roundMs, warmUpMs }: Effort,
): MatchResult {
  const matchAll = (): number => {
    let count = 0;
    for (let at = 0; at < texts.length; at++) count += match(JSON.parse(texts[at] as string) as JsonObject).length;
    return count;
  };
  const parseAll = (): number => {
    let count = 0;
    for (let at = 0; at < texts.length; at++) if (JSON.parse(texts[at] as string) !== null) count++;
    return count;
  };
  const matches = matchAll();
  const heapMb = (heapBytes() - heapBefore) / BYTES_PER_MB;
  const warmUntil = performance.now() + warmUpMs;
  let passMs = timeOf(matchAll, 1);
  while (performance.now() < warmUntil) {
    parseAll();
    passMs = timeOf(matchAll, 1);
  }
  const passes = Math.max(1, Math.round(roundMs / passMs));
  const both: number[] = [];
  const alone: number[] = [];
  for (let round = 0; round < rounds; round++) {
    alone.push(timeOf(parseAll, passes));
    both.push(timeOf(matchAll, passes));
  }
  const eventsPerSecond = (texts.length * passes * 1_000) / median(both);
  const parseOnlyEventsPerSecond = (texts.length * passes * 1_000) / median(alone);
  return {
    rules,
    events: texts.length,
    matches,
    eventsPerSecond: Math.round(eventsPerSecond),
    parseOnlyEventsPerSecond: Math.round(parseOnlyEventsPerSecond),
    ratioToParse: Number((eventsPerSecond / parseOnlyEventsPerSecond).toFixed(3)),
    compileMs: Number(compileMs.toFixed(1)),
    heapMb: Number.isNaN(heapMb) ? null : Number(heapMb.toFixed(2)),
  };
}

function timeOf(run: () => void, times: number): number {
  const startedAt = performance.now();
  for (let time = 0; time < times; time++) run();
  return performance.now() - startedAt;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** NaN without `--expose-gc`. */
function heapBytes(): number {
  const collect = (globalThis as { readonly gc?: () => void }).gc;
  if (collect === undefined) return Number.NaN;
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
