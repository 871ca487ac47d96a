/** Looking events up: a reverse scan with filters, a cap on what one call reads, and a place to go on from. */
import type { EventFilter, ListedEvent, ListReply, ListRequest, StoredEventWithDeliveries } from "../bus/ports.ts";
import { eventStatus } from "../core/delivery.ts";
import { seqTimeMs } from "../core/receipt.ts";
import type { Ledger } from "./ledger.ts";

/** Rows that one call reads at most; a search that finds too little in them says how far it came. */
export const SCAN_ROWS_MAX = 1_000;
const SCAN_CHUNK_ROWS = 100;

export function listEvents(ledger: Ledger, request: ListRequest): ListReply {
  const events: ListedEvent[] = [];
  let before = request.before;
  for (let scanned = 0; scanned < SCAN_ROWS_MAX; scanned += SCAN_CHUNK_ROWS) {
    const rows = ledger.before(before, SCAN_CHUNK_ROWS, request.which);
    for (const row of rows) {
      if (request.filter.sinceMs !== undefined && seqTimeMs(row.seq) < request.filter.sinceMs) {
        return { events, scannedTo: null };
      }
      before = row.seq;
      if (!matchesFilter(row, request.filter)) continue;
      events.push(toListed(row));
      if (events.length >= request.limit) return { events, scannedTo: before };
    }
    if (rows.length < SCAN_CHUNK_ROWS) return { events, scannedTo: null };
  }
  return { events, scannedTo: before };
}

export function toListed(row: StoredEventWithDeliveries): ListedEvent {
  return { ...row, status: eventStatus(row.deliveries), acceptedAt: seqTimeMs(row.seq) };
}

function matchesFilter(row: StoredEventWithDeliveries, filter: EventFilter): boolean {
  const { attributes, source } = row.event;
  if (filter.id !== undefined && attributes.id !== filter.id) return false;
  if (filter.source !== undefined && attributes.source !== filter.source && source !== filter.source) return false;
  if (filter.status !== undefined && eventStatus(row.deliveries) !== filter.status) return false;
  if (filter.type === undefined) return true;
  if (filter.type.endsWith("*")) return attributes.type.startsWith(filter.type.slice(0, -1));
  return attributes.type === filter.type;
}
