/** Order under watch: who may be lent out in a lane, whose request may start, and what notes say of numbers. */
import type { Lease } from "../../src/core/delivery.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { isOpen } from "../../src/core/delivery.ts";
import type { GateWatch } from "./gate-watch.ts";
import type { PartitionHost } from "./partition-host.ts";
import type { KnownDelivery, Registry } from "./registry.ts";
import { MAX_AGE_MS } from "./rules.ts";
import type { Setting } from "./setting.ts";

/** A clock that goes back makes a wait so much shorter or longer. */
const CLOCK_SLACK_MS = 1_000;

export interface LaneWatch {
  /** A partition has lent these out, in a commit that has just ended. */
  readonly leased: (host: PartitionHost, leases: readonly Lease[]) => void;
  /** A commit has changed this delivery: its lane is at rest again, with something that goes on if anything can. */
  readonly changed: (host: PartitionHost, deliveryId: string) => void;
  /** A request has started; what ends it comes back. */
  readonly requested: (deliveryId: string) => () => void;
  /** What a delivery's note says that is not so. */
  readonly noteProblem: (delivery: Delivery) => string | undefined;
}

export interface LaneWatchPorts {
  readonly setting: Setting;
  readonly registry: Registry;
  readonly gates: GateWatch;
  readonly hosts: ReadonlyMap<string, PartitionHost>;
}

