/**
 * Ordered deliveries against a naive model: every lane a plain list, sorted anew at each look. The ledger keeps rows, heaps
 * and positions instead, and may be restarted at any time.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Delivery, Lease } from "../../src/core/delivery.ts";
import { isOpen } from "../../src/core/delivery.ts";
import type { Step } from "../../src/core/step.ts";
import { laneItem, openBench, START } from "../support/ledger-bench.ts";

type Policy = "order" | "latest" | "sequence";
type Bench = ReturnType<typeof openBench>;
interface Move {
  readonly kind: "accept" | "settle" | "takeDue" | "redrive" | "restart" | "pass";
  readonly n: number;
  readonly m: number;
}

const LANES: readonly Policy[] = ["order", "latest", "sequence"];
const MAX_AGE_MS = 200_000;
const GAP_WAIT_MS = 30_000;
const STEPS: readonly Step[] = [
  { kind: "delivered" },
  { kind: "delivered" },
  { kind: "delivered" },
  { kind: "retry", delayMs: 20_000 },
  { kind: "release", delayMs: 0 },
  { kind: "park", reason: "status", detail: "404" },
  { kind: "dead", reason: "status", detail: "404" },
  { kind: "cancelled", reason: "rule-off" },
];

const move = fc.record<Move>({
  kind: fc.constantFrom(
    "accept",
    "accept",
    "settle",
    "settle",
    "settle",
    "takeDue",
    "takeDue",
    "redrive",
    "restart",
    "pass",
  ),
  n: fc.nat(1_000),
  m: fc.nat(1_000),
});

interface Row {
  readonly seq: number;
  readonly delivery: Delivery;
}

function rowsOf(bench: Bench, seqs: readonly number[]): readonly Row[] {
  return seqs.map((seq) => {
    const delivery = bench.ledger().get(seq)?.deliveries[0];
    if (delivery === undefined) throw new Error("an accepted event has vanished");
    return { seq, delivery };
  });
}

const numberOf = ({ delivery }: Row): number => delivery.lane?.sequence ?? -1;
const inLane = (rows: readonly Row[], policy: Policy): readonly Row[] =>
  rows
    .filter(({ delivery }) => isOpen(delivery) && delivery.lane?.id === `lane-${policy}`)
    .toSorted((a, b) => numberOf(a) - numberOf(b) || a.seq - b.seq);

/** What must hold of a lane whenever the ledger has done something. */
function checkLane(
  rows: readonly Row[],
  policy: Policy,
  { passed, now, wakeAt }: { readonly passed: number; readonly now: number; readonly wakeAt: number | null },
): void {
  const lane = inLane(rows, policy);
  const actives = lane.filter(({ delivery }) => delivery.state.kind !== "queued");
  expect(actives.length).toBeLessThanOrEqual(1);
  const [head] = lane;
  const [active] = actives;
  if (head === undefined) return;
  if (policy === "latest") {
    const notOut = lane.filter(({ delivery }) => delivery.state.kind !== "leased");
    expect(notOut.length).toBeLessThanOrEqual(1);
  }
  const { state } = head.delivery;
  // A gap whose time is over while nobody looks is where the alarm goes on, at the latest a second later.
  const gapUntil = state.kind === "queued" ? state.gapUntil : undefined;
  const inGap = gapUntil !== undefined && numberOf(head) > passed + 1;
  if (inGap && active?.delivery.state.kind !== "leased" && active?.delivery.state.kind !== "parked") {
    expect(wakeAt).toBeLessThanOrEqual(Math.max(gapUntil, now + 1_000));
  }
  if (active === undefined) expect(inGap).toBe(true);
  else if (active.delivery.state.kind === "waiting" && !inGap) expect(active.seq).toBe(head.seq);
}

