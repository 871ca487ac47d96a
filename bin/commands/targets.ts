/** `sluice targets`: the targets that a router sends to, and how they stand. */
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import { answerAs } from "../shown-delivery.ts";
import type { ShownTarget } from "../shown-target.ts";
import { describeLimits, describeTargetState } from "../shown-target.ts";
import { tableLines } from "../table.ts";
import type { Terminal } from "../terminal.ts";

export interface TargetsOptions {
  readonly to: string;
  readonly json?: boolean;
}

export async function targets({ to, json }: TargetsOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connectAdmin(to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.get("/targets");
  if (!answer.ok) return terminal.fail(answer.error);
  if (json === true) {
    terminal.print(JSON.stringify(answer.value));
    return EXIT_OK;
  }
  const shown = answerAs<{ readonly targets: readonly ShownTarget[] }>(answer.value).targets;
  if (shown.length === 0) {
    terminal.say("There are no targets.");
    return EXIT_OK;
  }
  const lines = tableLines(
    shown,
    [
      { title: "TARGET", value: ({ name }) => name },
      { title: "KIND", value: ({ kind }) => kind },
      { title: "STATE", value: describeTargetState },
      { title: "LIMITS", value: ({ limits }) => describeLimits(limits), charsMin: 10 },
    ],
    terminal,
  );
  for (const line of lines) terminal.print(line);
  if (shown.some(({ state, until }) => state === "held" && until === undefined)) {
    terminal.say(terminal.tint("dim", "To let one go again: npm run sluice -- resume <target>"));
  }
  return EXIT_OK;
}
