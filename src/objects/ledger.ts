/**
 * The partition's state machine over SQLite: accept, lease, settle, re-drive. Every public function is one transaction and
 * takes the time; none awaits. `partition.ts` is the shell that gives it a clock, an alarm and RPC.
 *
 * Events that are accepted in one commit are one row, a pack; what one commit changes of their deliveries is another. So the
 * happy path of an event by itself writes: identity, pack, alarm, changes: four rows, whatever the fan-out, and of many at a time
 * little more than the identity each (docs/decisions/0012). One that stays open for longer gets a row of its own in `work`, which
 * moves to the archive when its last delivery ends.
 */
import type { TargetStatus } from "../bus/gate-ports.ts";
import type {
  AcceptReply,
  AcceptRequest,
  Backlog,
  KnownReply,
  LeaseHolder,
  LeasedWork,
  OpenLane,
  SettleReply,
  SettleRequest,
  StoredEventWithDeliveries,
  WantedPairs,
} from "../bus/ports.ts";
import type { Settlement } from "../core/delivery.ts";
import { SLOTS_MAX, SLOTS_PER_TARGET_MAX } from "../bus/slots.ts";
import { seqAtMs } from "../core/receipt.ts";
import { redriveDelivery, settleDelivery } from "../core/transition.ts";
import { createAcceptance } from "./acceptance.ts";
import { alarmToken } from "./alarm-leases.ts";
import { openArchive } from "./archive.ts";
import { createAcceptRequests } from "./accept-requests.ts";
import { createBacklogLimit } from "./backlog-limit.ts";
import { releaseUnwanted } from "./parked-unwanted.ts";
import { countChanged, createEventChanges } from "./event-changes.ts";
import { openLanes } from "./lanes.ts";
import type { LedgerLimits } from "./ledger-limits.ts";
import type { LanesElsewhere, Question } from "./lanes-elsewhere.ts";
import { openLanesElsewhere } from "./lanes-elsewhere.ts";
import type { TakeRequest } from "./open-work.ts";
import { openOpenWork } from "./open-work.ts";
import type { Deflating } from "./deflating.ts";
import { newestContents, openReplayGuard } from "./replay-guard.ts";
import { openSuccession } from "./succession.ts";
import type { Sql } from "./sql.ts";
import { openTargetStates } from "./target-states.ts";

/** When due work could not be lent because enough is out already: how soon to look again, should no settle come. */
const CROWDED_DELAY_MS = 1_000;

export interface Ledger {
  /** One transaction for all of them. */
  readonly accept: (request: AcceptRequest, now: number, others?: readonly AcceptRequest[]) => AcceptReply;
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
  /** `targets`: all that the rules name, if that is known. */
  readonly retain: (now: number, targets?: readonly string[], wanted?: WantedPairs) => void;
  /** When the partition must be woken next for a delivery, or null. Retention has no alarm: the sweep does it. */
  readonly nextWakeAt: (now: number) => number | null;
  readonly backlog: () => Backlog;
}

type LedgerTake = Omit<TakeRequest, "isUncounted" | "newToken"> & { readonly newToken: () => string };

