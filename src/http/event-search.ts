/** One page of events from all partitions, newest first: each partition scans its own part, this merges what they found. */
import { listedBytes } from "../bus/listed-bytes.ts";
import { inPool } from "../bus/pool.ts";
import type { AdminPartitionPort, EventFilter, ListedEvent } from "../bus/ports.ts";
import { seqAtMs } from "../core/receipt.ts";

/** Partitions asked at a time: each answers with 2 MiB at most (PAGE_BYTES_MAX of `objects/listing.ts`). */
export const SEARCH_CALLS_MAX = 16;
/** A page ends early here, however few events it shows: an isolate has 128 MB for all that it does. */
export const SEARCH_BYTES_MAX = 8_388_608;

export interface FoundEvent {
  readonly partition: string;
  readonly event: ListedEvent;
}

export interface SearchPage {
  readonly found: readonly FoundEvent[];
  /** Where the next page goes on; null when everything has been looked at. */
  readonly next: SearchCursor | null;
}

/** A place in the merged order (by sequence number falling, then by partition rising): the next page starts after it. */
export interface SearchCursor {
  readonly seq: number;
  readonly partition: number;
}

export interface SearchRequest {
  readonly cursor: SearchCursor | null;
  readonly limit: number;
  readonly which: "all" | "dead" | "parked";
  readonly filter: EventFilter;
  /** Only events accepted before this time, in milliseconds. */
  readonly untilMs?: number | undefined;
  /** With the events' bodies, and then without their deliveries' attempts. */
  readonly withBodies?: boolean;
}

export async function searchEvents(
  partitions: readonly string[],
  partition: (name: string) => AdminPartitionPort,
  { cursor, limit, which, filter, untilMs, withBodies = false }: SearchRequest,
): Promise<SearchPage> {
  let newest: readonly Candidate[] = [];
  let frontier = -1;
  await inPool([...partitions.entries()], SEARCH_CALLS_MAX, async ([index, name]) => {
    // At the cursor's own number, partitions after the cursor's have not been shown yet.
    const resumed = cursor === null ? Number.MAX_SAFE_INTEGER : index > cursor.partition ? cursor.seq + 1 : cursor.seq;
    const before = untilMs === undefined ? resumed : Math.min(resumed, seqAtMs(untilMs));
    const reply = await partition(name).list({ before, limit, which, filter, ...(withBodies ? { withBodies } : {}) });
    // Below the highest place that some partition stopped at, another may still have what belongs before it.
    frontier = Math.max(frontier, reply.scannedTo ?? -1);
    const found = reply.events.map((event) => ({ index, event, bytes: listedBytes(event) }));
    const sorted = [...newest, ...found].toSorted((a, b) => b.event.seq - a.event.seq || a.index - b.index);
    // One more than a page shows, to know that there is more.
    newest = sorted.slice(0, pageLength(sorted, limit) + 1);
  });
  const merged = newest.filter(({ event }) => event.seq >= frontier);
  const shown = merged.slice(0, pageLength(merged, limit));
  const found = shown.map(({ index, event }) => ({ partition: partitions[index] ?? "", event }));
  const last = shown.at(-1);
  if (merged.length > shown.length && last !== undefined) {
    return { found, next: { seq: last.event.seq, partition: last.index } };
  }
  return { found, next: frontier === -1 ? null : { seq: frontier, partition: partitions.length } };
}

interface Candidate {
  readonly index: number;
  readonly event: ListedEvent;
  readonly bytes: number;
}

/** How many of these a page shows: at least one. */
function pageLength(sorted: readonly Candidate[], limit: number): number {
  let bytes = 0;
  let length = 0;
  for (const each of sorted) {
    bytes += each.bytes;
    if (length === limit || (length > 0 && bytes > SEARCH_BYTES_MAX)) break;
    length += 1;
  }
  return length;
}

export function formatCursor({ seq, partition }: SearchCursor): string {
  return `${seq.toString(36)}.${partition.toString(36)}`;
}

export function parseCursor(text: string): SearchCursor | null {
  const parts = /^([0-9a-z]{1,11})\.([0-9a-z]{1,6})$/.exec(text);
  if (parts === null) return null;
  const seq = Number.parseInt(parts[1] ?? "", 36);
  return Number.isSafeInteger(seq) ? { seq, partition: Number.parseInt(parts[2] ?? "", 36) } : null;
}