describe("a partition with ordered deliveries", () => {
  it("is, whatever happens, what a plain list for each lane says, and ends everything in order", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60, size: "max" }), (moves) => {
        const bench = openBench({ alarmLeasesMax: 100 });
        const leases: Lease[] = [];
        const seqs: number[] = [];
        const passed = new Map<Policy, number>();
        let [now, tokens] = [START, 0];
        let before: readonly Row[] = [];

        const observe = (reopened: readonly number[] = []) => {
          const rows = rowsOf(bench, seqs);
          for (const [index, was] of before.entries()) {
            const is = rows[index]?.delivery;
            if (isOpen(was.delivery) || reopened.includes(was.seq)) continue;
            expect(is?.state).toEqual(was.delivery.state);
          }
          for (const row of rows) {
            if (!isOpen(row.delivery)) passed.set("sequence", Math.max(passed.get("sequence") ?? 0, numberOf(row)));
          }
          const wakeAt = bench.ledger().nextWakeAt(now);
          for (const policy of LANES) checkLane(rows, policy, { passed: passed.get(policy) ?? 0, now, wakeAt });
          const open = rows.filter(({ delivery }) => isOpen(delivery));
          expect(bench.ledger().backlog().deliveries).toBe(open.length);
          before = rows;
        };

        /** Only what the lanes had up may have been given out, and each lane's once. */
        const take = (given: readonly Lease[]) => {
          const outOf = given.map(({ seq }) => before.find((row) => row.seq === seq)?.delivery.lane?.id);
          expect(new Set(outOf).size).toBe(given.length);
          leases.push(...given);
        };

        for (const { kind, n, m } of moves) {
          if (kind === "accept") {
            const items = Array.from({ length: 1 + (n % 3) }, (_, index) => {
              const policy = LANES[(m + index * (n % 2)) % LANES.length] ?? "order";
              const number = { sequence: (m + index) % 8, gapWaitMs: GAP_WAIT_MS };
              const lane =
                policy === "order" ? {} : policy === "latest" ? { latest: true as const } : n % 4 === 0 ? {} : number;
              return laneItem(`e${seqs.length + index}`, policy, lane, { maxAgeMs: MAX_AGE_MS });
            });
            const reply = bench.accept(`t${++tokens}`, items, m % 3, now);
            seqs.push(...reply.items.map(({ seq }) => seq));
            leases.push(...reply.leases);
            observe();
          } else if (kind === "settle") {
            const lease = leases[leases.length - 1 - (n % Math.max(1, Math.min(4, leases.length)))];
            const step = STEPS[m % STEPS.length] ?? { kind: "delivered" };
            const { work } = bench.settle(lease === undefined ? [] : [lease], step, { now, leasesMax: n % 3 });
            take(work.map((each) => each.lease));
            observe();
          } else if (kind === "takeDue") {
            take(bench.takeDue(now).map((each) => each.lease));
            observe();
          } else if (kind === "redrive" && seqs.length > 0) {
            const seq = seqs[n % seqs.length] ?? 0;
            bench.ledger().redrive(seq, undefined, now);
            observe([seq]);
          } else if (kind === "restart") {
            const wake = bench.ledger().nextWakeAt(now);
            bench.restart();
            const again = bench.ledger().nextWakeAt(now);
            // The running one may look again a second later for what it could not lend.
            if (again === null || wake === null) expect(again).toBe(wake);
            else expect(wake).toBeLessThanOrEqual(Math.max(again, now) + 1_000);
            observe();
          } else if (kind === "pass") now += (m % 50) * 1_000;
        }

        // The alarm alone brings everything to its end, each lane in order but for what was out or up already.
        const sent = new Map<string, Row[]>();
        for (let rings = 0; ; rings++) {
          const at = bench.ledger().nextWakeAt(now);
          if (at === null) break;
          if (rings > 40 + 6 * seqs.length) throw new Error("the alarm does not bring it to an end");
          now = Math.max(now, at);
          const work = bench.takeDue(now);
          for (const { lease } of work) {
            const row = rowsOf(bench, [lease.seq])[0];
            const id = row?.delivery.lane?.id ?? "";
            if (row !== undefined) sent.set(id, [...(sent.get(id) ?? []), row]);
          }
          bench.settle(
            work.map(({ lease }) => lease),
            { kind: "delivered" },
            { now },
          );
          observe();
        }
        expect(bench.ledger().backlog()).toEqual({ events: 0, deliveries: 0, bytes: 0 });
        for (const rows of sent.values()) {
          const rest = rows.slice(1);
          const inOrder = rest.toSorted((a, b) => numberOf(a) - numberOf(b) || a.seq - b.seq);
          expect(rest.map(({ seq }) => seq)).toEqual(inOrder.map(({ seq }) => seq));
        }
      }),
      { numRuns: 200 },
    );
    // 200 days of a partition take four seconds on a quiet machine.
  }, 60_000);
});
