import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/core/delivery.ts";
import { newDelivery } from "../../src/core/delivery.ts";
import { seqAtMs } from "../../src/core/receipt.ts";
import type { Deflating } from "../../src/objects/deflating.ts";
import { deflating } from "../../src/objects/deflating.ts";
import type { Packs } from "../../src/objects/packs.ts";
import {
  CHANGES_CHARS_MAX,
  DEFLATE_BYTES_MAX,
  DEFLATE_BYTES_MIN,
  DEFLATE_EVENTS_MAX,
  PACK_BYTES_MAX,
  openPacks,
} from "../../src/objects/packs.ts";
import { createPackTables } from "../../src/objects/segments.ts";
import { hashing } from "../../src/hashing.ts";
import { storedEvent } from "../support/accept-requests.ts";
import { plannedFor } from "../support/deliveries.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = Date.UTC(2026, 0, 1);
const FIRST = seqAtMs(START);

/** Two segments; the second one is the current one from `second` on. */
function openBench(second = Number.POSITIVE_INFINITY) {
  const sql = openNodeSql();
  for (const n of [1, 2]) createPackTables(sql, n);
  let dropped = 0;
  const segments = [
    { n: 2, firstSeq: second },
    { n: 1, firstSeq: 0 },
  ];
  const all = {
    newestFirst: () => segments.filter(({ n }) => n > dropped),
    current: (_now: number, seq: number) => (seq >= second ? 2 : 1),
  };
  const open = (using?: Deflating) => openPacks(sql, all, using);
  return { sql, open, drop: (n: number) => void (dropped = n) };
}

const waiting = (id: string): Delivery => newDelivery(plannedFor("ci", { id: `dlv_${id}` }), START);
const delivered = (id: string): Delivery => ({ ...waiting(id), state: { kind: "delivered", at: START } });

function add(
  packs: Packs,
  seq: number,
  {
    body = "",
    deliveries = [waiting(`${seq}`)],
  }: { readonly body?: string | Uint8Array; readonly deliveries?: readonly Delivery[] } = {},
) {
  const { body: _none, ...head } = storedEvent(`${seq}`);
  const bytes = body === "" ? null : new Uint8Array(Buffer.from(body));
  return packs.add({ seq, head, deliveries }, JSON.stringify(head), bytes);
}

function change(packs: Packs, seq: number, deliveries: readonly Delivery[] | null): void {
  const before = packs.find(seq);
  if (before === undefined) throw new Error("there is no such event");
  packs.change(before, deliveries);
}

function textOf(packs: Packs, seq: number): string | undefined {
  const found = packs.find(seq);
  const body = found === undefined ? null : packs.body(found.place);
  return body === null ? undefined : new TextDecoder().decode(body);
}

