/** The command line: its groups of commands stand in `groups/`. */
import { Command, CommanderError } from "commander";
import type { ExitCode } from "./failure.ts";
import { EXIT_OK, usageExitCode } from "./failure.ts";
import { addAdminCommands } from "./groups/admin.ts";
import { addLocalCommands } from "./groups/local.ts";
import { addRuleCommands } from "./groups/rules.ts";
import { addSendCommands } from "./groups/send.ts";
import { addTargetCommands } from "./groups/targets.ts";
import type { Terminal } from "./terminal.ts";

/** Runs one command and answers the exit code. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_OK;
  const program = buildProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has written its message; help and version that were asked for are no mistakes.
    return error.exitCode === 0 ? EXIT_OK : usageExitCode(args[0]);
  }
}

function buildProgram(terminal: Terminal, finish: (code: ExitCode) => void): Command {
  const program = new Command("sluice")
    .description("Sluice, an event router: run it, send to it, look into it, and check rules.")
    .usage("<command> [options]      (npm run sluice -- <command> …)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.replace(/\n$/, "")),
      writeErr: (text) => terminal.say(text.replace(/\n$/, "")),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  addLocalCommands(program, terminal, finish);
  addSendCommands(program, terminal, finish);
  addAdminCommands(program, terminal, finish);
  addTargetCommands(program, terminal, finish);
  addRuleCommands(program, terminal, finish);
  return program;
}
