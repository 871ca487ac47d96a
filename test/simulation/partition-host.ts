/** A partition on simulated hardware: the real engine, and an alarm that is kept or lost together with the rows. */
import type { DispatchJob, OpenLane } from "../../src/bus/ports.ts";
import type { Engine } from "../../src/objects/engine.ts";
import { deflating } from "../../src/objects/deflating.ts";
import { openEngine } from "../../src/objects/engine.ts";
import type { LedgerLimits } from "../../src/objects/ledger-limits.ts";
import type { ObjectHost, ObjectProcess } from "./object-host.ts";
import { openObjectHost } from "./object-host.ts";
import type { Setting } from "./setting.ts";

/** The platform runs an alarm that died again, but gives up after some times. */
const ALARM_GIVEN_UP = 0.2;
const ALARM_AGAIN_MS = 2_000;

export interface HostPorts {
  readonly setting: Setting;
  readonly limits: LedgerLimits;
  readonly handOver: (partition: string, job: DispatchJob) => Promise<void>;
  readonly askOpenLanes: (partition: string, ids: readonly string[]) => Promise<readonly OpenLane[]>;
}

export interface PartitionHost extends Omit<ObjectHost<Engine>, "run"> {
  readonly alarmAt: () => number | null;
  /** When open work next needs somebody, straight from the table; null when there is none. */
  readonly minDue: () => number | null;
  readonly limits: LedgerLimits;
}

const NEVER = new Promise<never>(() => {});

export function openPartitionHost(name: string, { setting, limits, handOver, askOpenLanes }: HostPorts): PartitionHost {
  const { timeline, chance, faults, say, count } = setting;
  let alarmAt: number | null = null;
  let alarmOrder = 0;
  let scheduledAt: number | null = null;
  let tokens = 0;
  // What `minDue` read last, and after how many writes: it is asked for after every step, and few steps write.
  let known: { readonly writes: number; readonly due: number | null } | undefined;
  const host = openObjectHost<Engine>(name, setting, {
    boot,
    remember() {
      const before = alarmAt;
      return () => {
        alarmAt = before;
      };
    },
    afterCall: scheduleAlarm,
  });

  // A dead process's engine may still have a promise running; what it asks others goes nowhere.
  function boot({ sql, now, isAlive, isCalled }: ObjectProcess): Engine {
    const booted = openEngine({
      deflating,
      sql,
      limits,
      setAlarm(at) {
        alarmAt = at;
        if (!isCalled()) scheduleAlarm();
      },
      handOver: (job) => (isAlive() ? handOver(name, job) : NEVER),
      askOpenLanes: (partition, ids) =>
        isAlive() ? askOpenLanes(partition, ids).then((open) => (isAlive() ? open : NEVER)) : NEVER,
      now,
      newToken: () => `${name}-${++tokens}`,
      log: (message, fields) => say(() => `${name} ${message} ${JSON.stringify(fields)}`),
    });
    booted.start(alarmAt);
    scheduleAlarm();
    return booted;
  }

  function scheduleAlarm(): void {
    const at = alarmAt;
    if (at === null || at === scheduledAt) return;
    scheduledAt = at;
    const order = ++alarmOrder;
    if (chance.happens(faults().loseAlarm)) {
      say(() => `${name} loses its alarm`);
      count("lostAlarms");
      return;
    }
    timeline.after(at - timeline.now(), () => {
      if (order === alarmOrder && alarmAt === at) ring();
    });
  }

  function ring(): void {
    say(() => `${name} alarm`);
    alarmAt = null;
    scheduledAt = null;
    if (chance.happens(faults().crashBefore)) return dieRinging();
    host.run((engine) => void engine.alarm());
    if (chance.happens(faults().crashAfter)) return dieRinging();
    scheduleAlarm();
  }

  /** The process ends in its alarm, which the platform runs again, most of the time. */
  function dieRinging(): void {
    say(() => `${name} dies in its alarm`);
    if (!chance.happens(ALARM_GIVEN_UP)) {
      alarmAt = Math.min(alarmAt ?? Number.POSITIVE_INFINITY, timeline.now() + ALARM_AGAIN_MS);
    }
    host.die();
  }

  return {
    ...host,
    limits,
    alarmAt: () => alarmAt,
    minDue() {
      const writes = host.writes();
      if (known?.writes !== writes) {
        const due = host.sql.all<{ due: number | null }>("SELECT MIN(due) AS due FROM work")[0]?.due ?? null;
        known = { writes, due };
      }
      return known.due;
    },
  };
}
