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
  /** What an analysis has found, always by the same name, such as `unknown-field`; docs/rules.md lists them. */
  readonly code?: string;
  /** The place is only a place to begin: the file as a whole is meant, and its first line says nothing about it. */
  readonly isWholeFile?: true;
}

export function fileProblem(file: string, message: string, severity: Problem["severity"] = "error"): Problem {
  return { file, line: 1, column: 1, message, severity, isWholeFile: true };
}

/**
 * `rules/default/x.yaml:3:5: error: … [code]`, which editors and CI turn into links; one line, whatever the files hold. Paths
 * are shown from `cwd` on.
 */
export function formatProblem(problem: Problem, cwd: string): string {
  const { file, line, column, severity, message, code } = problem;
  const end = code === undefined ? "" : ` [${code}]`;
  const text = `${relative(cwd, file)}:${line}:${column}: ${severity}: ${message}${end}`;
  return text.replaceAll(/[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu, " ");
}

export function compareProblems(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
