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
import { describeLease, leaseDelivery, newDelivery, redriveDelivery, settleDelivery } from "../core/delivery.ts";
import { isConflict } from "../core/event.ts";
import { SLOTS_MAX, SLOTS_PER_TARGET_MAX } from "../bus/slots.ts";
import { nextSeq } from "../core/receipt.ts";
import { alarmToken } from "./alarm-leases.ts";
import type { Archive } from "./archive.ts";
import { openArchive } from "./archive.ts";
import type { TakeRequest } from "./open-work.ts";
import { openOpenWork } from "./open-work.ts";
import type { SegmentLimits } from "./segments.ts";
import { SEGMENT_LIMITS } from "./segments.ts";
import type { Sql } from "./sql.ts";

export interface LedgerLimits extends SegmentLimits {
  /** Open deliveries in a partition; beyond it nothing new is accepted. */
  readonly backlogDeliveriesMax: number;
  /** Bytes of events with open deliveries; beyond it nothing new is accepted. */
  readonly backlogBytesMax: number;
  /** Size of the whole database; beyond it nothing new is accepted, so that what is open can still be written. */
  readonly databaseBytesMax: number;
  /** Leases that the alarm's dispatchers hold at one time; half of them for one target. */
  readonly alarmLeasesMax: number;
}

export const LEDGER_LIMITS: LedgerLimits = {
  ...SEGMENT_LIMITS,
  backlogDeliveriesMax: 20_000,
  backlogBytesMax: 268_435_456,
  // Of the 10 GB that an object may have. Only dead events grow past the log's limit.
  databaseBytesMax: 8_589_934_592,
  alarmLeasesMax: 24,
};

/** What a sender is told to wait when the backlog is full. */
export const BACKLOG_RETRY_AFTER_SECONDS = 30;
/** When due work could not be lent because enough is out already: how soon to look again, should no settle come. */
const CROWDED_DELAY_MS = 1_000;

