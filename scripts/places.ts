/** Where the parts of rule files stand, looked up when a finding needs it: a file is read again and not kept. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Mistake } from "../src/core/result.ts";
import type { Problem } from "./problem.ts";
import { readRuleText } from "./rule-text.ts";

type Part = Pick<Mistake, "path" | "at">;
export type ProblemPlace = Pick<Problem, "file" | "line" | "column">;

export interface Places {
  /** A part of the rule with a path such as `default/push`; the part's path starts at the file's root. */
  readonly ofRule: (rule: string, part: Part) => ProblemPlace;
  /** A part of an entry of sources.yaml; the part's path starts at the entry. */
  readonly ofSource: (name: string, part: Part) => ProblemPlace;
  readonly ofTarget: (name: string, part: Part) => ProblemPlace;
}

/** `files` are the rules' files by the rules' paths. The files were read a moment ago. */
export function createPlaces(dir: string, files: ReadonlyMap<string, string>): Places {
  const find = (file: string, { path, at }: Part): ProblemPlace => {
    const text = readRuleText(readFileSync(file, "utf8"), file.endsWith(".json"));
    return { file, ...text.locate({ path, ...(at === undefined ? {} : { at }) }) };
  };
  const inEntry = (file: string) => (name: string, part: Part) =>
    find(join(dir, file), { ...part, path: [name, ...part.path] });
  return {
    ofRule: (rule, part) => find(files.get(rule) ?? dir, part),
    ofSource: inEntry("sources.yaml"),
    ofTarget: inEntry("targets.yaml"),
  };
}
