/** Buses with rules and nobody who sends to them. */
import { nearestName } from "../../src/core/read-object.ts";
import { ownMember } from "../../src/core/result.ts";
import type { TargetDefinition } from "../../src/core/rule.ts";
import type { Problem } from "../problem.ts";
import type { Analysis } from "./analysis.ts";

/** A warning for each, at its first rule. Replies go to the bus of the rule that they answer, so they start nothing. */
export const silentBuses: Analysis = ({ document, places, hasErrors }) => {
  // What could not be read may be the source that is missed here.
  if (hasErrors === true) return [];
  const { sources, targets, rules } = document;
  const fed = new Set(sources.map(({ bus }) => bus));
  for (const target of targets) {
    const bus = busOf(target);
    const users = rules.filter((rule) => rule.targets.includes(target.name));
    // A bus that only its own rules send to gets nothing to send on. That a target is used by no rule is said elsewhere.
    if (bus !== undefined && (users.length === 0 || users.some((rule) => rule.bus !== bus))) fed.add(bus);
  }
  const problems: Problem[] = [];
  for (const [bus, [first]] of Map.groupBy(rules, (rule) => rule.bus)) {
    if (first === undefined || fed.has(bus)) continue;
    const nearest = nearestName(bus, [...fed]);
    const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    const message = `nothing comes to the bus ${bus}: no source has bus: ${bus}, and no rule of another bus sends to a target { bus: ${bus} }${hint}`;
    const place = places.ofRule(first.path, { path: [] });
    problems.push({ ...place, message, severity: "warning", code: "silent-bus" });
  }
  return problems;
};

/** The bus that a target publishes on, if it is of that kind. */
export function busOf({ kind, entry }: TargetDefinition): string | undefined {
  const bus = kind === "bus" ? ownMember(entry, "bus") : undefined;
  return typeof bus === "string" ? bus : undefined;
}
