/** A plan in words: a line for each rule that changes, what tells it apart below, and one line for all. */
import type { RuleChange, SourceChange, TargetChange } from "../../src/core/plan-pairs.ts";
import type { RulePlan, RulesPlan } from "../../src/core/plan.ts";
import type { BodyExample, ModeTally, Tally } from "../../src/core/plan-tally.ts";
import type { Json } from "../../src/core/result.ts";
import type { RuleOrder } from "../../src/core/rule.ts";
import { jsonDiff } from "../json-diff.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

/** Lines of an example's diff. */
export const DIFF_LINES_SHOWN_MAX = 30;
const INDENT = "    ";

export interface Changes {
  readonly rules: RulesPlan;
  readonly targets: readonly TargetChange[];
  readonly sources: readonly SourceChange[];
}

export interface PlanTotals {
  readonly events: number;
  readonly rulesChanged: number;
  readonly rulesUnchanged: number;
  readonly targetsChanged: number;
  readonly sourcesChanged: number;
  readonly newlyMatched: number;
  readonly noLongerMatched: number;
  readonly bodyChanged: number;
  readonly failuresNew: number;
  readonly failuresGone: number;
}

/** Of live rules; the same of shadow rules stands by itself. */
export function planTotals({ rules, targets, sources }: Changes): PlanTotals & { shadow: ModeTotals } {
  return {
    events: rules.eventCount,
    rulesChanged: rules.rules.length,
    rulesUnchanged: rules.unchangedRuleCount,
    targetsChanged: targets.length,
    sourcesChanged: new Set(sources.map(({ name }) => name)).size,
    ...modeTotals(rules.rules.map(({ live }) => live)),
    shadow: modeTotals(rules.rules.map(({ shadow }) => shadow)),
  };
}

type ModeTotals = Pick<PlanTotals, "newlyMatched" | "noLongerMatched" | "bodyChanged" | "failuresNew" | "failuresGone">;

function modeTotals(tallies: readonly ModeTally[]): ModeTotals {
  const sum = (of: (tally: ModeTally) => Tally) => tallies.reduce((total, tally) => total + of(tally).count, 0);
  return {
    newlyMatched: sum(({ newlyMatched }) => newlyMatched),
    noLongerMatched: sum(({ noLongerMatched }) => noLongerMatched),
    bodyChanged: sum(({ bodyChanged }) => bodyChanged),
    failuresNew: sum(({ failuresNew }) => failuresNew),
    failuresGone: sum(({ failuresGone }) => failuresGone),
  };
}

export function planLines(changes: Changes, paint: Terminal["paint"]): readonly string[] {
  const rules = changes.rules.rules.flatMap((rule) => ruleLines(rule, paint));
  const ofTargets = changes.targets.map(({ name, kind }) => {
    const text = kind === "settings" ? "settings changed" : kind;
    return `${signOf(kind, paint)} ${paint("bold", `target ${printable(name)}`)}  ${text}`;
  });
  const ofSources = changes.sources.map((change) => {
    const head = `${signOf(change.kind, paint)} ${paint("bold", `source ${printable(change.name)}`)}`;
    if (!("before" in change)) return `${head}  ${change.kind}`;
    return `${head}  ${change.kind}: ${printable(change.before)} before, ${printable(change.after)} after`;
  });
  const lines = [...rules, ...ofTargets, ...ofSources];
  return [...lines, ...(lines.length > 0 ? [""] : []), summaryLine(changes, paint)];
}

function signOf(
  kind: RulePlan["kind"] | TargetChange["kind"] | SourceChange["kind"],
  paint: Terminal["paint"],
): string {
  if (kind === "added") return paint("green", "+");
  return kind === "removed" ? paint("red", "-") : paint("yellow", "~");
}

function summaryLine(changes: Changes, paint: Terminal["paint"]): string {
  const { events, rulesChanged, targetsChanged, sourcesChanged, shadow, ...live } = planTotals(changes);
  const head = `${paint("bold", "Plan:")} ${counted(events, "event")}`;
  const what = [
    ...changing(rulesChanged, "rule"),
    ...changing(targetsChanged, "target"),
    ...changing(sourcesChanged, "source"),
  ];
  if (what.length === 0) return `${head}, nothing changes.`;
  if (rulesChanged === 0) return `${head}, ${what.join(", ")}.`;
  const ofShadow = isNothing(shadow) ? "" : `; shadow: ${totalsText(shadow)}`;
  return `${head}, ${what.join(", ")}: ${totalsText(live)}${ofShadow}.`;
}

function changing(count: number, noun: string): readonly string[] {
  return count === 0 ? [] : [`${counted(count, noun)} ${count === 1 ? "changes" : "change"}`];
}

function isNothing(totals: ModeTotals): boolean {
  return Object.values(totals).every((count) => count === 0);
}

