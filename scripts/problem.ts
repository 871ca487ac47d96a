/** What is wrong with a file that a person wrote, and where. */
import { relative } from "node:path";

export interface Problem {
  readonly file: string;
  /** Both count from 1; a problem of the whole file stands at 1:1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** An error stops the build; a warning is only shown. */
  readonly severity: "error" | "warning";
}

export function fileProblem(file: string, message: string, severity: Problem["severity"] = "error"): Problem {
  return { file, line: 1, column: 1, message, severity };
}

/** `rules/default/x.yaml:3:5: error: …`, which editors and CI turn into links. Paths are shown from `cwd` on. */
export function formatProblem(problem: Problem, cwd: string): string {
  const { file, line, column, severity, message } = problem;
  return `${relative(cwd, file)}:${line}:${column}: ${severity}: ${message}`;
}

export function compareProblems(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
