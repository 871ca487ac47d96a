/** Rules of one bus that send the same events to the same target, which gets them twice then. */
import type { Scalar } from "../../src/core/alternative.ts";
import type { Pattern } from "../../src/core/pattern.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { RuleDefinition } from "../../src/core/rule.ts";
import type { Problem } from "../problem.ts";
import type { Analysis, AnalysisInput } from "./analysis.ts";
import { textForm } from "./common-text.ts";
import type { Alternatives } from "./common-value.ts";
import { isExact } from "./common-value.ts";
import { placeOf } from "./event-place.ts";
import { busWorld, githubTypesOf, infeasible } from "./feasible.ts";
import { shownEvent } from "./shown-event.ts";
import type { WitnessWish } from "./witness.ts";
import { witness } from "./witness.ts";

export const OVERLAPS_SHOWN_MAX = 20;

/** Pairs of rules that are compared by the exact values they name, and pairs that a common event is looked for. */
const PAIRS_MAX = 1_000_000;
export const WITNESSES_MAX = 40_000;

/** Beginnings of one field's texts that rules are compared by. */
const HEADS_MAX = 8;

/** How many fields, one after the other, rules are put apart by before they are compared one by one. */
const SPLITS_MAX = 8;

interface LiveRule {
  readonly definition: RuleDefinition;
  readonly pattern: Pattern;
  /** The values of each field that every branch names, and names by exact values only. */
  readonly exact: ReadonlyMap<string, ReadonlySet<Scalar>>;
  /** What the texts of each field begin with that every branch names, and names by few texts with a beginning only. */
  readonly heads: ReadonlyMap<string, readonly string[]>;
  readonly index: number;
}

export const overlaps: Analysis = (input) => {
  const rules = liveRules(input);
  const search: Search = { input, compared: new Set(), witnesses: 0, problems: [], count: rules.length };
  for (const [bus, members] of Map.groupBy(rules, ({ definition }) => definition.bus)) {
    const wish = wishFor(bus, input);
    const targets = new Set(members.flatMap(({ definition }) => definition.targets));
    for (const target of targets) {
      const sharing = members.filter(({ definition }) => definition.targets.includes(target));
      for (const [a, b] of pairsOf(sharing, new Set())) {
        const stopped = compare(a, b, wish, search);
        if (stopped !== undefined) return [...search.problems, stopped];
      }
    }
  }
  return search.problems;
};

function liveRules({ document }: AnalysisInput): readonly LiveRule[] {
  return document.rules.flatMap((definition, index): readonly LiveRule[] => {
    if (definition.mode !== "live") return [];
    const pattern = parsePattern(definition.pattern);
    if (!pattern.ok) return [];
    const { branches } = pattern.value;
    return [{ definition, pattern: pattern.value, exact: exactValues(branches), heads: textHeads(branches), index }];
  });
}

function exactValues(branches: Pattern["branches"]): LiveRule["exact"] {
  const valuesIn = (alternatives: Alternatives): readonly Scalar[] | undefined =>
    isExact(alternatives) ? alternatives.flatMap((each) => (each.kind === "equals" ? [each.value] : [])) : undefined;
  return new Map([...collect(branches, valuesIn)].map(([path, values]) => [path, new Set(values)]));
}

function textHeads(branches: Pattern["branches"]): LiveRule["heads"] {
  const headsIn = (alternatives: Alternatives): readonly string[] | undefined => {
    const heads = alternatives.map((alternative) => {
      const form = textForm(alternative);
      return form === undefined || form.ignoresCase ? "" : (form.pieces[0] ?? "");
    });
    return heads.every((head) => head !== "") ? heads : undefined;
  };
  return new Map([...collect(branches, headsIn)].filter(([, heads]) => heads.length <= HEADS_MAX));
}

/** What is read from a field's alternatives, of all branches together: only fields of which every branch gives something. */
function collect<Item>(
  branches: Pattern["branches"],
  read: (alternatives: Alternatives) => readonly Item[] | undefined,
): ReadonlyMap<string, readonly Item[]> {
  const [first = [], ...others] = branches.map(
    (branch) => new Map(branch.map(({ path, alternatives }) => [path, alternatives])),
  );
  const collected = new Map<string, readonly Item[]>();
  for (const [path, alternatives] of first) {
    const items = [alternatives, ...others.map((branch) => branch.get(path))].map((each) => each && read(each));
    if (items.every((each) => each !== undefined)) collected.set(path, items.flat());
  }
  return collected;
}

/** Events that can't come to the bus are no overlap; where nobody knows, they may come. */
function wishFor(bus: string, input: AnalysisInput): WitnessWish {
  const world = busWorld(input, bus);
  return {
    consider: (branch) => {
      const problem = infeasible(branch, world);
      // A type that no source sends may come as a reply.
      if (problem !== undefined && (problem.severity === "error" || problem.field.path !== "type")) return undefined;
      const types = githubTypesOf(branch, world) ?? [];
      return (path) =>
        path === "type"
          ? types.map(({ type }) => type)
          : types.flatMap((type) => [...(placeOf(path, type)?.exact ?? [])]);
    },
  };
}

