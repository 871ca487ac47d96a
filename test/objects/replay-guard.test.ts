import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashing } from "../../src/hashing.ts";
import type { KeyedEvent } from "../../src/objects/replay-guard.ts";
import {
  BLOCK_EVENTS,
  CONTENTS_MAX,
  RETAIN_BLOCKS_MAX,
  contentKey,
  openReplayGuard,
} from "../../src/objects/replay-guard.ts";
import { migrate } from "../../src/objects/schema.ts";
import { openNodeSql } from "../support/node-sql.ts";

/** A guard and the events that it may read again at a start. */
function openBench() {
  const sql = openNodeSql();
  migrate(sql);
  let events: KeyedEvent[] = [];
  const asked: number[] = [];
  const open = () =>
    openReplayGuard(sql, (count) => {
      asked.push(count);
      return events.slice(-count).toReversed();
    });
  let guard = open();
  return {
    sql,
    asked,
    open,
    guard: () => guard,
    restart: () => {
      guard = open();
    },
    accept: (seq: number, key: number | undefined) => {
      events.push({ seq, key });
      guard.accepted(seq, key);
    },
    /** The events that are still there to be read again. */
    evict: (before: number) => {
      events = events.filter(({ seq }) => seq >= before);
    },
    blocks: () =>
      sql.all<{ last_seq: number; bytes: number }>("SELECT last_seq, length(entries) AS bytes FROM replays"),
  };
}

describe("the name of a content", () => {
  it("is 52 bits of its hash, exact as a number", () => {
    const hash = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
    expect(contentKey(hash("fff00000" + "00000000"))).toBe(0);
    expect(contentKey(hash("ffffffff" + "ffffffff"))).toBe(2 ** 52 - 1);
    expect(contentKey(hash("00000001" + "00000000"))).toBe(2 ** 32);
    expect(contentKey(hash("000fffff" + "80000001"))).toBe(0xfffff * 2 ** 32 + 0x80000001);
    const whole = hashing.sha256("content");
    const within = new Uint8Array(40);
    within.set(whole, 8);
    expect(contentKey(within.subarray(8))).toBe(contentKey(whole));
    expect(Number.isSafeInteger(contentKey(whole))).toBe(true);
  });
});

describe("a replay", () => {
  it("is found by its content, with the number of the first event that had it", () => {
    const { guard, accept } = openBench();
    accept(10, 1);
    accept(11, 2);
    expect(guard().find(1, 0)).toBe(10);
    expect(guard().find(2, 0)).toBe(11);
    expect(guard().find(3, 0)).toBeUndefined();
  });

  it("counts within the window only, and the event after it takes the first one's place", () => {
    const { guard, accept } = openBench();
    accept(10, 1);
    expect(guard().find(1, 10)).toBe(10);
    expect(guard().find(1, 11)).toBeUndefined();
    accept(20, 1);
    expect(guard().find(1, 11)).toBe(20);
  });

  it("is found by the event that took the first one's place after a restart too, from blocks and from events", () => {
    for (const between of [1, BLOCK_EVENTS, 3 * BLOCK_EVENTS]) {
      const { guard, accept, restart } = openBench();
      accept(1, 1);
      for (let n = 0; n < between; n++) accept(2 + n, 1_000 + n);
      accept(10_000, 1);
      restart();
      expect(guard().find(1, 5_000)).toBe(10_000);
    }
  });
});

