/**
 * A partition without its platform: the ledger, the alarm that drives it and the recovery from failures. `partition.ts` runs
 * it in a Durable Object, the simulation on simulated time with crashes. Methods without a promise are one commit each.
 */
import type { TargetStatus } from "../bus/gate-ports.ts";
import type {
  AcceptReply,
  AcceptRequest,
  Backlog,
  DispatchJob,
  KnownReply,
  LeasedWork,
  ListedEvent,
  ListReply,
  ListRequest,
  OpenLane,
  RejectionEntry,
  SettleReply,
  SettleRequest,
  VerificationEntry,
  WantedPairs,
} from "../bus/ports.ts";
import { openBodies } from "./bodies.ts";
import type { Ledger } from "./ledger.ts";
import type { Question } from "./lanes-elsewhere.ts";
import type { LedgerLimits } from "./ledger-limits.ts";
import { openLedger } from "./ledger.ts";
import { listEvents, toListed } from "./listing.ts";
import { listRejections, recordRejections } from "./rejection-log.ts";
import type { Deflating } from "./deflating.ts";
import { migrate, readMeta, writeMeta } from "./schema.ts";
import type { Sql } from "./sql.ts";
import { listVerifications, recordVerifications } from "./verification-log.ts";

/** After an alarm that failed: when to look again. */
const ALARM_FAILED_DELAY_MS = 5_000;

/**
 * An alarm this late is set again: the platform rings within milliseconds, or within seconds when a handler failed, and setting
 * one that was about to ring costs a row. One that is on record and never rings would leave its work alone until the sweep.
 */
export const ALARM_LATE_MS = 5_000;

