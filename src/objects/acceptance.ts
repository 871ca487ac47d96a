/**
 * Accepting one event: is its identity new, a repeat, a conflict? A repeat that somebody asked for opens again what did not
 * succeed; the same signed content under a new id is flagged or refused. Runs within the ledger's transaction.
 */
import type { AcceptedItem, AcceptItem, StoredEvent } from "../bus/ports.ts";
import { DELIVERIES_PER_EVENT_MAX } from "../bus/plan-event.ts";
import type { Delivery, Lease } from "../core/delivery.ts";
import { describeLease, leaseDelivery, newDelivery } from "../core/delivery.ts";
import { isConflict } from "../core/event.ts";
import { formatReceipt, nextSeq, seqAtMs } from "../core/receipt.ts";
import { moveInLane, redeliver } from "../core/transition.ts";
import type { Archive } from "./archive.ts";
import type { Identity } from "./identities.ts";
import type { EventChanges } from "./event-changes.ts";
import type { OpenEvent } from "./fresh-work.ts";
import type { OpenWork } from "./open-work.ts";
import type { ContentKey, ReplayGuard } from "./replay-guard.ts";
import { contentKey } from "./replay-guard.ts";
import type { TargetStates } from "./target-states.ts";

export interface AcceptanceParts {
  readonly archive: Archive;
  readonly work: OpenWork;
  readonly targets: TargetStates;
  readonly replays: ReplayGuard;
  readonly dedupWindowMs: number;
  readonly changes: EventChanges;
}

export interface AcceptContext {
  readonly partition: string;
  /** Of this item within its request. */
  readonly token: string;
  readonly now: number;
  readonly leasesMax: number;
}

export interface Accepted {
  readonly answer: AcceptedItem;
  readonly leases: readonly Lease[];
}

interface Redelivered {
  readonly again: readonly Delivery[];
  readonly added: readonly Delivery[];
  /** How many of them are open now and were not. */
  readonly count: number;
}

export interface Acceptance {
  readonly accept: (item: AcceptItem, context: AcceptContext) => Accepted;
  /**
   * The answer to a newer layout: if the identity is known, after opening again what a redelivery asks for, or if the content
   * is and may not come again; else null.
   */
  readonly known: (item: AcceptItem, context: AcceptContext) => AcceptedItem | null;
  /** The highest number given so far. */
  readonly lastSeq: () => number;
  /** Numbers what comes next past this one. */
  readonly numberPast: (seq: number) => void;
  /** Whether accepting the item would open deliveries: it is new, or a redelivery of something that has not all succeeded. */
  readonly wouldOpen: (item: AcceptItem, now: number) => boolean;
}