export function openLedger(sql: Sql, limits: LedgerLimits, deflating?: Deflating): Ledger {
  // The events that are dropped may be the only place that tells of the newest contents, or of an open event.
  const leave = (segment: number) => {
    guard.flush();
    work.leaveSegment(segment);
  };
  const archive = openArchive(sql, limits, leave, deflating);
  const targets = openTargetStates(sql);
  const lanes = openLanes(sql);
  const lanesElsewhere = openLanesElsewhere(sql, lanes);
  const work = openOpenWork(sql, archive.packs, lanes, targets);
  const succession = openSuccession(sql);
  const changes = createEventChanges({ archive, work, lanes });
  const { putBack, reopen, moveLanes } = changes;
  // The last alarm found nothing that it may lend: its dispatchers hold all they may, or what is due has used up its
  // target's share. What is due goes out with their settles; the alarm only looks again now and then.
  let crowded = false;

  /** What is open stands in the packs of the archive too, as it was. */
  function newest(rowsMax: number, before = Number.MAX_SAFE_INTEGER, which: "all" | "dead" | "parked" = "all") {
    const ended = which === "parked" ? [] : archive.before(before, rowsMax, which);
    const events = new Map([...ended, ...work.before(before, rowsMax, which)].map((event) => [event.seq, event]));
    return [...events.values()].toSorted((a, b) => b.seq - a.seq).slice(0, rowsMax);
  }

  const backlogLimit = createBacklogLimit(sql, work, limits);
  const guard = openReplayGuard(sql, (count) => newestContents(newest, count));
  const acceptance = createAcceptance({
    archive,
    work,
    targets,
    replays: guard,
    dedupWindowMs: limits.dedupWindowMs,
    changes,
  });

  /** A transaction, at whose end what it has changed is written. */
  const commit = <Value>(now: number, change: () => Value): Value =>
    work.commit(now, () => {
      const value = change();
      archive.flush(now);
      return value;
    });

  const requests = createAcceptRequests({
    archive,
    acceptance,
    succession,
    backlogLimit,
    targets,
    lanes,
    lanesElsewhere,
  });

  function settleOne(seq: number, mine: readonly Settlement[], now: number): void {
    const open = work.peek(seq);
    const known = open ?? archive.peek(seq);
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
    else archive.update({ ...known, deliveries }, now);
  }

  // A target that is being tried out goes to the alarm's dispatchers only, one at a time. Uncounted leases are none of the
  // alarm's share, which is of requests: they take up a part of one.
  function take(request: LedgerTake, holder: LeaseHolder, uncounted: readonly string[] = []): readonly LeasedWork[] {
    const { now, room, newToken } = request;
    const held = work.alarmLeases(now);
    const isUncounted = (target: string) => uncounted.includes(target) && !targets.isGated(target);
    return work.take({
      ...request,
      isUncounted,
      newToken: (target) => (holder === "alarm" && !isUncounted(target) ? alarmToken(newToken()) : newToken()),
      room(target) {
        const most = targets.room(target, now);
        if (most === Number.POSITIVE_INFINITY) return room(target);
        return holder === "alarm" ? Math.min(room(target), most - (held.get(target) ?? 0)) : 0;
      },
    });
  }

  return {
    accept: (request, now, others = []) =>
      commit(now, () => {
        const all = [request, ...others].flatMap(({ items }) => items);
        if (all.length > 1) archive.readIdentities(all.map(({ identity }) => identity));
        const answer = requests.accept(request, now);
        return others.length === 0 ? answer : { ...answer, others: others.map((other) => requests.accept(other, now)) };
      }),

    known: (request, now) => commit(now, () => requests.known(request, now)),

    settle: (request, now, newToken) =>
      commit(now, () => {
        targets.set(request.statuses, now);
        for (const [seq, mine] of Map.groupBy(request.settlements, (settlement) => settlement.seq)) {
          settleOne(seq, mine, now);
        }
        targets.throttle(request.throttles, work.alarmLeases(now), now);
        moveLanes(now);
        const { leasesMax, withinMs, holder, targetRoom, uncounted } = request;
        const room = (target: string) =>
          Object.hasOwn(targetRoom, target) ? (targetRoom[target] ?? 0) : SLOTS_PER_TARGET_MAX;
        const lent = take({ now, leasesMax, withinMs, newToken, room }, holder, uncounted);
        // Who has just sent waits by itself before it asks again.
        targets.yieldTo(request.throttles, now);
        return { work: lent, records: targets.takeRecords() };
      }),

    takeDue: (now, newToken) =>
      commit(now, () => {
        const dueAt = work.nextDueAt(now);
        if (dueAt === null || dueAt > now) {
          crowded = false;
          return [];
        }
        const isMoreOverdue = work.advance(now, (ended) => archive.add(ended, now));
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
        const isMoreDue = (work.nextDueAt(now) ?? Number.POSITIVE_INFINITY) <= now;
        crowded = taken.length === 0 && isMoreDue && !isMoreOverdue && (lanes.nextAt() ?? now + 1) > now;
        return taken;
      }),

    get: (seq) => work.get(seq) ?? archive.get(seq),

    redrive: (seq, deliveryId, now) =>
      commit(now, () => {
        const known = work.get(seq) ?? archive.get(seq);
        if (known === undefined) return undefined;
        const deliveries = known.deliveries.map((delivery) =>
          deliveryId === undefined || delivery.id === deliveryId ? redriveDelivery(delivery, now) : delivery,
        );
        const count = countChanged(known.deliveries, deliveries);
        if (count === 0) return 0;
        if (backlogLimit.isFullForCount(count)) return "full";
        reopen(known, known.event, deliveries, now);
        return count;
      }),

    before: (seq, rowsMax, which) => newest(rowsMax, seq, which),

    setTargetStatuses: (statuses, now) => commit(now, () => targets.set(statuses, now)),
    lanesElsewhere,
    answerElsewhere: (asked, open, now) =>
      commit(now, () => {
        lanesElsewhere.answer(asked, open);
        moveLanes(now);
      }),
    openLanes: (ids) => lanes.open(ids),

    retain: (now, named, wanted) =>
      commit(now, () => {
        if (named !== undefined) targets.retain(named, now);
        if (wanted !== undefined) releaseUnwanted(work, wanted, now, putBack);
        moveLanes(now);
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
