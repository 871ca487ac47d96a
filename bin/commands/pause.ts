/** `sluice pause` and `sluice resume`: stop sending to a target, and go on. */
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import { answerAs } from "../shown-delivery.ts";
import type { ShownTarget } from "../shown-target.ts";
import { describeTargetState, targetStyle } from "../shown-target.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

export interface PauseOptions {
  readonly to: string;
  readonly json?: boolean;
}

export function pause(target: string, options: PauseOptions, terminal: Terminal): Promise<ExitCode> {
  return change(target, "pause", options, terminal);
}

export function resume(target: string, options: PauseOptions, terminal: Terminal): Promise<ExitCode> {
  return change(target, "resume", options, terminal);
}

async function change(
  target: string,
  action: "pause" | "resume",
  { to, json }: PauseOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const client = await connectAdmin(to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.post(`/targets/${encodeURIComponent(target)}/${action}`, {});
  if (!answer.ok) return terminal.fail(answer.error);
  const shown = answerAs<ShownTarget>(answer.value);
  if (json === true) terminal.print(JSON.stringify(answer.value));
  else terminal.print(`${printable(shown.name)}: ${terminal.paint(targetStyle(shown), describeTargetState(shown))}`);
  return EXIT_OK;
}
