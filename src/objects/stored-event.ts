/** How an event stands in a row: its deliveries and the rest of it as JSON, its body as the bytes that came. */
import type { StoredEvent, StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { utf8Length } from "../core/template.ts";

/** Text of one event's deliveries; more is cut down to what a person needs, so that a row stays under the platform's 2 MB. */
export const DELIVERIES_BYTES_MAX = 524_288;
/** What is left of a reason's detail when nothing else helps. */
const DETAIL_CHARS_KEPT = 100;

export type EventRow = { seq: number; deliveries: string; event: string; body: Uint8Array | null };

export function parseRow(row: EventRow): StoredEventWithDeliveries {
  const head = JSON.parse(row.event) as Omit<StoredEvent, "body">;
  return {
    seq: row.seq,
    // Rows of the first schema version have no key; there it only chose the partition.
    event: { ...head, key: head.key ?? head.attributes.source, body: row.body },
    deliveries: JSON.parse(row.deliveries) as readonly Delivery[],
  };
}

export function formatEvent(event: StoredEvent): { readonly event: string; readonly body: Uint8Array | null } {
  const { body, ...head } = event;
  return { event: JSON.stringify(head), body };
}

/** Deliveries as text. Over the limit the answers' bodies go first, then all attempts but the newest, then those too. */
export function formatDeliveries(deliveries: readonly Delivery[]): string {
  const whole = JSON.stringify(deliveries);
  if (fitsRow(whole)) return whole;
  const bare = deliveries.map((delivery) => ({
    ...delivery,
    attempts: delivery.attempts.map(({ answer, ...attempt }) =>
      answer === undefined ? attempt : { ...attempt, answer: { status: answer.status } },
    ),
  }));
  const short = JSON.stringify(bare);
  if (fitsRow(short)) return short;
  const newest = JSON.stringify(bare.map((delivery) => ({ ...delivery, attempts: delivery.attempts.slice(-1) })));
  if (fitsRow(newest)) return newest;
  return JSON.stringify(
    deliveries.map(({ state, ...delivery }) => ({
      ...delivery,
      state: "detail" in state ? { ...state, detail: state.detail.slice(0, DETAIL_CHARS_KEPT) } : state,
      attempts: [],
    })),
  );
}

function fitsRow(text: string): boolean {
  // A UTF-16 unit takes three bytes of UTF-8 at most, so most texts need no counting.
  return text.length * 3 <= DELIVERIES_BYTES_MAX || utf8Length(text) <= DELIVERIES_BYTES_MAX;
}

/** Counted as SQLite counts them: bytes of UTF-8. */
export function bytesOf(stored: StoredEvent): number {
  const { event, body } = formatEvent(stored);
  return utf8Length(event) + (body?.length ?? 0);
}
