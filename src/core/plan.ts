/**
 * A plan: what changed rules would do otherwise with events that really came. Pure; events are looked at one after the other
 * and forgotten, so that only counts and a few examples grow with the rules.
 */
import type { CloudEvent } from "./event.ts";
import { eventView } from "./event.ts";
import type { Matcher } from "./matcher.ts";
import { compileMatcher } from "./matcher.ts";
import type { Pattern } from "./pattern.ts";
import { parsePattern } from "./pattern.ts";
import type { RuleChange, RulePair } from "./plan-pairs.ts";
import { pairRules } from "./plan-pairs.ts";
import type { BodyExample, ModeTally, TallyKeeper } from "./plan-tally.ts";
import { bodyExample, createTallyKeeper, isSameEvent } from "./plan-tally.ts";
import type { JsonObject, Mistake, Result } from "./result.ts";
import { err, formatPath, ok } from "./result.ts";
import type { RuleDefinition } from "./rule.ts";
import { toShipment } from "./shipment.ts";
import type { Shipment } from "./target.ts";
import type { Transform, TransformFailure } from "./transform.ts";
import { jsonataEngine } from "./jsonata.ts";
import { parseTransform } from "./read-transform.ts";

export interface PlanEvent {
  /** How people find it: its receipt, or where it stands in a file. */
  readonly name: string;
  readonly bus: string;
  /** The name of the source that it came through, where that is known. */
  readonly from?: string;
  /** In milliseconds. */
  readonly acceptedAt: number;
  readonly event: CloudEvent;
}

export interface RulePlan {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  readonly changes: readonly RuleChange[];
  readonly live: ModeTally;
  readonly shadow: ModeTally;
  /** Of the first event whose body has changed and that is not too large. */
  readonly bodyExample?: BodyExample;
  /** Why the transform of the first new failure fails. */
  readonly failureDetail?: string;
}

export interface RulesPlan {
  readonly eventCount: number;
  /**
   * Rules that are not the same on both sides, in the order of their paths, those that no event tells apart too; and those that
   * match other events only because a source has moved, without `changes`.
   */
  readonly rules: readonly RulePlan[];
  readonly unchangedRuleCount: number;
}

/** A definition that this version can't read, as one from a router of another version. `detail` is a sentence without its stop. */
export interface PlanProblem {
  readonly reason: "unreadable-rule";
  readonly rule: string;
  readonly side: "before" | "after";
  readonly detail: string;
}

/**
 * Runs the events through the rules that are not the same on both sides; the others cost nothing, and a pattern that is on both
 * sides is matched once. `onProgress` gets the number of events so far, after each. `moves` are `movedSources`: events of these
 * meet other rules afterwards, so all rules are looked at.
 */
export async function planChanges(
  before: readonly RuleDefinition[],
  after: readonly RuleDefinition[],
  batches: AsyncIterable<readonly PlanEvent[]> | Iterable<readonly PlanEvent[]>,
  onProgress: (eventCount: number) => void = () => {},
  moves: ReadonlyMap<string, string | null> = new Map(),
): Promise<Result<RulesPlan, PlanProblem>> {
  const { changed, unchanged } = pairRules(before, after);
  const compiled = compilePairs(moves.size === 0 ? changed : [...changed, ...unchanged]);
  if (!compiled.ok) return compiled;
  const { pairs, buses } = compiled.value;
  let eventCount = 0;
  for await (const batch of batches) {
    for (const planEvent of batch) {
      const { bus, from } = planEvent;
      const moved = from === undefined ? undefined : moves.get(from);
      if (moved === undefined || moved === bus) await tallyEvent(planEvent, buses.get(bus));
      else {
        await tallyEvent(planEvent, buses.get(bus), "before");
        if (moved !== null) await tallyEvent(planEvent, buses.get(moved), "after");
      }
      eventCount += 1;
      onProgress(eventCount);
    }
  }
  const rules = pairs.filter(isTold).map(planOf);
  rules.sort((a, b) => (a.path < b.path ? -1 : 1));
  return ok({ eventCount, rules, unchangedRuleCount: changed.length + unchanged.length - rules.length });
}

