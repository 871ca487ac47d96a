/**
 * The partition's state machine over SQLite: accept, lease, settle, re-drive. Every public function is one transaction and
 * takes the time; none awaits. `partition.ts` is the shell that gives it a clock, an alarm and RPC.
 *
 * An event that still has open deliveries is one row of `work`, its deliveries packed into that row; when the last one ends,
 * the row moves to the archive. So the happy path writes: identity, work, alarm, work deleted, log: five rows, whatever
 * the fan-out (docs/decisions/0002).
 */
import type {
  AcceptReply,
  AcceptRequest,
  AcceptItem,
  Backlog,
  KnownReply,
  LeaseHolder,
  LeasedWork,
  OpenLane,
  SettleReply,
  SettleRequest,
  StoredEventWithDeliveries,
  TargetStatus,
} from "../bus/ports.ts";
import type { Delivery, Lease, Settlement } from "../core/delivery.ts";
import { SLOTS_MAX, SLOTS_PER_TARGET_MAX } from "../bus/slots.ts";
import { seqAtMs } from "../core/receipt.ts";
import { redriveDelivery, settleDelivery } from "../core/transition.ts";
import { createAcceptance } from "./acceptance.ts";
import { alarmToken } from "./alarm-leases.ts";
import { openArchive } from "./archive.ts";
import { createEventChanges } from "./event-changes.ts";
import { openLanes } from "./lanes.ts";
import type { LedgerLimits } from "./ledger-limits.ts";
import type { LanesElsewhere, Question } from "./lanes-elsewhere.ts";
import { openLanesElsewhere } from "./lanes-elsewhere.ts";
import type { TakeRequest } from "./open-work.ts";
import { openOpenWork } from "./open-work.ts";
import type { KeyedEvent } from "./replay-guard.ts";
import { openReplayGuard } from "./replay-guard.ts";
import { openSuccession } from "./succession.ts";
import type { Sql } from "./sql.ts";
import { openTargetStates } from "./target-states.ts";

/** What a sender is told to wait when the backlog is full. */
export const BACKLOG_RETRY_AFTER_SECONDS = 30;
/** When due work could not be lent because enough is out already: how soon to look again, should no settle come. */
const CROWDED_DELAY_MS = 1_000;
/** Events read at a time at the start. */
const CHUNK_ROWS = 32;

export interface Ledger {
  readonly accept: (request: AcceptRequest, now: number) => AcceptReply;
  /** Answers what is known already, to a newer layout: from then on it takes nothing new from older ones. */
  readonly known: (request: AcceptRequest, now: number) => KnownReply;
  readonly settle: (request: SettleRequest, now: number, newToken: () => string) => SettleReply;
  /** Leases for one dispatcher of the alarm: at most as many as it has slots. */
  readonly takeDue: (now: number, newToken: () => string) => readonly LeasedWork[];
  readonly get: (seq: number) => StoredEventWithDeliveries | undefined;
  /** Opens dead and parked deliveries of an event again: the named one, or all. Answers how many; undefined when it is gone. */
  readonly redrive: (seq: number, deliveryId: string | undefined, now: number) => number | "full" | undefined;
  /** Events with a lower sequence number, newest first, without bodies. */
  readonly before: (
    seq: number,
    rowsMax: number,
    which: "all" | "dead" | "parked",
  ) => readonly StoredEventWithDeliveries[];
  readonly setTargetStatuses: (statuses: readonly TargetStatus[], now: number) => void;
  readonly lanesElsewhere: LanesElsewhere;
  /** What a partition has answered to a question of `lanesElsewhere`. */
  readonly answerElsewhere: (asked: Question, open: readonly OpenLane[], now: number) => void;
  /** Lanes with open deliveries here, of those that another layout's partition asks about. */
  readonly openLanes: (ids: readonly string[]) => readonly OpenLane[];
  readonly retain: (now: number) => void;
  /** When the partition must be woken next for a delivery, or null. Retention has no alarm: the sweep does it. */
  readonly nextWakeAt: (now: number) => number | null;
  readonly backlog: () => Backlog;
}

