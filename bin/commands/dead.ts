/** `sluice dead`: deliveries that ended without success, or those that have stopped their lanes. */
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import type { DeadDelivery } from "../shown-delivery.ts";
import { answerAs, shortTime } from "../shown-delivery.ts";
import { tableLines } from "../table.ts";
import type { Terminal } from "../terminal.ts";

export interface DeadOptions {
  readonly to: string;
  readonly json?: boolean;
  readonly parked?: boolean;
  readonly rule?: string;
  readonly target?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

export interface DeadPage {
  readonly deliveries: readonly DeadDelivery[];
  readonly next: string | null;
}

export async function dead({ to, json, parked, ...query }: DeadOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connectAdmin(to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.get("/deliveries", { state: parked === true ? "parked" : "dead", ...query });
  if (!answer.ok) return terminal.fail(answer.error);
  if (json === true) {
    terminal.print(JSON.stringify(answer.value));
    return EXIT_OK;
  }
  const page = answerAs<DeadPage>(answer.value);
  if (page.deliveries.length === 0) {
    const nothing = `Nothing is ${parked === true ? "parked" : "dead"}`;
    terminal.say(page.next === null ? `${nothing}.` : `${nothing} on this page.`);
  } else {
    const lines = tableLines(
      page.deliveries,
      [
        { title: "RECEIPT", value: ({ event }) => event.id },
        {
          title: parked === true ? "PARKED (UTC)" : "DIED (UTC)",
          value: ({ endedAt, parkedAt = endedAt }) => (parkedAt === undefined ? "" : shortTime(parkedAt)),
        },
        { title: "RULE", value: ({ rule }) => rule, charsMin: 16 },
        { title: "TARGET", value: ({ target }) => target, charsMin: 8 },
        { title: "ATTEMPTS", value: ({ attemptCount }) => String(attemptCount) },
        { title: "REASON", value: ({ reason }) => reason ?? "" },
        { title: "DETAIL", value: ({ detail }) => detail ?? "", charsMin: 10 },
      ],
      terminal,
    );
    for (const line of lines) terminal.print(line);
    terminal.say(
      terminal.tint(
        "dim",
        `After a repair: npm run sluice -- redrive <receipt>, or redrive --all${parked === true ? " --parked" : ""}`,
      ),
    );
  }
  if (page.next !== null) terminal.say(terminal.tint("dim", `Older ones: add --cursor ${page.next}`));
  return EXIT_OK;
}
