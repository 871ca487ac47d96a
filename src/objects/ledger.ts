/**
 * The partition's state machine over SQLite: accept, lease, settle, re-drive. Every public function is one transaction and
 * takes the time; none awaits. `partition.ts` is the shell that gives it a clock, an alarm and RPC.
 *
 * An event that still has open deliveries is one row of `work`, its deliveries packed into that row; when the last one ends,
 * the row moves to the archive. So the happy path writes: identity, work, alarm, work deleted, log: five rows, whatever
 * the fan-out (docs/decisions/0002).
 */
import type {
  AcceptedItem,
  AcceptReply,
  AcceptRequest,
  AcceptItem,
  Backlog,
  LeasedWork,
  SettleReply,
  SettleRequest,
  StoredEventWithDeliveries,
} from "../bus/ports.ts";
import type { Delivery, Lease } from "../core/delivery.ts";
import {
  advanceDelivery,
  describeLease,
  isOpen,
  LEASE_MARGIN_MS,
  leaseDelivery,
  newDelivery,
  redriveDelivery,
  settleDelivery,
  wakesAt,
} from "../core/delivery.ts";
import { isConflict } from "../core/event.ts";
import { nextSeq } from "../core/receipt.ts";
import type { Archive } from "./archive.ts";
import { formatDeliveries, formatEvent, openArchive, parseRow } from "./archive.ts";
import type { SegmentLimits } from "./segments.ts";
import { SEGMENT_LIMITS } from "./segments.ts";
import type { Sql } from "./sql.ts";

export interface LedgerLimits extends SegmentLimits {
  /** Open deliveries in a partition; beyond it nothing new is accepted. */
  readonly backlogDeliveriesMax: number;
  /** Bytes of events with open deliveries; beyond it nothing new is accepted. */
  readonly backlogBytesMax: number;
  /** Leases that the alarm keeps out at one time. */
  readonly alarmLeasesMax: number;
}

export const LEDGER_LIMITS: LedgerLimits = {
  ...SEGMENT_LIMITS,
  backlogDeliveriesMax: 20_000,
  backlogBytesMax: 268_435_456,
  alarmLeasesMax: 24,
};

/** What a sender is told to wait when the backlog is full. */
export const BACKLOG_RETRY_AFTER_SECONDS = 30;
/** Rows that one call looks at for something to lend: those that do not fit the caller's time are passed over. */
const TAKE_ROWS_MAX = 64;
/** When due work could not be lent because enough is out already: how soon to look again, should no settle come. */
const CROWDED_DELAY_MS = 1_000;

export interface Ledger {
  readonly accept: (request: AcceptRequest, now: number) => AcceptReply;
  readonly settle: (request: SettleRequest, now: number, newToken: () => string) => SettleReply;
  /** Leases for the alarm's dispatchers. */
  readonly takeDue: (now: number, newToken: () => string) => readonly LeasedWork[];
  readonly get: (seq: number) => StoredEventWithDeliveries | undefined;
  /** Opens dead deliveries of an event again: the named one, or all. Answers how many; undefined when the event is gone. */
  readonly redrive: (seq: number, deliveryId: string | undefined, now: number) => number | undefined;
  /** Events with a lower sequence number, newest first, without bodies. */
  readonly before: (seq: number, rowsMax: number, which: "all" | "dead") => readonly StoredEventWithDeliveries[];
  readonly retain: (now: number) => void;
  /** When the partition must be woken next for a delivery, or null. Retention has no alarm: the sweep does it. */
  readonly nextWakeAt: (now: number) => number | null;
  readonly backlog: () => Backlog;
}

type WorkRow = { seq: number; deliveries: string; event: string; body: Uint8Array | null };

