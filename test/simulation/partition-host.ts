/**
 * A partition on simulated hardware: the real engine on real SQL, an alarm, and a process that may die. What a call wrote and
 * the alarm that it set are kept together or lost together, as in a Durable Object behind its output gate.
 */
import type { DispatchJob } from "../../src/bus/ports.ts";
import type { Engine } from "../../src/objects/engine.ts";
import { openEngine } from "../../src/objects/engine.ts";
import type { LedgerLimits } from "../../src/objects/ledger.ts";
import type { Sql } from "../../src/objects/sql.ts";
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
  /** A write of a call fails, as on a full disk. The process lives, and what was written before it outside a transaction stays. */
  readonly failWrite: number;
}

/** The writes of one call among which the failing one is. */
const FAILING_WRITES = 4;
/** The platform runs an alarm that died again, but gives up after some times. */
const ALARM_GIVEN_UP = 0.2;

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
  /** `committed` runs each time that the call has come to an end and its writes are kept. */
  readonly call: <Reply>(label: string, call: (engine: Engine) => Reply, committed?: () => void) => Promise<Reply>;
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
  let writesUntilFailure = Number.POSITIVE_INFINITY;
  let engine = boot();

  /** What a process sees of the disk: nothing more once it is dead. */
  function sqlOf(own: number): Sql {
    return {
      ...sql,
      run(query, ...params) {
        if (own !== process) return;
        writesUntilFailure -= 1;
        if (writesUntilFailure === 0) throw new Error("database or disk is full");
        sql.run(query, ...params);
      },
    };
  }

  function boot(): Engine {
    const own = ++process;
    const booted = openEngine({
      sql: sqlOf(own),
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

  /** The process ends. An alarm that was running is run again by the platform, most of the time. */
  function die(ringing: boolean): void {
    trace(`${name} dies${ringing ? " in its alarm" : ""}`);
    if (ringing && !chance.happens(ALARM_GIVEN_UP))
      alarmAt = Math.min(alarmAt ?? Number.POSITIVE_INFINITY, timeline.now() + 2_000);
    engine = boot();
  }

  /** One call is one commit. An exception alone takes nothing back, as in a Durable Object; only a crash does. */
  function execute<Reply>(label: string, call: (engine: Engine) => Reply, committed: () => void): Attempted<Reply> {
    const alarmBefore = alarmAt;
    const { crashBefore, failWrite } = ports.faults();
    const crash = chance.happens(crashBefore);
    if (chance.happens(failWrite)) writesUntilFailure = chance.between(1, FAILING_WRITES);
    try {
      const done = sql.transaction(() => {
        const reply = attempt(() => call(engine));
        writesUntilFailure = Number.POSITIVE_INFINITY;
        if (crash) throw lostCall();
        return reply;
      });
      if ("error" in done) trace(`${name} ${label} failed: ${String(done.error)}`);
      else committed();
      return done;
    } catch (error) {
      alarmAt = alarmBefore;
      trace(`${name} ${label} rolled back`);
      die(false);
      return { error };
    } finally {
      scheduleAlarm();
    }
  }

  return {
    name,
    call: (label, call, committed = () => {}) =>
      new Promise((resolve, reject) => {
        const { loseRequest, loseReply, crashAfter, repeatCall } = ports.faults();
        const lose = () => timeline.after(chance.between(1, 2_000), () => reject(lostCall()));
        timeline.after(chance.between(1, 40), () => {
          if (chance.happens(loseRequest)) return lose();
          const done = execute(label, call, committed);
          if ("error" in done) return timeline.after(1, () => reject(done.error as Error));
          const reply = structuredClone(done.reply);
          if (chance.happens(repeatCall))
            timeline.after(chance.between(1, chance.pick([5_000, 90_000])), () => execute(label, call, committed));
          if (chance.happens(crashAfter)) {
            die(false);
            return lose();
          }
          if (chance.happens(loseReply)) return lose();
          return timeline.after(chance.between(1, 40), () => resolve(reply));
        });
      }),
    engine: () => engine,
    alarmAt: () => alarmAt,
    minDue: () => sql.all<{ due: number | null }>("SELECT MIN(due) AS due FROM work")[0]?.due ?? null,
    close: () => sql.close(),
  };
}

type Attempted<Reply> = { readonly reply: Reply } | { readonly error: unknown };

function attempt<Reply>(work: () => Reply): Attempted<Reply> {
  try {
    return { reply: work() };
  } catch (error) {
    return { error };
  }
}
