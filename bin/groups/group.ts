/** What the groups of commands share. A command's own file is loaded when it runs, so that small ones start fast. */
import type { Command } from "commander";
import type { ExitCode } from "../failure.ts";
import type { Terminal } from "../terminal.ts";

/** Adds commands to a program; each calls `finish` with its exit code. */
export type AddCommands = (program: Command, terminal: Terminal, finish: (code: ExitCode) => void) => void;

/** The examples of a command's help. */
export function examples(...commands: readonly string[]): string {
  return `\nExamples:\n${commands
    .map((command) => {
      // npm's own banner would stand among the answers.
      const [silent, words] = command.startsWith("-s ") ? [" -s", command.slice(3)] : ["", command];
      return `  npm run${silent} sluice -- ${words}`;
    })
    .join("\n")}`;
}
