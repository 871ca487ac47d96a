/**
 * What the partition knows of targets: what their gates have told (table `targets`, because a pause must outlive the process),
 * and how much may be lent while they have no room for all (memory: forgetting costs a few questions).
 */
import type { HoldReason, TargetRecord, TargetStatus } from "../bus/gate-ports.ts";
import type { Throttle } from "../bus/ports.ts";
import type { Attempt } from "../core/delivery.ts";
import type { LendWindow } from "../core/lend-window.ts";
import { growWindow, isForgotten, opensAt, shrinkWindow } from "../core/lend-window.ts";
import type { Sql } from "./sql.ts";

/** Attempts older than this say nothing about how a target does now. */
const RECORD_WINDOW_MS = 60_000;
/** Targets whose state is known; beyond it those go that the rules no longer name. */
export const TARGETS_KNOWN_MAX = 2_000;
/** A hold without an end, in a column of numbers. */
const FOREVER = Number.MAX_SAFE_INTEGER;

export interface TargetStates {
  /** Takes what gates have told; what is older than what is known is ignored. */
  readonly set: (statuses: readonly TargetStatus[], now: number) => void;
  /** Takes what came of asking for permits. */
  readonly throttle: (throttles: readonly Throttle[], out: ReadonlyMap<string, number>, now: number) => void;
  /** Leaves targets that are short of room to others for as long as is said; after what has just been lent. */
  readonly yieldTo: (throttles: readonly Throttle[], now: number) => void;
  /** How many leases the target may have at one time. */
  readonly room: (target: string, now: number) => number;
  /** Whether an attempt needs a permit. */
  readonly isGated: (target: string) => boolean;
  /** When the target may get something again: now or later; null when nobody knows. */
  readonly freeAt: (target: string, now: number) => number | null;
  /** What is known of these targets, for a partition that can't know yet. */
  readonly statusesOf: (names: readonly string[], now: number) => readonly TargetStatus[];
  /** Why the target gets less than is due to it, or nothing; undefined when it gets what it can take. */
  readonly heldBecause: (target: string, now: number) => string | undefined;
  /** Counts an attempt that no gate has counted. */
  readonly count: (target: string, outcome: Attempt["outcome"], now: number) => void;
  /** Targets that have failed since the last call, with all that was counted in the last minute. */
  readonly takeRecords: () => readonly TargetRecord[];
  /**
   * Told by the sweep which targets the rules name. What waits for another one that is held goes out, so that it is found
   * unwanted; should the target come back, its gate is asked first, and its pause holds.
   */
  readonly retain: (named: readonly string[], now: number) => void;
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
  // Known are at most TARGETS_KNOWN_MAX, or the targets that the rules name; the others live as long as the process, and so
  // as one version of the rules, and lose at each sweep what is over.
  const known = new Map<string, Known>();
  const windows = new Map<string, LendWindow>();
  const counts = new Map<string, Count>();
  for (const row of sql.all<{ name: string; version: number; kind: string; reason: string; until: number }>(
    "SELECT name, version, kind, reason, until FROM targets",
  )) {
    known.set(row.name, { ...row, kind: row.kind as Known["kind"] });
  }

  function windowOf(target: string, now: number): LendWindow | undefined {
    const window = windows.get(target);
    return window === undefined || isForgotten(window, now) ? undefined : window;
  }

  const heldUntil = (target: string): number => {
    const state = known.get(target);
    return state?.kind === "held" ? state.until : 0;
  };

  function write(target: string, { version, kind, reason, until }: Known): void {
    known.set(target, { version, kind, reason, until });
    sql.run(
      "INSERT OR REPLACE INTO targets (name, version, kind, reason, until) VALUES (?, ?, ?, ?, ?)",
      target,
      version,
      kind,
      reason,
      until,
    );
  }

  return {
    set(statuses, now) {
      for (const { target, version, state } of statuses) {
        // Version 0 is a gate that has never had anything to tell.
        if (version <= (known.get(target)?.version ?? 0)) continue;
        const held = state.kind === "held";
        const until = held ? (state.forMs === null ? FOREVER : now + state.forMs) : 0;
        write(target, { version, kind: state.kind, reason: held ? state.reason : "", until });
        // What was denied because of a hold that is over may go now.
        const window = windows.get(target);
        if (!held && window !== undefined) windows.set(target, { ...window, until: Math.min(window.until, now) });
      }
    },

    throttle(throttles, out, now) {
      for (const { target, forMs } of throttles) {
        const window = windowOf(target, now);
        const next =
          forMs > 0 ? shrinkWindow(window, forMs, out.get(target) ?? 0, now) : window && growWindow(window, now);
        if (next === undefined) windows.delete(target);
        else windows.set(target, next);
      }
    },

    yieldTo(throttles, now) {
      for (const { target, yieldMs } of throttles) {
        const window = windows.get(target);
        if (window === undefined || yieldMs === undefined) continue;
        windows.set(target, { ...window, yieldUntil: now + yieldMs });
      }
    },

    room(target, now) {
      const window = windowOf(target, now);
      if ((window !== undefined && opensAt(window) > now) || heldUntil(target) > now) return 0;
      // The one that goes first finds out for the others.
      return known.get(target)?.kind === "held" ? 1 : (window?.size ?? Number.POSITIVE_INFINITY);
    },

    isGated: (target) => (known.get(target)?.kind ?? "free") !== "free",

    freeAt(target, now) {
      const until = heldUntil(target);
      if (until === FOREVER) return null;
      const window = windowOf(target, now);
      return Math.max(until, window === undefined ? 0 : opensAt(window), now);
    },

    statusesOf(names, now) {
      return [...new Set(names)].flatMap((target): readonly TargetStatus[] => {
        const state = known.get(target);
        if (state === undefined) return [];
        const { version, kind, reason, until } = state;
        if (kind !== "held") return [{ target, version, state: { kind } }];
        const forMs = until === FOREVER ? null : Math.max(0, until - now);
        return [{ target, version, state: { kind, reason: reason as HoldReason, forMs } }];
      });
    },

    heldBecause(target, now) {
      const state = known.get(target);
      // After a hold's end it is tried out, one attempt at a time, until its gate says that it is well.
      if (state?.kind === "held") return state.reason;
      return windowOf(target, now) === undefined ? undefined : "no room within its limits";
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

    retain(named, now) {
      const names = new Set(named);
      const unnamed = [...known].filter(([target]) => !names.has(target));
      for (const [target, { kind }] of unnamed) {
        // Version 0, so that whatever its gate says next is news.
        if (kind === "held") write(target, { version: 0, kind: "gated", reason: "", until: 0 });
      }
      for (const [target] of unnamed.slice(0, Math.max(0, known.size - TARGETS_KNOWN_MAX))) {
        known.delete(target);
        sql.run("DELETE FROM targets WHERE name = ?", target);
      }
      for (const target of windows.keys()) if (windowOf(target, now) === undefined) windows.delete(target);
      for (const [target, { since }] of counts) if (since + RECORD_WINDOW_MS < now) counts.delete(target);
    },
  };
}
