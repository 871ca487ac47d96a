/** Telling partitions how targets stand. One that could not be told learns it from the sweep, or when it next settles. */
import type { RuleSet } from "../core/rule-set.ts";
import type { Layouts } from "./layout.ts";
import { partitionNames } from "./layout.ts";
import type { CallPorts } from "./partition-call.ts";
import { callAgain } from "./partition-call.ts";
import { inPool } from "./pool.ts";
import type { AdminPartitionPort, TargetStatus } from "./ports.ts";

/** Partitions told at a time. */
export const ANNOUNCE_CALLS_MAX = 6;

export interface AnnouncePorts extends Pick<CallPorts, "sleep" | "random"> {
  /** The partitions that may hold deliveries to a target. */
  readonly partitionsOf: (target: string) => readonly string[];
  readonly adminPartition: (name: string) => Pick<AdminPartitionPort, "setTargetStatuses">;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Tells partitions; the names of those that could not be told come back, each with a line in the log. */
export async function announce(
  partitions: readonly string[],
  statuses: readonly TargetStatus[],
  ports: AnnouncePorts,
): Promise<readonly string[]> {
  const untold = await inPool(partitions, ANNOUNCE_CALLS_MAX, async (partition) => {
    try {
      await callAgain(() => ports.adminPartition(partition).setTargetStatuses(statuses), ports);
      return [];
    } catch (error) {
      const targets = statuses.map(({ target }) => target);
      ports.log("announce.failed", { partition, targets, error: String(error) });
      return [partition];
    }
  });
  return untold.flat();
}

/** The partitions, of every layout that may hold something, of every bus that has a live rule which names the target. */
export function partitionsNaming(target: string, ruleSet: RuleSet, layouts: Layouts): readonly string[] {
  const buses = new Set(
    ruleSet.rules
      .filter(({ definition }) => definition.mode === "live" && definition.targets.includes(target))
      .map(({ definition }) => definition.bus),
  );
  return [...buses].flatMap((bus) => partitionNames(bus, layouts));
}