describe("a pack", () => {
  it("is one row for all that a commit accepts, each with its own body or none", () => {
    const { sql, open } = openBench();
    const packs = open();
    add(packs, FIRST, { body: "one" });
    add(packs, FIRST + 1);
    add(packs, FIRST + 5, { body: "drei: ß" });
    packs.flush(FIRST + 5, FIRST, START);
    expect(sql.all("SELECT first_seq, last_seq, open_from FROM pack_1")).toEqual([
      { first_seq: FIRST, last_seq: FIRST + 5, open_from: FIRST },
    ]);
    for (const each of [packs, open()]) {
      expect([FIRST, FIRST + 1, FIRST + 5].map((seq) => textOf(each, seq))).toEqual(["one", undefined, "drei: ß"]);
      expect(each.find(FIRST + 5)?.head.attributes.id).toBe(String(FIRST + 5));
      expect([each.find(FIRST - 1), each.find(FIRST + 2), each.find(FIRST + 6)]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    }
  });

  it("can be asked before it is written, and changed", () => {
    const { sql, open } = openBench();
    const packs = open();
    const place = add(packs, FIRST, { body: "one" });
    change(packs, FIRST, [delivered("a")]);
    expect(packs.find(FIRST)?.deliveries).toEqual([delivered("a")]);
    expect(new TextDecoder().decode(packs.body(place) ?? undefined)).toBe("one");
    packs.flush(FIRST, FIRST + 1, START);
    expect(sql.all("SELECT n FROM changes_1")).toEqual([]);
    expect(packs.find(FIRST)?.deliveries).toEqual([delivered("a")]);
    expect(new TextDecoder().decode(packs.body(place) ?? undefined)).toBe("one");
  });

  it("has no more bytes than the limit and goes on in another row, but for an event that has more by itself", () => {
    const rowsOf = (bodies: readonly number[]) => {
      const { sql, open } = openBench();
      const packs = open();
      for (const [index, length] of bodies.entries()) {
        add(packs, FIRST + index, { body: "x".repeat(length), deliveries: [] });
      }
      packs.flush(FIRST + bodies.length, FIRST, START);
      return sql.all<{ n: number; bytes: number }>(
        "SELECT first_seq - (SELECT min(first_seq) FROM pack_1) AS n, length(bodies) + length(heads) AS bytes FROM pack_1",
      );
    };
    const head = (rowsOf([1])[0]?.bytes ?? 0) - 1;
    const half = PACK_BYTES_MAX / 2 - head;
    const [whole, ...more] = rowsOf([half, half]);
    expect(more).toEqual([]);
    expect(whole?.bytes).toBeGreaterThan(PACK_BYTES_MAX * 0.99);
    expect(rowsOf([half, half, 1]).map(({ n }) => n)).toEqual([0, 2]);
    expect(rowsOf([1, PACK_BYTES_MAX, 1]).map(({ n }) => n)).toEqual([0, 1, 2]);
  });
});

describe("changes", () => {
  it("are one row for all that a commit changes; the newest counts, also after a start", () => {
    const { sql, open } = openBench();
    const packs = open();
    for (const seq of [FIRST, FIRST + 1, FIRST + 2]) add(packs, seq);
    packs.flush(FIRST + 2, FIRST, START);
    change(packs, FIRST, [{ ...waiting("a"), failures: 1 }]);
    change(packs, FIRST + 1, [delivered("b")]);
    packs.flush(FIRST + 2, FIRST, START);
    expect(sql.rowsWritten()).toBe(2);
    change(packs, FIRST, [delivered("a")]);
    packs.flush(FIRST + 2, FIRST + 2, START);
    for (const each of [packs, open()]) {
      expect(each.find(FIRST)?.deliveries).toEqual([delivered("a")]);
      expect(each.find(FIRST + 1)?.deliveries).toEqual([delivered("b")]);
      expect(each.find(FIRST + 2)?.deliveries[0]?.state.kind).toBe("waiting");
      expect(each.open().map(({ seq }) => seq)).toEqual([FIRST + 2]);
    }
  });

  it("count before they are written too, in the commit that makes them", () => {
    const { open } = openBench();
    const packs = open();
    for (const seq of [FIRST, FIRST + 1]) add(packs, seq);
    packs.flush(FIRST + 1, FIRST, START);
    change(packs, FIRST, [delivered("a")]);
    expect(packs.find(FIRST)?.deliveries).toEqual([delivered("a")]);
    change(packs, FIRST + 1, null);
    expect(packs.find(FIRST + 1)).toBeUndefined();
  });

  it("go on in another row past the limit, and none is lost at its edge", () => {
    const { sql, open } = openBench();
    const packs = open();
    const long = (id: string): Delivery => ({ ...delivered(id), note: "n".repeat(CHANGES_CHARS_MAX / 3) });
    for (let n = 0; n < 5; n++) add(packs, FIRST + n);
    packs.flush(FIRST + 4, FIRST, START);
    for (let n = 0; n < 5; n++) change(packs, FIRST + n, [long(`${n}`)]);
    packs.flush(FIRST + 4, FIRST + 5, START);
    const rows = sql.all<{ n: number; chars: number }>("SELECT n, length(entries) AS chars FROM changes_1");
    expect(rows).toHaveLength(3);
    for (const { chars } of rows) expect(chars).toBeLessThanOrEqual(CHANGES_CHARS_MAX);
    for (let n = 0; n < 5; n++) expect(open().find(FIRST + n)?.deliveries).toEqual([long(`${n}`)]);
  });

  it("say that a row of its own tells of an event: then it is not found here any more", () => {
    const { open } = openBench();
    const packs = open();
    for (const seq of [FIRST, FIRST + 1]) add(packs, seq);
    packs.flush(FIRST + 1, FIRST, START);
    change(packs, FIRST, null);
    packs.flush(FIRST + 1, FIRST + 1, START);
    for (const each of [packs, open()]) {
      expect(each.find(FIRST)).toBeUndefined();
      expect(each.before(Number.MAX_SAFE_INTEGER, 10).map(({ seq }) => seq)).toEqual([FIRST + 1]);
      expect(each.open().map(({ seq }) => seq)).toEqual([FIRST + 1]);
    }
  });

  it("of an event of the segment before are found in the one that was current then", () => {
    const { sql, open, drop } = openBench(FIRST + 10);
    const packs = open();
    add(packs, FIRST);
    packs.flush(FIRST, FIRST, START);
    add(packs, FIRST + 10);
    packs.flush(FIRST + 10, FIRST, START);
    change(packs, FIRST, [delivered("a")]);
    packs.flush(FIRST + 10, FIRST + 10, START);
    expect(sql.all("SELECT n FROM changes_2")).toHaveLength(1);
    expect(open().find(FIRST)?.deliveries).toEqual([delivered("a")]);
    expect(
      open()
        .before(FIRST + 11, 10)
        .map(({ seq }) => seq),
    ).toEqual([FIRST + 10, FIRST]);
    drop(1);
    expect(open().find(FIRST)).toBeUndefined();
    expect(
      open()
        .open()
        .map(({ seq }) => seq),
    ).toEqual([FIRST + 10]);
  });
});

describe("one delivery of many", () => {
  it("is all that a change of it writes, and the others stay as they were", () => {
    const { sql, open } = openBench();
    const packs = open();
    const many = Array.from({ length: 20 }, (_, n) => waiting(`${n}`));
    add(packs, FIRST, { deliveries: many });
    packs.flush(FIRST, FIRST, START);
    let deliveries: readonly Delivery[] = many;
    const deliver = (n: number) => {
      const after = deliveries.with(n, delivered(`${n}`));
      packs.change({ seq: FIRST, deliveries }, after);
      deliveries = after;
    };
    deliver(7);
    deliver(9);
    packs.flush(FIRST, FIRST, START);
    deliver(0);
    packs.flush(FIRST, FIRST, START);
    const entries = sql.all<{ entries: string }>("SELECT entries FROM changes_1 ORDER BY n");
    expect(entries.map((row) => JSON.parse(row.entries)[1])).toEqual([[7, 9], [0]]);
    for (const each of [packs, open()]) {
      const states = each.find(FIRST)?.deliveries.map(({ state }) => state.kind) ?? [];
      expect(states.flatMap((kind, n) => (kind === "delivered" ? [n] : []))).toEqual([0, 7, 9]);
      expect(each.find(FIRST)?.deliveries[19]).toEqual(many[19]);
      expect(each.open()).toHaveLength(1);
    }
  });
});

describe("a body", () => {
  const text = JSON.stringify(Array.from({ length: 200 }, (_, n) => ({ name: `name ${n}`, value: n })));
  const stored = (bodies: readonly (string | Uint8Array)[]) => {
    const { sql, open } = openBench();
    const packs = open(deflating);
    for (const [index, body] of bodies.entries()) add(packs, FIRST + index, { body, deliveries: [] });
    packs.flush(FIRST + bodies.length, FIRST, START);
    for (const [index, body] of bodies.entries()) {
      const found = open(deflating).find(FIRST + index);
      const read = found === undefined ? null : open(deflating).body(found.place);
      expect(Buffer.from(read ?? []).equals(Buffer.from(body))).toBe(true);
    }
    return sql.all<{ bytes: number }>("SELECT length(bodies) AS bytes FROM pack_1")[0]?.bytes ?? 0;
  };

  it("is stored deflated where a commit has few events, as it came where it has many, and read as it came", () => {
    const few = Array.from({ length: DEFLATE_EVENTS_MAX }, (_, n) => `${n}${text}`);
    expect(stored(few)).toBeLessThan((few.length * text.length) / 2);
    expect(stored([...few, text])).toBeGreaterThan(few.length * text.length);
  });

  it("is stored as it came where that is not worth it", () => {
    const noise = Buffer.concat(Array.from({ length: 50 }, (_, n) => hashing.sha256(`${n}`)));
    expect(stored([noise])).toBe(noise.length);
    expect(stored(["x".repeat(DEFLATE_BYTES_MIN - 1)])).toBe(DEFLATE_BYTES_MIN - 1);
    expect(stored(["x".repeat(DEFLATE_BYTES_MIN)])).toBeLessThan(100);
    expect(stored(["x".repeat(DEFLATE_BYTES_MAX)])).toBeLessThan(1_000);
    expect(stored(["x".repeat(DEFLATE_BYTES_MAX + 1)])).toBe(DEFLATE_BYTES_MAX + 1);
  });
});

describe("what is open after a start", () => {
  it("is looked for among the events from the last `open_from` on only", () => {
    const { sql, open } = openBench();
    const packs = open();
    for (let n = 0; n < 50; n++) {
      add(packs, FIRST + n, { deliveries: [delivered(`${n}`)] });
      packs.flush(FIRST + n, FIRST + n + 1, START);
    }
    add(packs, FIRST + 50);
    packs.flush(FIRST + 50, FIRST + 50, START);
    // Would be taken for open if it were read.
    sql.run("UPDATE pack_1 SET heads = 'not looked at' WHERE last_seq < ?", FIRST + 50);
    expect(
      open()
        .open()
        .map(({ seq }) => seq),
    ).toEqual([FIRST + 50]);
  });

  it("is nothing of events that had no deliveries", () => {
    const { open } = openBench();
    const packs = open();
    add(packs, FIRST, { deliveries: [] });
    packs.flush(FIRST, FIRST, START);
    expect(open().open()).toEqual([]);
    expect(open().find(FIRST)?.deliveries).toEqual([]);
  });
});

describe("a list of what is in packs", () => {
  it("goes from the newest down, over packs and segments, as many as are wanted", () => {
    const { open } = openBench(FIRST + 20);
    const packs = open();
    for (let n = 0; n < 40; n += 4) {
      for (let k = 0; k < 4; k++) add(packs, FIRST + n + k, { deliveries: [] });
      packs.flush(FIRST + n + 3, FIRST + n + 4, START);
    }
    for (const rowsMax of [1, 3, 4, 7, 100]) {
      for (const before of [0, 1, 18, 21, 40]) {
        const wanted = Array.from({ length: before }, (_, n) => FIRST + before - 1 - n).slice(0, rowsMax);
        expect(packs.before(FIRST + before, rowsMax).map(({ seq }) => seq)).toEqual(wanted);
      }
    }
  });
});
