/** Mistakes in one file that an option names, each with its place. */
import { formatPath } from "../src/core/result.ts";
import type { Mistake, PathStep } from "../src/core/result.ts";
import type { ExitCode } from "./failure.ts";
import type { JsonInput } from "./json-file.ts";
import type { Terminal } from "./terminal.ts";

/** Says each mistake as `file:line:column: …`, or with its path where there is no file. `at` leads to what was read. */
export function sayMistakes(
  option: string,
  { text, file }: JsonInput,
  at: readonly PathStep[],
  mistakes: readonly Mistake[],
  terminal: Terminal,
): ExitCode {
  for (const mistake of mistakes) {
    const { line, column } = text.locate({ ...mistake, path: [...at, ...mistake.path] });
    const path = mistake.path.length === 0 ? "" : `${formatPath(mistake.path)}: `;
    terminal.say(
      file === undefined ? `${path}${mistake.message}` : `${file}:${line}:${column}: ${path}${mistake.message}`,
    );
  }
  const counted = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
  return terminal.fail({ message: `${counted} in ${file ?? option}` });
}
