/** Running the router on this machine, and deploying it. */
import type { DeployOptions } from "../commands/deploy.ts";
import type { StartOptions } from "../commands/start.ts";
import { readPort, readVar, rulesOption } from "../options.ts";
import type { AddCommands } from "./group.ts";
import { examples } from "./group.ts";

const PORT_DEFAULT = 8787;
const STATE_DEFAULT = ".sluice/state";

export const addLocalCommands: AddCommands = (program, terminal, finish) => {
  program
    .command("start")
    .description("Run the router on this machine.")
    .option("--port <n>", "port to listen on; 0 takes any free one", readPort, PORT_DEFAULT)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--state <dir>", "folder that keeps what was accepted", STATE_DEFAULT)
    .option("--var <name=value>", "instead of this variable of wrangler.toml; may be repeated", readVar, {})
    .option("--no-watch", "keep the rules of the start, as a deployed router does; for sluice plan")
    .addOption(rulesOption())
    .addHelpText(
      "after",
      examples(
        "start",
        "start --port 9000 --state /tmp/state",
        "start --rules my-rules",
        "start --var PARTITIONS=8 --var PARTITIONS_BEFORE=4",
      ),
    )
    .action(async (options: StartOptions) => {
      finish(await (await import("../commands/start.ts")).start(options, terminal));
    });
  program
    .command("deploy")
    .description(
      "Check the rules, generate, create missing queues and bucket, and deploy with wrangler. Other options go to `wrangler deploy`.",
    )
    .addOption(rulesOption())
    .argument("[wrangler-options...]")
    .allowUnknownOption()
    .addHelpText("after", examples("deploy", "deploy --dry-run --outdir dist"))
    .action(async (args: readonly string[], options: DeployOptions) => {
      finish(await (await import("../commands/deploy.ts")).deploy(args, options, terminal));
    });
};