interface Search {
  readonly input: AnalysisInput;
  /** Pairs, as one number each. */
  readonly compared: Set<number>;
  witnesses: number;
  readonly problems: Problem[];
  readonly count: number;
}

/** Adds a finding where the two overlap. Answers a last one where the search has to end. */
function compare(a: LiveRule, b: LiveRule, wish: WitnessWish, search: Search): Problem | undefined {
  const [first, later] = a.index < b.index ? [a, b] : [b, a];
  const pair = first.index * search.count + later.index;
  if (search.compared.has(pair)) return undefined;
  search.compared.add(pair);
  if (search.compared.size > PAIRS_MAX) return endedAt(later, `after ${PAIRS_MAX} pairs of rules`, search);
  if (areApart(first, later)) return undefined;
  if (++search.witnesses > WITNESSES_MAX)
    return endedAt(later, `after ${WITNESSES_MAX} pairs that may overlap`, search);
  const event = witness(first.pattern, later.pattern, wish);
  if (event === undefined) return undefined;
  if (search.problems.length >= OVERLAPS_SHOWN_MAX) {
    return endedAt(
      later,
      `after the first ${OVERLAPS_SHOWN_MAX}: this rule and ${first.definition.path} overlap, too`,
      search,
    );
  }
  const shared = first.definition.targets.filter((name) => later.definition.targets.includes(name));
  const message =
    `the rule ${first.definition.path} takes some of the same events, so ${shared.join(" and ")} get${shared.length === 1 ? "s" : ""} them twice: ` +
    `${shownEvent(event)}; narrow one of the two with anything-but, make them one rule with $or, or leave it if both are meant`;
  search.problems.push({ ...patternPlace(later, search.input), message, severity: "warning", code: "overlap" });
  return undefined;
}

function endedAt(rule: LiveRule, when: string, { input }: Search): Problem {
  const message = `the search for rules that overlap ended ${when}`;
  return { ...patternPlace(rule, input), message, severity: "warning", code: "overlap" };
}

function patternPlace({ definition }: LiveRule, { places }: AnalysisInput): Pick<Problem, "file" | "line" | "column"> {
  return places.ofRule(definition.path, { path: ["pattern"], at: "key" });
}

function areApart(a: LiveRule, b: LiveRule): boolean {
  for (const [path, values] of a.exact) {
    const others = b.exact.get(path);
    if (others !== undefined && ![...values].some((value) => others.has(value))) return true;
  }
  for (const [path, heads] of a.heads) {
    const others = b.heads.get(path);
    if (others?.every((other) => heads.every((head) => !head.startsWith(other) && !other.startsWith(head))))
      return true;
  }
  return false;
}

/**
 * Pairs that may overlap, some of them twice: rules are put into heaps by the values of the field that puts most of them
 * apart, the rules of each heap by another field, and those without exact values are compared with all.
 */
function* pairsOf(rules: readonly LiveRule[], used: ReadonlySet<string>): Generator<readonly [LiveRule, LiveRule]> {
  const path = rules.length > 2 && used.size < SPLITS_MAX ? dividingPath(rules, used) : undefined;
  if (path === undefined) {
    for (const [index, a] of rules.entries()) for (const b of rules.slice(index + 1)) yield [a, b];
    return;
  }
  const heaps = new Map<Scalar, LiveRule[]>();
  const open: LiveRule[] = [];
  const divided: LiveRule[] = [];
  for (const rule of rules) {
    const values = rule.exact.get(path);
    (values === undefined ? open : divided).push(rule);
    for (const value of values ?? []) {
      const heap = heaps.get(value) ?? [];
      heap.push(rule);
      heaps.set(value, heap);
    }
  }
  const usedNow = new Set([...used, path]);
  for (const heap of heaps.values()) yield* pairsOf(heap, usedNow);
  for (const a of divided) for (const b of open) yield [a, b];
  yield* pairsOf(open, usedNow);
}

/** The field whose values leave the fewest rules together, if any puts some apart. */
function dividingPath(rules: readonly LiveRule[], used: ReadonlySet<string>): string | undefined {
  const counts = new Map<string, Map<Scalar, number>>();
  const named = new Map<string, number>();
  for (const { exact } of rules) {
    for (const [path, values] of exact) {
      if (used.has(path)) continue;
      named.set(path, (named.get(path) ?? 0) + 1);
      const ofPath = counts.get(path) ?? new Map<Scalar, number>();
      counts.set(path, ofPath);
      for (const value of values) ofPath.set(value, (ofPath.get(value) ?? 0) + 1);
    }
  }
  let best: string | undefined;
  let bestApart = 0;
  for (const [path, ofPath] of counts) {
    let largest = 0;
    for (const count of ofPath.values()) largest = Math.max(largest, count);
    const apart = (named.get(path) ?? 0) - largest;
    if (apart > bestApart) [best, bestApart] = [path, apart];
  }
  return best;
}
