/** Every command with its options and examples. A command's file is loaded when it runs, so that small ones start fast. */
import { Command, CommanderError, Option } from "commander";
import type { CheckOptions } from "./commands/check.ts";
import type { DeadOptions } from "./commands/dead.ts";
import type { DeployOptions } from "./commands/deploy.ts";
import type { EventOptions } from "./commands/event.ts";
import type { EventsOptions } from "./commands/events.ts";
import type { MatchOptions } from "./commands/match.ts";
import type { PauseOptions } from "./commands/pause.ts";
import type { RedriveOptions } from "./commands/redrive.ts";
import type { RejectionsOptions } from "./commands/rejections.ts";
import type { RulesOptions } from "./commands/rules.ts";
import type { SendCloudEventOptions } from "./commands/send-cloudevent.ts";
import type { SendGithubOptions } from "./commands/send-github.ts";
import type { StartOptions } from "./commands/start.ts";
import type { TargetsOptions } from "./commands/targets.ts";
import type { TransformOptions } from "./commands/transform.ts";
import type { ExitCode } from "./failure.ts";
import { EXIT_OK, EXIT_USAGE } from "./failure.ts";
import { githubExamples } from "./github-examples.ts";
import { jsonOption, readCount, readPort, readSourceName, readVar, rulesOption, toOption } from "./options.ts";
import type { Terminal } from "./terminal.ts";

const PORT_DEFAULT = 8787;
const STATE_DEFAULT = ".sluice/state";

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
    return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
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

type AddCommands = (program: Command, terminal: Terminal, finish: (code: ExitCode) => void) => void;

const addLocalCommands: AddCommands = (program, terminal, finish) => {
  program
    .command("start")
    .description("Run the router on this machine.")
    .option("--port <n>", "port to listen on; 0 takes any free one", readPort, PORT_DEFAULT)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--state <dir>", "folder that keeps what was accepted", STATE_DEFAULT)
    .option("--var <name=value>", "instead of this variable of wrangler.toml; may be repeated", readVar, {})
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
      finish(await (await import("./commands/start.ts")).start(options, terminal));
    });
  program
    .command("deploy")
    .description("Check the rules, generate, and deploy with wrangler. Other options go to `wrangler deploy`.")
    .addOption(rulesOption())
    .argument("[wrangler-options...]")
    .allowUnknownOption()
    .addHelpText("after", examples("deploy", "deploy --dry-run --outdir dist"))
    .action(async (args: readonly string[], options: DeployOptions) => {
      finish(await (await import("./commands/deploy.ts")).deploy(args, options, terminal));
    });
};

const addSendCommands: AddCommands = (program, terminal, finish) => {
  const send = program.command("send").description("Send an event to a router.");
  const secretName = () => new Option("--secret-name <name>", "take this secret instead of the source's first one");
  send
    .command("github")
    .description("Post a real GitHub payload, signed, and print the receipt.")
    .argument("<event>", "such as push or pull_request")
    .option("--action <action>", "an example with this action, such as opened")
    .option("--example <n>", "the nth example of the event; 1 is the first", readCount)
    .option("--file <file>", "send this payload instead of an example")
    .option("--form", "form-encoded, as GitHub sends with content type application/x-www-form-urlencoded")
    .option("--id <guid>", "the delivery's GUID (default: a new one)")
    .option("--source <name>", "the source's name in sources.yaml", readSourceName, "github")
    .addOption(secretName())
    .addOption(toOption())
    .addOption(rulesOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples("send github push", "send github pull_request --action opened", "send github push --file payload.json"),
    )
    .addHelpText(
      "after",
      () =>
        `\nEvents: ${githubExamples()
          .map(({ name }) => name)
          .join(", ")}`,
    )
    .action(async (event: string, options: SendGithubOptions) => {
      finish(await (await import("./commands/send-github.ts")).sendGithub(event, options, terminal));
    });
  send
    .command("cloudevent")
    .description("Post a CloudEvent in binary mode and print the receipt.")
    .option("--type <type>", "the event's type", "com.example.order.placed")
    .option("--source-attr <uri>", "the event's source attribute", "/sluice/send")
    .option("--subject <text>", "the event's subject")
    .option("--id <id>", "the event's id (default: a new one)")
    .option("--data <json>", "the event's data")
    .option("--file <file>", "a file with the event's data as JSON")
    .option("--source <name>", "the source's name in sources.yaml", readSourceName, "events")
    .addOption(secretName())
    .addOption(toOption())
    .addOption(rulesOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples("send cloudevent", `send cloudevent --type com.example.order.placed --data '{"order":7}'`),
    )
    .action(async (options: SendCloudEventOptions) => {
      finish(await (await import("./commands/send-cloudevent.ts")).sendCloudEvent(options, terminal));
    });
};

