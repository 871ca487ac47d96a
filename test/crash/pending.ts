/** The deliveries that have not ended, in words: what to look at when a run does not come to its end. */
import type { ShownDelivery, ShownEvent } from "../../bin/shown-delivery.ts";
import { admin } from "../support/router-process.ts";

const EVENTS_SHOWN_MAX = 20;
const ENDED: readonly string[] = ["delivered", "dead", "cancelled"];

type Pending = ShownEvent & { readonly deliveries: readonly ShownDelivery[] };

export async function pendingLines(url: string): Promise<readonly string[]> {
  const { events } = await admin<{ readonly events: readonly ShownEvent[] }>(
    url,
    `events?status=pending&limit=${EVENTS_SHOWN_MAX}`,
  );
  const lines = [`${new Date().toISOString()}: pending events, the newest ${EVENTS_SHOWN_MAX} at most`];
  for (const { id } of events) {
    const { event, acceptedAt, deliveries } = await admin<Pending>(url, `events/${id}`);
    lines.push(`${event.id} ${event.type} accepted ${acceptedAt}`);
    for (const delivery of deliveries.filter(({ state }) => !ENDED.includes(state))) lines.push(lineOf(delivery));
  }
  return lines;
}

function lineOf({ rule, target, state, reason, dueAt, attemptCount, attempts }: ShownDelivery): string {
  const last = attempts.at(-1);
  return [
    `  ${rule} to ${target}: ${state}`,
    ...(reason === undefined ? [] : [reason]),
    ...(dueAt === undefined ? [] : [`due ${dueAt}`]),
    `${attemptCount} attempts`,
    ...(last === undefined
      ? []
      : [`the last at ${last.startedAt}: ${last.outcome} ${last.detail ?? last.reason ?? ""}`]),
  ].join(", ");
}