export function openLedger(sql: Sql, limits: LedgerLimits): Ledger {
  const archive: Archive = openArchive(sql, limits);
  // Memory is a cache of `work`, made anew at every start: nothing is known here that the tables do not tell.
  let lastSeq = archive.lastSeq();
  const open = { events: 0, deliveries: 0, bytes: 0 };
  let nextDueAt: number | null = null;
  // The alarm's dispatchers hold all the leases they may: what is due goes out with their settles, not with an alarm.
  let crowded = false;
  for (const row of sql.all<{ seq: number; due: number; deliveries: string; bytes: number }>(
    "SELECT seq, due, deliveries, length(event) + ifnull(length(body), 0) AS bytes FROM work",
  )) {
    lastSeq = Math.max(lastSeq, row.seq);
    countIn(JSON.parse(row.deliveries) as readonly Delivery[], row.bytes, 1);
    nextDueAt = earlier(nextDueAt, row.due);
  }

  function countIn(deliveries: readonly Delivery[], bytes: number, sign: 1 | -1): void {
    open.events += sign;
    open.deliveries += sign * deliveries.filter(isOpen).length;
    open.bytes += sign * bytes;
  }

  function readWork(seq: number): StoredEventWithDeliveries | undefined {
    const row = sql.all<WorkRow>("SELECT seq, deliveries, event, body FROM work WHERE seq = ?", seq)[0];
    return row === undefined ? undefined : parseRow(row);
  }

  function insertWork(seq: number, item: StoredEventWithDeliveries["event"], deliveries: readonly Delivery[]): void {
    const { event, body } = formatEvent(item);
    const due = dueOf(deliveries) ?? 0;
    sql.run(
      "INSERT INTO work (seq, due, deliveries, event, body) VALUES (?, ?, ?, ?, ?)",
      seq,
      due,
      formatDeliveries(deliveries),
      event,
      body,
    );
    countIn(deliveries, event.length + (body?.length ?? 0), 1);
    nextDueAt = earlier(nextDueAt, due);
  }

  /** Writes an event's deliveries back: to its work row, or to the archive when the last one has ended. */
  function putBack(work: StoredEventWithDeliveries, deliveries: readonly Delivery[], now: number): void {
    const before = work.deliveries.filter(isOpen).length;
    const after = deliveries.filter(isOpen).length;
    open.deliveries += after - before;
    const due = dueOf(deliveries);
    if (due !== null) {
      sql.run("UPDATE work SET due = ?, deliveries = ? WHERE seq = ?", due, formatDeliveries(deliveries), work.seq);
      nextDueAt = earlier(nextDueAt, due);
      return;
    }
    const { event, body } = formatEvent(work.event);
    open.events -= 1;
    open.bytes -= event.length + (body?.length ?? 0);
    sql.run("DELETE FROM work WHERE seq = ?", work.seq);
    archive.add({ ...work, deliveries }, now);
  }

  function acceptNew(
    item: AcceptItem,
    token: string,
    now: number,
    lend: (deliveries: Delivery[], seq: number) => void,
  ) {
    const seq = nextSeq(lastSeq, now);
    lastSeq = seq;
    archive.addIdentity(item.identity, { seq, fingerprint: item.fingerprint, token }, now);
    if (item.deliveries.length === 0) {
      archive.add({ seq, event: item.event, deliveries: [] }, now);
      return seq;
    }
    const deliveries = item.deliveries.map((planned) => newDelivery(planned, now));
    lend(deliveries, seq);
    insertWork(seq, item.event, deliveries);
    return seq;
  }

  function isFull(request: AcceptRequest): boolean {
    const adds = request.items.reduce((sum, item) => sum + item.deliveries.length, 0);
    const bytes = request.items.reduce((sum, item) => sum + (item.event.body?.length ?? 0), 0);
    // A request that alone is over a limit passes when nothing else waits: refusing it for ever would help nobody.
    if (adds === 0 || open.deliveries === 0) return false;
    return open.deliveries + adds > limits.backlogDeliveriesMax || open.bytes + bytes > limits.backlogBytesMax;
  }

  /** Lends out deliveries that are due, oldest event first. Leaves `nextDueAt` as it is when there may be more. */
  function take(now: number, leasesMax: number, withinMs: number, newToken: () => string): readonly LeasedWork[] {
    const taken: LeasedWork[] = [];
    if (nextDueAt === null || nextDueAt > now) return taken;
    let after = 0;
    for (let rows = 0; rows < TAKE_ROWS_MAX && taken.length < leasesMax; rows++) {
      const row = sql.all<WorkRow>(
        "SELECT seq, deliveries, event, body FROM work WHERE seq > ? AND due <= ? ORDER BY seq LIMIT 1",
        after,
        now,
      )[0];
      if (row === undefined) {
        // Rows passed over here may still be due: only a look at all of them tells when the next one is.
        nextDueAt = minDue();
        return taken;
      }
      after = row.seq;
      const work = parseRow(row);
      const deliveries = work.deliveries.map((delivery) => {
        const current = advanceDelivery(delivery, now);
        const lendable = current.state.kind === "waiting" && current.state.dueAt <= now;
        if (!lendable || taken.length >= leasesMax || current.timeoutMs + LEASE_MARGIN_MS > withinMs) return current;
        const token = newToken();
        taken.push({ lease: describeLease(current, work.seq, token, now), event: work.event });
        return leaseDelivery(current, token, now);
      });
      if (deliveries.some((delivery, index) => delivery !== work.deliveries[index])) putBack(work, deliveries, now);
    }
    return taken;
  }

  function minDue(): number | null {
    return sql.all<{ due: number | null }>("SELECT MIN(due) AS due FROM work")[0]?.due ?? null;
  }

  function leasedNow(now: number): number {
    // Bounded by what is out: rows with a lease have a due time in the future and are few; waiting ones are skipped by text.
    return sql
      .all<{ deliveries: string }>(
        "SELECT deliveries FROM work WHERE due > ? AND instr(deliveries, '\"leased\"') > 0",
        now,
      )
      .reduce((sum, row) => sum + countLeased(JSON.parse(row.deliveries) as readonly Delivery[]), 0);
  }

  return {
    accept: (request, now) =>
      sql.transaction(() => {
        const found = request.items.map((item) => archive.findIdentity(item.identity, now));
        if (found.some((each) => each === undefined) && isFull(request)) {
          return { kind: "backlog-full", retryAfterSeconds: BACKLOG_RETRY_AFTER_SECONDS };
        }
        const leases: Lease[] = [];
        const items = request.items.map((item, index): AcceptedItem => {
          const token = `${request.token}#${index}`;
          // Asked again, not taken from `found`: an earlier item of this request may have had the same identity.
          const first = archive.findIdentity(item.identity, now);
          if (first === undefined) {
            const lend = (deliveries: Delivery[], seq: number): void => {
              for (const [at, delivery] of deliveries.entries()) {
                if (leases.length >= request.leasesMax) return;
                const leaseToken = `${token}/${at}`;
                leases.push(describeLease(delivery, seq, leaseToken, now));
                deliveries[at] = leaseDelivery(delivery, leaseToken, now);
              }
            };
            const seq = acceptNew(item, token, now, lend);
            return { status: "accepted", seq, rules: item.event.rules };
          }
          const known = readWork(first.seq) ?? archive.get(first.seq);
          const rules = known?.event.rules ?? [];
          if (first.token === token) {
            // The same request once more: its reply was lost. It gets its leases again, but for those that have moved on.
            for (const delivery of known?.deliveries ?? []) {
              if (delivery.state.kind !== "leased" || !delivery.state.token.startsWith(`${token}/`)) continue;
              if (delivery.state.deadlineAt <= now) continue;
              const lease = describeLease(delivery, first.seq, delivery.state.token, now);
              leases.push({ ...lease, leaseMs: delivery.state.deadlineAt - now });
            }
            return { status: "accepted", seq: first.seq, rules };
          }
          const status = isConflict(first.fingerprint, item.fingerprint) ? "conflict" : "duplicate";
          return { status, seq: first.seq, rules };
        });
        return { kind: "accepted", items, leases };
      }),

    settle: (request, now, newToken) =>
      sql.transaction(() => {
        for (const seq of new Set(request.settlements.map((settlement) => settlement.seq))) {
          const mine = request.settlements.filter((settlement) => settlement.seq === seq);
          const work = readWork(seq);
          const known = work ?? archive.get(seq);
          if (known === undefined) continue;
          const deliveries = known.deliveries.map((delivery) =>
            mine
              .filter((settlement) => settlement.deliveryId === delivery.id)
              .reduce((current, settlement) => settleDelivery(current, settlement, now), delivery),
          );
          if (work !== undefined) putBack(work, deliveries, now);
          else if (deliveries.some((delivery, index) => delivery !== known.deliveries[index])) {
            archive.update({ ...known, deliveries });
          }
        }
        return { work: take(now, request.leasesMax, request.withinMs, newToken) };
      }),

    takeDue: (now, newToken) =>
      sql.transaction(() => {
        if (nextDueAt === null || nextDueAt > now) return [];
        const leasesMax = limits.alarmLeasesMax - leasedNow(now);
        const taken = take(now, leasesMax, Number.POSITIVE_INFINITY, newToken);
        crowded = taken.length >= leasesMax;
        return taken;
      }),

    get: (seq) => readWork(seq) ?? archive.get(seq),

    redrive: (seq, deliveryId, now) =>
      sql.transaction(() => {
        const wanted = (delivery: Delivery) => deliveryId === undefined || delivery.id === deliveryId;
        const reopen = (deliveries: readonly Delivery[]) =>
          deliveries.map((delivery) => (wanted(delivery) ? redriveDelivery(delivery, now) : delivery));
        const changed = (before: readonly Delivery[], after: readonly Delivery[]) =>
          after.filter((delivery, index) => delivery !== before[index]).length;
        const work = readWork(seq);
        if (work !== undefined) {
          const deliveries = reopen(work.deliveries);
          const count = changed(work.deliveries, deliveries);
          if (count > 0) putBack(work, deliveries, now);
          return count;
        }
        const ended = archive.get(seq);
        if (ended === undefined) return undefined;
        const deliveries = reopen(ended.deliveries);
        const count = changed(ended.deliveries, deliveries);
        if (count > 0 && archive.takeDead(seq) !== undefined) insertWork(seq, ended.event, deliveries);
        return count;
      }),

    before(seq, rowsMax, which) {
      const working = sql
        .all<WorkRow>(
          `SELECT seq, deliveries, event, NULL AS body FROM work WHERE seq < ?
           ${which === "dead" ? "AND instr(deliveries, '\"dead\"') > 0" : ""} ORDER BY seq DESC LIMIT ?`,
          seq,
          rowsMax,
        )
        .map(parseRow);
      return [...working, ...archive.before(seq, rowsMax, which)].toSorted((a, b) => b.seq - a.seq).slice(0, rowsMax);
    },

    retain: (now) => sql.transaction(() => archive.retain(now)),

    nextWakeAt(now) {
      if (nextDueAt === null || nextDueAt > now) return nextDueAt;
      return crowded ? now + CROWDED_DELAY_MS : now;
    },

    backlog: () => ({ ...open }),
  };
}

function dueOf(deliveries: readonly Delivery[]): number | null {
  let due: number | null = null;
  for (const delivery of deliveries) {
    const at = wakesAt(delivery);
    if (at !== null) due = earlier(due, at);
  }
  return due;
}

function countLeased(deliveries: readonly Delivery[]): number {
  return deliveries.filter((delivery) => delivery.state.kind === "leased").length;
}

function earlier(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}
