/** What has become of rules between two sets of definitions, before any event is looked at. */
import type { Json } from "./result.ts";
import type { RuleDefinition, RuleMode, RuleOrder, SourceDefinition } from "./rule.ts";
import { isSameJson } from "./same-json.ts";
import type { TargetMark } from "./target-mark.ts";

export type RuleChange =
  | { readonly kind: "pattern" }
  | { readonly kind: "transform" }
  | { readonly kind: "targets"; readonly added: readonly string[]; readonly removed: readonly string[] }
  | { readonly kind: "mode"; readonly before: RuleMode; readonly after: RuleMode }
  | { readonly kind: "order"; readonly before?: RuleOrder; readonly after?: RuleOrder };

/** A rule that is not the same on both sides: one of the two may be missing. */
export interface RulePair {
  readonly path: string;
  readonly before: RuleDefinition | undefined;
  readonly after: RuleDefinition | undefined;
  /** Empty when the rule is on one side only. */
  readonly changes: readonly RuleChange[];
}

export interface RulePairs {
  /** In the order of their paths. */
  readonly changed: readonly RulePair[];
  readonly unchanged: readonly RulePair[];
}

export interface TargetChange {
  readonly name: string;
  /** `settings`: another address, secret, limit or schedule; which, it does not tell. */
  readonly kind: "added" | "removed" | "settings";
}

export interface SourceMark extends Pick<SourceDefinition, "name" | "kind" | "bus"> {}

export type SourceChange =
  | { readonly name: string; readonly kind: "added" | "removed" }
  | { readonly name: string; readonly kind: "bus" | "kind"; readonly before: string; readonly after: string };

/** Rules go by their paths. A description, and the order of targets, change nothing. */
export function pairRules(before: readonly RuleDefinition[], after: readonly RuleDefinition[]): RulePairs {
  const [befores, afters] = [before, after].map((rules) => new Map(rules.map((rule) => [rule.path, rule])));
  const paths = [...new Set([...before, ...after].map(({ path }) => path))].toSorted();
  const [changed, unchanged]: [RulePair[], RulePair[]] = [[], []];
  for (const path of paths) {
    const [was, is] = [befores?.get(path), afters?.get(path)];
    const changes = was === undefined || is === undefined ? [] : changesOf(was, is);
    const isSame = was !== undefined && is !== undefined && changes.length === 0;
    (isSame ? unchanged : changed).push({ path, before: was, after: is, changes });
  }
  return { changed, unchanged };
}

export function changedTargets(before: readonly TargetMark[], after: readonly TargetMark[]): readonly TargetChange[] {
  const [befores, afters] = [before, after].map((marks) => new Map(marks.map((mark) => [mark.name, mark])));
  const names = [...new Set([...before, ...after].map(({ name }) => name))].toSorted();
  return names.flatMap((name): readonly TargetChange[] => {
    const [was, is] = [befores?.get(name), afters?.get(name)];
    if (was === undefined) return [{ name, kind: "added" }];
    if (is === undefined) return [{ name, kind: "removed" }];
    const isSame = was.kind === is.kind && (was.hash === undefined || is.hash === undefined || was.hash === is.hash);
    return isSame ? [] : [{ name, kind: "settings" }];
  });
}

/** How a source proves who sends is not told: a router keeps that to itself. */
export function changedSources(before: readonly SourceMark[], after: readonly SourceMark[]): readonly SourceChange[] {
  const [befores, afters] = [before, after].map((marks) => new Map(marks.map((mark) => [mark.name, mark])));
  const names = [...new Set([...before, ...after].map(({ name }) => name))].toSorted();
  return names.flatMap((name): readonly SourceChange[] => {
    const [was, is] = [befores?.get(name), afters?.get(name)];
    if (was === undefined) return [{ name, kind: "added" }];
    if (is === undefined) return [{ name, kind: "removed" }];
    const kinds = ["kind", "bus"] as const;
    return kinds
      .filter((kind) => was[kind] !== is[kind])
      .map((kind) => ({ name, kind, before: was[kind], after: is[kind] }));
  });
}

/** Where the events of some sources would come now: to another bus, or, with null, no longer in. */
export function movedSources(changes: readonly SourceChange[]): ReadonlyMap<string, string | null> {
  return new Map(
    changes.flatMap((change): readonly (readonly [string, string | null])[] => {
      if (change.kind === "removed") return [[change.name, null]];
      return change.kind === "bus" ? [[change.name, change.after]] : [];
    }),
  );
}

function changesOf(before: RuleDefinition, after: RuleDefinition): readonly RuleChange[] {
  const changes: RuleChange[] = [];
  if (!isSameJson(before.pattern, after.pattern)) changes.push({ kind: "pattern" });
  // As it is written: the order of a template's members is the order of what it sends.
  if (JSON.stringify(before.transform) !== JSON.stringify(after.transform)) changes.push({ kind: "transform" });
  const added = after.targets.filter((name) => !before.targets.includes(name));
  const removed = before.targets.filter((name) => !after.targets.includes(name));
  if (added.length + removed.length > 0) changes.push({ kind: "targets", added, removed });
  if (before.mode !== after.mode) changes.push({ kind: "mode", before: before.mode, after: after.mode });
  if (!isSameJson(orderJson(before.order), orderJson(after.order))) {
    changes.push({
      kind: "order",
      ...(before.order === undefined ? {} : { before: before.order }),
      ...(after.order === undefined ? {} : { after: after.order }),
    });
  }
  return changes;
}

function orderJson(order: RuleOrder | undefined): Json {
  return order === undefined ? null : { ...order, onFailure: { ...order.onFailure } };
}
