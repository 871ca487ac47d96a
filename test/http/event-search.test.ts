import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AdminPartitionPort, ListedEvent, ListRequest } from "../../src/bus/ports.ts";
import type { SearchCursor } from "../../src/http/event-search.ts";
import {
  formatCursor,
  parseCursor,
  SEARCH_BYTES_MAX,
  SEARCH_CALLS_MAX,
  searchEvents,
} from "../../src/http/event-search.ts";

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
    const events = found.slice(0, limit).map(({ seq }) => ({ seq, event: {} }) as ListedEvent);
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

describe("a search over many partitions", () => {
  const request = { cursor: null, limit: 200, which: "all", filter: {} } as const;
  const eventOf = (seq: number, text = "") => ({ seq, event: { key: text } }) as ListedEvent;
  const portOf = (list: AdminPartitionPort["list"]) => ({ list }) as Partial<AdminPartitionPort> as AdminPartitionPort;

  it("asks so many at a time", async () => {
    const names = Array.from({ length: 3 * SEARCH_CALLS_MAX }, (_, index) => `p${index}`);
    let open = 0;
    let openMax = 0;
    const port = (name: string) =>
      portOf(async () => {
        openMax = Math.max(openMax, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        return { events: [eventOf(Number(name.slice(1)))], scannedTo: null };
      });
    const page = await searchEvents(names, port, { ...request, limit: 5 });
    expect(openMax).toBe(SEARCH_CALLS_MAX);
    expect(page.found.map(({ event }) => event.seq)).toEqual([47, 46, 45, 44, 43]);
    expect(page.next).toEqual({ seq: 43, partition: 43 });
  });

  it("shows what fits a page in bytes, one event at least, and goes on with the next", async () => {
    const frame = JSON.stringify(eventOf(1)).length;
    const half = "x".repeat(SEARCH_BYTES_MAX / 2 - frame);
    const shownOf = async (...texts: readonly string[]) => {
      const port = (name: string) =>
        portOf(async () => ({ events: [eventOf(9 - Number(name), texts[Number(name)])], scannedTo: null }));
      const { found, next } = await searchEvents(Object.keys(texts), port, request);
      return { found: found.map(({ event }) => event.seq), next };
    };
    expect(await shownOf(half, half)).toEqual({ found: [9, 8], next: null });
    expect(await shownOf(half, `${half}x`)).toEqual({ found: [9], next: { seq: 9, partition: 0 } });
    expect(await shownOf(half.repeat(3), "")).toEqual({ found: [9], next: { seq: 9, partition: 0 } });
  });

  it("asks for bodies where they are wanted, and counts their bytes", async () => {
    const asked: (boolean | undefined)[] = [];
    const body = new Uint8Array(SEARCH_BYTES_MAX / 2);
    const port = (name: string) =>
      portOf(async ({ withBodies }) => {
        asked.push(withBodies);
        return { events: [{ ...eventOf(9 - Number(name)), event: { body } } as ListedEvent], scannedTo: null };
      });
    const { found, next } = await searchEvents(["0", "1"], port, { ...request, withBodies: true });
    expect(found).toHaveLength(1);
    expect(next).toEqual({ seq: 9, partition: 0 });
    await searchEvents(["0"], port, request);
    expect(asked).toEqual([true, true, undefined]);
  });
});
