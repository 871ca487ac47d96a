/** `npm run cost -- [--fanout N] [--size 10kB] [--rate N] [--isolates N] [--log-days N] [--json]`: see `--help`. */
import { CommanderError } from "commander";
import { EXIT_OK, EXIT_USAGE } from "../../bin/failure.ts";
import { createTerminal } from "../../bin/terminal.ts";
import { modelCost } from "./cost-model.ts";
import type { CostOptions } from "./cost-options.ts";
import { costCommand } from "./cost-options.ts";
import { costLines } from "./cost-report.ts";

const terminal = createTerminal(process);
const command = costCommand()
  .exitOverride()
  .action(async (options: CostOptions) => {
    const model = await modelCost(options);
    if (options.json === true) terminal.print(JSON.stringify(model, null, 2));
    else for (const line of costLines(model, terminal)) terminal.print(line);
  });

try {
  await command.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has written its message.
  process.exitCode = error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
}
