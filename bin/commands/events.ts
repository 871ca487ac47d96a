/** `sluice events`: what was accepted, newest first. */
import type { EventStatus } from "../../src/core/delivery.ts";
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import type { ListedEvent } from "../shown-delivery.ts";
import { answerAs, shortTime, statusStyle } from "../shown-delivery.ts";
import { tableLines } from "../table.ts";
import type { Terminal } from "../terminal.ts";

export interface EventsOptions {
  readonly to: string;
  readonly json?: boolean;
  readonly type?: string;
  readonly source?: string;
  readonly id?: string;
  readonly status?: EventStatus;
  readonly since?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

export async function events({ to, json, ...query }: EventsOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connectAdmin(to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.get("/events", query);
  if (!answer.ok) return terminal.fail(answer.error);
  if (json === true) {
    terminal.print(JSON.stringify(answer.value));
    return EXIT_OK;
  }
  const page = answerAs<{ readonly events: readonly ListedEvent[]; readonly next: string | null }>(answer.value);
  if (page.events.length === 0) terminal.say(page.next === null ? "No events." : "No events on this page.");
  else {
    const lines = tableLines(
      page.events,
      [
        { title: "RECEIPT", value: ({ id }) => id },
        { title: "ACCEPTED (UTC)", value: ({ acceptedAt }) => shortTime(acceptedAt) },
        { title: "STATUS", value: ({ status }) => status },
        { title: "DELIVERED", value: describeDeliveries },
        { title: "FROM", value: ({ from }) => from, charsMin: 8 },
        { title: "TYPE", value: ({ event }) => event.type, charsMin: 20 },
        { title: "SUBJECT", value: ({ event }) => event.subject ?? "", charsMin: 8 },
      ],
      terminal,
    );
    for (const [index, line] of lines.entries()) {
      const status = page.events[index - 1]?.status;
      terminal.print(
        status === undefined ? line : line.replace(` ${status} `, ` ${terminal.paint(statusStyle(status), status)} `),
      );
    }
  }
  if (page.next !== null) terminal.say(terminal.tint("dim", `Older ones: add --cursor ${page.next}`));
  return EXIT_OK;
}

function describeDeliveries({ deliveries }: ListedEvent): string {
  const delivered = deliveries.filter(({ state }) => state === "delivered").length;
  return deliveries.length === 0 ? "-" : `${delivered} of ${deliveries.length}`;
}
