/** Requests that come in one call: one commit, and to each its own answer. */
import { describe, expect, it } from "vitest";
import type { AcceptAnswer, AcceptReply } from "../../src/bus/ports.ts";
import { openEngine } from "../../src/objects/engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import type { Sql } from "../../src/objects/sql.ts";
import { acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { START } from "../support/ledger-bench.ts";
import { openNodeSql } from "../support/node-sql.ts";

function openBench(limits: Partial<typeof LEDGER_LIMITS> = {}) {
  const sql = openNodeSql();
  let transactions = 0;
  const watched: Sql = {
    ...sql,
    transaction(work) {
      transactions += 1;
      return sql.transaction(work);
    },
  };
  const engine = openEngine({
    sql: watched,
    limits: { ...LEDGER_LIMITS, ...limits },
    setAlarm: () => {},
    handOver: () => Promise.resolve(),
    askOpenLanes: () => Promise.resolve([]),
    now: () => START,
    newToken: () => "unused",
    log: () => {},
  });
  engine.start(null);
  return { engine, transactions: () => transactions };
}

function answersOf(reply: AcceptReply): readonly AcceptAnswer[] {
  return [reply, ...(reply.others ?? [])];
}

function statusesOf(reply: AcceptReply): readonly string[] {
  return answersOf(reply).map((answer) =>
    answer.kind === "accepted" ? answer.items.map(({ status }) => status).join() : answer.kind,
  );
}

const one = (id: string, leasesMax = 0) => acceptRequest(`token-${id}`, [acceptItem(id, ["ci"])], leasesMax);

describe("requests that are accepted together", () => {
  it("are one commit, and each has its numbers and as many leases as it asked for", () => {
    const { engine, transactions } = openBench();
    const before = transactions();
    const reply = engine.accept(one("a", 1), [one("b", 0), one("c", 6)]);
    expect(transactions() - before).toBe(1);
    expect(statusesOf(reply)).toEqual(["accepted", "accepted", "accepted"]);
    const accepted = answersOf(reply).flatMap((answer) => (answer.kind === "accepted" ? [answer] : []));
    expect(accepted.map(({ leases }) => leases.map(({ deliveryId }) => deliveryId))).toEqual([
      ["dlv_a_ci"],
      [],
      ["dlv_c_ci"],
    ]);
    const seqs = accepted.map(({ items }) => items[0]?.seq ?? 0);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(new Set(seqs).size).toBe(3);
    for (const [index, seq] of seqs.entries()) {
      expect(engine.get(seq)?.event.attributes.id).toBe(["a", "b", "c"][index]);
    }
  });

  it("are answered as before when there is one only", () => {
    const { engine } = openBench();
    expect(Object.keys(engine.accept(one("a")))).toEqual(["kind", "items", "leases"]);
    expect(Object.keys(engine.accept(one("b"), []))).toEqual(["kind", "items", "leases"]);
  });

  it("may be the same event: the first is accepted, the other a duplicate of it", () => {
    const { engine } = openBench();
    const again = { ...one("a"), token: "another token" };
    expect(statusesOf(engine.accept(one("a"), [again, one("b")]))).toEqual(["accepted", "duplicate", "accepted"]);
  });

  it("may find no room while others do", () => {
    const { engine } = openBench({ backlogDeliveriesMax: 2 });
    const large = acceptRequest("token-large", [acceptItem("l1", ["ci", "audit"]), acceptItem("l2", ["ci"])]);
    const reply = engine.accept(one("a"), [large, one("b")]);
    expect(statusesOf(reply)).toEqual(["accepted", "backlog-full", "accepted"]);
  });

  it("get the same answers when they are asked for again, together, apart or in another order", () => {
    const { engine } = openBench();
    const requests = [one("a", 1), one("b", 1), one("c", 1)] as const;
    const first = engine.accept(requests[0], requests.slice(1));
    expect(engine.accept(requests[0], requests.slice(1))).toEqual(first);
    const turned = engine.accept(requests[2], [requests[1], requests[0]]);
    expect(answersOf(turned).map(({ others: _others, ...answer }: AcceptReply) => answer)).toEqual(
      answersOf(first)
        .map(({ others: _others, ...answer }: AcceptReply) => answer)
        .toReversed(),
    );
    for (const [index, request] of requests.entries()) {
      const { others: _others, ...expected }: AcceptReply = answersOf(first)[index] ?? first;
      expect(engine.accept(request)).toEqual(expected);
    }
  });

  it("are kept all or none when a write fails", () => {
    const { engine } = openBench();
    const bad = acceptRequest("token-bad", [{ ...acceptItem("bad", ["ci"]), identity: null as never }]);
    expect(() => engine.accept(one("a"), [bad])).toThrow();
    expect(engine.backlog()).toMatchObject({ events: 0 });
    expect(statusesOf(engine.accept({ ...one("a"), token: "new" }))).toEqual(["accepted"]);
  });
});
