/**
 * What partitions have taken down, as a bystander knows it: written by their commits, not by their tables. What it learns
 * again of a delivery must fit what it knew.
 */
import type {
  AcceptAnswer,
  AcceptReply,
  AcceptRequest,
  KnownReply,
  ListedEvent,
  StoredEvent,
} from "../../src/bus/ports.ts";
import type { Delivery, PlannedDelivery, PlannedLane } from "../../src/core/delivery.ts";
import { isOpen } from "../../src/core/delivery.ts";
import { toHex } from "../../src/core/event.ts";
import { HOPS_MAX, hopsOf } from "../../src/core/hops.ts";
import type { PartitionHost } from "./partition-host.ts";
import type { Setting } from "./setting.ts";

export interface KnownDelivery {
  readonly id: string;
  readonly partition: string;
  readonly seq: number;
  readonly rule: string;
  readonly target: string;
  lane: PlannedLane | undefined;
  readonly event: StoredEvent;
  /** By its partition's clock. */
  readonly addedAt: number;
  /** Its place among all commits. */
  readonly addedOrder: number;
  /** The commit that it came with. */
  readonly addedIn: number;
  /** A redelivery or a re-drive has opened it since. */
  isReopened: boolean;
  /** How it has ended, as far as was seen; undefined while it is open. */
  over: Delivery["state"]["kind"] | undefined;
  /** A newer one of its lane has replaced it. */
  isReplaced: boolean;
  /** When it was first seen ended, among all commits. */
  endedOrder: number | undefined;
  lease: KnownLease | undefined;
  firstLeaseOrder: number | undefined;
}

export interface KnownLease {
  readonly token: string;
  readonly order: number;
  readonly gated: boolean;
}

export interface Registry {
  /** The requests of one call, which are one commit. */
  readonly accepted: (host: PartitionHost, requests: readonly AcceptRequest[], reply: AcceptReply) => void;
  readonly known: (host: PartitionHost, request: AcceptRequest, reply: KnownReply) => void;
  /** Somebody has opened deliveries of this event. */
  readonly reopened: (host: PartitionHost, seq: number) => void;
  /** Looks at an event as its partition has it now. */
  readonly observe: (event: ListedEvent) => void;
  readonly delivery: (id: string) => KnownDelivery | undefined;
  readonly lane: (id: string) => readonly KnownDelivery[];
  readonly laneIds: () => readonly string[];
  /** Lanes that have stopped with a delivery. */
  readonly hasParked: (laneId: string) => boolean;
  /** The number of the delivery that had stopped this lane and grew too old, if nobody has opened any of it since. */
  readonly stoppedBy: (laneId: string) => number | undefined;
  /** Whether something other than this delivery has been in the lane to replace what is older. */
  readonly mayBeReplaced: (laneId: string, deliveryId: string) => boolean;
  readonly isAccepted: (identity: Uint8Array) => boolean;
  readonly nextOrder: () => number;
}

