/**
 * The sweep: wakes every partition, so that work whose alarm is lost goes on, what is too old is dropped, and what a partition
 * has not heard of a target is told again.
 */
import { inPool } from "./pool.ts";
import type { TargetStatus } from "./gate-ports.ts";
import type { AdminPartitionPort, WantedPairs } from "./ports.ts";

/** Partitions woken at a time. */
export const SWEEP_CALLS_MAX = 6;
/** A partition that takes longer does not keep the others asleep; its own work goes on. */
export const SWEEP_TIMEOUT_MS = 10_000;
/** Partitions of one sweep: an invocation may make 10,000 calls (Workers limits, "subrequests", paid plan). The next ones go on. */
export const SWEEP_PARTITIONS_MAX = 4_096;

export interface SweepPorts {
  readonly adminPartition: (name: string) => Pick<AdminPartitionPort, "wake">;
  /** The work's result, or "timeout" when it takes longer; the work itself goes on. */
  readonly within: <Value>(work: Promise<Value>, timeoutMs: number) => Promise<Value | "timeout">;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** What the sweep tells partitions of targets. */
export interface SweepNews {
  readonly statuses: readonly TargetStatus[];
  /** Names of all targets of the rules. */
  readonly targets: readonly string[];
  readonly wanted: WantedPairs;
}

/** `turn` counts up from sweep to sweep: it says where to go on when there are too many partitions for one. Never throws. */
export async function sweep(
  partitions: readonly string[],
  turn: number,
  { statuses, targets, wanted }: SweepNews,
  ports: SweepPorts,
): Promise<void> {
  await inPool(partitionsOfTurn(partitions, turn), SWEEP_CALLS_MAX, async (partition) => {
    try {
      const woken = await ports.within(
        ports.adminPartition(partition).wake(statuses, targets, wanted),
        SWEEP_TIMEOUT_MS,
      );
      if (woken === "timeout") ports.log("sweep.timeout", { partition });
    } catch (error) {
      ports.log("sweep.failed", { partition, error: String(error) });
    }
  });
}

function partitionsOfTurn(partitions: readonly string[], turn: number): readonly string[] {
  const turns = Math.max(1, Math.ceil(partitions.length / SWEEP_PARTITIONS_MAX));
  const first = (turn % turns) * SWEEP_PARTITIONS_MAX;
  return partitions.slice(first, first + SWEEP_PARTITIONS_MAX);
}
