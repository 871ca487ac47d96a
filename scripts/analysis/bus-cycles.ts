/** Circles: rules that hand an event from bus to bus until it is back where it began, and begins anew. */
import { compileAlternatives } from "../../src/core/value-test.ts";
import { HOPS_ATTRIBUTE, HOPS_MAX } from "../../src/core/hops.ts";
import type { Field, Pattern } from "../../src/core/pattern.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { JsonObject } from "../../src/core/result.ts";
import { isJsonObject } from "../../src/core/result.ts";
import type { RuleDefinition } from "../../src/core/rule.ts";
import type { Problem } from "../problem.ts";
import type { Analysis, AnalysisInput } from "./analysis.ts";
import { shownEvent } from "./shown-event.ts";
import { busOf } from "./silent-buses.ts";
import { commonWitness } from "./witness.ts";

/** Steps from rule to rule that are tried before the search ends. */
export const CYCLE_STEPS_MAX = 5_000;

/** One that leads over more buses is not looked for: with its ninth pass an event is dead anyway. */
const BUSES_IN_CYCLE_MAX = HOPS_MAX;

/** A rule that sends to a bus. */
interface Pipe {
  readonly definition: RuleDefinition;
  readonly target: string;
  readonly targetIndex: number;
  readonly to: string;
  readonly pattern: Pattern;
  /** What the rule's transform changes. Only JSONata can make an event with other attributes. */
  readonly change: Change;
}

type Change = "nothing" | "data" | "all";

interface Search {
  readonly byBus: ReadonlyMap<string, readonly Pipe[]>;
  steps: number;
}

/** One finding for each rule that is in a circle, but for those that stand in one that was shown already. */
export const busCycles: Analysis = (input) => {
  const pipes = inCycles(readPipes(input));
  const search: Search = { byBus: Map.groupBy(pipes, ({ definition }) => definition.bus), steps: 0 };
  const shown = new Set<string>();
  const problems: Problem[] = [];
  for (const pipe of pipes) {
    if (shown.has(pipe.definition.path)) continue;
    const cycle = findCycle([pipe], search);
    if (search.steps > CYCLE_STEPS_MAX) return [...problems, endedAt(pipe, input)];
    if (cycle === undefined) continue;
    for (const { definition } of cycle.way) shown.add(definition.path);
    problems.push(cycleProblem(cycle, input));
  }
  return problems;
};

function readPipes({ document: { rules, targets } }: AnalysisInput): readonly Pipe[] {
  const buses = new Map(
    targets.flatMap((target) => (busOf(target) === undefined ? [] : [[target.name, busOf(target)]])),
  );
  return rules.flatMap((definition): readonly Pipe[] => {
    if (definition.mode !== "live" || !definition.targets.some((name) => buses.has(name))) return [];
    const pattern = parsePattern(definition.pattern);
    const counted = pattern.ok ? withoutHops(pattern.value) : { branches: [] };
    if (counted.branches.length === 0) return [];
    const change = changeOf(definition);
    return [...definition.targets.entries()].flatMap(([targetIndex, target]): readonly Pipe[] => {
      const to = buses.get(target);
      return to === undefined ? [] : [{ definition, target, targetIndex, to, pattern: counted, change }];
    });
  });
}

/** The pipes whose bus leads back to their rule's own, whatever the patterns say. */
function inCycles(pipes: readonly Pipe[]): readonly Pipe[] {
  const next = Map.groupBy(pipes, ({ definition }) => definition.bus);
  const reached = new Map<string, ReadonlySet<string>>();
  const reachedFrom = (bus: string): ReadonlySet<string> => {
    const known = reached.get(bus);
    if (known !== undefined) return known;
    const buses = new Set([bus]);
    // A set hands out what is added to it while it is walked.
    for (const each of buses) for (const { to } of next.get(each) ?? []) buses.add(to);
    reached.set(bus, buses);
    return buses;
  };
  return pipes.filter(({ definition, to }) => reachedFrom(to).has(definition.bus));
}

function changeOf({ transform }: RuleDefinition): Change {
  if (transform === undefined) return "nothing";
  return isJsonObject(transform) && Object.hasOwn(transform, "jsonata") ? "all" : "data";
}

/** The branches that go on matching while the count of passes rises, less that field: the others end a circle themselves. */
function withoutHops({ branches }: Pattern): Pattern {
  const endless = branches.filter((branch) =>
    branch.every(({ path, alternatives }) => {
      if (path !== HOPS_ATTRIBUTE) return true;
      const test = compileAlternatives(alternatives);
      return Array.from({ length: HOPS_MAX }, (_, passed) => passed + 1).every(test);
    }),
  );
  return { branches: endless.map((branch) => branch.filter(({ path }) => path !== HOPS_ATTRIBUTE)) };
}

