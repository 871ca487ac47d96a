/** Sending events to a router. */
import { Option } from "commander";
import type { SendCloudEventOptions } from "../commands/send-cloudevent.ts";
import type { SendGithubOptions } from "../commands/send-github.ts";
import { githubExamples } from "../github-examples.ts";
import { jsonOption, readCount, readSourceName, rulesOption, toOption } from "../options.ts";
import type { AddCommands } from "./group.ts";
import { examples } from "./group.ts";

export const addSendCommands: AddCommands = (program, terminal, finish) => {
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
      finish(await (await import("../commands/send-github.ts")).sendGithub(event, options, terminal));
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
      finish(await (await import("../commands/send-cloudevent.ts")).sendCloudEvent(options, terminal));
    });
};
