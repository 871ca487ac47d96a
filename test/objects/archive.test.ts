import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredEventWithDeliveries } from "../../src/bus/ports.ts";
import { DELIVERIES_PER_EVENT_MAX } from "../../src/bus/plan-event.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { seqAtMs } from "../../src/core/receipt.ts";
import { ATTEMPTS_KEPT_MAX } from "../../src/core/transition.ts";
import type { Archive } from "../../src/objects/archive.ts";
import { openArchive } from "../../src/objects/archive.ts";
import type { Identity } from "../../src/objects/identities.ts";
import { DELIVERIES_BYTES_MAX, formatDeliveries } from "../../src/objects/stored-event.ts";
import { openLedger } from "../../src/objects/ledger.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { migrate } from "../../src/objects/schema.ts";
import type { SegmentLimits } from "../../src/objects/segments.ts";
import { SEGMENT_LIMITS, readSegments } from "../../src/objects/segments.ts";
import { acceptItem, acceptRequest, storedEvent } from "../support/accept-requests.ts";
import { attemptWith, deliveryWith } from "../support/deliveries.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const { dedupWindowMs, logWindowMs } = SEGMENT_LIMITS;

function openBench(limits: Partial<SegmentLimits> = {}) {
  const sql = openNodeSql();
  migrate(sql);
  const all = { ...SEGMENT_LIMITS, ...limits };
  return { sql, archive: openArchive(sql, all), reopen: () => openArchive(sql, all) };
}

/** An event that was accepted at a time, with deliveries in the given states. */
function ended(acceptedAt: number, ...kinds: readonly ("delivered" | "dead")[]): StoredEventWithDeliveries {
  const deliveries = kinds.map((kind, index) =>
    deliveryWith({
      id: `dlv_${acceptedAt}_${index}`,
      state: kind === "dead" ? { kind, at: 1, reason: "status", detail: "404" } : { kind, at: 1 },
    }),
  );
  return { seq: seqAtMs(acceptedAt), event: storedEvent(String(acceptedAt)), deliveries };
}

/** In a commit of its own. */
function addOne(archive: Archive, identity: Uint8Array, entry: Identity, now: number): void {
  archive.addIdentity(identity, entry);
  archive.flush(now);
}

describe("identities", () => {
  const entry = { seq: seqAtMs(START), fingerprint: { scope: "a b ", hash: "1:ff" }, token: "t#0" };
  const identity = Uint8Array.of(1, 2, 3);

  it("are found with what came with them until the window ends, to the millisecond", () => {
    const { archive } = openBench();
    addOne(archive, identity, entry, START);
    expect(archive.findIdentity(identity, START)).toEqual(entry);
    expect(archive.findIdentity(identity, START + dedupWindowMs - 1)).toEqual(entry);
    expect(archive.findIdentity(identity, START + dedupWindowMs)).toBeUndefined();
    expect(archive.findIdentity(Uint8Array.of(1, 2), START)).toBeUndefined();
  });

  it("are found across segments and restarts, however late in its segment one came", () => {
    const { archive, reopen, sql } = openBench();
    addOne(archive, Uint8Array.of(9), { ...entry, seq: seqAtMs(START) }, START);
    const late = START + DAY - 1;
    addOne(archive, identity, { ...entry, seq: seqAtMs(late) }, late);
    const addOn = (day: number) =>
      addOne(archive, Uint8Array.of(day), { ...entry, seq: seqAtMs(START + day * DAY) }, START + day * DAY);
    for (let day = 1; day <= 4; day++) addOn(day);
    for (const each of [archive, reopen()]) {
      expect(each.findIdentity(identity, late + dedupWindowMs - 1)).toMatchObject({ seq: seqAtMs(late) });
      expect(each.findIdentity(identity, late + dedupWindowMs)).toBeUndefined();
    }
    addOn(5);
    expect(readSegments(sql).map(({ n }) => n)).toEqual([2, 3, 4, 5, 6]);
  });

  it("can be taken again after the window, in the same segment too", () => {
    const { archive } = openBench({ dedupWindowMs: 1_000 });
    addOne(archive, identity, entry, START);
    const again = { ...entry, seq: seqAtMs(START + 1_000), token: "t2#0" };
    addOne(archive, identity, again, START + 1_000);
    expect(archive.findIdentity(identity, START + 1_999)).toEqual(again);
  });
});

