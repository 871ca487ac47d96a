/**
 * Parked deliveries whose rule does not want them any more: nobody would look at them until they are too old. The sweep brings
 * what is wanted; those that are not are lent out once more, and the dispatcher that finds them unwanted cancels them.
 */
import type { StoredEventWithDeliveries, WantedPairs } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { redriveDelivery } from "../core/transition.ts";
import type { OpenWork } from "./open-work.ts";

/** Rows looked at in one sweep, the newest first. */
export const PARKED_ROWS_MAX = 1_000;

export function releaseUnwanted(
  work: OpenWork,
  { pairs, deployedAt }: WantedPairs,
  now: number,
  putBack: (known: StoredEventWithDeliveries, deliveries: readonly Delivery[], now: number) => void,
): void {
  const wanted = new Set(pairs);
  for (const row of work.before(Number.MAX_SAFE_INTEGER, PARKED_ROWS_MAX, "parked")) {
    // Older rules say nothing about what newer ones have planned.
    if (row.event.rulesVersion.deployedAt > deployedAt) continue;
    const deliveries = row.deliveries.map((delivery) =>
      delivery.state.kind !== "parked" || wanted.has(`${delivery.rule} ${delivery.target}`)
        ? delivery
        : redriveDelivery(delivery, now),
    );
    if (deliveries.every((delivery, index) => delivery === row.deliveries[index])) continue;
    const known = work.get(row.seq);
    if (known !== undefined) putBack(known, deliveries, now);
  }
}