export function openLaneWatch({ setting, registry, gates, hosts }: LaneWatchPorts): LaneWatch {
  const { violations } = setting;
  const inFlight = new Map<string, Set<KnownDelivery>>();

  /** A delivery as its partition has it now; undefined when it has ended. */
  function openState(known: KnownDelivery): Delivery | undefined {
    if (known.over !== undefined) return undefined;
    const event = hosts.get(known.partition)?.engine().get(known.seq);
    if (event === null || event === undefined) return undefined;
    registry.observe(event);
    const delivery = event.deliveries.find(({ id }) => id === known.id);
    return delivery !== undefined && isOpen(delivery) ? delivery : undefined;
  }

  /** By its number `other` comes first, but its partition may not let it go: something that was accepted earlier is elsewhere. */
  function isHeldElsewhere(own: KnownDelivery, other: KnownDelivery): boolean {
    if (other.seq < own.seq) return false;
    return registry
      .lane(own.lane?.id ?? "")
      .some((each) => each.partition !== own.partition && each.seq < other.seq && openState(each) !== undefined);
  }

  /** A lane that has gone past a gap does not wait for it any more. */
  function hasGonePast(own: KnownDelivery, number: number): boolean {
    return registry.lane(own.lane?.id ?? "").some((other) => {
      if (other === own || other.partition !== own.partition || (other.lane?.sequence ?? -1) <= number) return false;
      const state = openState(other)?.state;
      return state !== undefined && (state.kind !== "queued" || state.gapUntil === undefined);
    });
  }

  function checkPlace(own: KnownDelivery, host: PartitionHost): void {
    if (own.lane === undefined) return;
    for (const other of registry.lane(own.lane.id)) {
      if (other === own) continue;
      const delivery = openState(other);
      if (delivery === undefined) continue;
      const { kind } = delivery.state;
      const pair = `${own.id} (${own.event.attributes.id}) was lent out`;
      const it = `${other.id} (${other.event.attributes.id})`;
      if (other.partition !== own.partition) {
        // What is opened again in an earlier layout does not hold up the lane in this one, nor the other way round.
        if (other.isReopened || own.isReopened) continue;
        if (kind === "leased") violations.push(`${pair} while ${it} is, in another layout`);
        if (other.addedOrder < own.addedOrder) violations.push(`${pair} before ${it}, which waits in another layout`);
        continue;
      }
      if (kind === "leased") violations.push(`${pair} while ${it} of its lane is`);
      if (kind === "parked") violations.push(`${pair} and ${it} has stopped its lane`);
      // Of one request, the first may be lent out before the next is looked at.
      if (other.addedIn === own.addedIn && other.addedOrder > own.addedOrder && own.lease === undefined) continue;
      if (precedes(other, own) && !isHeldElsewhere(own, other))
        violations.push(`${pair} before ${it}, which is ${kind}`);
      const isNewer = other.lane?.latest === true && precedes(own, other);
      if (isNewer) violations.push(`${pair} and ${it} is newer`);
    }
    // Whoever waited behind a parked one keeps its place when that has grown too old: it was there long before.
    const stoppedBy = registry.stoppedBy(own.lane.id);
    const waited = host.now() - own.addedAt > MAX_AGE_MS / 2;
    const isBehind =
      stoppedBy !== undefined &&
      registry.lane(own.lane.id).some((other) => other.seq === stoppedBy && other.partition === own.partition);
    if (isBehind && waited && !own.isReopened) violations.push(`${own.id} was lent out and its lane has stopped`);
  }

  function checkGap(own: KnownDelivery, host: PartitionHost): void {
    const number = own.lane?.sequence;
    if (own.lane === undefined || number === undefined || own.isReopened || own.firstLeaseOrder !== undefined) return;
    const passed = registry
      .lane(own.lane.id)
      .filter((other) => other.partition === own.partition && other.endedOrder !== undefined)
      .map(({ lane }) => lane?.sequence ?? 0);
    const next = Math.max(0, ...passed) + 1;
    const waitedMs = host.now() - own.addedAt;
    if (number > next && waitedMs + CLOCK_SLACK_MS < (own.lane.gapWaitMs ?? 0) && !hasGonePast(own, number)) {
      violations.push(`${own.id} has number ${number} and did not wait for ${next}`);
    }
  }

  return {
    leased(host, leases) {
      for (const { deliveryId, token, gated } of leases) {
        const own = registry.delivery(deliveryId);
        if (own === undefined) {
          violations.push(`${deliveryId} was lent out and never accepted`);
          continue;
        }
        if (own.lease?.token === token) {
          // Answered once more, since the answer was lost; its target may stand otherwise by now.
          own.lease = { ...own.lease, gated: gated === true };
          continue;
        }
        if (own.over !== undefined) violations.push(`${own.id} was ${own.over} and is lent out again`);
        checkPlace(own, host);
        gates.leased(own);
        checkGap(own, host);
        const order = registry.nextOrder();
        own.lease = { token, order, gated: gated === true };
        own.firstLeaseOrder ??= order;
      }
    },

    changed(host, deliveryId) {
      const lane = registry.delivery(deliveryId)?.lane;
      if (lane === undefined) return;
      const members = registry.lane(lane.id);
      // What another partition has had is asked for every now and then.
      if (members.some(({ partition }) => partition !== host.name)) return;
      const own = members.flatMap((known) => openState(known)?.state ?? []);
      if (own.length === 0 || own.some(({ kind }) => kind !== "queued")) return;
      const waitsForGap = own.some((state) => state.kind === "queued" && (state.gapUntil ?? 0) > host.now());
      if (!waitsForGap) violations.push(`${lane.id} has ${own.length} waiting deliveries and none that goes on`);
    },

    requested(deliveryId) {
      const own = registry.delivery(deliveryId);
      if (own === undefined) {
        violations.push(`${deliveryId} is sent and was never accepted`);
        return () => {};
      }
      if (own.lane === undefined) return () => {};
      const running = inFlight.get(own.lane.id) ?? new Set();
      inFlight.set(own.lane.id, running);
      for (const other of running) {
        if (other !== own && (other.partition === own.partition || !(other.isReopened || own.isReopened)))
          violations.push(`${own.id} is sent while ${other.id} of its lane is`);
      }
      running.add(own);
      return () => void running.delete(own);
    },

    noteProblem({ id, note }) {
      const own = registry.delivery(id);
      if (note === undefined || own?.lane === undefined || own.firstLeaseOrder === undefined) return undefined;
      const { firstLeaseOrder } = own;
      const isOver = (number: number, before: number, addedBefore: number) =>
        registry
          .lane(own.lane?.id ?? "")
          .some(
            ({ lane, partition, addedOrder, endedOrder = Number.POSITIVE_INFINITY }) =>
              partition === own.partition &&
              lane?.sequence === number &&
              endedOrder <= before &&
              addedOrder < addedBefore,
          );
      const missing = /^went on without numbers? (\d+)(?: to (\d+))?,/.exec(note);
      if (missing !== null) {
        const [first, last] = [Number(missing[1]), Number(missing[2] ?? missing[1])];
        for (let number = first; number <= last; number++) {
          // One that came too late may have given way since.
          if (isOver(number, firstLeaseOrder, own.addedOrder))
            return `${id} went on without ${number}, which had ended before`;
        }
        return undefined;
      }
      const late = /^late: number (\d+) came after (\d+) /.exec(note);
      if (late === null) return `${id} has a note that says nothing known: ${note}`;
      return isOver(Number(late[2]), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
        ? undefined
        : `${id} came after nothing: ${note}`;
    },
  };
}

/** Of two of one lane in one partition: by their numbers, those without one first; else by acceptance. */
function precedes(one: KnownDelivery, other: KnownDelivery): boolean {
  const [a, b] = [one.lane?.sequence ?? -1, other.lane?.sequence ?? -1];
  return a === b ? one.seq < other.seq : a < b;
}
