import { describe, expect, it } from "vitest";
import type { Step } from "../../src/core/step.ts";
import {
  FRESH_CHARS_MAX,
  FRESH_DELIVERIES_MAX,
  FRESH_EVENTS_MAX,
  FRESH_MS_MAX,
  FRESH_ROWS_MAX,
} from "../../src/objects/fresh-work.ts";
import { acceptItem } from "../support/accept-requests.ts";
import { START, openBench, statusOf } from "../support/ledger-bench.ts";

const DELIVERED: Step = { kind: "delivered" };
const DEAD: Step = { kind: "dead", reason: "status", detail: "404" };
const RETRY: Step = { kind: "retry", delayMs: 5_000 };

type Bench = ReturnType<typeof openBench>;

function rowsOfWork({ sql }: Bench): number {
  return sql.all<{ n: number }>("SELECT count(*) AS n FROM work")[0]?.n ?? 0;
}

/** A commit that changes nothing by itself. */
function commit({ ledger }: Bench, now = START): void {
  ledger().setTargetStatuses([], now);
}

const items = (count: number, prefix = "e") =>
  Array.from({ length: count }, (_, n) => acceptItem(`${prefix}${n}`, ["ci"]));

function accept(bench: Bench, count: number, prefix?: string): readonly number[] {
  const seqs: number[] = [];
  const all = items(count, prefix);
  for (let at = 0; at < count; at += 500) {
    seqs.push(...bench.accept(`${prefix}${at}`, all.slice(at, at + 500), 500).items.map(({ seq }) => seq));
  }
  return seqs;
}

