import { describe, expect, it } from "vitest";
import type { AcceptItem } from "../../src/bus/ports.ts";
import { DELIVERIES_PER_EVENT_MAX } from "../../src/bus/plan-event.ts";
import type { Lease } from "../../src/core/delivery.ts";
import { formatReceipt } from "../../src/core/receipt.ts";
import type { Step } from "../../src/core/step.ts";
import { DEDUP_WINDOW_MS } from "../../src/core/windows.ts";
import { hashing } from "../../src/hashing.ts";
import type { LedgerLimits } from "../../src/objects/ledger-limits.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { openLedger } from "../../src/objects/ledger.ts";
import { contentKey } from "../../src/objects/replay-guard.ts";
import { migrate } from "../../src/objects/schema.ts";
import { NO_TARGETS, PARTITION, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { plannedFor, settlementFor } from "../support/deliveries.ts";
import { PAUSED, statusOf } from "../support/gates.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = Date.UTC(2026, 0, 1);
const DELIVERED: Step = { kind: "delivered" };
const DEAD: Step = { kind: "dead", reason: "status", detail: "404" };
const REMOVED: Step = { kind: "cancelled", reason: "rule-removed" };

function openBench(limits: Partial<LedgerLimits> = {}) {
  const sql = openNodeSql();
  migrate(sql);
  const all: LedgerLimits = { ...LEDGER_LIMITS, ...limits };
  let ledger = openLedger(sql, all);
  let tokens = 0;
  const newToken = () => `lease-${++tokens}`;
  const tryAccept = (token: string, items: readonly AcceptItem[], leasesMax = 0, now = START) =>
    ledger.accept(acceptRequest(token, items, leasesMax), now);
  const accept = (...args: Parameters<typeof tryAccept>) => {
    const reply = tryAccept(...args);
    if (reply.kind !== "accepted") throw new Error(`refused: ${reply.kind}`);
    return reply;
  };
  const settle = (leases: readonly Lease[], steps: Readonly<Record<string, Step>>, now = START) => {
    const settlements = leases.map((lease) => settlementFor(lease, steps[lease.target] ?? DELIVERED));
    return ledger.settle({ settlements, leasesMax: 0, withinMs: 0, ...NO_TARGETS }, now, newToken);
  };
  return {
    sql,
    ledger: () => ledger,
    restart: () => {
      ledger = openLedger(sql, all);
    },
    tryAccept,
    accept,
    settle,
    /** An event with one delivery for each target, settled as told; `null` leaves it open. Answers its number. */
    given: (
      id: string,
      steps: Readonly<Record<string, Step | null>>,
      changes: Parameters<typeof acceptItem>[2] = {},
    ) => {
      const reply = accept(`first-${id}`, [acceptItem(id, Object.keys(steps), changes)], 500);
      const ending = Object.fromEntries(Object.entries(steps).flatMap(([name, step]) => (step ? [[name, step]] : [])));
      settle(
        reply.leases.filter(({ target }) => Object.hasOwn(ending, target)),
        ending,
      );
      return reply.items[0]?.seq ?? 0;
    },
    states: (seq: number) =>
      Object.fromEntries((ledger.get(seq)?.deliveries ?? []).map(({ target, state }) => [target, state.kind])),
  };
}

function redelivery(id: string, targets: readonly string[], changes: Parameters<typeof acceptItem>[2] = {}) {
  return acceptItem(id, targets, { ...changes, redeliver: true });
}

describe("an event that is redelivered", () => {
  it("opens again what is dead, and leaves what was delivered alone", () => {
    const { given, accept, states, ledger } = openBench();
    const seq = given("a", { ci: DEAD, audit: DELIVERED });
    const reply = accept("again", [redelivery("a", ["ci", "audit"])], 6, START + 1_000);
    expect(reply.items).toEqual([{ status: "duplicate", seq, rules: ["default/all"], redriven: 1 }]);
    expect(reply.leases).toEqual([]);
    expect(states(seq)).toEqual({ ci: "waiting", audit: "delivered" });
    expect(ledger().backlog()).toMatchObject({ events: 1, deliveries: 1 });
    expect(ledger().nextWakeAt(START + 1_000)).toBe(START + 1_000);
  });

  it("says nothing of opening when all of it was delivered, or is still being tried", () => {
    const { given, accept, states, sql } = openBench();
    const seq = given("a", { ci: DELIVERED, audit: null });
    const written = sql.rowsWritten();
    const reply = accept("again", [redelivery("a", ["ci", "audit"])]);
    expect(reply.items).toEqual([{ status: "duplicate", seq, rules: ["default/all"] }]);
    expect(states(seq)).toEqual({ ci: "delivered", audit: "leased" });
    expect(sql.rowsWritten()).toBe(written);
  });

  it("opens one that was cancelled when rules want it again, with their timeout and age, and none that they don't", () => {
    const { given, accept, states, ledger } = openBench();
    const seq = given("a", { ci: REMOVED, audit: REMOVED, gone: DEAD });
    const now = START + 5_000;
    accept("again", [redelivery("a", ["ci"], { planned: { timeoutMs: 3_000, maxAgeMs: 60_000 } })], 0, now);
    expect(states(seq)).toEqual({ ci: "waiting", audit: "cancelled", gone: "dead" });
    expect(ledger().get(seq)?.deliveries[0]).toMatchObject({
      timeoutMs: 3_000,
      maxAgeMs: 60_000,
      expiresAt: now + 60_000,
    });
  });

  it("leaves one alone that a newer event has replaced", () => {
    const { given, accept, states } = openBench();
    const seq = given("a", { ci: { kind: "cancelled", reason: "superseded" } });
    expect(accept("again", [redelivery("a", ["ci"])]).items[0]).not.toHaveProperty("redriven");
    expect(states(seq)).toEqual({ ci: "cancelled" });
  });

  it("opens a parked one, whose lane goes on with it", () => {
    const lane = { lane: { id: "lane-1" } };
    const { accept, settle, states, restart } = openBench();
    const first = accept("t1", [acceptItem("a", ["ci"], { planned: lane })], 1);
    const seq = first.items[0]?.seq ?? 0;
    const next = accept("t2", [acceptItem("b", ["ci"], { planned: lane })], 1).items[0]?.seq ?? 0;
    settle(first.leases, { ci: { kind: "park", reason: "status", detail: "404" } });
    expect([states(seq), states(next)]).toEqual([{ ci: "parked" }, { ci: "queued" }]);
    restart();
    expect(accept("again", [redelivery("a", ["ci"], { planned: lane })]).items).toMatchObject([{ redriven: 1 }]);
    expect([states(seq), states(next)]).toEqual([{ ci: "waiting" }, { ci: "queued" }]);
  });

  it("reaches rules that have come to want it since, whatever became of the others", () => {
    const { given, accept, states, ledger } = openBench();
    const seq = given("a", { ci: DELIVERED });
    const again = redelivery("a", ["ci"]);
    const newer = plannedFor("archive", { id: "dlv_a_archive", rule: "default/new" });
    const event = { ...again.event, rules: ["default/new"], rulesVersion: { hash: "v2", deployedAt: 2 } };
    const items = [{ ...again, event, deliveries: [...again.deliveries, newer] }];
    expect(accept("again", items).items).toEqual([
      { status: "duplicate", seq, rules: ["default/all", "default/new"], redriven: 1 },
    ]);
    expect(states(seq)).toEqual({ ci: "delivered", archive: "waiting" });
    expect(ledger().get(seq)?.event).toMatchObject({
      rules: ["default/all", "default/new"],
      rulesVersion: { hash: "v2" },
    });
  });

  it("is not said to be of older rules by a caller whose rules are older", () => {
    const { given, accept, ledger } = openBench();
    const seq = given("a", { ci: DEAD });
    const again = redelivery("a", ["ci"]);
    accept("again", [{ ...again, event: { ...again.event, rulesVersion: { hash: "v0", deployedAt: 0 } } }]);
    expect(ledger().get(seq)?.event.rulesVersion.hash).toBe("v1");
  });

  it("is delivered when nothing wanted it at first and something does now", () => {
    const { given, accept, states, ledger } = openBench();
    const seq = given("a", {});
    expect(accept("again", [redelivery("a", ["ci"])]).items).toEqual([
      { status: "duplicate", seq, rules: ["default/all"], redriven: 1 },
    ]);
    expect(states(seq)).toEqual({ ci: "waiting" });
    const [work] = ledger().takeDue(START, () => "lease");
    expect(new TextDecoder().decode(work?.event.body ?? undefined)).toBe('{"content":"a"}');
  });

  it("is a plain duplicate when it comes from another sender, or nobody asked, and a conflict with other content", () => {
    const { given, accept, states } = openBench();
    const seq = given("a", { ci: DEAD }, { scope: "hook-1" });
    const repeats = [
      redelivery("a", ["ci"], { scope: "hook-2" }),
      acceptItem("a", ["ci"], { scope: "hook-1" }),
      redelivery("a", ["ci"], { scope: "hook-1", content: "other" }),
    ];
    const { items } = accept("again", repeats);
    expect(items.map((item) => [item.status, item.redriven])).toEqual([
      ["duplicate", undefined],
      ["duplicate", undefined],
      ["conflict", undefined],
    ]);
    expect(states(seq)).toEqual({ ci: "dead" });
  });

  it("is a duplicate of which nothing is known when the log has given way", () => {
    const { given, accept, ledger, sql } = openBench({ logBytesMax: 0, segmentMs: 1_000 });
    const seq = given("a", { ci: DELIVERED });
    accept("later", [acceptItem("later", [])], 0, START + 1_000);
    expect(ledger().get(seq)).toBeUndefined();
    const written = sql.rowsWritten();
    expect(accept("again", [redelivery("a", ["ci", "new"])], 0, START + 1_500).items).toEqual([
      { status: "duplicate", seq, rules: [] },
    ]);
    expect(sql.rowsWritten()).toBe(written);
  });

  it("gets no more deliveries than an event may have", () => {
    const targets = Array.from({ length: DELIVERIES_PER_EVENT_MAX - 1 }, (_, n) => `t${n}`);
    const { accept, ledger } = openBench();
    const seq = accept("first", [acceptItem("a", targets)]).items[0]?.seq ?? 0;
    const { items } = accept("again", [redelivery("a", ["new1", "new2"])]);
    expect(items).toMatchObject([{ redriven: 1 }]);
    const known = ledger().get(seq)?.deliveries ?? [];
    expect(known).toHaveLength(DELIVERIES_PER_EVENT_MAX);
    expect(known.at(-1)?.target).toBe("new1");
    expect(accept("more", [redelivery("a", ["new2"])]).items[0]).not.toHaveProperty("redriven");
  });

  it("opens again but once, though its request comes again because the reply was lost", () => {
    const { given, accept, states, settle, ledger } = openBench();
    const seq = given("a", { ci: DEAD });
    accept("again", [redelivery("a", ["ci"])]);
    const [work] = ledger().takeDue(START, () => "lease");
    expect(accept("again", [redelivery("a", ["ci"])]).items).toEqual([
      { status: "duplicate", seq, rules: ["default/all"] },
    ]);
    expect(states(seq)).toEqual({ ci: "leased" });
    settle(work === undefined ? [] : [work.lease], { ci: DELIVERED });
    accept("again", [redelivery("a", ["ci"])]);
    expect(states(seq)).toEqual({ ci: "delivered" });
  });

  it("starts the retry schedule and the age anew, and keeps the id and the attempts", () => {
    const { given, accept, ledger } = openBench();
    const seq = given("a", { ci: DEAD });
    const before = ledger().get(seq)?.deliveries[0];
    const now = START + 10_000;
    accept("again", [redelivery("a", ["ci"])], 0, now);
    expect(ledger().get(seq)?.deliveries[0]).toEqual({
      ...before,
      state: { kind: "waiting", dueAt: now },
      expiresAt: now + (before?.maxAgeMs ?? 0),
    });
  });
});

describe("a redelivery while the backlog is full", () => {
  it("is refused when it would open something, and answered when it would not", () => {
    const { given, tryAccept, states } = openBench({ backlogDeliveriesMax: 2 });
    const dead = given("dead", { ci: DEAD });
    given("done", { ci: DELIVERED });
    const open = given("open", { ci: null, audit: null });
    expect(tryAccept("t1", [redelivery("dead", ["ci"])])).toMatchObject({ kind: "backlog-full" });
    expect(states(dead)).toEqual({ ci: "dead" });
    const plain = [redelivery("done", ["ci"]), redelivery("open", ["ci", "audit"]), redelivery("dead", [])];
    expect(tryAccept("t2", plain)).toMatchObject({
      items: [{ status: "duplicate" }, { status: "duplicate", seq: open }, { status: "duplicate" }],
    });
    expect(tryAccept("t3", [redelivery("dead", ["ci"], { content: "other" })])).toMatchObject({
      items: [{ status: "conflict" }],
    });
    expect(tryAccept("t4", [redelivery("done", ["ci", "new"])])).toMatchObject({ kind: "backlog-full" });
  });
});

describe("signed content that comes again under another id", () => {
  const replay = (refuse: boolean, content = "payload") => ({ content: hashing.sha256(content), refuse });
  const flagged = (id: string, content?: string) => acceptItem(id, ["ci"], { replay: replay(false, content) });
  const refused = (id: string, content?: string) => acceptItem(id, ["ci"], { replay: replay(true, content) });

  it("is accepted and shows the receipt of the first one, after a restart too", () => {
    const { accept, ledger, restart } = openBench();
    const [first] = accept("t1", [flagged("a")]).items;
    restart();
    const [second, third] = accept("t2", [flagged("b"), flagged("c")]).items;
    expect([second?.status, third?.status]).toEqual(["accepted", "accepted"]);
    const receipt = formatReceipt({ partition: PARTITION, seq: first?.seq ?? 0 });
    const replayOf = (seq = 0) => ledger().get(seq)?.event.replayOf;
    expect([first, second, third].map((item) => replayOf(item?.seq))).toEqual([undefined, receipt, receipt]);
    expect(ledger().get(second?.seq ?? 0)?.event.contentKey).toBe(contentKey(hashing.sha256("payload")));
  });

  it("is refused with the first one's number where the source says so, and nothing is written", () => {
    const { accept, sql, ledger } = openBench();
    const [first] = accept("t1", [refused("a")]).items;
    const written = sql.rowsWritten();
    const reply = accept("t2", [refused("b")], 6);
    expect(reply).toEqual({
      kind: "accepted",
      items: [{ status: "replayed", seq: first?.seq, rules: ["default/all"] }],
      leases: [],
    });
    expect(sql.rowsWritten()).toBe(written);
    expect(ledger().backlog().events).toBe(1);
    // It was not accepted, so it is not known: the same again is the same replay.
    expect(accept("t3", [refused("b")]).items[0]?.status).toBe("replayed");
  });

  it("is refused within one request too", () => {
    const { accept } = openBench();
    const { items } = accept("t", [refused("a"), refused("b"), refused("c", "other")]);
    expect(items.map(({ status }) => status)).toEqual(["accepted", "replayed", "accepted"]);
  });

  it("is no replay under its own id: that is a duplicate, and may be redelivered", () => {
    const { accept, settle, states } = openBench();
    const first = accept("t1", [refused("a")], 1);
    settle(first.leases, { ci: DEAD });
    const again = { ...refused("a"), redeliver: true };
    expect(accept("t2", [again]).items).toMatchObject([{ status: "duplicate", redriven: 1 }]);
    expect(states(first.items[0]?.seq ?? 0)).toEqual({ ci: "waiting" });
  });

  it("is the same request when its token comes again", () => {
    const { accept } = openBench();
    const first = accept("t1", [refused("a")], 1);
    expect(accept("t1", [refused("a")], 1)).toEqual(first);
  });

  it("is told as long as identities are, and no longer", () => {
    const { accept } = openBench();
    accept("t1", [refused("a")]);
    expect(accept("t2", [refused("b")], 0, START + DEDUP_WINDOW_MS).items[0]?.status).toBe("replayed");
    expect(accept("t3", [refused("c")], 0, START + DEDUP_WINDOW_MS + 1).items[0]?.status).toBe("accepted");
    expect(accept("t4", [refused("d")], 0, START + DEDUP_WINDOW_MS + 2).items[0]?.status).toBe("replayed");
  });

  it("is answered while the backlog is full", () => {
    const { accept, tryAccept } = openBench({ backlogDeliveriesMax: 1 });
    accept("t1", [refused("a")]);
    expect(tryAccept("t2", [refused("b")])).toMatchObject({ items: [{ status: "replayed" }] });
    expect(tryAccept("t3", [flagged("b")])).toMatchObject({ kind: "backlog-full" });
  });

  it("is told though the first event's log has given way before its block was written", () => {
    const { accept, ledger, restart } = openBench({ logBytesMax: 0, segmentMs: 1_000 });
    const seq = accept("t1", [acceptItem("a", [], { replay: replay(true) })]).items[0]?.seq ?? 0;
    accept("t2", [acceptItem("later", [])], 0, START + 1_000);
    expect(ledger().get(seq)).toBeUndefined();
    restart();
    expect(accept("t3", [refused("b")], 0, START + 1_001).items).toEqual([{ status: "replayed", seq, rules: [] }]);
  });

  it("says nothing to sources that have none", () => {
    const { accept, ledger } = openBench();
    const { items } = accept("t", [acceptItem("a", ["ci"]), acceptItem("b", ["ci"], { content: "a" })]);
    expect(items.map(({ status }) => status)).toEqual(["accepted", "accepted"]);
    for (const { seq } of items) {
      expect(ledger().get(seq)?.event).not.toHaveProperty("contentKey");
      expect(ledger().get(seq)?.event).not.toHaveProperty("replayOf");
    }
  });
});

describe("an acceptance for a target that is held", () => {
  it("lends nothing of it, and the rest of the event", () => {
    const { accept, ledger, states } = openBench();
    ledger().setTargetStatuses([statusOf("ci", PAUSED)], START);
    const reply = accept("t", [acceptItem("a", ["ci", "audit"])], 6);
    expect(reply.leases.map(({ target }) => target)).toEqual(["audit"]);
    expect(states(reply.items[0]?.seq ?? 0)).toEqual({ ci: "waiting", audit: "leased" });
  });
});
