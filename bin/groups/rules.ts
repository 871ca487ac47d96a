/** Rule files: checking and trying them. */
import type { CheckOptions } from "../commands/check.ts";
import type { ExplainOptions } from "../commands/explain.ts";
import type { MatchOptions } from "../commands/match.ts";
import type { PlanOptions } from "../commands/plan.ts";
import type { TestOptions } from "../commands/test.ts";
import type { TransformOptions } from "../commands/transform.ts";
import {
  givenToOption,
  jsonOption,
  readCount,
  readLast,
  readMoment,
  readPercent,
  rulesOption,
  toOption,
} from "../options.ts";
import type { AddCommands } from "./group.ts";
import { examples } from "./group.ts";

export const addRuleCommands: AddCommands = (program, terminal, finish) => {
  program
    .command("check")
    .description("Check the rule files: every mistake with its file, line and column.")
    .addOption(rulesOption())
    .option("--deploy", "also what works on this machine only")
    .option("--strict", "fail on warnings, too")
    .addOption(jsonOption())
    .addHelpText("after", examples("check", "check --rules my-rules --deploy", "-s check --strict --json"))
    .action(async (options: CheckOptions) => {
      finish(await (await import("../commands/check.ts")).check(options, terminal));
    });
  program
    .command("test")
    .description("Run the cases in <rule>.test.yaml beside each rule, and say what none of them covers.")
    .argument("[rules...]", "rules such as default/push, buses, or files (default: all)")
    .addOption(rulesOption())
    .option("--update", "write the outputs that rules make now as those that are expected")
    .option("--watch", "run again when files change")
    .option("--coverage", "show everything that is not covered, not only the first of it")
    .option("--no-coverage", "show the percentages only")
    .option("--min-coverage <percent>", "fail when fewer rules, or pattern alternatives, are covered", readPercent)
    .addOption(jsonOption())
    .addHelpText("after", examples("test", "test default/push --watch", "test --update", "test --min-coverage 100"))
    .action(async (rules: readonly string[], options: TestOptions) => {
      finish(await (await import("../commands/test.ts")).test(rules, options, terminal));
    });
  program
    .command("explain")
    .description("Say what the rules do with an event: why each matches or not, and what would be sent.")
    .argument("[event]", "a file (.json, .yaml), - for standard input, or the receipt evt_… of an accepted event")
    .option("--github <event>", "the file is GitHub's bare payload of this event; without a file, a published example")
    .option("--action <action>", "a published example with this action, such as opened")
    .option("--example <n>", "the nth published example; 1 is the first", readCount)
    .option("--bus <bus>", "only the rules of this bus")
    .option("--rule <rule>", "only this rule, such as default/push")
    .option("--full", "whole bodies")
    .addOption(rulesOption())
    .addOption(toOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "explain event.json",
        "explain --github push --rule default/push",
        "explain payload.json --github pull_request",
        "explain evt_djEvZGVmYXVsdC80LzM6aTNt",
      ) + "\n\nA receipt is explained by the rules that its router (--to) runs, anything else by the files of --rules.",
    )
    .action(async (event: string | undefined, options: ExplainOptions) => {
      finish(await (await import("../commands/explain.ts")).explain(event, options, terminal));
    });
  program
    .command("plan")
    .description("Say what the rules in a folder would change, with the events that a router got or that files hold.")
    .addOption(rulesOption())
    .addOption(givenToOption("the router that has the events and the rules of now (default: the local one)"))
    .option("--last <n>", "so many events, the newest (default: 500; of files all; at most 10000)", readLast)
    .option("--since <time>", "only events accepted at or after this time, such as 2026-01-31T12:00:00Z")
    .option("--type <type>", "only events of this type, or of a prefix that ends with *")
    .option("--events <path>", "instead of a router's events: a .json or .ndjson file, or a folder of them")
    .option("--bus <bus>", "with --events: the bus of events that don't say it (default: default)")
    .option("--against <dir>", "instead of a router's rules: a folder with the rules of now")
    .option("--save <file>", "write the router's events to this .ndjson file, for --events")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        "plan",
        "plan --to https://sluice.me.workers.dev --last 2000 --type 'com.github.*'",
        "plan --events events.ndjson --against ../main/rules",
      ) + "\n\nExit codes: 0 nothing changes, 2 something changes, 1 for every error.",
    )
    .action(async (options: PlanOptions) => {
      finish(await (await import("../commands/plan.ts")).plan(options, terminal));
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
      finish(await (await import("../commands/match.ts")).match(options, terminal));
    });
  program
    .command("transform")
    .description("Show what a transform makes of an event; without options, for each line of JSON on standard input.")
    .option("--transform <file>", "a transform or a rule file, YAML or JSON, or JSON text")
    .option("--event <file>", "an event as JSON, or JSON text")
    .option("--accepted-at <time>", "what $now in JSONata says (default: now)", readMoment)
    .option("--seed <text>", "what $random in JSONata draws from")
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
      finish(await (await import("../commands/transform.ts")).transform(options, terminal));
    });
};
