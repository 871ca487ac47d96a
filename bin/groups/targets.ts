/** Targets: how they stand, pause and resume, and the keys that they sign with. */
import type { PauseOptions } from "../commands/pause.ts";
import type { CreateOptions, PublicOptions } from "../commands/signing-key.ts";
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
  const keys = program.command("signing-key").description("Make a key that targets sign with, or show its public key.");
  keys
    .command("create")
    .description("Print a new secret for sign: in targets.yaml, and say its public key.")
    .option("--hmac", "a shared secret (whsec_…), which receivers need too, instead of an ed25519 key (whsk_…)")
    .option("--show", "print the secret to a terminal, too")
    .addHelpText(
      "after",
      examples(
        "-s signing-key create | npx wrangler secret put CI_SIGNING_KEY",
        "-s signing-key create --hmac | npx wrangler secret put CI_SIGNING_SECRET",
      ),
    )
    .action(async (options: CreateOptions) => {
      finish((await import("../commands/signing-key.ts")).createKey(options, terminal));
    });
  keys
    .command("public")
    .description("Print the public key of an ed25519 secret, for receivers.")
    .argument("[secret]", "its name in the environment or .dev.vars (default: the secret itself on standard input)")
    .addOption(jsonOption())
    .addHelpText("after", examples("signing-key public CI_SIGNING_KEY", "signing-key public CI_SIGNING_KEY --json"))
    .action(async (name: string | undefined, options: PublicOptions) => {
      finish(await (await import("../commands/signing-key.ts")).showPublicKey(name, options, terminal));
    });
};