describe("the dedup window of a partition", () => {
  it("is exact: a repeat just inside is a duplicate, one at its end is new", () => {
    const sql = openNodeSql();
    migrate(sql);
    const ledger = openLedger(sql, LEDGER_LIMITS);
    const statusAt = (token: string, now: number) => {
      const reply = ledger.accept(acceptRequest(token, [acceptItem("a", [])]), now);
      return reply.kind === "accepted" ? reply.items[0]?.status : reply.kind;
    };
    expect(statusAt("t1", START)).toBe("accepted");
    expect(statusAt("t2", START + dedupWindowMs - 1)).toBe("duplicate");
    expect(statusAt("t3", START + dedupWindowMs)).toBe("accepted");
    expect(statusAt("t4", START + 2 * dedupWindowMs - 1)).toBe("duplicate");
    expect(statusAt("t5", START + 2 * dedupWindowMs)).toBe("accepted");
  });
});

describe("ended events", () => {
  it("are found with their bodies, and their deliveries as they were", () => {
    const { archive, reopen } = openBench();
    const events = [ended(START, "delivered"), ended(START + 1, "delivered", "dead"), ended(START + 2)];
    for (const event of events) archive.add(event, START + 10);
    for (const each of [archive, reopen()]) {
      for (const event of events) expect(each.get(event.seq)).toEqual(event);
      expect(each.get(5)).toBeUndefined();
    }
  });

  it("keep an event without data apart from one with empty data", () => {
    const { archive } = openBench();
    const none = { ...ended(START), event: storedEvent("none", { body: null }) };
    const empty = { ...ended(START + 1), event: storedEvent("empty", { body: new Uint8Array() }) };
    archive.add(none, START);
    archive.add(empty, START);
    expect(archive.get(none.seq)?.event.body).toBeNull();
    expect(archive.get(empty.seq)?.event.body).toEqual(new Uint8Array());
  });

  it("are written again in place after a late attempt", () => {
    const { archive } = openBench();
    const event = ended(START, "dead");
    archive.add(event, START);
    const deliveries = event.deliveries.map((each) => ({ ...each, attemptCount: 7 }));
    archive.update({ ...event, deliveries }, START);
    expect(archive.get(event.seq)).toEqual({ ...event, deliveries });
    archive.update({ ...event, seq: 5 }, START);
    expect(archive.get(5)).toBeUndefined();
  });

  it("can be taken out again", () => {
    const { archive } = openBench();
    const dead = ended(START, "dead");
    const fine = ended(START + 1, "delivered");
    archive.add(dead, START);
    archive.add(fine, START);
    archive.takeOut(dead.seq);
    expect(archive.get(dead.seq)).toBeUndefined();
    expect(archive.get(fine.seq)).toEqual(fine);
    archive.takeOut(fine.seq);
    expect(archive.get(fine.seq)).toBeUndefined();
  });
});

