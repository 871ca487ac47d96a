/** Targets: how they stand, pause and resume. */
import type { PauseOptions } from "../commands/pause.ts";
import type { TargetsOptions } from "../commands/targets.ts";
import { jsonOption, toOption } from "../options.ts";
import type { AddCommands } from "./group.ts";
import { examples } from "./group.ts";

export const addTargetCommands: AddCommands = (program, terminal, finish) => {
  program
    .command("targets")
    .description("List the targets with their limits, and which are held.")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("targets", "targets --json"))
    .action(async (options: TargetsOptions) => {
      finish(await (await import("../commands/targets.ts")).targets(options, terminal));
    });
  const addChange = (name: "pause" | "resume", description: string) =>
    program
      .command(name)
      .description(description)
      .argument("<target>", "its name in targets.yaml")
      .addOption(toOption())
      .addOption(jsonOption())
      .addHelpText("after", examples(`${name} ci`, `${name} ci --to https://sluice.me.workers.dev`))
      .action(async (target: string, options: PauseOptions) => {
        finish(await (await import("../commands/pause.ts"))[name](target, options, terminal));
      });
  addChange("pause", "Send nothing to a target until it is resumed; its deliveries wait.");
  addChange("resume", "End a target's pause, and forget that it failed.");
};
