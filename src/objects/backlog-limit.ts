/** Whether a partition has room for more: bounds on what is undelivered, and on the database as a whole. */
import type { AcceptItem } from "../bus/ports.ts";
import type { LedgerLimits } from "./ledger-limits.ts";
import type { OpenWork } from "./open-work.ts";
import type { Sql } from "./sql.ts";

/** What a sender is told to wait when the backlog is full. */
export const BACKLOG_RETRY_AFTER_SECONDS = 30;

export interface BacklogLimit {
  readonly isFullFor: (added: readonly AcceptItem[]) => boolean;
  /** The same for deliveries that are opened again. */
  readonly isFullForCount: (deliveries: number) => boolean;
}

export function createBacklogLimit(sql: Sql, work: OpenWork, limits: LedgerLimits): BacklogLimit {
  return {
    isFullFor(added) {
      if (added.length === 0) return false;
      const adds = added.reduce((sum, item) => sum + item.deliveries.length, 0);
      const bytes = added.reduce((sum, item) => sum + (item.event.body?.length ?? 0), 0);
      const backlog = work.backlog();
      if (sql.bytes() > limits.databaseBytesMax) return true;
      // A request that alone is over a limit passes when nothing else waits: refusing it for ever would help nobody.
      if (adds === 0 || backlog.deliveries === 0) return false;
      return backlog.deliveries + adds > limits.backlogDeliveriesMax || backlog.bytes + bytes > limits.backlogBytesMax;
    },
    isFullForCount(deliveries) {
      const open = work.backlog().deliveries;
      return open > 0 && open + deliveries > limits.backlogDeliveriesMax;
    },
  };
}
