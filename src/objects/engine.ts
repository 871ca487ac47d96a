/**
 * A partition without its platform: the ledger, the alarm that drives it and the recovery from failures. `partition.ts` runs
 * it in a Durable Object, the simulation on simulated time with crashes. Methods without a promise are one commit each.
 */
import type {
  AcceptReply,
  AcceptRequest,
  Backlog,
  DispatchJob,
  LeasedWork,
  ListedEvent,
  ListReply,
  ListRequest,
  RejectionEntry,
  SettleReply,
  SettleRequest,
} from "../bus/ports.ts";
import type { Ledger, LedgerLimits } from "./ledger.ts";
import { openLedger } from "./ledger.ts";
import { listEvents, toListed } from "./listing.ts";
import { listRejections, recordRejections } from "./rejection-log.ts";
import { migrate, readMeta, writeMeta } from "./schema.ts";
import type { Sql } from "./sql.ts";

/** After an alarm that failed: when to look again. */
const ALARM_FAILED_DELAY_MS = 5_000;

/** An alarm this late has been lost: the platform rings within milliseconds, and a failed handler's retry within seconds. */
const ALARM_LATE_MS = 120_000;

export interface EnginePorts {
  readonly sql: Sql;
  readonly limits: LedgerLimits;
  /** Sets the one alarm, in the same commit as the writes around it. */
  readonly setAlarm: (at: number) => void;
  /** Gives leases to a dispatcher; resolves when it has them, not when it is done. */
  readonly handOver: (job: DispatchJob) => Promise<void>;
  readonly now: () => number;
  readonly newToken: () => string;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface Engine {
  /** Once, before anything else: `alarmAt` is the alarm that is on record, or null. */
  readonly start: (alarmAt: number | null) => void;
  readonly accept: (request: AcceptRequest) => AcceptReply;
  readonly settle: (request: SettleRequest) => SettleReply;
  readonly alarm: () => Promise<void>;
  /** The sweep: retention, and a new alarm for due work that has none. `alarmAt` is the alarm that is on record. */
  readonly wake: (alarmAt: number | null) => Backlog;
  readonly get: (seq: number) => ListedEvent | null;
  readonly list: (request: ListRequest) => ListReply;
  readonly redrive: (seq: number, deliveryId: string | null) => number | null;
  readonly backlog: () => Backlog;
  readonly recordRejections: (entries: readonly RejectionEntry[]) => void;
  readonly listRejections: (limit: number) => readonly RejectionEntry[];
}

export function openEngine({ sql, limits, setAlarm, handOver, now, newToken, log }: EnginePorts): Engine {
  migrate(sql);
  let ledger: Ledger = openLedger(sql, limits);
  // The object's own name, from its first accept: a dispatcher calls back by it.
  let name = readMeta(sql, "name");
  // The alarm that is set, as far as this instance knows.
  let alarmAt: number | null = null;

  function arm(at: number | null): void {
    if (at === null || (alarmAt !== null && alarmAt <= at)) return;
    alarmAt = at;
    setAlarm(at);
  }

  /** An alarm that should have rung long ago is lost, whatever the storage says of it. */
  function onRecord(current: number | null): number | null {
    return current !== null && current < now() - ALARM_LATE_MS ? null : current;
  }

  /** Runs a change and sets the alarm in the same commit. After a failure, memory is read from the tables again. */
  function change<Value>(work: () => Value): Value {
    try {
      const value = work();
      arm(ledger.nextWakeAt(now()));
      return value;
    } catch (error) {
      ledger = openLedger(sql, limits);
      throw error;
    }
  }

  return {
    // A fired alarm is used up, and an instance may die before it sets the next one: whoever starts with open work arms.
    start(current) {
      alarmAt = onRecord(current);
      arm(ledger.nextWakeAt(now()));
    },

    accept: (request) =>
      change(() => {
        if (name === undefined) {
          writeMeta(sql, "name", request.partition);
          name = request.partition;
        }
        return ledger.accept(request, now());
      }),

    settle: (request) => change(() => ledger.settle(request, now(), newToken)),

    // The platform gives up on an alarm whose handler threw seven times, so this one does not throw.
    async alarm() {
      alarmAt = null;
      let work: readonly LeasedWork[];
      try {
        // The leases and the next alarm are one commit: from here on a lease that is lost has an alarm at its end.
        work = change(() => ledger.takeDue(now(), newToken));
      } catch (error) {
        log("alarm.failed", { error: String(error) });
        arm(now() + ALARM_FAILED_DELAY_MS);
        return;
      }
      const partition = name;
      if (partition === undefined) return;
      if (work.length === 0) return;
      try {
        // One dispatcher an alarm: those that one invocation starts would share its six connections. While more is due
        // the next alarm is set for now.
        await handOver({ partition, work, holder: "alarm" });
      } catch (error) {
        // Its leases run out and are taken up again.
        log("dispatch.failed", { partition, error: String(error) });
      }
    },

    wake(current) {
      alarmAt = onRecord(current);
      change(() => ledger.retain(now()));
      return ledger.backlog();
    },

    get(seq) {
      const found = ledger.get(seq);
      return found === undefined ? null : toListed(found);
    },

    list: (request) => listEvents(ledger, request),
    redrive: (seq, deliveryId) => change(() => ledger.redrive(seq, deliveryId ?? undefined, now()) ?? null),
    backlog: () => ledger.backlog(),
    recordRejections: (entries) => recordRejections(sql, entries),
    listRejections: (limit) => listRejections(sql, limit),
  };
}
