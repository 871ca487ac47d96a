/**
 * What the partition knows of targets: what their gates have told (table `targets`, because a pause must outlive the process),
 * and for how long they said that there is no room (memory: forgetting costs one question).
 */
import type { TargetRecord, TargetStatus, Throttle } from "../bus/ports.ts";
import type { Attempt } from "../core/delivery.ts";
import type { Sql } from "./sql.ts";

/** Attempts older than this say nothing about how a target does now. */
const RECORD_WINDOW_MS = 60_000;
/** A target that had no room so recently is short of it, though it may have some at this very moment. */
const THROTTLED_RECENTLY_MS = 60_000;
/** A hold without an end, in a column of numbers. */
const FOREVER = Number.MAX_SAFE_INTEGER;

export interface TargetStates {
  /** Takes what gates have told; what is older than what is known is ignored. */
  readonly set: (statuses: readonly TargetStatus[], now: number) => void;
  readonly throttle: (throttles: readonly Throttle[], now: number) => void;
  /** How many leases the target may get at one go. */
  readonly room: (target: string, now: number) => number;
  /** Whether an attempt needs a permit. */
  readonly isGated: (target: string) => boolean;
  /** When the target may get something again: now or later; null when nobody knows. */
  readonly freeAt: (target: string, now: number) => number | null;
  /** Why the target gets less than is due to it, or nothing; undefined when it gets what it can take. */
  readonly heldBecause: (target: string, now: number) => string | undefined;
  /** Counts an attempt that no gate has counted. */
  readonly count: (target: string, outcome: Attempt["outcome"], now: number) => void;
  /** Targets that have failed since the last call, with all that was counted in the last minute. */
  readonly takeRecords: () => readonly TargetRecord[];
}

interface Known {
  readonly version: number;
  readonly kind: TargetStatus["state"]["kind"];
  readonly reason: string;
  readonly until: number;
}

interface Count {
  readonly since: number;
  attempts: number;
  failures: number;
}

export function openTargetStates(sql: Sql): TargetStates {
  // All three are bounded by the targets that the rule files have named.
  const known = new Map<string, Known>();
  const throttled = new Map<string, number>();
  const counts = new Map<string, Count>();
  for (const row of sql.all<{ name: string; version: number; kind: string; reason: string; until: number }>(
    "SELECT name, version, kind, reason, until FROM targets",
  )) {
    known.set(row.name, { ...row, kind: row.kind as Known["kind"] });
  }

  const heldUntil = (target: string): number => {
    const state = known.get(target);
    return state?.kind === "held" ? state.until : 0;
  };

  return {
    set(statuses, now) {
      for (const { target, version, state } of statuses) {
        // Version 0 is a gate that has never had anything to tell.
        if (version <= (known.get(target)?.version ?? 0)) continue;
        const held = state.kind === "held";
        const until = held ? (state.forMs === null ? FOREVER : now + state.forMs) : 0;
        const next = { version, kind: state.kind, reason: held ? state.reason : "", until };
        known.set(target, next);
        sql.run(
          "INSERT OR REPLACE INTO targets (name, version, kind, reason, until) VALUES (?, ?, ?, ?, ?)",
          target,
          version,
          next.kind,
          next.reason,
          until,
        );
      }
    },

    throttle(throttles, now) {
      for (const { target, forMs } of throttles) throttled.set(target, now + forMs);
    },

    room(target, now) {
      if ((throttled.get(target) ?? 0) > now || heldUntil(target) > now) return 0;
      // The one that goes first finds out for the others.
      return known.get(target)?.kind === "held" ? 1 : Number.POSITIVE_INFINITY;
    },

    isGated: (target) => (known.get(target)?.kind ?? "free") !== "free",

    freeAt(target, now) {
      const until = heldUntil(target);
      return until === FOREVER ? null : Math.max(until, throttled.get(target) ?? 0, now);
    },

    heldBecause(target, now) {
      const state = known.get(target);
      // After a hold's end it is tried out, one attempt at a time, until its gate says that it is well.
      if (state?.kind === "held") return state.reason;
      const isShort = (throttled.get(target) ?? Number.NEGATIVE_INFINITY) + THROTTLED_RECENTLY_MS > now;
      return isShort ? "no room within its limits" : undefined;
    },

    count(target, outcome, now) {
      if (outcome === "lost") return;
      let count = counts.get(target);
      if (count === undefined || count.since + RECORD_WINDOW_MS < now) {
        counts.set(target, (count = { since: now, attempts: 0, failures: 0 }));
      }
      count.attempts += 1;
      if (outcome === "retryable") count.failures += 1;
    },

    takeRecords() {
      const failed = [...counts].filter(([, { failures }]) => failures > 0);
      return failed.map(([target, { attempts, failures }]) => {
        counts.delete(target);
        return { target, attempts, failures };
      });
    },
  };
}