const addAdminCommands: AddCommands = (program, terminal, finish) => {
  program
    .command("events")
    .description("List events, newest first.")
    .option("--type <type>", "this type, or a prefix that ends with *")
    .option("--source <source>", "this source: its name in sources.yaml or the event's attribute")
    .option("--id <id>", "this id attribute")
    .option("--status <status>", "unmatched, pending, delivered, dead or cancelled")
    .option("--since <time>", "accepted at or after this time, such as 2026-01-31T12:00:00Z")
    .option("--limit <n>", "at most this many")
    .option("--cursor <cursor>", "go on where an earlier page ended")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("events --status dead", "events --type 'com.github.*' --limit 10", "events --json"))
    .action(async (options: EventsOptions) => {
      finish(await (await import("./commands/events.ts")).events(options, terminal));
    });
  program
    .command("event")
    .description("Show one event with its deliveries and their attempts.")
    .argument("<receipt>", "what the sender got as id: evt_…")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("event evt_djEvZGVmYXVsdC80LzM6aTNt"))
    .action(async (receipt: string, options: EventOptions) => {
      finish(await (await import("./commands/event.ts")).event(receipt, options, terminal));
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
      finish(await (await import("./commands/dead.ts")).dead(options, terminal));
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
      finish(await (await import("./commands/redrive.ts")).redrive(receipts, options, terminal));
    });
  program
    .command("rejections")
    .description("List requests that were refused, newest first.")
    .option("--limit <n>", "at most this many")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("rejections", "rejections --limit 5 --json"))
    .action(async (options: RejectionsOptions) => {
      finish(await (await import("./commands/rejections.ts")).rejections(options, terminal));
    });
  program
    .command("rules")
    .description("List the rules, sources and targets that a router runs.")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("rules", "rules --to https://sluice.me.workers.dev"))
    .action(async (options: RulesOptions) => {
      finish(await (await import("./commands/rules.ts")).rules(options, terminal));
    });
};

const addTargetCommands: AddCommands = (program, terminal, finish) => {
  program
    .command("targets")
    .description("List the targets with their limits, and which are held.")
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("targets", "targets --json"))
    .action(async (options: TargetsOptions) => {
      finish(await (await import("./commands/targets.ts")).targets(options, terminal));
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
        finish(await (await import("./commands/pause.ts"))[name](target, options, terminal));
      });
  addChange("pause", "Send nothing to a target until it is resumed; its deliveries wait.");
  addChange("resume", "End a target's pause, and forget that it failed.");
};

const addRuleCommands: AddCommands = (program, terminal, finish) => {
  program
    .command("check")
    .description("Check the rule files: every mistake with its file, line and column.")
    .addOption(rulesOption())
    .option("--deploy", "also what works on this machine only")
    .addOption(jsonOption())
    .addHelpText("after", examples("check", "check --rules my-rules --deploy"))
    .action(async (options: CheckOptions) => {
      finish(await (await import("./commands/check.ts")).check(options, terminal));
    });
  program
    .command("match")
    .description("Say whether an event meets a pattern; without options, for each line of JSON on standard input.")
    .option("--pattern <file>", "a pattern or a rule file, YAML or JSON, or JSON text")
    .option("--event <file>", "an event as JSON, or JSON text")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples("match --pattern rules/default/push.yaml --event event.json", "-s match < cases.ndjson") +
        '\n\nA line in:  {"pattern": …, "event": …}, each a JSON value or a string that holds JSON text' +
        '\nA line out: {"result": "match" | "no-match" | "invalid", "error"?: …}',
    )
    .action(async (options: MatchOptions) => {
      finish(await (await import("./commands/match.ts")).match(options, terminal));
    });
  program
    .command("transform")
    .description("Show what a transform makes of an event; without options, for each line of JSON on standard input.")
    .option("--transform <file>", "a transform or a rule file, YAML or JSON, or JSON text")
    .option("--event <file>", "an event as JSON, or JSON text")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "transform --transform rules/default/deploy-on-main.yaml --event event.json",
        "-s transform < cases.ndjson",
      ) +
        '\n\nA line in:  {"transform": …, "event": …}, each a JSON value or a string that holds JSON text' +
        '\nA line out: {"output": …} or {"error": …}',
    )
    .action(async (options: TransformOptions) => {
      finish(await (await import("./commands/transform.ts")).transform(options, terminal));
    });
};

function examples(...commands: readonly string[]): string {
  return `\nExamples:\n${commands
    .map((command) => {
      // npm's own banner would stand among the answers.
      const [silent, words] = command.startsWith("-s ") ? [" -s", command.slice(3)] : ["", command];
      return `  npm run${silent} sluice -- ${words}`;
    })
    .join("\n")}`;
}