describe("an open event", () => {
  it("has no row of its own until it has been open for as long as the limit, whatever fails meanwhile", () => {
    const bench = openBench();
    const { leases, items: accepted } = bench.accept("t", items(1), 1);
    bench.settle(leases, RETRY);
    const work = bench.takeDue(START + 5_000);
    commit(bench, START + FRESH_MS_MAX - 1);
    expect(rowsOfWork(bench)).toBe(0);
    commit(bench, START + FRESH_MS_MAX);
    expect(rowsOfWork(bench)).toBe(1);
    const seq = accepted[0]?.seq ?? 0;
    for (const restarted of [false, true]) {
      if (restarted) bench.restart();
      const event = bench.ledger().get(seq);
      expect(event?.deliveries[0]).toMatchObject({ failures: 1, state: { kind: "leased" } });
      expect(new TextDecoder().decode(event?.event.body ?? undefined)).toBe('{"content":"e0"}');
      expect(bench.ledger().backlog()).toMatchObject({ events: 1, deliveries: 1 });
    }
    bench.settle(
      work.map(({ lease }) => lease),
      DELIVERED,
      { now: START + FRESH_MS_MAX },
    );
    expect([rowsOfWork(bench), statusOf(bench.ledger(), seq)]).toEqual([0, "delivered"]);
    expect(bench.ledger().before(Number.MAX_SAFE_INTEGER, 10, "all")).toHaveLength(1);
  });

  it("gives way to newer ones when there are more than the limit, the oldest first", () => {
    const bench = openBench();
    const seqs = accept(bench, FRESH_EVENTS_MAX);
    commit(bench);
    expect(rowsOfWork(bench)).toBe(0);
    accept(bench, 2, "more");
    expect(bench.sql.all("SELECT seq FROM work ORDER BY seq")).toEqual(seqs.slice(0, 2).map((seq) => ({ seq })));
    bench.restart();
    expect(bench.ledger().backlog().events).toBe(FRESH_EVENTS_MAX + 2);
    commit(bench);
    expect(rowsOfWork(bench)).toBe(2);
  });

  it("gives way when all deliveries together are more than the limit", () => {
    const bench = openBench();
    const targets = Array.from({ length: 500 }, (_, n) => `t${n}`);
    const count = FRESH_DELIVERIES_MAX / targets.length;
    for (let n = 0; n < count; n++) bench.accept(`t${n}`, [acceptItem(`e${n}`, targets)]);
    expect(rowsOfWork(bench)).toBe(0);
    bench.accept("last", items(1, "last"));
    expect(rowsOfWork(bench)).toBe(1);
    bench.restart();
    commit(bench);
    expect(rowsOfWork(bench)).toBe(1);
  });

  it("gets a row when all that its deliveries have changed is more than the limit", () => {
    const bench = openBench();
    const names = Array.from({ length: 100 }, (_, n) => `t${n}`);
    const { leases } = bench.accept("t", [acceptItem("a", names)], 100);
    const chars = () =>
      bench.sql.all<{ chars: number }>("SELECT ifnull(sum(length(entries)), 0) AS chars FROM changes_1")[0]?.chars ?? 0;
    let settled = 0;
    while (rowsOfWork(bench) === 0) {
      expect(chars()).toBeLessThanOrEqual(FRESH_CHARS_MAX + settled * 30);
      bench.settle(leases.slice(settled, settled + 1), DELIVERED);
      settled += 1;
    }
    expect(chars()).toBeGreaterThan(FRESH_CHARS_MAX * 0.9);
    bench.restart();
    bench.settle(leases.slice(settled), DELIVERED);
    expect(bench.ledger().backlog().events).toBe(0);
  });

  it("has a row at once when a delivery of it must wait for a target that is in trouble", () => {
    const bench = openBench();
    bench.ledger().setTargetStatuses([{ target: "ci", version: 1, state: { kind: "gated" } }], START);
    bench.accept("t", items(2));
    expect(rowsOfWork(bench)).toBe(2);
    expect(bench.sql.all("SELECT name FROM sqlite_master WHERE name GLOB 'pack_*'")).toEqual([]);
    bench.accept("u", [acceptItem("other", ["audit"])], 6);
    expect(rowsOfWork(bench)).toBe(2);
  });

  it("waits for the next commit when that one has given rows to as many as it may", () => {
    const bench = openBench();
    accept(bench, FRESH_ROWS_MAX + 1);
    commit(bench, START + FRESH_MS_MAX + 10);
    expect(rowsOfWork(bench)).toBe(FRESH_ROWS_MAX);
    commit(bench, START + FRESH_MS_MAX + 10);
    expect(rowsOfWork(bench)).toBe(FRESH_ROWS_MAX + 1);
  });

  it("keeps its body when its last delivery is dead, and its pack goes", () => {
    const bench = openBench({ segmentBytes: 1, logBytesMax: 1 });
    const { leases, items: accepted } = bench.accept("t", items(2), 2);
    bench.settle(leases.slice(0, 1), DEAD);
    for (let n = 0; n < 3; n++) bench.accept(`more${n}`, items(1, `more${n}`), 1, START + n);
    const [dead, open] = accepted.map(({ seq }) => bench.ledger().get(seq));
    expect(bench.sql.all("SELECT n FROM segments WHERE kind = 'log' AND log_dropped = 1")).not.toEqual([]);
    for (const event of [dead, open]) expect(event?.event.body).not.toBeNull();
    // What was open when its pack went has a row.
    expect(open?.deliveries[0]?.state.kind).toBe("leased");
    bench.restart();
    expect(bench.ledger().get(accepted[1]?.seq ?? 0)).toEqual(open);
    bench.settle(leases.slice(1), DELIVERED);
    expect(rowsOfWork(bench)).toBe(3);
  });

  it("that is opened again after it has ended well speaks for itself from then on", () => {
    const bench = openBench();
    const { leases, items: accepted } = bench.accept("t", [acceptItem("a", ["ci"])], 1);
    const seq = accepted[0]?.seq ?? 0;
    bench.settle(leases, { kind: "cancelled", reason: "rule-off" });
    const again = bench.accept("u", [acceptItem("a", ["ci", "audit"], { redeliver: true })]);
    expect(again.items[0]).toMatchObject({ status: "duplicate", redriven: 2 });
    for (const restarted of [false, true]) {
      if (restarted) bench.restart();
      expect(
        bench
          .ledger()
          .get(seq)
          ?.deliveries.map(({ state }) => state.kind),
      ).toEqual(["waiting", "waiting"]);
      expect(bench.ledger().before(Number.MAX_SAFE_INTEGER, 10, "all")).toHaveLength(1);
    }
    bench.settle(
      bench.takeDue().map(({ lease }) => lease),
      DELIVERED,
    );
    expect(statusOf(bench.ledger(), seq)).toBe("delivered");
    expect(bench.ledger().before(Number.MAX_SAFE_INTEGER, 10, "all")).toHaveLength(1);
    expect(bench.ledger().get(seq)?.event.body).not.toBeNull();
  });
});
