/**
 * Writing changed deliveries back: to their row, from the archive to a row when one is open again, from the row to the archive
 * when the last has ended; and to the rows of others, where a lane goes on.
 */
import type { StoredEvent, StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import type { LaneChange } from "../core/lane.ts";
import { moveInLane } from "../core/transition.ts";
import type { Archive } from "./archive.ts";
import type { OpenEvent } from "./fresh-work.ts";
import type { Lanes } from "./lanes.ts";
import type { OpenWork } from "./open-work.ts";

/** A change moves lanes, and moving them moves nothing further; more rounds than this are a mistake. */
const LANE_ROUNDS_MAX = 3;

export interface EventChanges {
  /** Writes deliveries of an open event. */
  readonly putBack: (known: OpenEvent, deliveries: readonly Delivery[], now: number) => void;
  /** Opens a known event again, wherever it is: `known` as it is, and what it and its deliveries become. */
  readonly reopen: (
    known: StoredEventWithDeliveries,
    event: StoredEvent,
    deliveries: readonly Delivery[],
    now: number,
  ) => void;
  /** Carries out what must change in lanes; what concerns `own`, a row that is not written yet, is answered instead. */
  readonly moveLanes: (now: number, own?: number) => readonly LaneChange[];
}

export function createEventChanges(parts: {
  readonly archive: Archive;
  readonly work: OpenWork;
  readonly lanes: Lanes;
}): EventChanges {
  const { archive, work, lanes } = parts;

  function putBack(known: OpenEvent, deliveries: readonly Delivery[], now: number): void {
    const ended = work.update(known, deliveries, now);
    if (ended !== undefined) archive.add(ended, now);
  }

  function reopen(
    known: StoredEventWithDeliveries,
    event: StoredEvent,
    deliveries: readonly Delivery[],
    now: number,
  ): void {
    if (work.peek(known.seq) !== undefined) {
      work.replace(known, event, deliveries, now);
    } else {
      archive.takeOut(known.seq);
      work.insert({ seq: known.seq, event, deliveries }, now);
    }
    moveLanes(now);
  }

  function moveLanes(now: number, own?: number): readonly LaneChange[] {
    const mine: LaneChange[] = [];
    for (let round = 0; round < LANE_ROUNDS_MAX; round++) {
      // Gaps end in the first round: each further one would end as many again.
      const changes = lanes.arrange(now, round === 0 ? undefined : 0);
      if (changes.length === 0) return mine;
      for (const [seq, its] of Map.groupBy(changes, ({ member }) => member.seq)) {
        if (seq === own) {
          mine.push(...its);
          continue;
        }
        const known = work.peek(seq);
        if (known === undefined) throw new Error("a lane knows of an event that is not open");
        const changeOf = new Map(its.map((change) => [change.member.deliveryId, change]));
        const deliveries = known.deliveries.map((delivery) => {
          const change = changeOf.get(delivery.id);
          return change === undefined ? delivery : moveInLane(delivery, change, now);
        });
        putBack(known, deliveries, now);
      }
    }
    throw new Error("lanes do not come to rest");
  }

  return { putBack, reopen, moveLanes };
}

export function countChanged(before: readonly Delivery[], after: readonly Delivery[]): number {
  return after.filter((delivery, index) => delivery !== before[index]).length;
}