describe("the log over time", () => {
  it("opens a segment each day, and drops each when the last of it is 14 days old", () => {
    const { archive, sql } = openBench();
    for (let day = 0; day < 20; day++) archive.add(ended(START + day * DAY, "delivered"), START + day * DAY);
    // The segment of day 4 may hold events of day 4's last millisecond: those are in their window until the end of day 18.
    expect(readSegments(sql).map(({ n }) => n)).toEqual(Array.from({ length: 15 }, (_, index) => index + 6));
    expect(archive.get(seqAtMs(START + 4 * DAY))).toBeUndefined();
    expect(archive.get(seqAtMs(START + 5 * DAY))).toBeDefined();
    archive.retain(START + 19 * DAY + DAY + logWindowMs - 1);
    expect(archive.get(seqAtMs(START + 19 * DAY))).toBeDefined();
    // Four tables a segment, eight a call.
    for (let calls = 0; calls < 8; calls++) archive.retain(START + 19 * DAY + DAY + logWindowMs);
    expect(archive.get(seqAtMs(START + 19 * DAY))).toBeUndefined();
    expect(readSegments(sql)).toEqual([]);
  });

  it("rolls when it has grown by the size of a segment, and lets the oldest go over its bound, but keeps the dead", () => {
    const { archive, sql } = openBench({ segmentBytes: 150_000, logBytesMax: 600_000 });
    const large = (at: number, kind: "delivered" | "dead") => {
      const event = ended(at, kind);
      return { ...event, event: { ...event.event, body: new Uint8Array(50_000) } };
    };
    const seqs: number[] = [];
    for (let n = 0; n < 30; n++) {
      const event = large(START + n, n === 1 ? "dead" : "delivered");
      seqs.push(event.seq);
      archive.add(event, START + n);
      expect(sql.bytes()).toBeLessThan(1_100_000);
    }
    const logs = readSegments(sql);
    expect(logs.length).toBeGreaterThan(5);
    expect(logs.some(({ logDropped }) => logDropped)).toBe(true);
    expect(archive.get(seqs[0] ?? 0)).toBeUndefined();
    expect(archive.get(seqs[1] ?? 0)?.event.body).toHaveLength(50_000);
    expect(archive.get(seqs[29] ?? 0)).toBeDefined();
    expect(archive.before(Number.MAX_SAFE_INTEGER, 100, "dead").map(({ seq }) => seq)).toEqual([seqs[1]]);
    archive.takeOut(seqs[1] ?? 0);
    expect(archive.get(seqs[1] ?? 0)).toBeUndefined();
  });

  it("keeps a dead event at least 14 days from its acceptance, whenever in its segment that was", () => {
    for (const offset of [0, 1, DAY / 2, DAY - 1]) {
      const { archive } = openBench();
      archive.add(ended(START, "delivered"), START);
      const dead = ended(START + offset, "dead");
      archive.add(dead, START + offset);
      archive.retain(START + offset + logWindowMs - 1);
      expect(archive.get(dead.seq)).toEqual(dead);
      archive.retain(START + DAY + logWindowMs);
      expect(archive.get(dead.seq)).toBeUndefined();
    }
  });

  it("keeps a dead event 14 days also when nothing else ended for days", () => {
    const { archive } = openBench();
    archive.add(ended(START, "delivered"), START);
    const dead = ended(START + 2.9 * DAY, "dead");
    archive.add(dead, START + 3.1 * DAY);
    archive.retain(START + 2.9 * DAY + logWindowMs - 1);
    expect(archive.get(dead.seq)).toEqual(dead);
  });

  it("finds what ended after its own segment was gone, by time or by size", () => {
    const { archive, sql } = openBench();
    archive.add(ended(START, "delivered"), START);
    archive.add(ended(START + 16 * DAY, "delivered"), START + 16 * DAY);
    expect(readSegments(sql).map(({ n }) => n)).toEqual([2]);
    const late = [ended(START + 5, "dead"), ended(START + 6, "delivered")];
    for (const event of late) {
      archive.add(event, START + 16 * DAY);
      expect(archive.get(event.seq)).toEqual(event);
    }
    expect(archive.before(Number.MAX_SAFE_INTEGER, 10, "all").map(({ seq }) => seq)).toEqual(
      [START + 16 * DAY, START + 6, START + 5].map(seqAtMs),
    );
  });

  it("never uses a number twice, though everything was dropped", () => {
    const sql = openNodeSql();
    migrate(sql);
    let ledger = openLedger(sql, LEDGER_LIMITS);
    const seqAfter = (id: string, now: number): number => {
      ledger.retain(now);
      ledger = openLedger(sql, LEDGER_LIMITS);
      const reply = ledger.accept(acceptRequest(id, [acceptItem(id, [])]), now);
      return reply.kind === "accepted" ? (reply.items[0]?.seq ?? 0) : 0;
    };
    const seqs = [0, 0, 1, DAY, 5 * DAY, 5 * DAY, 60 * DAY, 60 * DAY, 200 * DAY].map((at, index) =>
      seqAfter(`e${index}`, START + at),
    );
    expect(new Set(seqs).size).toBe(seqs.length);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  });

  it("knows its newest number after a restart while the clock is behind", () => {
    const { archive, reopen } = openBench();
    archive.add(ended(START + 1_000, "delivered"), START);
    addOne(archive, Uint8Array.of(1), { seq: 5, fingerprint: { scope: "", hash: "1:" }, token: "" }, START);
    expect(reopen().lastSeq()).toBe(seqAtMs(START + 1_000));
  });
});

