/** Limits of a partition; tests turn them down. */
import type { SegmentLimits } from "./segments.ts";
import { SEGMENT_LIMITS } from "./segments.ts";

export interface LedgerLimits extends SegmentLimits {
  /** Open deliveries in a partition; beyond it nothing new is accepted. */
  readonly backlogDeliveriesMax: number;
  /** Bytes of events with open deliveries; beyond it nothing new is accepted. */
  readonly backlogBytesMax: number;
  /** Size of the whole database; beyond it nothing new is accepted, so that what is open can still be written. */
  readonly databaseBytesMax: number;
  /** Leases that the alarm's dispatchers hold at one time; half of them for one target. */
  readonly alarmLeasesMax: number;
}

export const LEDGER_LIMITS: LedgerLimits = {
  ...SEGMENT_LIMITS,
  backlogDeliveriesMax: 20_000,
  backlogBytesMax: 268_435_456,
  // Of the 10 GB that an object may have. Only dead events grow past the log's limit.
  databaseBytesMax: 8_589_934_592,
  alarmLeasesMax: 24,
};
