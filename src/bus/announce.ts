/** Telling partitions how targets stand. One that could not be told learns it from the sweep, or when it next settles. */
import type { CallPorts } from "./partition-call.ts";
import { callAgain } from "./partition-call.ts";
import { inPool } from "./pool.ts";
import type { TargetStatus } from "./gate-ports.ts";
import type { AdminPartitionPort } from "./ports.ts";

/** Partitions told at a time. */
export const ANNOUNCE_CALLS_MAX = 6;
/** One that takes longer counts as not told, and does not keep the others waiting. */
export const ANNOUNCE_TIMEOUT_MS = 2_000;
/** Partitions told of one change: an invocation may make 10,000 calls (Workers limits, "subrequests", paid plan). */
export const ANNOUNCE_PARTITIONS_MAX = 4_096;

export interface AnnouncePorts extends Pick<CallPorts, "sleep" | "random"> {
  /**
   * Those of every bus: where no rule names a target now, one may be switched on or added, and the next sweep may be minutes
   * away.
   */
  readonly allPartitions: () => readonly string[];
  readonly adminPartition: (name: string) => Pick<AdminPartitionPort, "setTargetStatuses">;
  /** The work's result, or "timeout" when it takes longer; the work itself goes on. */
  readonly within: <Value>(work: Promise<Value>, timeoutMs: number) => Promise<Value | "timeout">;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Tells partitions; the names of those that could not be told come back, each with a line in the log. */
export async function announce(
  partitions: readonly string[],
  statuses: readonly TargetStatus[],
  ports: AnnouncePorts,
): Promise<readonly string[]> {
  const left = partitions.slice(ANNOUNCE_PARTITIONS_MAX);
  if (left.length > 0) ports.log("announce.cut", { partitions: partitions.length, told: ANNOUNCE_PARTITIONS_MAX });
  const untold = await inPool(partitions.slice(0, ANNOUNCE_PARTITIONS_MAX), ANNOUNCE_CALLS_MAX, async (partition) => {
    const targets = statuses.map(({ target }) => target);
    try {
      const telling = callAgain(() => ports.adminPartition(partition).setTargetStatuses(statuses), ports);
      if ((await ports.within(telling, ANNOUNCE_TIMEOUT_MS)) !== "timeout") return [];
      ports.log("announce.timeout", { partition, targets });
    } catch (error) {
      ports.log("announce.failed", { partition, targets, error: String(error) });
    }
    return [partition];
  });
  return [...untold.flat(), ...left];
}
