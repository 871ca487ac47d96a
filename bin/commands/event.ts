/** `sluice event`: one event with its deliveries and their attempts. */
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import type { EventDetails, ShownAttempt, ShownDelivery } from "../shown-delivery.ts";
import { answerAs, shortTime, statusStyle } from "../shown-delivery.ts";
import { describeShadow } from "../shown-shadow.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

/** Of the event's own JSON, this much is shown to people. */
const EVENT_CHARS_MAX = 4_000;

export interface EventOptions {
  readonly to: string;
  readonly json?: boolean;
}

export async function event(receipt: string, options: EventOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connectAdmin(options.to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.get(`/events/${encodeURIComponent(receipt)}`);
  if (!answer.ok) return terminal.fail(answer.error);
  if (options.json === true) terminal.print(JSON.stringify(answer.value));
  else for (const line of describeEvent(answerAs<EventDetails>(answer.value), terminal)) terminal.print(line);
  return EXIT_OK;
}

function describeEvent(details: EventDetails, terminal: Terminal): readonly string[] {
  const { paint } = terminal;
  const field = (name: string, value: string): string => `${paint("dim", name.padEnd(10))}${printable(value)}`;
  const text = (name: string): string => {
    const value = details.event[name];
    return typeof value === "string" ? value : "-";
  };
  const pretty = JSON.stringify(details.event, null, 2);
  const isCut = pretty.length > EVENT_CHARS_MAX;
  return [
    field("receipt", details.id),
    `${paint("dim", "status".padEnd(10))}${paint(statusStyle(details.status), details.status)}`,
    field("accepted", `${shortTime(details.acceptedAt)} UTC, from ${details.from}, bus ${details.bus}`),
    field("type", text("type")),
    field("source", text("source")),
    field("id", text("id")),
    ...(details.replayOf === undefined ? [] : [field("replay of", details.replayOf)]),
    ...(details.large === undefined
      ? []
      : [field("payload", `large, ${details.large.bytes} bytes, in the body store`)]),
    field("rules", details.rules.length === 0 ? "none matched" : details.rules.join(", ")),
    ...details.deliveries.flatMap((delivery) => ["", ...describeDelivery(delivery, paint)]),
    ...(details.shadow ?? []).flatMap((match) => [
      "",
      `${paint("dim", "shadow")}  ${printable(match.rule)}`,
      ...describeShadow(match, EVENT_CHARS_MAX, terminal),
    ]),
    "",
    ...pretty.slice(0, EVENT_CHARS_MAX).split("\n").map(printable),
    ...(isCut ? [paint("dim", `… ${pretty.length - EVENT_CHARS_MAX} characters more: --json shows all`)] : []),
  ];
}

function describeDelivery(delivery: ShownDelivery, paint: Terminal["paint"]): readonly string[] {
  const { rule, target, state, reason, detail, note, endedAt, dueAt } = delivery;
  const when = endedAt ?? dueAt;
  const because = [reason, detail].filter((part) => part !== undefined).join(": ");
  return [
    `${paint(statusStyle(state), state)}  ${printable(`${rule} → ${target}`)}`,
    `  ${printable(delivery.delivery)}${when === undefined ? "" : `, ${endedAt === undefined ? "due" : "ended"} ${shortTime(when)} UTC`}`,
    ...(because === "" ? [] : [`  ${printable(because)}`]),
    ...(note === undefined ? [] : [`  ${printable(note)}`]),
    ...delivery.attempts.map((attempt, index) => {
      const number = delivery.attemptCount - delivery.attempts.length + index + 1;
      return `  attempt ${number}  ${describeAttempt(attempt)}`;
    }),
  ];
}

function describeAttempt({ startedAt, durationMs, outcome, reason, detail, answer }: ShownAttempt): string {
  const status = answer === undefined ? [] : [`status ${answer.status}`];
  const why = reason === undefined || reason === "status" ? [] : [reason];
  const said = detail === undefined ? [] : [detail];
  const location = answer?.location === undefined ? [] : [`location ${answer.location}`];
  return printable(
    [`${shortTime(startedAt)}  ${outcome}`, ...status, ...why, ...said, ...location, `${durationMs} ms`].join(", "),
  );
}
