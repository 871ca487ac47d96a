/** One file of rules: its bytes, its text, and what is wrong with it, each at its place. */
import { readFile, stat } from "node:fs/promises";
import { decodeUtf8 } from "../src/core/event.ts";
import type { Json, Mistake } from "../src/core/result.ts";
import type { Problem } from "./problem.ts";
import { fileProblem } from "./problem.ts";
import type { RuleText } from "./rule-text.ts";
import { readRuleText } from "./rule-text.ts";

export const FILE_BYTES_MAX = 256 * 1024;

export type FileBytes =
  | { readonly reason?: undefined; readonly bytes: Uint8Array }
  | { readonly reason: "missing" | "too-large" | "no-file" };

export async function readBytes(file: string): Promise<FileBytes> {
  try {
    const info = await stat(file);
    if (!info.isFile()) return { reason: "no-file" };
    return info.size > FILE_BYTES_MAX ? { reason: "too-large" } : { bytes: await readFile(file) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { reason: "missing" };
    throw error;
  }
}

/** Reads a file's text and has its value checked; every mistake becomes a problem at its place. */
export function checkFile<Value>(
  file: string,
  read: FileBytes,
  problems: Problem[],
  check: (value: Json, mistakes: Mistake[], text: RuleText) => Value | undefined,
): Value | undefined {
  if (read.reason !== undefined) {
    const messages = {
      missing: "there is no such file",
      "no-file": "expected a file",
      "too-large": `a file has at most ${FILE_BYTES_MAX} bytes`,
    };
    problems.push(fileProblem(file, messages[read.reason]));
    return undefined;
  }
  const decoded = decodeUtf8(read.bytes);
  if (decoded === null) {
    problems.push(fileProblem(file, "expected UTF-8 text"));
    return undefined;
  }
  const text = readRuleText(decoded, file.endsWith(".json"));
  problems.push(...text.problems.map((problem) => ({ file, ...problem, severity: "error" as const })));
  if (text.value === undefined) return undefined;
  const mistakes: Mistake[] = [];
  const value = check(text.value, mistakes, text);
  for (const mistake of mistakes) {
    problems.push({ file, ...text.locate(mistake), message: mistake.message, severity: "error" });
  }
  return value;
}