export function openLedger(sql: Sql, limits: LedgerLimits): Ledger {
  // The events that are dropped may be the only place that tells of the newest contents.
  const archive = openArchive(sql, limits, () => guard.flush());
  const targets = openTargetStates(sql);
  const lanes = openLanes(sql);
  const lanesElsewhere = openLanesElsewhere(sql, lanes);
  const work = openOpenWork(sql, lanes, targets);
  const succession = openSuccession(sql);
  const changes = createEventChanges({ archive, work, lanes });
  const { putBack, reopen, moveLanes } = changes;
  // The last alarm found nothing that it may lend: its dispatchers hold all they may, or what is due has used up its
  // target's share. What is due goes out with their settles; the alarm only looks again now and then.
  let crowded = false;

  const newest = (rowsMax: number, before = Number.MAX_SAFE_INTEGER, which: "all" | "dead" | "parked" = "all") =>
    [...work.before(before, rowsMax, which), ...(which === "parked" ? [] : archive.before(before, rowsMax, which))]
      .toSorted((a, b) => b.seq - a.seq)
      .slice(0, rowsMax);

  const guard = openReplayGuard(sql, (count) => newestContents(newest, count));
  const acceptance = createAcceptance({
    archive,
    work,
    targets,
    replays: guard,
    dedupWindowMs: limits.dedupWindowMs,
    changes,
  });

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

  const contextOf = (request: AcceptRequest, index: number, now: number, leasesMax: number) => ({
    partition: request.partition,
    token: `${request.token}#${index}`,
    now,
    leasesMax,
  });

  function settleOne(seq: number, mine: readonly Settlement[], now: number): void {
    const open = work.get(seq);
    const known = open ?? archive.get(seq);
    if (known === undefined) return;
    const deliveries = known.deliveries.map((delivery) =>
      mine
        .filter((settlement) => settlement.deliveryId === delivery.id)
        .reduce((current, settlement) => settleDelivery(current, settlement, now), delivery),
    );
    if (countChanged(known.deliveries, deliveries) === 0) return;
    for (const { deliveryId, attempt, counted } of mine) {
      const target = known.deliveries.find(({ id }) => id === deliveryId)?.target;
      if (attempt !== undefined && target !== undefined && counted !== true)
        // A reply that could not be stored is not its fault.
        targets.count(target, attempt.reason === "reply" ? "delivered" : attempt.outcome, now);
    }
    if (open !== undefined) putBack(open, deliveries, now);
    else archive.update({ ...known, deliveries });
  }

  /** Leases for whoever asks; a target that is being tried out goes to the alarm's dispatchers only, one at a time. */
  function take(request: TakeRequest, holder: LeaseHolder): readonly LeasedWork[] {
    const { now, room, newToken } = request;
    const held = work.alarmLeases(now);
    return work.take({
      ...request,
      newToken: holder === "alarm" ? () => alarmToken(newToken()) : newToken,
      room(target) {
        const most = targets.room(target, now);
        if (most === Number.POSITIVE_INFINITY) return room(target);
        return holder === "alarm" ? Math.min(room(target), most - (held.get(target) ?? 0)) : 0;
      },
    });
  }

  return {
    accept: (request, now) =>
      work.commit(() => {
        const layout = succession.movedTo(request.layout);
        if (layout !== undefined) {
          const isKnown = (item: AcceptItem) => archive.findIdentity(item.identity, now) !== undefined;
          if (!request.items.every(isKnown)) return { kind: "moved", layout };
        }
        // What is new is looked for only when it matters: with room for all of it there is room for any of it.
        if (isFull(request.items) && isFull(request.items.filter((item) => acceptance.wouldOpen(item, now)))) {
          return { kind: "backlog-full", retryAfterSeconds: BACKLOG_RETRY_AFTER_SECONDS };
        }
        lanesElsewhere.wait(request.openElsewhere ?? []);
        for (const { lastSeq } of request.openElsewhere ?? []) acceptance.numberPast(lastSeq);
        const leases: Lease[] = [];
        const items = request.items.map((item, index) => {
          const left = request.leasesMax - leases.length;
          const accepted = acceptance.accept(item, contextOf(request, index, now, left));
          leases.push(...accepted.leases);
          return accepted.answer;
        });
        return { kind: "accepted", items, leases };
      }),

    known: (request, now) =>
      work.commit(() => {
        succession.giveWayTo(request.layout);
        const items = request.items.map((item, index) => acceptance.known(item, contextOf(request, index, now, 0)));
        const ids = request.items.flatMap(({ deliveries }) => deliveries.flatMap(({ lane }) => lane?.id ?? []));
        const openLanes = lanes.open([...new Set(ids)]).map(({ id }) => id);
        return { items, openLanes, lastSeq: acceptance.lastSeq() };
      }),

    settle: (request, now, newToken) =>
      work.commit(() => {
        targets.set(request.statuses, now);
        targets.throttle(request.throttles, now);
        for (const [seq, mine] of Map.groupBy(request.settlements, (settlement) => settlement.seq)) {
          settleOne(seq, mine, now);
        }
        moveLanes(now);
        const { leasesMax, withinMs, holder, targetRoom } = request;
        const room = (target: string) =>
          Object.hasOwn(targetRoom, target) ? (targetRoom[target] ?? 0) : SLOTS_PER_TARGET_MAX;
        return { work: take({ now, leasesMax, withinMs, newToken, room }, holder), records: targets.takeRecords() };
      }),

    takeDue: (now, newToken) =>
      work.commit(() => {
        const dueAt = work.nextDueAt(now);
        if (dueAt === null || dueAt > now) {
          crowded = false;
          return [];
        }
        work.advance(now, (ended) => archive.add(ended, now));
        moveLanes(now);
        const held = work.alarmLeases(now);
        const heldInAll = [...held.values()].reduce((sum, count) => sum + count, 0);
        const targetLeasesMax = Math.ceil(limits.alarmLeasesMax / 2);
        const taken = take(
          {
            now,
            leasesMax: Math.min(SLOTS_MAX, limits.alarmLeasesMax - heldInAll),
            withinMs: Number.POSITIVE_INFINITY,
            newToken,
            room: (target) => Math.min(SLOTS_PER_TARGET_MAX, targetLeasesMax - (held.get(target) ?? 0)),
          },
          "alarm",
        );
        crowded = taken.length === 0 && (work.nextDueAt(now) ?? Number.POSITIVE_INFINITY) <= now;
        return taken;
      }),

    get: (seq) => work.get(seq) ?? archive.get(seq),

    redrive: (seq, deliveryId, now) =>
      work.commit(() => {
        const known = work.get(seq) ?? archive.get(seq);
        if (known === undefined) return undefined;
        const deliveries = known.deliveries.map((delivery) =>
          deliveryId === undefined || delivery.id === deliveryId ? redriveDelivery(delivery, now) : delivery,
        );
        const count = countChanged(known.deliveries, deliveries);
        if (count === 0) return 0;
        const backlog = work.backlog();
        if (backlog.deliveries > 0 && backlog.deliveries + count > limits.backlogDeliveriesMax) return "full";
        reopen(known, known.event, deliveries, now);
        return count;
      }),

    before: (seq, rowsMax, which) => newest(rowsMax, seq, which),

    setTargetStatuses: (statuses, now) => work.commit(() => targets.set(statuses, now)),
    lanesElsewhere,
    answerElsewhere: (asked, open, now) =>
      work.commit(() => {
        lanesElsewhere.answer(asked, open);
        moveLanes(now);
      }),
    openLanes: (ids) => lanes.open(ids),

    retain: (now) =>
      work.commit(() => {
        archive.retain(now);
        lanes.retain(now);
        lanesElsewhere.retain();
        guard.retain(seqAtMs(now - limits.dedupWindowMs));
      }),

    nextWakeAt(now) {
      const [due, ask] = [work.nextDueAt(now), lanesElsewhere.nextAt()];
      const wakeAt = due === null || ask === null ? (due ?? ask) : Math.min(due, ask);
      if (wakeAt === null || wakeAt > now) return wakeAt;
      return crowded ? now + CROWDED_DELAY_MS : now;
    },

    backlog: () => work.backlog(),
  };
}

/** The newest events, some rows at a time: a row's deliveries may have half a megabyte. */
function newestContents(
  newest: (rowsMax: number, before: number) => readonly StoredEventWithDeliveries[],
  count: number,
): readonly KeyedEvent[] {
  const found: KeyedEvent[] = [];
  while (found.length < count) {
    const rows = newest(CHUNK_ROWS, found.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER);
    found.push(
      ...rows.map(({ seq, event }) => ({ seq, key: event.replayOf === undefined ? event.contentKey : undefined })),
    );
    if (rows.length < CHUNK_ROWS) break;
  }
  return found.slice(0, count);
}

function countChanged(before: readonly Delivery[], after: readonly Delivery[]): number {
  return after.filter((delivery, index) => delivery !== before[index]).length;
}
