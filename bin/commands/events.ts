/** `sluice events`: what was accepted, newest first; with `--shadow`, what a shadow rule would have sent. */
import type { EventStatus } from "../../src/core/delivery.ts";
import { unknownName } from "../../src/core/read-object.ts";
import type { RuleDefinition } from "../../src/core/rule.ts";
import type { AdminClient } from "../admin-client.ts";
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import type { ListedEvent } from "../shown-delivery.ts";
import { answerAs, shortTime, statusStyle } from "../shown-delivery.ts";
import { describeShadow } from "../shown-shadow.ts";
import { tableLines } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

/** Of what would have gone out, this much is shown of each event. */
export const SHADOW_CHARS_SHOWN = 2_000;

export interface EventsOptions {
  readonly to: string;
  readonly json?: boolean;
  readonly type?: string;
  readonly source?: string;
  readonly id?: string;
  readonly status?: EventStatus;
  /** A shadow rule's path. */
  readonly shadow?: string;
  readonly since?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

/** As the router has it: SHADOW_RULES_MAX in src/bus/shadow.ts. */
export const SHADOW_RULES_RECORDED_MAX = 20;

interface EventsPage {
  readonly events: readonly ListedEvent[];
  readonly next: string | null;
}

export async function events({ to, json, ...query }: EventsOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connectAdmin(to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.get("/events", { ...query });
  if (!answer.ok) return terminal.fail(answer.error);
  if (json === true) {
    terminal.print(JSON.stringify(answer.value));
    return EXIT_OK;
  }
  const page = answerAs<EventsPage>(answer.value);
  if (page.events.length === 0 && page.next === null && query.shadow !== undefined) {
    return explainNoShadows(query.shadow, client.value, terminal);
  }
  if (page.events.length === 0) terminal.say(page.next === null ? "No events." : "No events on this page.");
  else if (query.shadow === undefined) printTable(page.events, terminal);
  else printShadows(page.events, terminal);
  if (page.next !== null) terminal.say(terminal.tint("dim", `Older ones: add --cursor ${page.next}`));
  return EXIT_OK;
}

function printTable(listed: readonly ListedEvent[], terminal: Terminal): void {
  const lines = tableLines(
    listed,
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
    const status = listed[index - 1]?.status;
    terminal.print(
      status === undefined ? line : line.replace(` ${status} `, ` ${terminal.paint(statusStyle(status), status)} `),
    );
  }
}

function describeDeliveries({ deliveries }: ListedEvent): string {
  const delivered = deliveries.filter(({ state }) => state === "delivered").length;
  return deliveries.length === 0 ? "-" : `${delivered} of ${deliveries.length}`;
}

function printShadows(listed: readonly ListedEvent[], terminal: Terminal): void {
  const { paint, print } = terminal;
  for (const { id, acceptedAt, event, shadow = [] } of listed) {
    print(`${paint("bold", printable(id))}  ${shortTime(acceptedAt)} UTC  ${printable(event.type)}`);
    for (const line of shadow.flatMap((match) => describeShadow(match, SHADOW_CHARS_SHOWN, terminal))) print(line);
  }
  if (
    listed.some(({ shadow = [] }) =>
      shadow.some(({ output, problem }) => output === undefined && problem === undefined),
    )
  )
    terminal.say(terminal.tint("dim", "To see a payload: npm run sluice -- event <receipt>"));
}

/** Nothing was found: because there is no such rule, because it is none of this kind, or because nothing has come yet. */
async function explainNoShadows(path: string, client: AdminClient, terminal: Terminal): Promise<ExitCode> {
  const answer = await client.get("/rules");
  if (!answer.ok) return terminal.fail(answer.error);
  const { rules } = answerAs<{ readonly rules: readonly RuleDefinition[] }>(answer.value);
  const rule = rules.find((each) => each.path === path);
  if (rule === undefined) {
    return terminal.fail({
      message: unknownName(
        "rule",
        path,
        rules.map((each) => each.path),
      ),
      hint: "To list the rules that run: npm run sluice -- rules",
    });
  }
  if (rule.mode !== "shadow") {
    return terminal.fail({
      message: `the rule ${path} is ${rule.mode}, and has recorded nothing as a shadow rule`,
      hint: "Say mode: shadow in its file and deploy it; what it matches from then on is recorded.",
    });
  }
  const before = rules.filter(({ bus, mode, path: other }) => mode === "shadow" && bus === rule.bus && other < path);
  terminal.say(`Of the shadow rule ${path} nothing is recorded with these events yet.`);
  if (before.length >= SHADOW_RULES_RECORDED_MAX) {
    terminal.say(
      `Of each event the first ${SHADOW_RULES_RECORDED_MAX} shadow rules by their paths are recorded, and ${before.length} come before this one.`,
    );
  }
  return EXIT_OK;
}
