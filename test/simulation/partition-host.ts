/**
 * A partition on simulated hardware: the real engine on real SQL, an alarm, and a process that may die. What a call wrote and
 * the alarm that it set are kept together or lost together, as in a Durable Object behind its output gate.
 */
import type { DispatchJob } from "../../src/bus/ports.ts";
import type { Engine } from "../../src/objects/engine.ts";
import { openEngine } from "../../src/objects/engine.ts";
import type { LedgerLimits } from "../../src/objects/ledger.ts";
import { openNodeSql } from "../support/node-sql.ts";
import type { Chance } from "./chance.ts";
import type { Timeline } from "./timeline.ts";

export interface Faults {
  /** A call dies before its writes are on disk. */
  readonly crashBefore: number;
  /** A call's writes are on disk and its reply never leaves. */
  readonly crashAfter: number;
  readonly loseRequest: number;
  readonly loseReply: number;
  /** The network delivers a call twice; the second reply goes nowhere. */
  readonly repeatCall: number;
}

export interface HostPorts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly faults: () => Faults;
  readonly limits: LedgerLimits;
  readonly handOver: (job: DispatchJob) => Promise<void>;
  readonly trace: (text: string) => void;
}

export interface PartitionHost {
  readonly name: string;
  readonly call: <Reply>(label: string, call: (engine: Engine) => Reply) => Promise<Reply>;
  /** Reads without faults, for checks. */
  readonly engine: () => Engine;
  readonly alarmAt: () => number | null;
  /** When open work next needs somebody, straight from the table; null when there is none. */
  readonly minDue: () => number | null;
  readonly close: () => void;
}

/** What the platform throws when a call may or may not have happened. */
function lostCall(): Error {
  return Object.assign(new Error("Network connection lost."), { retryable: true });
}

export function openPartitionHost(name: string, ports: HostPorts): PartitionHost {
  const { timeline, chance, trace } = ports;
  const sql = openNodeSql();
  let alarmAt: number | null = null;
  let alarmOrder = 0;
  let tokens = 0;
  // A dead process's engine may still have a promise running; its hand-overs go nowhere.
  let process = 0;
  let engine = boot();

  function boot(): Engine {
    const own = ++process;
    const booted = openEngine({
      sql,
      limits: ports.limits,
      setAlarm(at) {
        alarmAt = at;
      },
      handOver: (job) => (own === process ? ports.handOver(job) : new Promise(() => {})),
      now: timeline.now,
      newToken: () => `${name}-${++tokens}`,
      log: (message) => trace(`${name} ${message}`),
    });
    booted.start(alarmAt);
    scheduleAlarm();
    return booted;
  }

  function scheduleAlarm(): void {
    const at = alarmAt;
    if (at === null) return;
    const order = ++alarmOrder;
    timeline.after(at - timeline.now(), () => {
      if (order === alarmOrder && alarmAt === at) ring();
    });
  }

  function ring(): void {
    trace(`${name} alarm`);
    alarmAt = null;
    if (chance.happens(ports.faults().crashBefore)) return die(true);
    void engine.alarm();
    if (chance.happens(ports.faults().crashAfter)) return die(true);
    scheduleAlarm();
  }

  /** The process ends. An alarm that was running is run again by the platform. */
  function die(ringing: boolean): void {
    trace(`${name} dies${ringing ? " in its alarm" : ""}`);
    if (ringing) alarmAt = Math.min(alarmAt ?? Number.POSITIVE_INFINITY, timeline.now() + 2_000);
    engine = boot();
  }

  function execute<Reply>(label: string, call: (engine: Engine) => Reply): Reply {
    const alarmBefore = alarmAt;
    const crash = chance.happens(ports.faults().crashBefore);
    try {
      return sql.transaction(() => {
        const reply = call(engine);
        if (crash) throw lostCall();
        return reply;
      });
    } catch (error) {
      alarmAt = alarmBefore;
      trace(`${name} ${label} rolled back`);
      die(false);
      throw error;
    } finally {
      scheduleAlarm();
    }
  }

  return {
    name,
    call: (label, call) =>
      new Promise((resolve, reject) => {
        const { loseRequest, loseReply, crashAfter, repeatCall } = ports.faults();
        const lose = () => timeline.after(chance.between(1, 2_000), () => reject(lostCall()));
        timeline.after(chance.between(1, 40), () => {
          if (chance.happens(loseRequest)) return lose();
          try {
            const reply = structuredClone(execute(label, call));
            if (chance.happens(repeatCall))
              timeline.after(chance.between(1, chance.pick([5_000, 90_000])), () =>
                attempt(() => execute(label, call)),
              );
            if (chance.happens(crashAfter)) {
              die(false);
              return lose();
            }
            if (chance.happens(loseReply)) return lose();
            timeline.after(chance.between(1, 40), () => resolve(reply));
          } catch (error) {
            timeline.after(1, () => reject(error as Error));
          }
          return undefined;
        });
      }),
    engine: () => engine,
    alarmAt: () => alarmAt,
    minDue: () => sql.all<{ due: number | null }>("SELECT MIN(due) AS due FROM work")[0]?.due ?? null,
    close: () => sql.close(),
  };
}

function attempt(work: () => unknown): void {
  try {
    work();
  } catch {
    // The repeat of a call has nobody to tell.
  }
}