describe("reading back through the log", () => {
  it("gives every event that is there once, newest first, in pages of any size, whenever each one ended", () => {
    const hours = fc.record({ at: fc.nat(400), lasts: fc.oneof(fc.nat(3), fc.nat(300)), dead: fc.boolean() });
    fc.assert(
      fc.property(
        fc.uniqueArray(hours, { selector: ({ at }) => at, minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom("all" as const, "dead" as const),
        (events, rowsMax, which) => {
          const { archive, reopen } = openBench();
          const byEnd = events.toSorted((a, b) => a.at + a.lasts - b.at - b.lasts);
          for (const { at, lasts, dead } of byEnd) {
            const event = ended(START + at * 3_600_000, dead ? "dead" : "delivered");
            archive.add(event, START + (at + lasts) * 3_600_000);
          }
          const expected = events
            .filter(({ dead }) => which === "all" || dead)
            .map(({ at }) => seqAtMs(START + at * 3_600_000))
            .filter((seq) => archive.get(seq) !== undefined)
            .toSorted((a, b) => b - a);
          for (const each of [archive, reopen()]) {
            const read: number[] = [];
            let before = Number.MAX_SAFE_INTEGER;
            for (;;) {
              const page = each.before(before, rowsMax, which);
              read.push(...page.map(({ seq }) => seq));
              before = read.at(-1) ?? 0;
              if (page.length < rowsMax) break;
            }
            expect(read).toEqual(expected);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("skips no dead event for one that ended after its own log had given way", () => {
    const { archive } = openBench({ logBytesMax: 0 });
    archive.add(ended(START + 10, "dead"), START + 10);
    archive.add(ended(START + 2 * DAY, "delivered"), START + 2 * DAY);
    const late = ended(START + 5, "delivered");
    archive.add(late, START + 2 * DAY);
    expect(archive.get(late.seq)).toEqual(late);
    const page = archive.before(Number.MAX_SAFE_INTEGER, 2, "all").map(({ seq }) => seq);
    expect(page).toEqual([START + 2 * DAY, START + 10].map(seqAtMs));
    expect(archive.before(page[1] ?? 0, 2, "all").map(({ seq }) => seq)).toEqual([late.seq]);
  });

  it("leaves the bodies out", () => {
    const { archive } = openBench();
    archive.add(ended(START, "dead"), START);
    expect(archive.before(Number.MAX_SAFE_INTEGER, 10, "all")[0]?.event.body).toBeNull();
  });
});

describe("the text of an event's deliveries", () => {
  const bytesOf = (text: string) => new TextEncoder().encode(text).length;

  function many(count: number, attempts: number, body: string | undefined, detail = "x".repeat(300)): Delivery[] {
    return Array.from({ length: count }, (_, index) =>
      deliveryWith({
        id: `dlv_${String(index).padStart(24, "0")}`,
        state: { kind: "dead", at: START, reason: "retries-exhausted", detail },
        attemptCount: attempts,
        attempts: Array.from({ length: attempts }, (__, n) =>
          attemptWith(`00000000-0000-4000-8000-${index}-${n}`, {
            detail,
            answer: { status: 503, ...(body === undefined ? {} : { body }) },
          }),
        ),
      }),
    );
  }

  it("is all of it where it fits", () => {
    const deliveries = many(3, 2, "busy");
    expect(JSON.parse(formatDeliveries(deliveries))).toEqual(deliveries);
  });

  it("gives up the answers' text first, then all attempts but the newest, and never a state", () => {
    const wordy = many(100, 2, "y".repeat(8_192));
    const bare = formatDeliveries(wordy);
    expect(bytesOf(bare)).toBeLessThanOrEqual(DELIVERIES_BYTES_MAX);
    const kept = JSON.parse(bare) as Delivery[];
    expect(kept.every(({ attempts }) => attempts.length === 2 && attempts[0]?.answer?.body === undefined)).toBe(true);
    const long = many(300, ATTEMPTS_KEPT_MAX, "y".repeat(100));
    const short = formatDeliveries(long);
    expect(bytesOf(short)).toBeLessThanOrEqual(DELIVERIES_BYTES_MAX);
    const rest = JSON.parse(short) as Delivery[];
    expect(rest.map(({ state, id }) => [state, id])).toEqual(long.map(({ state, id }) => [state, id]));
    expect(rest.every(({ attempts }, index) => attempts[0]?.token.endsWith(`-${index}-${ATTEMPTS_KEPT_MAX - 1}`))).toBe(
      true,
    );
  });

  it("counts bytes, not characters: answers may be in any script", () => {
    const text = formatDeliveries(many(100, 1, "混".repeat(2_730)));
    expect(bytesOf(text)).toBeLessThanOrEqual(DELIVERIES_BYTES_MAX);
  });

  it("stays under its bound for as many deliveries as an event may have, with all that a record can hold", () => {
    const text = formatDeliveries(
      many(DELIVERIES_PER_EVENT_MAX, ATTEMPTS_KEPT_MAX, "y".repeat(8_192), "x".repeat(500)),
    );
    expect(bytesOf(text)).toBeLessThanOrEqual(DELIVERIES_BYTES_MAX);
    const kept = JSON.parse(text) as Delivery[];
    expect(kept).toHaveLength(DELIVERIES_PER_EVENT_MAX);
    expect(kept.every(({ state, attemptCount }) => state.kind === "dead" && attemptCount === ATTEMPTS_KEPT_MAX)).toBe(
      true,
    );
  });

  it("stays under its bound with all of them parked in lanes, which they keep", () => {
    const parked = many(DELIVERIES_PER_EVENT_MAX, ATTEMPTS_KEPT_MAX, "y".repeat(8_192), "x".repeat(500)).map(
      (each): Delivery => ({
        ...each,
        lane: { id: "l".repeat(43), sequence: 2_147_483_647, gapWaitMs: 3_600_000 },
        note: "went on without numbers 2147483600 to 2147483646, which did not come in time",
        state: { kind: "parked", at: START, reason: "status", detail: "x".repeat(500) },
      }),
    );
    const text = formatDeliveries(parked);
    expect(bytesOf(text)).toBeLessThanOrEqual(DELIVERIES_BYTES_MAX);
    const kept = JSON.parse(text) as Delivery[];
    expect(kept.map(({ lane, state }) => [lane, state.kind])).toEqual(parked.map(({ lane }) => [lane, "parked"]));
  });
});