function totalsText(totals: ModeTotals): string {
  const { newlyMatched, noLongerMatched, bodyChanged, failuresNew, failuresGone } = totals;
  return [
    `${newlyMatched} newly matched`,
    `${noLongerMatched} no longer matched`,
    `${bodyChanged} ${bodyChanged === 1 ? "body" : "bodies"} changed`,
    ...(failuresNew > 0 ? [`${counted(failuresNew, "transform")} newly failing`] : []),
    ...(failuresGone > 0 ? [`${counted(failuresGone, "transform")} no longer failing`] : []),
  ].join(", ");
}

function ruleLines(rule: RulePlan, paint: Terminal["paint"]): readonly string[] {
  const { kind, live, shadow } = rule;
  const counts = [
    ...(isTouched(live) || !isTouched(shadow) ? [countsText(kind, live)] : []),
    ...(isTouched(shadow) ? [`shadow: ${countsText(kind, shadow)}`] : []),
  ];
  return [
    `${signOf(kind, paint)} ${paint("bold", printable(rule.path))}  ${counts.join("; ")}`,
    ...rule.changes.map((change) => INDENT + changeText(change, rule)),
    ...exampleLines("", live, rule.failureDetail),
    ...exampleLines("shadow, ", shadow, rule.failureDetail),
    ...bodyLines(rule, paint),
  ];
}

function isTouched({ newlyMatched, noLongerMatched, stillMatchedCount }: ModeTally): boolean {
  return newlyMatched.count + noLongerMatched.count + stillMatchedCount > 0;
}

function countsText(kind: RulePlan["kind"], tally: ModeTally): string {
  const { newlyMatched, noLongerMatched, bodyChanged, failuresNew, failuresGone } = tally;
  return [
    ...(kind === "removed" ? [] : [`newly matched ${newlyMatched.count}`]),
    ...(kind === "added" ? [] : [`no longer matched ${noLongerMatched.count}`]),
    ...(kind === "changed" ? [`body changed ${bodyChanged.count}`] : []),
    ...(failuresNew.count > 0 ? [`transform newly failing ${failuresNew.count}`] : []),
    ...(failuresGone.count > 0 ? [`transform no longer failing ${failuresGone.count}`] : []),
  ].join(", ");
}

function changeText(change: RuleChange, { live, shadow }: RulePlan): string {
  switch (change.kind) {
    case "pattern":
    case "transform":
      return `${change.kind} changed`;
    case "targets": {
      const names = [...change.added.map((name) => `+ ${name}`), ...change.removed.map((name) => `- ${name}`)];
      const matched = live.stillMatchedCount + shadow.stillMatchedCount;
      return `targets: ${printable(names.join(", "))}, for ${counted(matched, "event")} matched before and now`;
    }
    case "mode":
      return `mode: ${change.before} -> ${change.after}`;
    case "order":
      return `order: ${orderText(change.before)} -> ${orderText(change.after)}`;
  }
}

function orderText(order: RuleOrder | undefined): string {
  if (order === undefined) return "none";
  const { by, onFailure, gapWaitMs } = order;
  const failure = onFailure.kind === "skip-after" ? `skip-after: ${onFailure.failures}` : onFailure.kind;
  return `${by} (${failure}${by === "sequence" ? `, gap wait ${gapWaitMs / 1_000} s` : ""})`;
}

function exampleLines(prefix: string, tally: ModeTally, failureDetail: string | undefined): readonly string[] {
  const line = (what: string, { count, examples }: Tally): readonly string[] => {
    if (count === 0) return [];
    const more = count > examples.length ? ", …" : "";
    return [`${INDENT}${prefix}${what}: ${printable(examples.join(", "))}${more}`];
  };
  const why = failureDetail === undefined ? "" : ` (${printable(failureDetail)})`;
  return [
    ...line("newly matched", tally.newlyMatched),
    ...line("no longer matched", tally.noLongerMatched),
    ...line("body changed", tally.bodyChanged),
    ...line(`transform newly failing${why}`, tally.failuresNew),
    ...line("transform no longer failing", tally.failuresGone),
  ];
}

function bodyLines({ bodyExample, live, shadow }: RulePlan, paint: Terminal["paint"]): readonly string[] {
  if (live.bodyChanged.count + shadow.bodyChanged.count === 0) return [];
  if (bodyExample === undefined) return [`${INDENT}the bodies are too large to be shown`];
  const lines = diffOf(bodyExample, paint);
  const shown = lines.slice(0, DIFF_LINES_SHOWN_MAX);
  const left = lines.length - shown.length;
  return [
    `${INDENT}body of ${printable(bodyExample.event)}:`,
    ...shown.map((line) => `${INDENT}  ${line}`),
    ...(left > 0 ? [`${INDENT}  ${paint("dim", `… and more; --json has both bodies`)}`] : []),
  ];
}

function diffOf({ before, after }: BodyExample, paint: Terminal["paint"]): readonly string[] {
  const lines = jsonDiff(jsonOr(before), jsonOr(after), paint);
  return lines.length > 0 ? lines : [paint("dim", "the same JSON, written in another way")];
}

function jsonOr(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