export function createAcceptance(parts: AcceptanceParts): Acceptance {
  const { archive, work, targets, replays } = parts;
  const { moveLanes, reopen } = parts.changes;
  let lastSeq = Math.max(archive.lastSeq(), work.lastSeq());

  /** The first event with the item's signed content, within the dedup window. */
  function firstOf(key: ContentKey | undefined, now: number): number | undefined {
    return key === undefined ? undefined : replays.find(key, seqAtMs(now - parts.dedupWindowMs));
  }

  function keyOf({ replay }: AcceptItem): ContentKey | undefined {
    return replay === undefined ? undefined : contentKey(replay.content);
  }

  /** Undefined when the item is no replay, or may be one. */
  function refuse(item: AcceptItem, now: number): AcceptedItem | undefined {
    const first = item.replay?.refuse === true ? firstOf(keyOf(item), now) : undefined;
    if (first === undefined) return undefined;
    return { status: "replayed", seq: first, rules: (work.peek(first) ?? archive.peek(first))?.event.rules ?? [] };
  }

  function addNew(item: AcceptItem, { partition, token, now, leasesMax }: AcceptContext): Accepted {
    const refused = refuse(item, now);
    if (refused !== undefined) return { answer: refused, leases: [] };
    const key = keyOf(item);
    const first = firstOf(key, now);
    const seq = nextSeq(lastSeq, now);
    lastSeq = seq;
    const event: StoredEvent = {
      ...item.event,
      ...(key === undefined ? {} : { contentKey: key }),
      ...(first === undefined ? {} : { replayOf: formatReceipt({ partition, seq: first }) }),
    };
    archive.addIdentity(item.identity, { seq, fingerprint: item.fingerprint, token });
    if (event.large !== undefined) archive.addBody(event.large.key, seq);
    const leases = insertNew(seq, event, item, token, now, leasesMax);
    replays.accepted(seq, first === undefined ? key : undefined);
    return { answer: { status: "accepted", seq, rules: event.rules }, leases };
  }

  function insertNew(
    seq: number,
    event: StoredEvent,
    item: AcceptItem,
    token: string,
    now: number,
    leasesMax: number,
  ): readonly Lease[] {
    const planned = item.deliveries.map((each) => newDelivery(each, now));
    const isOrdered = planned.some(({ lane }) => lane !== undefined);
    if (isOrdered) work.announce(seq, planned, now);
    const changes = isOrdered ? moveLanes(now, seq) : [];
    const leases: Lease[] = [];
    const deliveries = planned.map((queued, index) => {
      const change = changes.find(({ member }) => member.deliveryId === queued.id);
      const delivery = change === undefined ? queued : moveInLane(queued, change, now);
      // Who takes a lease at acceptance asks no gate for it first, and one at a time is for the alarm.
      const mayGo =
        delivery.state.kind === "waiting" && targets.room(delivery.target, now) === Number.POSITIVE_INFINITY;
      if (!mayGo || leases.length >= leasesMax) return delivery;
      const leaseToken = `${token}/${index}`;
      const gated = targets.isGated(delivery.target);
      leases.push(describeLease(delivery, seq, { token: leaseToken, now, gated }));
      return leaseDelivery(delivery, leaseToken, now);
    });
    // What has to wait for its target is not over soon.
    const waits = deliveries.some(({ state, target }) => state.kind === "waiting" && targets.isGated(target));
    work.add(seq, event, deliveries, { announced: isOrdered ? planned : undefined, inRow: waits }, now);
    return leases;
  }

  /** The leases that an accept got, once more, but for those that have moved on. */
  function leasesAgain(known: OpenEvent | undefined, token: string, now: number): readonly Lease[] {
    return (known?.deliveries ?? []).flatMap((delivery) => {
      const { state } = delivery;
      if (state.kind !== "leased" || !state.token.startsWith(`${token}/`) || state.deadlineAt <= now) return [];
      const gated = targets.isGated(delivery.target);
      const lease = describeLease(delivery, known?.seq ?? 0, { token: state.token, now, gated });
      return [{ ...lease, leaseMs: state.deadlineAt - now }];
    });
  }

  /** What a redelivery makes of an event's deliveries: what did not succeed is open again, what rules have come to want is new. */
  function redelivered(known: OpenEvent, item: AcceptItem, now: number): Redelivered {
    const planned = new Map(item.deliveries.map((each) => [each.id, each]));
    const again = known.deliveries.map((delivery) => {
      const wanted = planned.get(delivery.id);
      return wanted === undefined ? delivery : redeliver(delivery, wanted, now);
    });
    const ids = new Set(known.deliveries.map(({ id }) => id));
    const added = item.deliveries
      .filter(({ id }) => !ids.has(id))
      .slice(0, Math.max(0, DELIVERIES_PER_EVENT_MAX - again.length))
      .map((each) => newDelivery(each, now));
    const count = added.length + again.filter((delivery, index) => delivery !== known.deliveries[index]).length;
    return { again, added, count };
  }

  /** Opens again what a redelivery asks for. Answers how many, and the rules then. */
  function redeliverKnown(
    open: OpenEvent,
    item: AcceptItem,
    now: number,
  ): { readonly count: number; readonly rules: readonly string[] } {
    const { again, added, count } = redelivered(open, item, now);
    if (count === 0) return { count, rules: open.event.rules };
    const known = work.get(open.seq) ?? archive.get(open.seq);
    if (known === undefined) throw new Error("an event that was found a moment ago is gone");
    const rules = [...new Set([...known.event.rules, ...added.map(({ rule }) => rule)])];
    const { rulesVersion } = item.event;
    const isNewer = rulesVersion.deployedAt >= known.event.rulesVersion.deployedAt;
    const event = { ...known.event, rules, rulesVersion: isNewer ? rulesVersion : known.event.rulesVersion };
    reopen(known, event, [...again, ...added], now);
    return { count, rules };
  }

  /** The event that a repeat asks to be delivered again; undefined when it is none, or nothing is left to deliver. */
  function asksAgain(item: AcceptItem, first: Identity, known: OpenEvent | undefined): OpenEvent | undefined {
    const isAsked = item.redeliver && first.fingerprint.scope === item.fingerprint.scope;
    return isAsked && !isConflict(first.fingerprint, item.fingerprint) ? known : undefined;
  }

  function acceptKnown(item: AcceptItem, { token, now }: AcceptContext): Accepted | undefined {
    const first = archive.findIdentity(item.identity, now);
    if (first === undefined) return undefined;
    const { seq } = first;
    const known = work.peek(seq) ?? archive.peek(seq);
    const rules = known?.event.rules ?? [];
    // The same request once more: its reply was lost.
    if (first.token === token) {
      return { answer: { status: "accepted", seq, rules }, leases: leasesAgain(known, token, now) };
    }
    if (isConflict(first.fingerprint, item.fingerprint)) {
      return { answer: { status: "conflict", seq, rules }, leases: [] };
    }
    const again = asksAgain(item, first, known);
    if (again === undefined) return { answer: { status: "duplicate", seq, rules }, leases: [] };
    const opened = redeliverKnown(again, item, now);
    const redriven = opened.count === 0 ? {} : { redriven: opened.count };
    return { answer: { status: "duplicate", seq, rules: opened.rules, ...redriven }, leases: [] };
  }

  return {
    known: (item, context) => acceptKnown(item, context)?.answer ?? refuse(item, context.now) ?? null,
    accept: (item, context) => acceptKnown(item, context) ?? addNew(item, context),
    lastSeq: () => lastSeq,
    numberPast(seq) {
      lastSeq = Math.max(lastSeq, seq);
    },
    wouldOpen(item, now) {
      const first = archive.findIdentity(item.identity, now);
      if (first === undefined) return refuse(item, now) === undefined;
      const known = item.redeliver ? (work.peek(first.seq) ?? archive.peek(first.seq)) : undefined;
      const again = asksAgain(item, first, known);
      return again !== undefined && redelivered(again, item, now).count > 0;
    },
  };
}
