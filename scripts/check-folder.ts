/** A folder of rules, read and looked at as a whole: what `sluice check` and every build go by. */
import { relative } from "node:path";
import type { Registry } from "../src/core/rule-set.ts";
import type { Analysis } from "./analysis/analysis.ts";
import { busCycles } from "./analysis/bus-cycles.ts";
import { neverMatches } from "./analysis/never-matches.ts";
import { overlaps } from "./analysis/overlaps.ts";
import { patternCosts } from "./analysis/pattern-cost.ts";
import { silentBuses } from "./analysis/silent-buses.ts";
import { unknownFields } from "./analysis/unknown-fields.ts";
import { createPlaces } from "./places.ts";
import { compareProblems } from "./problem.ts";
import { loadRegistry } from "./registry.ts";
import type { RulesRead } from "./rule-files.ts";
import { readRules } from "./rule-files.ts";

/** These look at rules with mistakes, too, as far as they can be read. */
const OF_ONE_RULE: readonly Analysis[] = [neverMatches, unknownFields, patternCosts];
const OF_ALL_RULES: readonly Analysis[] = [overlaps, busCycles, silentBuses];

/** With a mistake in one of them, nobody knows what may come to a bus. */
const WORLD_FILES: readonly string[] = ["sources.yaml", "targets.yaml"];

/** `readRules`, and what the analyses find in what could be read. */
export async function checkFolder(dir: string, registry?: Registry, wranglerToml?: string): Promise<RulesRead> {
  const kinds = registry ?? (await loadRegistry());
  const read = await readRules(dir, kinds, wranglerToml);
  const errors = read.problems.filter(({ severity }) => severity === "error");
  const whole = {
    document: read.document,
    registry: kinds,
    places: createPlaces(dir, read.files),
    hasErrors: errors.length > 0,
    isWorldKnown: !errors.some(({ file }) => WORLD_FILES.includes(relative(dir, file))),
  };
  const drafted = { ...whole, document: { ...read.document, rules: [...read.document.rules, ...read.drafts] } };
  const found = [
    ...OF_ONE_RULE.flatMap((analyse) => analyse(drafted)),
    ...OF_ALL_RULES.flatMap((analyse) => analyse(whole)),
  ];
  return { ...read, problems: [...read.problems, ...found].toSorted(compareProblems) };
}
