/** What can be said of rule files that are right one by one: rules that never match, that overlap, that send in circles. */
import type { Registry } from "../../src/core/rule-set.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import type { Places } from "../places.ts";
import type { Problem } from "../problem.ts";

export interface AnalysisInput {
  /** Whatever could be read; rules with mistakes are not in it. */
  readonly document: RulesDocument;
  readonly registry: Registry;
  readonly places: Places;
  /** True when something could not be read: that it is missing tells nothing then. */
  readonly hasErrors?: boolean;
  /** False when sources or targets are missing in the document: anybody may send to a bus then. */
  readonly isWorldKnown?: boolean;
}

/** Findings, in any order. Errors stop the build. */
export type Analysis = (input: AnalysisInput) => readonly Problem[];
