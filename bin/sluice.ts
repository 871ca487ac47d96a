#!/usr/bin/env node
/** The command line. `bin/program.ts` says what there is; each command is a file in `bin/commands/`. */
import { runProgram } from "./program.ts";
import { createTerminal } from "./terminal.ts";

for (const stream of [process.stdout, process.stderr]) {
  // Whoever read the output may go away first: `sluice events | head -1`, or a terminal that was closed.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  });
}

const exitCode = await runProgram(process.argv.slice(2), createTerminal(process));
// Not left to the last open handle: miniflare keeps some of a workerd that has crashed. What was written goes out first.
process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));
