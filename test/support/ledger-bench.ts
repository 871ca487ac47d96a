/** A ledger on its own tables, driven by hand: the clock, the tokens and the restarts are the test's. */
import type { AcceptItem, AcceptReply, LeasedWork, SettleReply } from "../../src/bus/ports.ts";
import type { Delivery, DeliveryState, Lease, PlannedDelivery, PlannedLane } from "../../src/core/delivery.ts";
import { eventStatus } from "../../src/core/delivery.ts";
import type { Step } from "../../src/core/step.ts";
import type { LedgerLimits } from "../../src/objects/ledger-limits.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import type { Ledger } from "../../src/objects/ledger.ts";
import { openLedger } from "../../src/objects/ledger.ts";
import { migrate } from "../../src/objects/schema.ts";
import type { Sql } from "../../src/objects/sql.ts";
import { NO_TARGETS, acceptItem, acceptRequest } from "./accept-requests.ts";
import { settlementFor } from "./deliveries.ts";
import { openNodeSql } from "./node-sql.ts";

export const START = Date.UTC(2026, 0, 1);

export function openBench(limits: Partial<LedgerLimits> = {}) {
  const sql = openNodeSql();
  migrate(sql);
  let statements: string[] = [];
  const counted: Sql = {
    ...sql,
    all(query, ...params) {
      statements.push(query);
      return sql.all(query, ...params);
    },
    run(query, ...params) {
      statements.push(query);
      sql.run(query, ...params);
    },
  };
  const all: LedgerLimits = { ...LEDGER_LIMITS, ...limits };
  let ledger: Ledger = openLedger(counted, all);
  let tokens = 0;
  const newToken = () => `lease-${++tokens}`;
  return {
    sql,
    ledger: () => ledger,
    restart: () => {
      ledger = openLedger(counted, all);
    },
    accept: (token: string, items: readonly AcceptItem[], leasesMax = 0, now = START) =>
      expectAccepted(ledger.accept(acceptRequest(token, items, leasesMax), now)),
    tryAccept: (token: string, items: readonly AcceptItem[], now = START) =>
      ledger.accept(acceptRequest(token, items), now),
    settle: (
      leases: readonly Lease[],
      step: Step,
      { now = START, leasesMax = 0, withinMs = Number.POSITIVE_INFINITY } = {},
    ): SettleReply =>
      ledger.settle(
        { settlements: leases.map((lease) => settlementFor(lease, step)), leasesMax, withinMs, ...NO_TARGETS },
        now,
        newToken,
      ),
    /** Until what is too much for the packs' memory has rows of its own: each commit gives rows to some. */
    comeToRest(now = START): void {
      let before = -1;
      while (sql.rowsWritten() !== before) {
        before = sql.rowsWritten();
        ledger.setTargetStatuses([], now);
      }
    },
    takeDue: (now = START): readonly LeasedWork[] => ledger.takeDue(now, newToken),
    /** The statements that it runs, and how many rows it writes. */
    costOf: (work: () => unknown): { readonly statements: readonly string[]; readonly rows: number } => {
      const before = sql.rowsWritten();
      statements = [];
      work();
      return { statements, rows: sql.rowsWritten() - before };
    },
  };
}

function expectAccepted(reply: AcceptReply) {
  if (reply.kind !== "accepted") throw new Error(`refused: ${reply.kind}`);
  return reply;
}

export function statusOf(ledger: Ledger, seq: number): string {
  const found = ledger.get(seq);
  return found === undefined ? "gone" : eventStatus(found.deliveries);
}

/** One event to `ci` by an ordered rule, its delivery in the lane of `key`. */
export function laneItem(
  id: string,
  key: string,
  lane: Partial<PlannedLane> = {},
  planned: Partial<PlannedDelivery> = {},
): AcceptItem {
  return acceptItem(id, ["ci"], { planned: { lane: { id: `lane-${key}`, ...lane }, ...planned } });
}

/** The only delivery of an event. */
export function deliveryOf(ledger: Ledger, seq: number): Delivery {
  const deliveries = ledger.get(seq)?.deliveries ?? [];
  const [delivery] = deliveries;
  if (delivery === undefined || deliveries.length !== 1) throw new Error("the event has not exactly one delivery");
  return delivery;
}

export function stateOf(ledger: Ledger, seq: number): DeliveryState {
  return deliveryOf(ledger, seq).state;
}
