/** Looking into a router: what it accepted, what became of it, what it refused. */
import type { DeadOptions } from "../commands/dead.ts";
import type { EventOptions } from "../commands/event.ts";
import type { EventsOptions } from "../commands/events.ts";
import type { RedriveOptions } from "../commands/redrive.ts";
import type { RejectionsOptions } from "../commands/rejections.ts";
import type { RulesOptions } from "../commands/rules.ts";
import type { SourcesOptions } from "../commands/sources.ts";
import { jsonOption, toOption } from "../options.ts";
import type { AddCommands } from "./group.ts";
import { examples } from "./group.ts";

export const addAdminCommands: AddCommands = (program, terminal, finish) => {
  program
    .command("events")
    .description("List events, newest first.")
    .option("--type <type>", "this type, or a prefix that ends with *")
    .option("--source <source>", "this source: its name in sources.yaml or the event's attribute")
    .option("--id <id>", "this id attribute")
    .option("--status <status>", "unmatched, pending, delivered, dead or cancelled")
    .option("--shadow <rule>", "matched by this shadow rule, such as default/push, with what it would have sent")
    .option("--since <time>", "accepted at or after this time, such as 2026-01-31T12:00:00Z")
    .option("--limit <n>", "at most this many")
    .option("--cursor <cursor>", "go on where an earlier page ended")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "events --status dead",
        "events --type 'com.github.*' --limit 10",
        "events --shadow default/push --since 2026-01-31T12:00:00Z",
        "events --json",
      ),
    )
    .action(async (options: EventsOptions) => {
      finish(await (await import("../commands/events.ts")).events(options, terminal));
    });
  program
    .command("event")
    .description("Show one event with its deliveries and their attempts.")
    .argument("<receipt>", "what the sender got as id: evt_…")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("event evt_djEvZGVmYXVsdC80LzM6aTNt"))
    .action(async (receipt: string, options: EventOptions) => {
      finish(await (await import("../commands/event.ts")).event(receipt, options, terminal));
    });
  program
    .command("dead")
    .description("List dead deliveries, newest event first.")
    .option("--parked", "instead: deliveries that have stopped their lanes")
    .option("--rule <rule>", "of this rule, such as default/push")
    .option("--target <target>", "to this target")
    .option("--limit <n>", "of at most this many events")
    .option("--cursor <cursor>", "go on where an earlier page ended")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("dead", "dead --target ci", "dead --parked"))
    .action(async (options: DeadOptions) => {
      finish(await (await import("../commands/dead.ts")).dead(options, terminal));
    });
  program
    .command("redrive")
    .description("Open dead and parked deliveries again, after what was wrong is repaired.")
    .argument("[receipts...]", "events whose dead and parked deliveries are opened again")
    .option("--delivery <id>", "only this delivery of the event: dlv_…")
    .option("--all", "every dead delivery")
    .option("--parked", "with --all: every parked one instead")
    .option("--rule <rule>", "with --all: of this rule")
    .option("--target <target>", "with --all: to this target")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("redrive evt_djEvZGVmYXVsdC80LzM6aTNt", "redrive --all --target ci"))
    .action(async (receipts: readonly string[], options: RedriveOptions) => {
      finish(await (await import("../commands/redrive.ts")).redrive(receipts, options, terminal));
    });
  program
    .command("rejections")
    .description("List requests that were refused, newest first.")
    .option("--limit <n>", "at most this many")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("rejections", "rejections --limit 5 --json"))
    .action(async (options: RejectionsOptions) => {
      finish(await (await import("../commands/rejections.ts")).rejections(options, terminal));
    });
  program
    .command("sources")
    .description("List the sources with their secrets, and when each secret last verified a request.")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("sources", "sources --json"))
    .action(async (options: SourcesOptions) => {
      finish(await (await import("../commands/sources.ts")).sources(options, terminal));
    });
  program
    .command("rules")
    .description("List the rules, sources and targets that a router runs.")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("rules", "rules --to https://sluice.me.workers.dev"))
    .action(async (options: RulesOptions) => {
      finish(await (await import("../commands/rules.ts")).rules(options, terminal));
    });
};
