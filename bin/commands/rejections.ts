/** `sluice rejections`: requests that were refused, and why. */
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import { answerAs, shortTime } from "../shown-delivery.ts";
import { tableLines } from "../table.ts";
import type { Terminal } from "../terminal.ts";

export interface RejectionsOptions {
  readonly to: string;
  readonly json?: boolean;
  readonly limit?: string;
}

interface Rejected {
  readonly at: string;
  readonly source: string;
  readonly reason: string;
  readonly count: number;
  readonly detail: string;
}

export async function rejections({ to, json, limit }: RejectionsOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connectAdmin(to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.get("/rejections", { limit });
  if (!answer.ok) return terminal.fail(answer.error);
  if (json === true) {
    terminal.print(JSON.stringify(answer.value));
    return EXIT_OK;
  }
  const { rejections: found } = answerAs<{ readonly rejections: readonly Rejected[] }>(answer.value);
  if (found.length === 0) {
    terminal.say("Nothing was refused.");
    return EXIT_OK;
  }
  const lines = tableLines(
    found,
    [
      { title: "FIRST AT (UTC)", value: ({ at }) => shortTime(at) },
      { title: "SOURCE", value: ({ source }) => source, charsMin: 8 },
      { title: "TIMES", value: ({ count }) => String(count) },
      { title: "REASON", value: ({ reason }) => reason },
      { title: "DETAIL", value: ({ detail }) => detail, charsMin: 20 },
    ],
    terminal,
  );
  for (const line of lines) terminal.print(line);
  return EXIT_OK;
}