interface Cycle {
  readonly way: readonly Pipe[];
  readonly event: JsonObject;
  /** False when a transform may make of the event what the next rule doesn't take. */
  readonly isCertain: boolean;
}

/** Goes on from the way's last rule until it is back on the bus of the first. */
function findCycle(way: readonly Pipe[], search: Search): Cycle | undefined {
  const [first, last] = [way[0], way.at(-1)];
  if (first === undefined || last === undefined || ++search.steps > CYCLE_STEPS_MAX) return undefined;
  if (last.to === first.definition.bus) return closedCycle(way);
  if (way.length >= BUSES_IN_CYCLE_MAX || way.some(({ definition }) => definition.bus === last.to)) return undefined;
  if (commonWitness(patternsOf(way, false)) === undefined) return undefined;
  for (const next of search.byBus.get(last.to) ?? []) {
    const cycle = findCycle([...way, next], search);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function closedCycle(way: readonly Pipe[]): Cycle | undefined {
  const changes = way.map(({ change }) => change);
  if (!changes.includes("all")) {
    // What a transform makes of the data is known only to rules that don't ask.
    const blind = changes.includes("data")
      ? way.map(({ pattern }) => withoutData(pattern))
      : way.map((pipe) => pipe.pattern);
    const event = commonWitness(blind);
    if (event !== undefined) return { way, event, isCertain: true };
    if (!changes.includes("data")) return undefined;
  }
  const found = commonWitness(patternsOf(way, true));
  if (found === undefined) return undefined;
  const event = Object.fromEntries(Object.entries(found).filter(([name]) => !name.startsWith(CHANGED)));
  return { way, event, isCertain: false };
}

/** The branches that ask for nothing that a transform changes. */
function withoutData({ branches }: Pattern): Pattern {
  return { branches: branches.filter((branch) => !branch.some(isOfData)) };
}

/** A transform's result is JSON, so the content type may be another one, too. */
function isOfData({ path }: Field): boolean {
  const [name] = path.split(".");
  return name === "data" || name === "data_base64" || name === "datacontenttype";
}

/** Before the names of fields as they are after a transform, with the transform's number. No attribute is named like that. */
const CHANGED = "#";

/**
 * The rules' patterns, such that a common event of all of them is an event's whole way: what a transform changes has another
 * name after it. When the way is closed, what the last transform made is what comes to the first rule.
 */
function patternsOf(way: readonly Pipe[], isClosed: boolean): readonly Pattern[] {
  const totals = { data: count(way, ["data", "all"]), all: count(way, ["all"]) };
  return way.map(({ pattern }, index) => {
    const before = way.slice(0, index);
    const run = (passed: number, total: number): number => (isClosed && total > 0 ? passed % total : passed);
    const ofData = run(count(before, ["data", "all"]), totals.data);
    const ofOthers = run(count(before, ["all"]), totals.all);
    const renamed = (field: Field): Field => {
      const passed = isOfData(field) ? ofData : ofOthers;
      return passed === 0 ? field : { ...field, path: `${CHANGED}${passed}.${field.path}` };
    };
    return { branches: pattern.branches.map((branch) => branch.map(renamed)) };
  });
}

function count(way: readonly Pipe[], changes: readonly Change[]): number {
  return way.filter(({ change }) => changes.includes(change)).length;
}

function cycleProblem({ way, event, isCertain }: Cycle, { places }: AnalysisInput): Problem {
  const steps = way.map(({ definition, target, to }) => `rule ${definition.path} -> target ${target} -> bus ${to}`);
  const [first] = way as readonly [Pipe];
  const example = Object.keys(event).length === 0 ? "" : `, such as ${shownEvent(event)}`;
  const goes = isCertain
    ? "events go in a circle"
    : "events may go in a circle, if a transform makes what the next rule takes";
  const message =
    `${goes}: ${steps.join(" -> ")}, and again${example}; an event is dead after ${HOPS_MAX} passes (hop-limit). ` +
    `Narrow a pattern, or leave out what has been passed on: ${HOPS_ATTRIBUTE}: [{ exists: false }]`;
  const place = places.ofRule(first.definition.path, { path: ["targets", first.targetIndex] });
  return { ...place, message, severity: isCertain ? "error" : "warning", code: "bus-cycle" };
}

function endedAt({ definition }: Pipe, { places }: AnalysisInput): Problem {
  const message = `the search for circles over bus targets ended at this rule, after ${CYCLE_STEPS_MAX} steps`;
  return { ...places.ofRule(definition.path, { path: [] }), message, severity: "warning", code: "bus-cycle" };
}