/** What has not changed is told only when events come to it, or no longer do. */
function isTold({ pair, live, shadow }: CompiledPair): boolean {
  if (pair.before === undefined || pair.after === undefined || pair.changes.length > 0) return true;
  return [live.tally(), shadow.tally()].some((tally) => tally.newlyMatched.count + tally.noLongerMatched.count > 0);
}

type Mode = "live" | "shadow";

interface Side {
  readonly mode: Mode;
  readonly transform: Transform | undefined;
}

/** A pair, compiled, with what has been counted of it. */
interface CompiledPair {
  readonly pair: RulePair;
  /** Undefined where the rule is missing or off. */
  readonly before: Side | undefined;
  readonly after: Side | undefined;
  readonly transformChanged: boolean;
  readonly live: TallyKeeper;
  readonly shadow: TallyKeeper;
  bodyExample: BodyExample | undefined;
  failureDetail: string | undefined;
}

interface PatternUser {
  readonly pair: CompiledPair;
  readonly onBefore: boolean;
  readonly onAfter: boolean;
}

interface UsedPattern {
  readonly pattern: Pattern;
  readonly users: PatternUser[];
}

/** The distinct patterns of a bus, and which rules have them on which side. */
interface CompiledBus {
  readonly matcher: Matcher;
  readonly users: readonly (readonly PatternUser[])[];
}

function compilePairs(
  changed: readonly RulePair[],
): Result<{ pairs: readonly CompiledPair[]; buses: ReadonlyMap<string, CompiledBus> }, PlanProblem> {
  const pairs: CompiledPair[] = [];
  const patternsOf = new Map<string, Map<string, UsedPattern>>();
  for (const pair of changed) {
    const before = compileSide(pair, "before");
    if (!before.ok) return before;
    const after = compileSide(pair, "after");
    if (!after.ok) return after;
    const compiled: CompiledPair = {
      pair,
      before: before.value?.side,
      after: after.value?.side,
      transformChanged: pair.changes.some(({ kind }) => kind === "transform"),
      live: createTallyKeeper(),
      shadow: createTallyKeeper(),
      bodyExample: undefined,
      failureDetail: undefined,
    };
    pairs.push(compiled);
    // A pattern that only writes its members in another order is the same one.
    const onBoth = !pair.changes.some(({ kind }) => kind === "pattern");
    const bus = (pair.after ?? pair.before)?.bus ?? "";
    const patterns = patternsOf.get(bus) ?? new Map<string, UsedPattern>();
    patternsOf.set(bus, patterns);
    const use = (found: FoundSide | undefined, onBefore: boolean, onAfter: boolean): void => {
      if (found === undefined) return;
      const known = patterns.get(found.text) ?? { pattern: found.pattern, users: [] };
      known.users.push({ pair: compiled, onBefore, onAfter });
      patterns.set(found.text, known);
    };
    if (onBoth && before.value !== undefined && after.value !== undefined) use(before.value, true, true);
    else {
      use(before.value, true, false);
      use(after.value, false, true);
    }
  }
  const buses = new Map<string, CompiledBus>();
  for (const [bus, patterns] of patternsOf) {
    const each = [...patterns.values()];
    buses.set(bus, {
      matcher: compileMatcher(each.map(({ pattern }) => pattern)),
      users: each.map(({ users }) => users),
    });
  }
  return ok({ pairs, buses });
}

interface FoundSide {
  readonly text: string;
  readonly pattern: Pattern;
  readonly side: Side;
}

