import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lease } from "../../src/core/delivery.ts";
import type { Step } from "../../src/core/step.ts";
import { LEASE_MARGIN_MS } from "../../src/core/delivery.ts";
import { DELIVERIES_PER_EVENT_MAX } from "../../src/bus/plan-event.ts";
import { BACKLOG_RETRY_AFTER_SECONDS } from "../../src/objects/backlog-limit.ts";
import { openLedger } from "../../src/objects/ledger.ts";
import { FRESH_MS_MAX } from "../../src/objects/fresh-work.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { ADVANCE_ROWS_MAX } from "../../src/objects/open-work.ts";
import { NO_TARGETS, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { PLANNED, settlementFor } from "../support/deliveries.ts";
import { START, openBench, statusOf } from "../support/ledger-bench.ts";

const LEASE_MS = PLANNED.timeoutMs + LEASE_MARGIN_MS;
const DELIVERED: Step = { kind: "delivered" };
const RETRY: Step = { kind: "retry", delayMs: 60_000 };
const DEAD: Step = { kind: "dead", reason: "status", detail: "404" };
const CANCELLED: Step = { kind: "cancelled", reason: "rule-off" };

describe("accepting", () => {
  it("gives a new event its own number, its rules and no more leases than asked for", () => {
    const { accept, ledger } = openBench();
    const reply = accept("t", [acceptItem("a", ["ci", "audit"]), acceptItem("b", ["ci", "audit"])], 3);
    expect(reply.items.map(({ status, rules }) => [status, rules])).toEqual([
      ["accepted", ["default/all"]],
      ["accepted", ["default/all"]],
    ]);
    const [a, b] = reply.items;
    expect(b?.seq).toBeGreaterThan(a?.seq ?? 0);
    expect(reply.leases.map(({ seq, deliveryId }) => [seq, deliveryId])).toEqual([
      [a?.seq, "dlv_a_ci"],
      [a?.seq, "dlv_a_audit"],
      [b?.seq, "dlv_b_ci"],
    ]);
    expect(new Set(reply.leases.map(({ token }) => token)).size).toBe(3);
    expect(ledger().backlog()).toMatchObject({ events: 2, deliveries: 4 });
  });

  it("has what was not lent due at once", () => {
    const { accept, ledger, takeDue } = openBench();
    accept("t", [acceptItem("a", ["ci", "audit"])], 1);
    expect(ledger().nextWakeAt(START)).toBe(START);
    expect(takeDue().map(({ lease }) => lease.deliveryId)).toEqual(["dlv_a_audit"]);
  });

  it("answers a repeat with the first receipt and without leases", () => {
    const { accept } = openBench();
    const first = accept("t1", [acceptItem("a", ["ci"])], 6);
    const repeat = accept("t2", [acceptItem("a", ["ci"])], 6, START + 1_000);
    expect(repeat).toEqual({
      kind: "accepted",
      items: [{ status: "duplicate", seq: first.items[0]?.seq, rules: ["default/all"] }],
      leases: [],
    });
  });

  it("answers other content under the same identity with a conflict, and keeps the first", () => {
    const { accept, ledger } = openBench();
    const first = accept("t1", [acceptItem("a", ["ci"])]);
    const other = accept("t2", [acceptItem("a", ["ci"], { content: "other" })], 6);
    expect(other.items).toEqual([{ ...first.items[0], status: "conflict" }]);
    expect(other.leases).toEqual([]);
    expect(new TextDecoder().decode(ledger().get(first.items[0]?.seq ?? 0)?.event.body ?? undefined)).toBe(
      '{"content":"a"}',
    );
  });

  it("answers a copy by another sender of the same event as a duplicate, whatever it holds", () => {
    const { accept } = openBench();
    accept("t1", [acceptItem("a", ["ci"], { scope: "hook-1" })]);
    const copy = accept("t2", [acceptItem("a", ["ci"], { scope: "hook-2", content: "other" })]);
    expect(copy.items.map(({ status }) => status)).toEqual(["duplicate"]);
  });

  it("knows repeats inside one request", () => {
    const { accept, ledger } = openBench();
    const reply = accept("t", [
      acceptItem("a", ["ci"]),
      acceptItem("a", ["ci"]),
      acceptItem("a", ["ci"], { content: "other" }),
    ]);
    expect(reply.items.map(({ status }) => status)).toEqual(["accepted", "duplicate", "conflict"]);
    expect(new Set(reply.items.map(({ seq }) => seq)).size).toBe(1);
    expect(ledger().backlog().events).toBe(1);
  });

  it("files an event that no rule matched, and knows its repeat", () => {
    const { accept, ledger } = openBench();
    const [item] = accept("t1", [acceptItem("a", [])]).items;
    expect(item).toMatchObject({ status: "accepted", rules: [] });
    expect(statusOf(ledger(), item?.seq ?? 0)).toBe("unmatched");
    expect(ledger().backlog()).toEqual({ events: 0, deliveries: 0, bytes: 0 });
    expect(ledger().nextWakeAt(START)).toBeNull();
    expect(accept("t2", [acceptItem("a", [])]).items).toMatchObject([{ status: "duplicate", seq: item?.seq }]);
  });
});

describe("an accept that comes again with its token", () => {
  const items = [acceptItem("a", ["ci", "audit"]), acceptItem("b", []), acceptItem("a", ["ci"], { content: "other" })];

  it("gets the same answer and the same leases, with what is left of their time", () => {
    const { accept, ledger } = openBench();
    const first = accept("t", items, 2);
    const again = accept("t", items, 2, START + 1_500);
    expect(again.items).toEqual(first.items);
    expect(again.leases).toEqual(
      first.leases.map((lease) => ({
        ...lease,
        leaseMs: LEASE_MS - 1_500,
        expiresInMs: PLANNED.maxAgeMs - 1_500,
        ageMs: 1_500,
      })),
    );
    expect(ledger().backlog()).toMatchObject({ events: 1, deliveries: 2 });
  });

  it("gets them after a restart too", () => {
    const bench = openBench();
    const first = bench.accept("t", items, 2);
    bench.restart();
    expect(bench.accept("t", items, 2)).toEqual(first);
  });

  it("does not get back what has ended or is another's by now", () => {
    const { accept, settle, takeDue } = openBench();
    const [ci] = accept("t", items, 2).leases;
    settle(ci === undefined ? [] : [ci], DELIVERED);
    expect(accept("t", items, 2).leases.map(({ target }) => target)).toEqual(["audit"]);
    expect(accept("t", items, 2, START + LEASE_MS).leases).toEqual([]);
    expect(takeDue(START + LEASE_MS)).toHaveLength(1);
    const later = accept("t", items, 2, START + LEASE_MS);
    expect(later.items.map(({ status }) => status)).toEqual(["accepted", "accepted", "conflict"]);
    expect(later.leases).toEqual([]);
  });
});

describe("the bound of the backlog", () => {
  const two = ["ci", "audit"];
  const full = { kind: "backlog-full", retryAfterSeconds: BACKLOG_RETRY_AFTER_SECONDS };

  it("takes deliveries up to the limit and none past it", () => {
    const { accept, tryAccept, ledger } = openBench({ backlogDeliveriesMax: 4 });
    accept("t1", [acceptItem("a", two)]);
    expect(tryAccept("t2", [acceptItem("b", two), acceptItem("c", ["ci"])])).toEqual(full);
    expect(ledger().backlog().deliveries).toBe(2);
    accept("t3", [acceptItem("b", two)]);
    expect(tryAccept("t4", [acceptItem("c", ["ci"])])).toEqual(full);
  });

  it("takes bytes up to the limit and none past it", () => {
    const probe = openBench();
    probe.accept("t", [acceptItem("a", ["ci"])]);
    const { bytes } = probe.ledger().backlog();
    const bodyBytes = acceptItem("b", ["ci"]).event.body?.length ?? 0;
    const roomy = openBench({ backlogBytesMax: bytes + bodyBytes });
    roomy.accept("t1", [acceptItem("a", ["ci"])]);
    expect(roomy.tryAccept("t2", [acceptItem("b", ["ci"])]).kind).toBe("accepted");
    const tight = openBench({ backlogBytesMax: bytes + bodyBytes - 1 });
    tight.accept("t1", [acceptItem("a", ["ci"])]);
    expect(tight.tryAccept("t2", [acceptItem("b", ["ci"])])).toEqual(full);
  });

  it("refuses a request as a whole", () => {
    const { accept, tryAccept, ledger } = openBench({ backlogDeliveriesMax: 2 });
    accept("t1", [acceptItem("a", ["ci"])]);
    expect(tryAccept("t2", [acceptItem("b", ["ci"]), acceptItem("c", ["ci"])])).toEqual(full);
    expect(accept("t3", [acceptItem("b", ["ci"])]).items).toMatchObject([{ status: "accepted" }]);
    expect(ledger().backlog().events).toBe(2);
  });

  it("answers what it knows, and what nobody wants, also when it is full", () => {
    const { accept } = openBench({ backlogDeliveriesMax: 2 });
    accept("t1", [acceptItem("a", two)], 2);
    expect(accept("t2", [acceptItem("a", two)]).items).toMatchObject([{ status: "duplicate" }]);
    expect(accept("t1", [acceptItem("a", two)], 2).leases).toHaveLength(2);
    expect(accept("t3", [acceptItem("b", [])]).items).toMatchObject([{ status: "accepted" }]);
  });

  it("counts only what a request would add: repeats in it add nothing", () => {
    const { accept } = openBench({ backlogDeliveriesMax: 3 });
    accept("t1", [acceptItem("a", two)]);
    const mixed = accept("t2", [acceptItem("a", two), acceptItem("b", ["ci"])]);
    expect(mixed.items.map(({ status }) => status)).toEqual(["duplicate", "accepted"]);
  });

  it("lets a request that alone is over it pass an empty partition, and only that", () => {
    const { accept, tryAccept, settle } = openBench({ backlogDeliveriesMax: 1 });
    const { leases } = accept("t1", [acceptItem("a", two)], 2);
    expect(tryAccept("t2", [acceptItem("b", two)])).toEqual(full);
    settle(leases, DELIVERED);
    expect(tryAccept("t3", [acceptItem("b", two)]).kind).toBe("accepted");
  });
});

describe("settling", () => {
  it("ends an event with its last delivery; its pack is its place in the log", () => {
    const { accept, settle, ledger, sql } = openBench();
    const { items, leases } = accept("t", [acceptItem("a", ["ci", "audit"])], 2);
    const seq = items[0]?.seq ?? 0;
    settle(leases.slice(0, 1), DELIVERED);
    expect(statusOf(ledger(), seq)).toBe("pending");
    expect(ledger().backlog()).toMatchObject({ events: 1, deliveries: 1 });
    settle(leases.slice(1), CANCELLED);
    expect(statusOf(ledger(), seq)).toBe("delivered");
    expect(ledger().backlog()).toEqual({ events: 0, deliveries: 0, bytes: 0 });
    expect(sql.all("SELECT first_seq FROM pack_1")).toEqual([{ first_seq: seq }]);
    for (const table of ["work", "log_1", "dead_1"]) expect(sql.all(`SELECT seq FROM ${table}`)).toEqual([]);
  });

  it("keeps an event with a dead delivery apart, its body too", () => {
    const { accept, settle, ledger, sql } = openBench();
    const { items, leases } = accept("t", [acceptItem("a", ["ci", "audit"])], 2);
    const seq = items[0]?.seq ?? 0;
    settle(leases.slice(0, 1), DEAD);
    settle(leases.slice(1), DELIVERED);
    expect(sql.all("SELECT seq, status FROM dead_1")).toEqual([{ seq, status: "dead" }]);
    expect(new TextDecoder().decode(ledger().get(seq)?.event.body ?? undefined)).toBe('{"content":"a"}');
  });

  it("adds a late attempt to an event that has ended, and moves nothing", () => {
    const { accept, settle, takeDue, ledger } = openBench();
    const { items, leases } = accept("t", [acceptItem("a", ["ci"])], 1);
    const seq = items[0]?.seq ?? 0;
    const taken = takeDue(START + LEASE_MS).map(({ lease }) => lease);
    settle(taken, DEAD, { now: START + LEASE_MS + 1 });
    settle(leases, DELIVERED, { now: START + LEASE_MS + 2 });
    expect(statusOf(ledger(), seq)).toBe("dead");
    expect(
      ledger()
        .get(seq)
        ?.deliveries[0]?.attempts.map(({ outcome }) => outcome),
    ).toEqual(["delivered", "permanent"]);
  });

  it("writes nothing for what it has heard before, for strangers and for events that are gone", () => {
    const { accept, settle, sql } = openBench();
    const { leases } = accept("t", [acceptItem("a", ["ci", "audit"])], 2);
    settle(leases.slice(0, 1), DELIVERED);
    const before = sql.rowsWritten();
    settle(leases.slice(0, 1), DELIVERED);
    settle(leases.slice(0, 1), { kind: "release", delayMs: 0 });
    settle(
      leases.map((lease) => ({ ...lease, deliveryId: "dlv_stranger" })),
      DELIVERED,
    );
    settle(
      leases.map((lease) => ({ ...lease, seq: 5 })),
      DELIVERED,
    );
    expect(sql.rowsWritten()).toBe(before);
  });

  it("lends more work, oldest event first, as much as is wanted and fits the caller's time", () => {
    const { accept, settle } = openBench();
    const slow = acceptItem("slow", ["ci"], { planned: { timeoutMs: 20_000 } });
    accept("t", [slow, acceptItem("a", ["ci"]), acceptItem("b", ["ci"]), acceptItem("c", ["ci"])]);
    const fits = settle([], DELIVERED, { leasesMax: 2, withinMs: LEASE_MS });
    expect(fits.work.map(({ event }) => event.attributes.id)).toEqual(["a", "b"]);
    expect(settle([], DELIVERED, { leasesMax: 6, withinMs: LEASE_MS - 1 }).work).toEqual([]);
    const rest = settle([], DELIVERED, { leasesMax: 6, withinMs: 25_000 });
    expect(rest.work.map(({ event }) => event.attributes.id)).toEqual(["slow", "c"]);
    expect(rest.work[0]?.lease).toMatchObject({ attempt: 1, leaseMs: 25_000, timeoutMs: 20_000 });
  });
});

describe("a database that is too large", () => {
  it("takes nothing new, answers repeats, and goes on with what is open", () => {
    const limits = { databaseBytesMax: 0 };
    const full = openBench(limits);
    expect(full.tryAccept("t", [acceptItem("new", ["ci"])])).toMatchObject({ kind: "backlog-full" });
    expect(full.tryAccept("t", [acceptItem("unmatched", [])])).toMatchObject({ kind: "backlog-full" });
    const { sql, accept } = openBench();
    const { leases } = accept("t", [acceptItem("a", ["ci"])], 1);
    const later = openLedger(sql, { ...LEDGER_LIMITS, ...limits });
    expect(later.accept(acceptRequest("again", [acceptItem("a", ["ci"])]), START)).toMatchObject({
      items: [{ status: "duplicate" }],
    });
    const settlements = leases.map((lease) => settlementFor(lease, DELIVERED));
    later.settle({ settlements, leasesMax: 0, withinMs: 0, ...NO_TARGETS }, START, () => "");
    expect(later.backlog()).toEqual({ events: 0, deliveries: 0, bytes: 0 });
  });
});

describe("the alarm's work", () => {
  it("is what is due: the new, the retry whose time has come, the lease that ran out", () => {
    const { accept, settle, takeDue } = openBench();
    const { leases } = accept("t", [acceptItem("a", ["ci"]), acceptItem("b", ["ci"])], 2);
    settle(leases.slice(0, 1), RETRY);
    accept("t2", [acceptItem("c", ["ci"])]);
    const idsAt = (now: number) => takeDue(now).map(({ event }) => event.attributes.id);
    expect(idsAt(START + 1)).toEqual(["c"]);
    expect(idsAt(START + LEASE_MS - 1)).toEqual([]);
    expect(idsAt(START + LEASE_MS)).toEqual(["b"]);
    expect(idsAt(START + 59_999)).toEqual(["c"]);
    expect(idsAt(START + 60_000)).toEqual(["a"]);
    // Its second lease ran out unheard, so it waits a second.
    expect(idsAt(START + 60_999)).toEqual(["b"]);
  });

  it("keeps no more leases out than it may, and asks again after a second", () => {
    const { accept, takeDue, ledger, settle } = openBench({ alarmLeasesMax: 3 });
    accept(
      "t",
      ["a", "b", "c", "d", "e"].map((id) => acceptItem(id, [`target-${id}`])),
    );
    const taken = takeDue();
    expect(ledger().nextWakeAt(START)).toBe(START);
    expect(takeDue()).toEqual([]);
    expect(taken).toHaveLength(3);
    expect(ledger().nextWakeAt(START)).toBe(START + 1_000);
    expect(takeDue(START + 1_000)).toEqual([]);
    settle(
      taken.slice(0, 2).map(({ lease }) => lease),
      DELIVERED,
      { now: START + 1_500 },
    );
    expect(takeDue(START + 2_000)).toHaveLength(2);
    expect(takeDue(START + 3_000)).toEqual([]);
  });

  it("is asked for at once when the alarm before it had nothing to lend but only something to end", () => {
    const { accept, settle, takeDue, ledger } = openBench({ alarmLeasesMax: 1 });
    settle(accept("t", [acceptItem("a", ["ci"])], 1).leases, { kind: "retry", delayMs: 2 * PLANNED.maxAgeMs });
    const late = START + PLANNED.maxAgeMs;
    expect(takeDue(late)).toEqual([]);
    accept("t2", [acceptItem("b", ["ci"])], 0, late);
    expect(ledger().nextWakeAt(late)).toBe(late);
  });

  it("is not starved by ingest, however many leases that holds", () => {
    const { accept, settle, takeDue } = openBench();
    const [retried] = accept("t", [acceptItem("retried", ["healthy"])], 1).leases;
    settle(retried === undefined ? [] : [retried], RETRY);
    for (let n = 0; n < 50; n++) accept(`flood-${n}`, [acceptItem(`flood-${n}`, ["hanging"])], 1, START + 59_000);
    expect(takeDue(START + 60_000).map(({ lease }) => lease.target)).toEqual(["healthy"]);
  });

  it("gives one target only its share, and lends to others behind its backlog", () => {
    const { accept, takeDue } = openBench();
    for (let n = 0; n < 2_500; n++) accept(`a-${n}`, [acceptItem(`a-${n}`, ["hanging"])]);
    accept("b", [acceptItem("b", ["healthy"])]);
    const held: string[] = [];
    let now = START + 1;
    for (; now < START + 15_000; now += 1_000) held.push(...takeDue(now).map(({ lease }) => lease.target));
    expect(held.slice(0, 5)).toContain("healthy");
    expect(held.filter((target) => target === "hanging")).toHaveLength(12);
  });

  it("is lent with a settle only as far as the taker has room for its target", () => {
    const { accept, ledger } = openBench();
    const targets = ["a", "a", "a", "b", "b", "c"];
    targets.forEach((target, n) => accept(`t-${n}`, [acceptItem(`e-${n}`, [target])]));
    const request = { ...NO_TARGETS, settlements: [], leasesMax: 6, withinMs: Infinity };
    let tokens = 0;
    const { work } = ledger().settle({ ...request, targetRoom: { a: 1, b: 0 } }, START, () => `more-${++tokens}`);
    expect(work.map(({ lease }) => lease.target)).toEqual(["a", "c"]);
  });

  it("is lent beside the counted leases where requests of its target leave together", () => {
    const { accept, ledger, takeDue } = openBench({ alarmLeasesMax: 4 });
    const targets = ["q", "q", "q", "q", "q", "q", "a", "a", "b"];
    targets.forEach((target, n) => accept(`t-${n}`, [acceptItem(`e-${n}`, [target])]));
    const request = { ...NO_TARGETS, settlements: [], leasesMax: 2, withinMs: Infinity, holder: "alarm" } as const;
    let tokens = 0;
    const room = { targetRoom: { q: 5 }, uncounted: ["q"] };
    const { work } = ledger().settle({ ...request, ...room }, START, () => `more-${++tokens}`);
    expect(work.map(({ lease }) => lease.target).toSorted()).toEqual(["a", "a", "q", "q", "q", "q", "q"]);
    // They are none of the alarm's share: of its four leases two are out.
    expect(takeDue().map(({ lease }) => lease.target)).toEqual(["q", "b"]);
  });

  it("counts like any other while its target asks its gate", () => {
    const { accept, ledger } = openBench();
    for (let n = 0; n < 6; n++) accept(`t-${n}`, [acceptItem(`e-${n}`, ["q"])]);
    ledger().setTargetStatuses([{ target: "q", version: 1, state: { kind: "gated" } }], START);
    const request = { ...NO_TARGETS, settlements: [], leasesMax: 2, withinMs: Infinity, holder: "alarm" } as const;
    let tokens = 0;
    const room = { targetRoom: { q: 5 }, uncounted: ["q"] };
    expect(ledger().settle({ ...request, ...room }, START, () => `m-${++tokens}`).work).toHaveLength(2);
  });

  it("counts the leases of one event with many deliveries like all others", () => {
    const { accept, takeDue } = openBench({ alarmLeasesMax: 3 });
    accept("t", [acceptItem("a", ["1", "2", "3", "4", "5", "6", "7"])]);
    expect(takeDue()).toHaveLength(3);
    expect(takeDue(START + 1_000)).toEqual([]);
  });

  it("looks at a bounded number of rows in one go, and goes on where it stopped", () => {
    const { accept, takeDue, ledger } = openBench();
    const ids = Array.from({ length: ADVANCE_ROWS_MAX + 6 }, (_, index) => `e${index}`);
    accept(
      "t",
      ids.map((id) => acceptItem(id, ["ci"])),
    );
    const late = START + PLANNED.maxAgeMs;
    expect(takeDue(late)).toEqual([]);
    expect(ledger().backlog().events).toBe(6);
    // At once: nothing else is in the way of the others.
    expect(ledger().nextWakeAt(late)).toBe(late);
    expect(takeDue(late)).toEqual([]);
    expect(ledger().backlog().events).toBe(0);
    expect(ledger().nextWakeAt(late)).toBeNull();
  });

  it("ends what waits past its maximum age, and says so", () => {
    const { accept, settle, takeDue, ledger } = openBench();
    const { items, leases } = accept("t", [acceptItem("a", ["ci"])], 1);
    settle(leases, { kind: "retry", delayMs: 2 * PLANNED.maxAgeMs });
    expect(ledger().nextWakeAt(START + 1)).toBe(START + PLANNED.maxAgeMs);
    expect(takeDue(START + LEASE_MS)).toEqual([]);
    expect(ledger().nextWakeAt(START + LEASE_MS)).toBe(START + PLANNED.maxAgeMs);
    expect(takeDue(START + PLANNED.maxAgeMs)).toEqual([]);
    expect(ledger().get(items[0]?.seq ?? 0)?.deliveries[0]?.state).toMatchObject({
      kind: "dead",
      reason: "expired",
      detail: "last: 503",
    });
  });
});

describe("when the partition must be woken", () => {
  it("is never for nothing, at once for what is due, else at the earliest end of a lease or due time", () => {
    const { accept, settle, ledger, takeDue } = openBench();
    expect(ledger().nextWakeAt(START)).toBeNull();
    const { leases } = accept("t", [acceptItem("a", ["ci"]), acceptItem("b", ["ci"])], 2);
    expect(ledger().nextWakeAt(START)).toBe(START + LEASE_MS);
    settle(leases.slice(0, 1), { kind: "retry", delayMs: 5_000 });
    expect(ledger().nextWakeAt(START)).toBe(START + 5_000);
    expect(ledger().nextWakeAt(START + 7_000)).toBe(START + 7_000);
    const taken = takeDue(START + 7_000);
    expect(ledger().nextWakeAt(START + 7_000)).toBe(START + LEASE_MS);
    settle([...taken.map(({ lease }) => lease), ...leases.slice(1)], DELIVERED);
    takeDue(START + LEASE_MS);
    expect(ledger().nextWakeAt(START + LEASE_MS)).toBeNull();
  });
});

describe("a re-drive", () => {
  it("opens the dead deliveries of an ended event again, once, under their ids", () => {
    const { accept, settle, ledger, takeDue } = openBench();
    const { items, leases } = accept("t", [acceptItem("a", ["ci", "audit", "bus"])], 3);
    const seq = items[0]?.seq ?? 0;
    settle(leases.slice(0, 2), DEAD);
    settle(leases.slice(2), DELIVERED);
    const later = START + 86_400_000;
    expect(ledger().redrive(seq, undefined, later)).toBe(2);
    expect(ledger().redrive(seq, undefined, later)).toBe(0);
    expect(ledger().backlog()).toMatchObject({ events: 1, deliveries: 2 });
    expect(ledger().nextWakeAt(later)).toBe(later);
    const taken = takeDue(later).map(({ lease }) => lease);
    expect(taken.map(({ deliveryId, attempt, failures }) => [deliveryId, attempt, failures])).toEqual([
      ["dlv_a_ci", 2, 0],
      ["dlv_a_audit", 2, 0],
    ]);
    settle(taken, DELIVERED, { now: later });
    expect(statusOf(ledger(), seq)).toBe("delivered");
    expect(ledger().backlog()).toEqual({ events: 0, deliveries: 0, bytes: 0 });
  });

  it("opens one delivery by its id, also while others of the event are open", () => {
    const { accept, settle, ledger } = openBench();
    const { items, leases } = accept("t", [acceptItem("a", ["ci", "audit", "bus"])], 3);
    const seq = items[0]?.seq ?? 0;
    settle(leases.slice(0, 2), DEAD);
    expect(ledger().redrive(seq, "dlv_a_audit", START)).toBe(1);
    expect(ledger().redrive(seq, "dlv_a_bus", START)).toBe(0);
    expect(ledger().redrive(seq, "dlv_none", START)).toBe(0);
    expect(
      ledger()
        .get(seq)
        ?.deliveries.map(({ state }) => state.kind),
    ).toEqual(["dead", "waiting", "leased"]);
    expect(ledger().backlog().deliveries).toBe(2);
  });

  it("leaves delivered events where they are and does not know those that are gone", () => {
    const { accept, settle, ledger, sql } = openBench();
    const { items, leases } = accept("t", [acceptItem("a", ["ci"])], 1);
    settle(leases, DELIVERED);
    const before = sql.rowsWritten();
    expect(ledger().redrive(items[0]?.seq ?? 0, undefined, START)).toBe(0);
    expect(ledger().redrive(5, undefined, START)).toBeUndefined();
    expect(sql.rowsWritten()).toBe(before);
  });
});

describe("the rows that an event costs", () => {
  function warmBench() {
    const bench = openBench();
    bench.settle(bench.accept("warm", [acceptItem("warm", ["ci"])], 1).leases, DELIVERED);
    return bench;
  }

  it("are three and one alarm when it is delivered, to one target or to hundreds", () => {
    for (const count of [1, 2, DELIVERIES_PER_EVENT_MAX]) {
      const { accept, settle, ledger, sql } = warmBench();
      const targets = Array.from({ length: count }, (_, index) => `t${index}`);
      const before = sql.rowsWritten();
      const { leases } = accept("t", [acceptItem("a", targets)], count);
      settle(leases, DELIVERED);
      expect(sql.rowsWritten() - before).toBe(3);
      expect(ledger().backlog().events).toBe(0);
    }
  });

  it("are one for each and two for all when many are accepted and settled together", () => {
    const { accept, settle, ledger, sql } = warmBench();
    const before = sql.rowsWritten();
    const { leases } = accept(
      "t",
      Array.from({ length: 50 }, (_, n) => acceptItem(`e${n}`, ["ci", "audit"])),
      100,
    );
    settle(leases, DELIVERED);
    expect(sql.rowsWritten() - before).toBe(52);
    expect(ledger().backlog().events).toBe(0);
  });

  it("are two when no rule matches, none for a repeat, and one for each failed attempt", () => {
    const { accept, settle, sql } = warmBench();
    const costOf = (work: () => unknown) => {
      const before = sql.rowsWritten();
      work();
      return sql.rowsWritten() - before;
    };
    expect(costOf(() => accept("t1", [acceptItem("a", [])]))).toBe(2);
    expect(costOf(() => accept("t2", [acceptItem("a", [])]))).toBe(0);
    const { leases } = accept("t3", [acceptItem("b", ["ci"])], 1);
    expect(costOf(() => settle(leases, RETRY))).toBe(1);
  });
});

describe("rows that one call changes", () => {
  it("are written at its end, each once, but never more than fifty of them in memory", () => {
    const { accept, takeDue, costOf, ledger, sql } = openBench();
    const items = Array.from({ length: 120 }, (_, index) => acceptItem(`e${index}`, ["ci"]));
    accept("t", items, 120);
    ledger().retain(START + FRESH_MS_MAX);
    expect(sql.all("SELECT count(*) AS n FROM work")).toEqual([{ n: 120 }]);
    const { statements, rows } = costOf(() => takeDue(START + LEASE_MS));
    let [inMemory, most] = [0, 0];
    for (const each of statements) {
      if (/^SELECT .* FROM work WHERE seq = \?/.test(each)) most = Math.max(most, ++inMemory);
      if (each.startsWith("UPDATE work")) inMemory -= 1;
    }
    expect(most).toBe(50);
    // Four of those that were lost are lent again, after they were written.
    expect(rows).toBe(120 + 4);
  });
});

describe("what a restart knows", () => {
  type Move =
    | { readonly kind: "accept"; readonly ids: readonly number[]; readonly targets: number; readonly leasesMax: number }
    | { readonly kind: "settle"; readonly which: number; readonly step: Step; readonly leasesMax: number }
    | { readonly kind: "takeDue" | "restart" }
    | { readonly kind: "redrive"; readonly which: number }
    | { readonly kind: "pass"; readonly ms: number };

  const step = fc.constantFrom<Step>(DELIVERED, RETRY, DEAD, CANCELLED, { kind: "release", delayMs: 0 });
  const move: fc.Arbitrary<Move> = fc.oneof(
    fc.record({
      kind: fc.constant("accept" as const),
      ids: fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }),
      targets: fc.nat(3),
      leasesMax: fc.nat(4),
    }),
    fc.record({ kind: fc.constant("settle" as const), which: fc.nat(), step, leasesMax: fc.nat(3) }),
    fc.record({ kind: fc.constantFrom("takeDue" as const, "restart" as const) }),
    fc.record({ kind: fc.constant("redrive" as const), which: fc.nat() }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(50_000) }),
  );

  it("is what the running ledger counts, whatever has happened", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
        const bench = openBench({ alarmLeasesMax: 4 });
        const leases: Lease[] = [];
        const seqs: number[] = [];
        let now = START;
        let tokens = 0;
        for (const each of moves) {
          if (each.kind === "accept") {
            // Letters of one, two, three and four bytes: backlogs are counted in bytes.
            const items = each.ids.map((id) =>
              acceptItem(`${"aé€🎈".repeat(id % 3)}${id}`, ["1", "2", "3"].slice(0, each.targets)),
            );
            const reply = bench.accept(`t${++tokens}`, items, each.leasesMax, now);
            leases.push(...reply.leases);
            seqs.push(...reply.items.map(({ seq }) => seq));
          } else if (each.kind === "settle") {
            const lease = leases[each.which % Math.max(1, leases.length)];
            const { work } = bench.settle(lease === undefined ? [] : [lease], each.step, {
              now,
              leasesMax: each.leasesMax,
            });
            leases.push(...work.map((one) => one.lease));
          } else if (each.kind === "takeDue") leases.push(...bench.takeDue(now).map(({ lease }) => lease));
          else if (each.kind === "restart") bench.restart();
          else if (each.kind === "redrive")
            bench.ledger().redrive(seqs[each.which % Math.max(1, seqs.length)] ?? 0, undefined, now);
          else if (each.kind === "pass") now += each.ms;

          const running = bench.ledger();
          const fresh = openLedger(bench.sql, LEDGER_LIMITS);
          expect(running.backlog()).toEqual(fresh.backlog());
          // The running one may wake too early, for what has been settled since; never later than the tables say.
          const wake = running.nextWakeAt(now);
          const due = fresh.nextWakeAt(now);
          if (due !== null) expect(wake).toBeLessThanOrEqual(Math.max(due, now) + 1_000);
          if (wake === null) expect(due).toBeNull();
        }
        for (const seq of seqs) expect(bench.ledger().get(seq)).toBeDefined();
      }),
      { numRuns: 150 },
    );
  });
});