export interface Ledger {
  readonly accept: (request: AcceptRequest, now: number) => AcceptReply;
  readonly settle: (request: SettleRequest, now: number, newToken: () => string) => SettleReply;
  /** Leases for one dispatcher of the alarm: at most as many as it has slots. */
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

export function openLedger(sql: Sql, limits: LedgerLimits): Ledger {
  const archive: Archive = openArchive(sql, limits);
  const work = openOpenWork(sql);
  let lastSeq = Math.max(archive.lastSeq(), work.lastSeq());
  // The last alarm found nothing that it may lend: its dispatchers hold all they may, or what is due has used up its
  // target's share. What is due goes out with their settles; the alarm only looks again now and then.
  let crowded = false;

  function isFull(added: readonly AcceptItem[]): boolean {
    if (added.length === 0) return false;
    const adds = added.reduce((sum, item) => sum + item.deliveries.length, 0);
    const bytes = added.reduce((sum, item) => sum + (item.event.body?.length ?? 0), 0);
    const backlog = work.backlog();
    if (sql.bytes() > limits.databaseBytesMax) return true;
    // A request that alone is over a limit passes when nothing else waits: refusing it for ever would help nobody.
    if (adds === 0 || backlog.deliveries === 0) return false;
    return backlog.deliveries + adds > limits.backlogDeliveriesMax || backlog.bytes + bytes > limits.backlogBytesMax;
  }

  function acceptNew(item: AcceptItem, token: string, now: number, leasesMax: number): readonly Lease[] {
    const seq = nextSeq(lastSeq, now);
    lastSeq = seq;
    archive.addIdentity(item.identity, { seq, fingerprint: item.fingerprint, token }, now);
    if (item.deliveries.length === 0) {
      archive.add({ seq, event: item.event, deliveries: [] }, now);
      return [];
    }
    const leases: Lease[] = [];
    const deliveries = item.deliveries.map((planned, index) => {
      const delivery = newDelivery(planned, now);
      if (leases.length >= leasesMax) return delivery;
      const leaseToken = `${token}/${index}`;
      leases.push(describeLease(delivery, seq, leaseToken, now));
      return leaseDelivery(delivery, leaseToken, now);
    });
    work.insert(seq, item.event, deliveries);
    return leases;
  }

  /** The leases that an accept got, once more, but for those that have moved on. */
  function leasesAgain(known: StoredEventWithDeliveries | undefined, token: string, now: number): readonly Lease[] {
    return (known?.deliveries ?? []).flatMap((delivery) => {
      const { state } = delivery;
      if (state.kind !== "leased" || !state.token.startsWith(`${token}/`) || state.deadlineAt <= now) return [];
      const lease = describeLease(delivery, known?.seq ?? 0, state.token, now);
      return [{ ...lease, leaseMs: state.deadlineAt - now }];
    });
  }

  function acceptItem(
    item: AcceptItem,
    token: string,
    now: number,
    leasesMax: number,
  ): { readonly answer: AcceptedItem; readonly leases: readonly Lease[] } {
    const first = archive.findIdentity(item.identity, now);
    if (first === undefined) {
      const leases = acceptNew(item, token, now, leasesMax);
      return { answer: { status: "accepted", seq: lastSeq, rules: item.event.rules }, leases };
    }
    const { seq } = first;
    const known = work.get(seq) ?? archive.get(seq);
    const rules = known?.event.rules ?? [];
    // The same request once more: its reply was lost.
    if (first.token === token) {
      return { answer: { status: "accepted", seq, rules }, leases: leasesAgain(known, token, now) };
    }
    const status = isConflict(first.fingerprint, item.fingerprint) ? "conflict" : "duplicate";
    return { answer: { status, seq, rules }, leases: [] };
  }

  function putBack(event: StoredEventWithDeliveries, deliveries: readonly Delivery[], now: number): void {
    if (work.update(event, deliveries)) archive.add({ ...event, deliveries }, now);
  }

  function take(request: Omit<TakeRequest, "ended">): readonly LeasedWork[] {
    return work.take({ ...request, ended: (event) => archive.add(event, request.now) });
  }

  return {
    accept: (request, now) =>
      sql.transaction(() => {
        const isNew = (item: AcceptItem) => archive.findIdentity(item.identity, now) === undefined;
        // What is new is looked for only when it matters: with room for all of it there is room for any of it.
        if (isFull(request.items) && isFull(request.items.filter(isNew))) {
          return { kind: "backlog-full", retryAfterSeconds: BACKLOG_RETRY_AFTER_SECONDS };
        }
        const leases: Lease[] = [];
        const items = request.items.map((item, index) => {
          const accepted = acceptItem(item, `${request.token}#${index}`, now, request.leasesMax - leases.length);
          leases.push(...accepted.leases);
          return accepted.answer;
        });
        return { kind: "accepted", items, leases };
      }),

    settle: (request, now, newToken) =>
      sql.transaction(() => {
        for (const [seq, mine] of Map.groupBy(request.settlements, (settlement) => settlement.seq)) {
          const open = work.get(seq);
          const known = open ?? archive.get(seq);
          if (known === undefined) continue;
          const deliveries = known.deliveries.map((delivery) =>
            mine
              .filter((settlement) => settlement.deliveryId === delivery.id)
              .reduce((current, settlement) => settleDelivery(current, settlement, now), delivery),
          );
          if (countChanged(known.deliveries, deliveries) === 0) continue;
          if (open !== undefined) putBack(open, deliveries, now);
          else archive.update({ ...known, deliveries });
        }
        const { leasesMax, withinMs, holder, targetRoom } = request;
        return {
          work: take({
            now,
            leasesMax,
            withinMs,
            newToken: holder === "alarm" ? () => alarmToken(newToken()) : newToken,
            room: (target) => (Object.hasOwn(targetRoom, target) ? (targetRoom[target] ?? 0) : SLOTS_PER_TARGET_MAX),
          }),
        };
      }),

    takeDue: (now, newToken) =>
      sql.transaction(() => {
        const dueAt = work.nextDueAt();
        if (dueAt === null || dueAt > now) return [];
        const held = work.alarmLeases(now);
        const heldInAll = [...held.values()].reduce((sum, count) => sum + count, 0);
        const targetLeasesMax = Math.ceil(limits.alarmLeasesMax / 2);
        const taken = take({
          now,
          leasesMax: Math.min(SLOTS_MAX, limits.alarmLeasesMax - heldInAll),
          withinMs: Number.POSITIVE_INFINITY,
          newToken: () => alarmToken(newToken()),
          room: (target) => Math.min(SLOTS_PER_TARGET_MAX, targetLeasesMax - (held.get(target) ?? 0)),
        });
        crowded = taken.length === 0;
        return taken;
      }),

    get: (seq) => work.get(seq) ?? archive.get(seq),

    redrive: (seq, deliveryId, now) =>
      sql.transaction(() => {
        const open = work.get(seq);
        const known = open ?? archive.get(seq);
        if (known === undefined) return undefined;
        const deliveries = known.deliveries.map((delivery) =>
          deliveryId === undefined || delivery.id === deliveryId ? redriveDelivery(delivery, now) : delivery,
        );
        const count = countChanged(known.deliveries, deliveries);
        if (count === 0) return 0;
        if (open !== undefined) putBack(open, deliveries, now);
        else if (archive.takeDead(seq) !== undefined) work.insert(seq, known.event, deliveries);
        return count;
      }),

    before: (seq, rowsMax, which) =>
      [...work.before(seq, rowsMax, which), ...archive.before(seq, rowsMax, which)]
        .toSorted((a, b) => b.seq - a.seq)
        .slice(0, rowsMax),

    retain: (now) => sql.transaction(() => archive.retain(now)),

    nextWakeAt(now) {
      const dueAt = work.nextDueAt();
      if (dueAt === null || dueAt > now) return dueAt;
      return crowded ? now + CROWDED_DELAY_MS : now;
    },

    backlog: () => work.backlog(),
  };
}

function countChanged(before: readonly Delivery[], after: readonly Delivery[]): number {
  return after.filter((delivery, index) => delivery !== before[index]).length;
}
