/** One page of events from all partitions, newest first: each partition scans its own part, this merges what they found. */
import type { AdminPartitionPort, EventFilter, ListedEvent } from "../bus/ports.ts";
import { seqAtMs } from "../core/receipt.ts";

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
}

export async function searchEvents(
  partitions: readonly string[],
  partition: (name: string) => AdminPartitionPort,
  { cursor, limit, which, filter, untilMs }: SearchRequest,
): Promise<SearchPage> {
  const replies = await Promise.all(
    partitions.map((name, index) => {
      // At the cursor's own number, partitions after the cursor's have not been shown yet.
      const resumed =
        cursor === null ? Number.MAX_SAFE_INTEGER : index > cursor.partition ? cursor.seq + 1 : cursor.seq;
      const before = untilMs === undefined ? resumed : Math.min(resumed, seqAtMs(untilMs));
      return partition(name).list({ before, limit, which, filter });
    }),
  );
  // Below the highest place that some partition stopped at, another may still have what belongs before it.
  const frontier = Math.max(-1, ...replies.map((reply) => reply.scannedTo ?? -1));
  const merged = replies
    .flatMap((reply, index) => reply.events.map((event) => ({ index, event })))
    .filter(({ event }) => event.seq >= frontier)
    .toSorted((a, b) => b.event.seq - a.event.seq || a.index - b.index);
  const shown = merged.slice(0, limit);
  const found = shown.map(({ index, event }) => ({ partition: partitions[index] ?? "", event }));
  const last = shown.at(-1);
  if (merged.length > shown.length && last !== undefined) {
    return { found, next: { seq: last.event.seq, partition: last.index } };
  }
  return { found, next: frontier === -1 ? null : { seq: frontier, partition: partitions.length } };
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