describe("the blocks", () => {
  it("are written once in 256 events, with those that have a content: a row for each", () => {
    const { sql, accept, blocks } = openBench();
    const before = sql.rowsWritten();
    for (let seq = 1; seq < BLOCK_EVENTS; seq++) accept(seq, seq % 2 === 0 ? seq : undefined);
    expect(sql.rowsWritten()).toBe(before);
    accept(BLOCK_EVENTS, BLOCK_EVENTS);
    expect(sql.rowsWritten()).toBe(before + 1);
    expect(blocks()).toEqual([{ last_seq: BLOCK_EVENTS, bytes: (BLOCK_EVENTS / 2) * 16 }]);
  });

  it("are not written for events without a content", () => {
    const { accept, blocks, restart, guard } = openBench();
    for (let seq = 1; seq <= 3 * BLOCK_EVENTS; seq++) accept(seq, undefined);
    expect(blocks()).toEqual([]);
    accept(5_000, 5);
    for (let seq = 1; seq < BLOCK_EVENTS; seq++) accept(5_000 + seq, undefined);
    restart();
    expect(guard().find(5, 0)).toBe(5_000);
  });

  it("come as late after a start as without one", () => {
    const { accept, blocks, restart } = openBench();
    for (let seq = 1; seq <= BLOCK_EVENTS; seq++) accept(seq, seq);
    restart();
    for (let seq = 1; seq < BLOCK_EVENTS; seq++) accept(BLOCK_EVENTS + seq, 1_000 + seq);
    expect(blocks()).toHaveLength(1);
    accept(2 * BLOCK_EVENTS, 2_000);
    expect(blocks().map(({ bytes }) => bytes)).toEqual([BLOCK_EVENTS * 16, BLOCK_EVENTS * 16]);
  });

  it("have a start read no more events again than lie between two of them", () => {
    const { accept, asked, restart } = openBench();
    for (let seq = 1; seq <= 2 * BLOCK_EVENTS + 7; seq++) accept(seq, seq);
    restart();
    expect(asked.at(-1)).toBe(BLOCK_EVENTS);
  });

  it("give the same answers after a restart at any point between them", () => {
    const { accept, open, guard } = openBench();
    for (let seq = 1; seq <= 2 * BLOCK_EVENTS + 3; seq++) {
      // A flagged one has no key of its own: its content is the first one's.
      accept(seq, seq % 5 === 0 ? undefined : seq % 97);
      const again = open();
      expect(again.size()).toBe(guard().size());
      for (const key of [0, 1, 13, seq % 97, (seq + 1) % 97, 500])
        expect(again.find(key, 0)).toBe(guard().find(key, 0));
    }
  });

  it("hold what is not in one yet, when the events that tell it are about to go", () => {
    const { accept, evict, guard, restart, blocks } = openBench();
    for (let seq = 1; seq <= 10; seq++) accept(seq, 100 + seq);
    guard().flush();
    evict(11);
    accept(11, 111);
    restart();
    for (let seq = 1; seq <= 11; seq++) expect(guard().find(100 + seq, 0)).toBe(seq);
    guard().flush();
    guard().flush();
    expect(blocks().map(({ last_seq }) => last_seq)).toEqual([10, 11]);
  });

  it("tell the same as memory, whatever comes in between", () => {
    const step = fc.oneof(
      { weight: 20, arbitrary: fc.record({ kind: fc.constant("accept" as const), n: fc.nat(60) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("restart" as const), n: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("flush" as const), n: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("many" as const), n: fc.integer({ min: 1, max: 300 }) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("retain" as const), n: fc.nat(400) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { accept, guard, restart } = openBench();
        const model = new Map<number, number>();
        let seq = 0;
        let since = 0;
        const add = (key: number) => {
          seq += 1;
          const known = guard().find(key, since);
          const expected = model.get(key);
          expect(known).toBe(expected !== undefined && expected >= since ? expected : undefined);
          accept(seq, known === undefined ? key : undefined);
          if (known === undefined) model.set(key, seq);
        };
        for (const { kind, n } of steps) {
          if (kind === "accept") add(n);
          if (kind === "many") for (let count = 0; count < n; count++) add(1_000 + count);
          if (kind === "restart") restart();
          if (kind === "flush") guard().flush();
          if (kind === "retain") {
            since = Math.max(since, seq - n);
            guard().retain(since);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("the bounds of what is remembered", () => {
  it("are so many contents: the oldest give way, in memory and after a restart", () => {
    const { accept, guard, restart } = openBench();
    for (let seq = 1; seq <= CONTENTS_MAX; seq++) accept(seq, seq);
    expect(guard().find(1, 0)).toBe(1);
    accept(CONTENTS_MAX + 1, CONTENTS_MAX + 1);
    for (let run = 0; run < 2; run++) {
      expect(guard().size()).toBe(CONTENTS_MAX);
      expect(guard().find(1, 0)).toBeUndefined();
      expect(guard().find(2, 0)).toBe(2);
      expect(guard().find(CONTENTS_MAX + 1, 0)).toBe(CONTENTS_MAX + 1);
      restart();
    }
  });

  it("are contents and not blocks, as blocks with few are read back too", () => {
    const { accept, guard, restart } = openBench();
    const events = CONTENTS_MAX + 40 * BLOCK_EVENTS;
    for (let seq = 1; seq <= events; seq++) accept(seq, seq % 8 === 0 ? seq : undefined);
    restart();
    expect(guard().size()).toBe(events / 8);
    expect(guard().find(8, 0)).toBe(8);
  });

  it("hold for the table as well, without anybody clearing up", () => {
    const { accept, blocks } = openBench();
    const needed = Math.ceil(CONTENTS_MAX / BLOCK_EVENTS);
    for (let seq = 1; seq <= 1.5 * CONTENTS_MAX; seq++) accept(seq, seq);
    expect(blocks().length).toBeGreaterThanOrEqual(needed);
    expect(blocks().length).toBeLessThanOrEqual(needed + 1);
  });

  it("are the window's when that is less: memory at once, the table a slice at a time", () => {
    const { accept, guard, blocks } = openBench();
    const count = RETAIN_BLOCKS_MAX + 5;
    for (let seq = 1; seq <= count * BLOCK_EVENTS; seq++) accept(seq, seq);
    guard().retain((count - 1) * BLOCK_EVENTS + 1);
    expect(guard().size()).toBe(BLOCK_EVENTS);
    expect(blocks()).toHaveLength(5);
    guard().retain((count - 1) * BLOCK_EVENTS + 1);
    expect(blocks()).toHaveLength(1);
    guard().retain((count - 1) * BLOCK_EVENTS + 1);
    expect(blocks()).toHaveLength(1);
  });
});
