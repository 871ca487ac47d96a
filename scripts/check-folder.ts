/** A folder of rules, read and looked at as a whole: what `sluice check` and every build go by. */
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
import { hasErrors, readRules } from "./rule-files.ts";

const ANALYSES: readonly Analysis[] = [neverMatches, unknownFields, overlaps, busCycles, patternCosts, silentBuses];

/** `readRules`, and what the analyses find in what could be read. */
export async function checkFolder(dir: string, registry?: Registry, wranglerToml?: string): Promise<RulesRead> {
  const kinds = registry ?? (await loadRegistry());
  const read = await readRules(dir, kinds, wranglerToml);
  const input = {
    document: read.document,
    registry: kinds,
    places: createPlaces(dir, read.files),
    hasErrors: hasErrors(read.problems),
  };
  const found = ANALYSES.flatMap((analyse) => analyse(input));
  return { ...read, problems: [...read.problems, ...found].toSorted(compareProblems) };
}
