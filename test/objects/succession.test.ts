import { describe, expect, it } from "vitest";
import type { AcceptItem, Layout } from "../../src/bus/ports.ts";
import { hashing } from "../../src/hashing.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { openLedger } from "../../src/objects/ledger.ts";
import { migrate } from "../../src/objects/schema.ts";
import { openSuccession } from "../../src/objects/succession.ts";
import { NO_TARGETS, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { settlementFor } from "../support/deliveries.ts";
import { openNodeSql } from "../support/node-sql.ts";

const START = Date.UTC(2026, 0, 1);
const FIRST: Layout = { partitions: 4, deployedAt: 100 };
const SECOND: Layout = { partitions: 8, deployedAt: 200, before: [4] };
const THIRD: Layout = { partitions: 4, deployedAt: 300, before: [8] };

function openBench() {
  const sql = openNodeSql();
  migrate(sql);
  let ledger = openLedger(sql, LEDGER_LIMITS);
  const request = (layout: Layout, token: string, items: readonly AcceptItem[]) => ({
    ...acceptRequest(token, items),
    layout,
  });
  return {
    sql,
    ledger: () => ledger,
    restart: () => {
      ledger = openLedger(sql, LEDGER_LIMITS);
    },
    accept: (layout: Layout, token: string, items: readonly AcceptItem[], leasesMax = 0) =>
      ledger.accept({ ...request(layout, token, items), leasesMax }, START),
    known: (layout: Layout, token: string, items: readonly AcceptItem[]) =>
      ledger.known(request(layout, token, items), START),
  };
}

describe("which layout is in force", () => {
  function openFacts() {
    const sql = openNodeSql();
    migrate(sql);
    return { sql, open: () => openSuccession(sql) };
  }

  it("is the caller's, until a newer one has asked; then that one's, after a restart too", () => {
    const { open } = openFacts();
    const succession = open();
    expect(succession.movedTo(FIRST)).toBeUndefined();
    succession.giveWayTo(SECOND);
    expect(succession.movedTo(FIRST)).toEqual(SECOND);
    expect(succession.movedTo({ ...FIRST, deployedAt: SECOND.deployedAt - 1 })).toEqual(SECOND);
    expect(open().movedTo(FIRST)).toEqual(SECOND);
  });

  it("is the newest of those that have asked, in whatever order they did", () => {
    for (const order of [
      [SECOND, THIRD],
      [THIRD, SECOND],
    ]) {
      const succession = openFacts().open();
      for (const layout of order) succession.giveWayTo(layout);
      expect(succession.movedTo(FIRST)).toEqual(THIRD);
    }
  });

  it("is a caller's again that was deployed later still, but not that of callers from before the move", () => {
    const { open } = openFacts();
    const succession = open();
    succession.giveWayTo(SECOND);
    for (let n = 0; n < 2; n++) expect(succession.movedTo(THIRD)).toBeUndefined();
    // They do not know what the layout between has accepted.
    for (const again of [succession, open()]) {
      expect(again.movedTo(FIRST)).toEqual(THIRD);
      expect(again.movedTo(SECOND)).toEqual(THIRD);
      again.giveWayTo(SECOND);
      expect(again.movedTo(THIRD)).toBeUndefined();
    }
  });

  it("costs a row when it changes, and none after that", () => {
    const { sql, open } = openFacts();
    const succession = open();
    const before = sql.rowsWritten();
    for (let n = 0; n < 3; n++) succession.giveWayTo(SECOND);
    expect(sql.rowsWritten()).toBe(before + 1);
    succession.movedTo(FIRST);
    expect(sql.rowsWritten()).toBe(before + 1);
    for (let n = 0; n < 3; n++) succession.movedTo(THIRD);
    expect(sql.rowsWritten()).toBe(before + 2);
  });
});

describe("a partition that a newer layout has asked", () => {
  it("takes nothing new from older callers, says where to go, and writes nothing", () => {
    const { accept, known, sql, ledger } = openBench();
    expect(known(SECOND, "k", [acceptItem("new", ["ci"])])).toEqual({
      items: [null],
      openLanes: [],
      lastSeq: 0,
      statuses: [],
    });
    const written = sql.rowsWritten();
    expect(accept(FIRST, "t", [acceptItem("new", ["ci"])])).toEqual({ kind: "moved", layout: SECOND });
    expect(sql.rowsWritten()).toBe(written);
    expect(ledger().backlog().events).toBe(0);
  });

  it("answers older callers what it knows itself, and sends on a request in which anything is new", () => {
    const { accept, known } = openBench();
    accept(FIRST, "t1", [acceptItem("a", ["ci"])]);
    known(SECOND, "k", []);
    expect(accept(FIRST, "t2", [acceptItem("a", ["ci"])])).toMatchObject({ items: [{ status: "duplicate" }] });
    expect(accept(FIRST, "t1", [acceptItem("a", ["ci"])])).toMatchObject({ items: [{ status: "accepted" }] });
    expect(accept(FIRST, "t3", [acceptItem("a", ["ci"]), acceptItem("b", ["ci"])])).toEqual({
      kind: "moved",
      layout: SECOND,
    });
  });

  it("still does after a restart", () => {
    const { accept, known, restart } = openBench();
    known(SECOND, "k", []);
    restart();
    expect(accept(FIRST, "t", [acceptItem("a", ["ci"])]).kind).toBe("moved");
  });

  it("answers the newer layout duplicates, conflicts and redeliveries in its own name", () => {
    const { accept, known, ledger } = openBench();
    const reply = accept(FIRST, "t", [acceptItem("dead", ["ci"]), acceptItem("open", ["ci"])], 1);
    if (reply.kind !== "accepted") throw new Error(reply.kind);
    const settlements = reply.leases.map((lease) =>
      settlementFor(lease, { kind: "dead", reason: "status", detail: "404" }),
    );
    ledger().settle({ settlements, leasesMax: 0, withinMs: 0, ...NO_TARGETS }, START, () => "lease");
    const [dead, open] = reply.items.map(({ seq }) => seq);
    const rules = ["default/all"];
    const { items } = known(SECOND, "k", [
      acceptItem("open", ["ci"]),
      acceptItem("open", ["ci"], { content: "other" }),
      acceptItem("dead", ["ci"], { redeliver: true }),
      acceptItem("new", ["ci"]),
    ]);
    expect(items).toEqual([
      { status: "duplicate", seq: open, rules },
      { status: "conflict", seq: open, rules },
      { status: "duplicate", seq: dead, rules, redriven: 1 },
      null,
    ]);
    expect(ledger().get(dead ?? 0)?.deliveries[0]?.state.kind).toBe("waiting");
  });

  it("has the newer layout refuse what its source refuses as a replay", () => {
    const { accept, known } = openBench();
    const signed = (id: string, refuse: boolean) =>
      acceptItem(id, ["ci"], { replay: { content: hashing.sha256("payload"), refuse } });
    const first = accept(FIRST, "t", [signed("a", true)]);
    const { items } = known(SECOND, "k", [signed("b", true), signed("c", false)]);
    const seq = first.kind === "accepted" ? first.items[0]?.seq : undefined;
    expect(items).toEqual([{ status: "replayed", seq, rules: ["default/all"] }, null]);
  });

  it("tells which of the asked lanes have open deliveries, each once", () => {
    const { accept, known, ledger } = openBench();
    const inLane = (id: string, lane: string) => acceptItem(id, ["ci"], { planned: { lane: { id: lane } } });
    accept(FIRST, "t", [inLane("a", "lane-1"), inLane("b", "lane-1"), inLane("c", "lane-2")]);
    const asked = [inLane("x", "lane-1"), inLane("y", "lane-1"), inLane("z", "lane-3"), acceptItem("free", ["ci"])];
    expect(known(SECOND, "k", asked).openLanes).toEqual(["lane-1"]);
    expect(ledger().openLanes(["lane-2", "lane-3"])).toEqual([{ id: "lane-2", firstSeq: expect.any(Number) }]);
  });
});

describe("one identity under two layouts", () => {
  /** Follows partitions' answers as publish does: asks the layouts before, accepts, goes where it is sent. */
  function openBus() {
    const owners = new Map([
      [4, openBench()],
      [8, openBench()],
    ]);
    const ownerOf = (partitions: number) => {
      const owner = owners.get(partitions);
      if (owner === undefined) throw new Error("there are two layouts");
      return owner;
    };
    return {
      events: () => [...owners.values()].reduce((sum, { ledger }) => sum + ledger().backlog().events, 0),
      close: () => {
        for (const { sql } of owners.values()) sql.close();
      },
      /** The steps of one request, each one call, to be mixed with others'. */
      *request(layout: Layout, token: string, id: string): Generator<void, string> {
        const item = acceptItem(id, ["ci"]);
        let current = layout;
        let before = layout.before ?? [];
        for (let moves = 0; moves < 4; moves++) {
          for (const partitions of before) {
            const [answer] = ownerOf(partitions).known(current, `${token}k${moves}`, [item]).items;
            yield;
            if (answer !== undefined && answer !== null) return answer.status;
          }
          const reply = ownerOf(current.partitions).accept(current, `${token}a${moves}`, [item]);
          yield;
          if (reply.kind === "accepted") return reply.items[0]?.status ?? "none";
          if (reply.kind !== "moved") throw new Error(reply.kind);
          const all = new Set([current.partitions, ...(reply.layout.before ?? []), ...before]);
          all.delete(reply.layout.partitions);
          before = [...all];
          current = reply.layout;
        }
        return "unavailable";
      },
    };
  }

  it("is accepted once, however requests of both layouts, and of the one after them, mix", () => {
    // Every order of the first five steps of four requests, three of them for one event; then each goes on to its end.
    const [count, steps] = [4, 5];
    const seen = new Set<string>();
    for (let order = 0; order < count ** steps; order++) {
      const bus = openBus();
      const requests = [
        bus.request(FIRST, "r1", "a"),
        bus.request(SECOND, "r2", "a"),
        bus.request(THIRD, "r3", "a"),
        bus.request(THIRD, "r4", "another"),
      ];
      const ends: (string | undefined)[] = requests.map(() => undefined);
      const go = (index: number) => {
        const step = ends[index] === undefined ? requests[index]?.next() : undefined;
        if (step?.done === true) ends[index] = step.value;
      };
      for (let rest = order, n = 0; n < steps; n++, rest = Math.floor(rest / count)) go(rest % count);
      for (const index of ends.keys()) while (ends[index] === undefined) go(index);
      const [first, second, third, other] = ends;
      const accepted = [first, second, third].filter((end) => end === "accepted");
      expect([accepted, other, bus.events()]).toEqual([["accepted"], "accepted", 2]);
      seen.add([first, second, third].join());
      bus.close();
    }
    expect(seen.size).toBe(3);
  });
});
