/** Looking events up: a reverse scan with filters, a cap on what one call reads, and a place to go on from. */
import type { EventFilter, ListedEvent, ListReply, ListRequest, StoredEventWithDeliveries } from "../bus/ports.ts";
import { listedBytes } from "../bus/listed-bytes.ts";
import { eventStatus } from "../core/delivery.ts";
import { seqTimeMs } from "../core/receipt.ts";
import type { Ledger } from "./ledger.ts";

/** Rows that one call reads at most; a search that finds too little in them says how far it came. */
export const SCAN_ROWS_MAX = 1_000;
const SCAN_CHUNK_ROWS = 20;
/** A page ends early here: RPC carries 32 MiB at most, and the Worker has pages of several partitions at a time. */
export const PAGE_BYTES_MAX = 2_097_152;

export function listEvents(ledger: Ledger, request: ListRequest): ListReply {
  const events: ListedEvent[] = [];
  let before = request.before;
  let bytes = 0;
  for (let scanned = 0; scanned < SCAN_ROWS_MAX; scanned += SCAN_CHUNK_ROWS) {
    const rows = ledger.before(before, SCAN_CHUNK_ROWS, request.which);
    for (const row of rows) {
      if (request.filter.sinceMs !== undefined && seqTimeMs(row.seq) < request.filter.sinceMs) {
        return { events, scannedTo: null };
      }
      before = row.seq;
      if (!matchesFilter(row, request.filter)) continue;
      const shown = request.withBodies === true ? withBody(ledger, row) : withoutAnswers(toListed(row));
      const listed = withShadows(shown, request.filter.shadow);
      events.push(listed);
      bytes += listedBytes(listed);
      if (events.length >= request.limit || bytes >= PAGE_BYTES_MAX) return { events, scannedTo: before };
    }
    if (rows.length < SCAN_CHUNK_ROWS) return { events, scannedTo: null };
  }
  return { events, scannedTo: before };
}

export function toListed(row: StoredEventWithDeliveries): ListedEvent {
  return { ...row, status: eventStatus(row.deliveries), acceptedAt: seqTimeMs(row.seq) };
}

/** Read one by one, so that a page's bytes are all that is in memory: a chunk of rows may have 20 MiB of bodies. */
function withBody(ledger: Ledger, row: StoredEventWithDeliveries): ListedEvent {
  const { body } = (ledger.get(row.seq) ?? row).event;
  const deliveries = row.deliveries.map((delivery) => ({ ...delivery, attempts: [] }));
  return toListed({ ...row, event: { ...row.event, body }, deliveries });
}

/** What a list shows of a delivery: its newest attempt, without the answer's text. One event has it all. */
function withoutAnswers(event: ListedEvent): ListedEvent {
  const deliveries = event.deliveries.map((delivery) => ({
    ...delivery,
    attempts: delivery.attempts
      .slice(-1)
      .map(({ answer, ...attempt }) =>
        answer === undefined ? attempt : { ...attempt, answer: { status: answer.status } },
      ),
  }));
  return { ...event, deliveries };
}

/** Of shadow rules a list shows which have matched; one that is searched for, with what it would have sent. */
function withShadows(listed: ListedEvent, wanted: string | undefined): ListedEvent {
  const { shadow, ...event } = listed.event;
  if (shadow === undefined) return listed;
  const shown =
    wanted === undefined
      ? shadow.map(({ rule, targets }) => ({ rule, targets }))
      : shadow.filter(({ rule }) => rule === wanted);
  return { ...listed, event: { ...event, shadow: shown } };
}

function matchesFilter(row: StoredEventWithDeliveries, filter: EventFilter): boolean {
  const { attributes, source, shadow = [] } = row.event;
  if (filter.id !== undefined && attributes.id !== filter.id) return false;
  if (filter.source !== undefined && attributes.source !== filter.source && source !== filter.source) return false;
  if (filter.status !== undefined && eventStatus(row.deliveries) !== filter.status) return false;
  if (filter.shadow !== undefined && !shadow.some(({ rule }) => rule === filter.shadow)) return false;
  if (filter.type === undefined) return true;
  if (filter.type.endsWith("*")) return attributes.type.startsWith(filter.type.slice(0, -1));
  return attributes.type === filter.type;
}