export function openRegistry(setting: Setting, forget: (deliveryId: string) => void): Registry {
  const { violations, count } = setting;
  const places = new Map<string, string>();
  const deliveries = new Map<string, KnownDelivery>();
  const lanes = new Map<string, Set<KnownDelivery>>();
  const replacing = new Map<string, Set<string>>();
  const parked = new Set<string>();
  const stopped = new Map<string, number>();
  let order = 0;
  let commits = 0;

  function add(host: PartitionHost, seq: number, event: StoredEvent, planned: PlannedDelivery): KnownDelivery {
    const { id, rule, target, lane } = planned;
    const known: KnownDelivery = {
      id,
      partition: host.name,
      seq,
      rule,
      target,
      lane,
      event,
      addedAt: host.now(),
      addedOrder: ++order,
      addedIn: commits,
      isReopened: false,
      over: undefined,
      isReplaced: false,
      endedOrder: undefined,
      lease: undefined,
      firstLeaseOrder: undefined,
    };
    const other = deliveries.get(id);
    if (other !== undefined) violations.push(`${id} is planned in ${other.partition} and in ${host.name}`);
    deliveries.set(id, known);
    if (lane === undefined) return known;
    count("ordered");
    join(known, lane);
    return known;
  }

  function join(known: KnownDelivery, lane: PlannedLane | undefined): void {
    known.lane = lane;
    if (lane === undefined) return;
    if (lane.latest === true) replacing.set(lane.id, (replacing.get(lane.id) ?? new Set()).add(known.id));
    const members = lanes.get(lane.id) ?? new Set();
    lanes.set(lane.id, members.add(known));
  }

  function reopened(host: PartitionHost, seq: number): void {
    const event = host.engine().get(seq);
    for (const delivery of event?.deliveries ?? []) {
      const known = deliveries.get(delivery.id);
      if (known === undefined && event !== null) {
        add(host, seq, event.event, delivery).isReopened = true;
        continue;
      }
      if (known === undefined) continue;
      // What is opened may give way to a newer one at once.
      const isSuperseded = delivery.state.kind === "cancelled" && delivery.state.reason === "superseded";
      if (!isOpen(delivery) && !isSuperseded) continue;
      if (known.over === "delivered") violations.push(`${known.id} was delivered and is open again`);
      if (known.isReplaced && !isSuperseded) violations.push(`${known.id} was superseded and is open again`);
      if (known.lane !== undefined) stopped.delete(known.lane.id);
      // The rule may have another order by now.
      if (known.lane !== undefined) lanes.get(known.lane.id)?.delete(known);
      join(known, delivery.lane);
      known.over = isSuperseded ? "cancelled" : undefined;
      known.isReopened = true;
      forget(known.id);
    }
  }

  function countEnding(state: Delivery["state"]): void {
    if (state.kind === "cancelled" && state.reason === "superseded") count("superseded");
    if (state.kind === "cancelled" && state.reason === "rule-shadow") count("overshadowed");
    if (state.kind !== "dead") return;
    if (state.reason === "skipped") count("skipped");
    if (state.reason === "expired-while-held") count("expiredWhileHeld");
    if (state.reason === "hop-limit") count("loopsEnded");
  }

  function checkHops({ event }: { readonly event: StoredEvent }): void {
    if (!event.source.startsWith("target:")) return;
    const hops = hopsOf(event.attributes);
    const { id } = event.attributes;
    if (hops === null || hops < 1 || hops > HOPS_MAX) violations.push(`${id} came again with ${hops} hops`);
    count(event.attributes.source === "echo:" ? "replies" : "piped");
    const parent = event.attributes.source === "echo:" ? deliveries.get(id.slice("re-".length)) : undefined;
    if (parent !== undefined && hops !== (hopsOf(parent.event.attributes) ?? 0) + 1) {
      violations.push(`${id} has ${hops} hops, and what it replies to ${hopsOf(parent.event.attributes)}`);
    }
  }

  function acceptedOne(host: PartitionHost, request: AcceptRequest, answer: AcceptAnswer): void {
    if (answer.kind === "moved") count("moved");
    if (answer.kind !== "accepted") return;
    if (request.openElsewhere !== undefined && request.openElsewhere.length > 0) count("lanesElsewhere");
    for (const [index, { status, seq, redriven }] of answer.items.entries()) {
      const item = request.items[index];
      if (item === undefined) throw new Error("a partition answered more items than it was sent");
      if (redriven !== undefined) reopened(host, seq);
      if (status !== "accepted") continue;
      const name = toHex(item.identity);
      const place = `${host.name} ${seq}`;
      const first = places.get(name);
      if (first !== undefined && first !== place)
        violations.push(`${item.event.attributes.id} is at ${first} and ${place}`);
      if (first !== undefined) continue;
      places.set(name, place);
      checkHops(item);
      for (const planned of item.deliveries) add(host, seq, item.event, planned);
    }
  }

  return {
    accepted(host, requests, reply) {
      commits += 1;
      for (const [index, answer] of [reply, ...(reply.others ?? [])].entries()) {
        const request = requests[index];
        if (request === undefined) throw new Error("a partition answered more requests than it was sent");
        acceptedOne(host, request, answer);
      }
      if (requests.length > 1) count("grouped", requests.length - 1);
    },

    known(host, _request, reply) {
      for (const item of reply.items) {
        if (item?.redriven !== undefined) reopened(host, item.seq);
      }
    },

    reopened,

    observe({ deliveries: now }) {
      for (const { id, state } of now) {
        const known = deliveries.get(id);
        if (known === undefined) {
          violations.push(`${id} is stored and was never accepted`);
          continue;
        }
        if (known.over !== undefined && known.over !== state.kind) {
          violations.push(`${id} was ${known.over} and is ${state.kind}`);
        }
        if (state.kind === "parked" && known.lane !== undefined) {
          if (!parked.has(known.lane.id)) count("parked");
          parked.add(known.lane.id);
        }
        if (state.kind !== "delivered" && state.kind !== "dead" && state.kind !== "cancelled") continue;
        if (known.over === undefined) countEnding(state);
        if (state.kind === "cancelled" && state.reason === "superseded") known.isReplaced = true;
        if (state.kind === "dead" && state.detail.startsWith("its lane was parked") && known.over === undefined) {
          stopped.set(known.lane?.id ?? "", known.seq);
        }
        known.over = state.kind;
        known.endedOrder ??= ++order;
      }
    },

    delivery: (id) => deliveries.get(id),
    lane: (id) => [...(lanes.get(id) ?? [])],
    laneIds: () => [...lanes.keys()],
    hasParked: (id) => parked.has(id),
    mayBeReplaced: (laneId, id) => [...(replacing.get(laneId) ?? [])].some((other) => other !== id),
    stoppedBy: (id) => stopped.get(id),
    isAccepted: (identity) => places.has(toHex(identity)),
    nextOrder: () => ++order,
  };
}