export interface EnginePorts {
  readonly sql: Sql;
  readonly limits: LedgerLimits;
  /** Absent: bodies are stored as they came. */
  readonly deflating?: Deflating;
  /** Sets the one alarm, in the same commit as the writes around it. */
  readonly setAlarm: (at: number) => void;
  /** Gives leases to a dispatcher; resolves when it has them, not when it is done. */
  readonly handOver: (job: DispatchJob) => Promise<void>;
  /** Asks another partition which of these lanes it has open deliveries of. */
  readonly askOpenLanes: (partition: string, ids: readonly string[]) => Promise<readonly OpenLane[]>;
  readonly now: () => number;
  readonly newToken: () => string;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface Engine {
  /** Once, before anything else: `alarmAt` is the alarm that is on record, or null. */
  readonly start: (alarmAt: number | null) => void;
  readonly accept: (request: AcceptRequest, others?: readonly AcceptRequest[]) => AcceptReply;
  readonly known: (request: AcceptRequest) => KnownReply;
  readonly settle: (request: SettleRequest) => SettleReply;
  readonly openLanes: (ids: readonly string[]) => readonly OpenLane[];
  readonly alarm: () => Promise<void>;
  /**
   * The sweep: how targets stand, retention, and a new alarm for due work that has none. `alarmAt` is the alarm that is on
   * record, `targets` are all that the rules name.
   */
  readonly wake: (
    alarmAt: number | null,
    statuses: readonly TargetStatus[],
    targets?: readonly string[],
    wanted?: WantedPairs,
  ) => Backlog;
  readonly setTargetStatuses: (statuses: readonly TargetStatus[]) => void;
  readonly get: (seq: number) => ListedEvent | null;
  readonly list: (request: ListRequest) => ListReply;
  readonly redrive: (seq: number, deliveryId: string | null) => number | "full" | null;
  readonly backlog: () => Backlog;
  /** Of these keys of the body store those that events here refer to. */
  readonly keptBodies: (keys: readonly string[]) => readonly string[];
  readonly recordRejections: (entries: readonly RejectionEntry[]) => void;
  readonly listRejections: (limit: number) => readonly RejectionEntry[];
  readonly recordVerifications: (entries: readonly VerificationEntry[]) => void;
  readonly listVerifications: () => readonly VerificationEntry[];
}

export function openEngine(ports: EnginePorts): Engine {
  const { sql, limits, deflating, setAlarm, handOver, now, newToken, log } = ports;
  migrate(sql);
  let ledger: Ledger = openLedger(sql, limits, deflating);
  // The object's own name, from its first accept: a dispatcher calls back by it.
  let name = readMeta(sql, "name");
  // The alarm that is set, as far as this instance knows.
  let alarmAt: number | null = null;

  function arm(at: number | null): void {
    const isSet = alarmAt !== null && alarmAt > now() - ALARM_LATE_MS;
    if (at === null || (isSet && alarmAt !== null && alarmAt <= at)) return;
    alarmAt = at;
    setAlarm(at);
  }

  /** Runs a change and sets the alarm in the same commit. After a failure, memory is read from the tables again. */
  function change<Value>(work: () => Value): Value {
    try {
      const value = work();
      arm(ledger.nextWakeAt(now()));
      return value;
    } catch (error) {
      ledger = openLedger(sql, limits, deflating);
      throw error;
    }
  }

  async function startDispatcher(work: readonly LeasedWork[]): Promise<void> {
    const partition = name;
    if (partition === undefined || work.length === 0) return;
    try {
      // One dispatcher an alarm: those that one invocation starts would share its six connections. While more is due
      // the next alarm is set for now.
      await handOver({ partition, work, holder: "alarm" });
    } catch (error) {
      // Its leases run out and are taken up again.
      log("dispatch.failed", { partition, error: String(error) });
    }
  }

  /** Lets lanes go on that waited for another partition. Who can't be asked now is asked again. */
  async function askElsewhere(asked: Question): Promise<void> {
    const { partition, lanes } = asked;
    try {
      const open = await ports.askOpenLanes(partition, lanes);
      change(() => ledger.answerElsewhere(asked, open, now()));
    } catch (error) {
      log("lanes.unasked", { partition, error: String(error) });
    }
  }

  return {
    // A fired alarm is used up, and an instance may die before it sets the next one: whoever starts with open work arms. One
    // that is past is not believed either: if it rings after all, it rings twice.
    start(current) {
      alarmAt = current !== null && current > now() ? current : null;
      arm(ledger.nextWakeAt(now()));
    },

    accept: (request, others) =>
      change(() => {
        if (name === undefined) {
          writeMeta(sql, "name", request.partition);
          name = request.partition;
        }
        return ledger.accept(request, now(), others);
      }),

    known: (request) => change(() => ledger.known(request, now())),
    openLanes: (ids) => ledger.openLanes(ids),

    settle: (request) => change(() => ledger.settle(request, now(), newToken)),

    // The platform gives up on an alarm whose handler threw seven times, so this one does not throw.
    async alarm() {
      alarmAt = null;
      // First of all, so that the next alarm is set for the next time that they are asked.
      const questions = ledger.lanesElsewhere.questions(now());
      let work: readonly LeasedWork[];
      try {
        // The leases and the next alarm are one commit: from here on a lease that is lost has an alarm at its end.
        work = change(() => ledger.takeDue(now(), newToken));
      } catch (error) {
        log("alarm.failed", { error: String(error) });
        arm(now() + ALARM_FAILED_DELAY_MS);
        return;
      }
      // Not waited for: the next alarm can't ring before this one has returned, and another partition may take its time.
      for (const question of questions) void askElsewhere(question);
      await startDispatcher(work);
    },

    wake(current, statuses, targets, wanted) {
      alarmAt = current;
      change(() => {
        ledger.setTargetStatuses(statuses, now());
        ledger.retain(now(), targets, wanted);
      });
      return ledger.backlog();
    },

    setTargetStatuses: (statuses) => change(() => ledger.setTargetStatuses(statuses, now())),

    get(seq) {
      const found = ledger.get(seq);
      return found === undefined ? null : toListed(found);
    },

    list: (request) => listEvents(ledger, request),
    redrive: (seq, deliveryId) => change(() => ledger.redrive(seq, deliveryId ?? undefined, now()) ?? null),
    backlog: () => ledger.backlog(),
    keptBodies: (keys) => openBodies(sql).kept(keys, (seq) => ledger.get(seq) !== undefined),
    recordRejections: (entries) => recordRejections(sql, entries),
    listRejections: (limit) => listRejections(sql, limit),
    recordVerifications: (entries) => recordVerifications(sql, entries),
    listVerifications: () => listVerifications(sql),
  };
}