function compileSide(pair: RulePair, side: "before" | "after"): Result<FoundSide | undefined, PlanProblem> {
  const definition = pair[side];
  if (definition === undefined || definition.mode === "off") return ok(undefined);
  const unreadable = (mistakes: readonly Mistake[], name: string): Result<never, PlanProblem> => {
    const [first] = mistakes;
    const detail = first === undefined ? name : `${formatPath([name, ...first.path])}: ${first.message}`;
    return err({ reason: "unreadable-rule", rule: pair.path, side, detail });
  };
  const pattern = parsePattern(definition.pattern);
  if (!pattern.ok) return unreadable(pattern.error, "pattern");
  const transform =
    definition.transform === undefined ? ok(undefined) : parseTransform(definition.transform, jsonataEngine);
  if (!transform.ok) return unreadable(transform.error, "transform");
  const compiled: Side = { mode: definition.mode, transform: transform.value };
  return ok({ text: JSON.stringify(definition.pattern), pattern: pattern.value, side: compiled });
}

/**
 * What an event costs: its view, one match of all patterns, and the transforms of the rules that it meets. It comes to this bus
 * on both sides, or only on one.
 */
async function tallyEvent(
  planEvent: PlanEvent,
  bus: CompiledBus | undefined,
  only?: "before" | "after",
): Promise<void> {
  if (bus === undefined) return;
  const view = eventView(planEvent.event);
  const met = new Map<CompiledPair, { before: boolean; after: boolean }>();
  for (const index of bus.matcher.match(view)) {
    for (const { pair, onBefore, onAfter } of bus.users[index] ?? []) {
      const sides = met.get(pair) ?? { before: false, after: false };
      met.set(pair, { before: sides.before || onBefore, after: sides.after || onAfter });
    }
  }
  for (const [pair, sides] of met) {
    const was = sides.before && only !== "after" ? pair.before : undefined;
    const is = sides.after && only !== "before" ? pair.after : undefined;
    await tallyPair(pair, was, is, planEvent, view);
  }
}

async function tallyPair(
  pair: CompiledPair,
  was: Side | undefined,
  is: Side | undefined,
  planEvent: PlanEvent,
  view: JsonObject,
): Promise<void> {
  const { name } = planEvent;
  const ship = (side: Side) => shipmentOf(side, pair.pair.path, planEvent, view);
  const noteFailure = (keeper: TallyKeeper, { detail }: TransformFailure): void => {
    keeper.add("failuresNew", name);
    pair.failureDetail ??= detail;
  };
  if (was === undefined || was.mode !== is?.mode) {
    if (was !== undefined) pair[was.mode].add("noLongerMatched", name);
    if (is === undefined) return;
    pair[is.mode].add("newlyMatched", name);
    if (is.transform === undefined) return;
    const made = await ship(is);
    if (!made.ok) noteFailure(pair[is.mode], made.error);
    return;
  }
  const keeper = pair[is.mode];
  keeper.addStillMatched();
  if (!pair.transformChanged) return;
  const [before, after] = [await ship(was), await ship(is)];
  if (!after.ok) {
    if (before.ok) noteFailure(keeper, after.error);
  } else if (!before.ok) keeper.add("failuresGone", name);
  else if (!isSameEvent(before.value.event, after.value.event)) {
    keeper.add("bodyChanged", name);
    pair.bodyExample ??= bodyExample(name, before.value.event, after.value.event);
  }
}

/** The seed is the event's and the rule's, the same on both sides: what is drawn and what time it is makes no difference. */
function shipmentOf(
  { transform }: Side,
  path: string,
  { name, event, acceptedAt }: PlanEvent,
  view: JsonObject,
): Promise<Result<Shipment, TransformFailure>> {
  const deliveryId = `${name} ${path}`;
  return toShipment({ transform }, { event, view: () => view, deliveryId, attempt: 1, rawHeaders: {}, acceptedAt });
}

function planOf({ pair, live, shadow, bodyExample: example, failureDetail }: CompiledPair): RulePlan {
  return {
    path: pair.path,
    kind: pair.before === undefined ? "added" : pair.after === undefined ? "removed" : "changed",
    changes: pair.changes,
    live: live.tally(),
    shadow: shadow.tally(),
    ...(example === undefined ? {} : { bodyExample: example }),
    ...(failureDetail === undefined ? {} : { failureDetail }),
  };
}
