import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AdminPartitionPort, ListedEvent, ListRequest } from "../../src/bus/ports.ts";
import type { SearchCursor } from "../../src/http/event-search.ts";
import { formatCursor, parseCursor, searchEvents } from "../../src/http/event-search.ts";

interface Row {
  readonly seq: number;
  readonly matches: boolean;
}

/** A partition that reads at most `scanRowsMax` rows for one call, as `objects/listing.ts` does. */
function partitionOf(rows: readonly Row[], scanRowsMax: number): AdminPartitionPort {
  const newestFirst = rows.toSorted((a, b) => b.seq - a.seq);
  const list = async ({ before, limit }: ListRequest) => {
    const below = newestFirst.filter((row) => row.seq < before);
    const scanned = below.slice(0, scanRowsMax);
    const found = scanned.filter((row) => row.matches);
    const events = found.slice(0, limit).map(({ seq }) => ({ seq }) as ListedEvent);
    if (found.length >= limit) return { events, scannedTo: events.at(-1)?.seq ?? null };
    return { events, scannedTo: scanned.length < below.length ? (scanned.at(-1)?.seq ?? null) : null };
  };
  return { list } as Partial<AdminPartitionPort> as AdminPartitionPort;
}

const rows = fc
  .uniqueArray(fc.record({ seq: fc.integer({ min: 1, max: 30 }), matches: fc.boolean() }), {
    selector: (row) => row.seq,
  })
  .map((each): readonly Row[] => each);

describe("a search over partitions", () => {
  it("shows every match once, in one order, whatever the page's size and however little a partition reads", async () => {
    const inputs = [
      fc.array(rows, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 6 }),
    ] as const;
    await fc.assert(
      fc.asyncProperty(...inputs, async (partitions, limit, scanRowsMax) => {
        const names = partitions.map((_, index) => `partition-${index}`);
        const port = (name: string) => partitionOf(partitions[names.indexOf(name)] ?? [], scanRowsMax);
        const shown: string[] = [];
        let cursor: SearchCursor | null = null;
        for (let pages = 0; ; pages++) {
          // Each page goes on: it shows something, or has read at least one more row of some partition.
          expect(pages).toBeLessThanOrEqual(partitions.flat().length + 1);
          const page = await searchEvents(names, port, { cursor, limit, which: "all", filter: {} });
          expect(page.found.length).toBeLessThanOrEqual(limit);
          shown.push(...page.found.map(({ partition, event }) => `${event.seq} ${partition}`));
          if (page.next === null) break;
          cursor = parseCursor(formatCursor(page.next));
          expect(cursor).toEqual(page.next);
        }
        const expected = partitions
          .flatMap((each, index) => each.filter((row) => row.matches).map(({ seq }) => ({ seq, index })))
          .toSorted((a, b) => b.seq - a.seq || a.index - b.index)
          .map(({ seq, index }) => `${seq} ${names[index]}`);
        expect(shown).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});
