/**
 * The leases that the alarm's dispatchers hold, by target. Those of ingest are not counted: however many events come in, the
 * alarm keeps its own share of requests, so that ingest never starves delivery. Known from the tokens in the rows.
 */
import type { Delivery } from "../core/delivery.ts";

const PREFIX = "alarm/";

export function alarmToken(token: string): string {
  return PREFIX + token;
}

export interface AlarmLeases {
  /** Follows a row from what it was to what it is. */
  readonly follow: (before: readonly Delivery[], after: readonly Delivery[]) => void;
  /** How many have not run out, by target, as of this call. */
  readonly byTarget: (now: number) => ReadonlyMap<string, number>;
}

export function createAlarmLeases(): AlarmLeases {
  // Bounded by the alarm's limit and what has run out since the last count.
  const leases = new Map<string, { readonly target: string; readonly deadlineAt: number }>();
  return {
    follow(before, after) {
      for (const { state } of before) if (state.kind === "leased") leases.delete(state.token);
      for (const { state, target } of after) {
        if (state.kind !== "leased" || !state.token.startsWith(PREFIX)) continue;
        leases.set(state.token, { target, deadlineAt: state.deadlineAt });
      }
    },
    byTarget(now) {
      const counts = new Map<string, number>();
      for (const [token, { target, deadlineAt }] of leases) {
        if (deadlineAt <= now) leases.delete(token);
        else counts.set(target, (counts.get(target) ?? 0) + 1);
      }
      return counts;
    },
  };
}
