/**
 * A Durable Object on simulated hardware: real SQL, and a process that may die. What a call wrote is kept or lost as a whole,
 * as behind the platform's output gate.
 */
import type { Sql } from "../../src/objects/sql.ts";
import type { NodeSql } from "../support/node-sql.ts";
import { openNodeSql } from "../support/node-sql.ts";
import type { Setting } from "./setting.ts";
import { CHAOS_MS, START } from "./setting.ts";

/** The writes of one call among which the failing one is. */
const FAILING_WRITES = 4;
/** How far ahead the clock of some objects is, until it is set right. */
const CLOCK_AHEAD_MS = 1_000;

/** What every start begins with. It forgets all prepared statements, and the table is there from the first start on. */
const MAKES_SURE = "CREATE TABLE IF NOT EXISTS";

/** What a process of the object is started with. */
export interface ObjectProcess {
  /** Reads and writes nothing more once the process is dead. */
  readonly sql: Sql;
  readonly now: () => number;
  readonly isAlive: () => boolean;
  /** Whether a call is under way; else the object does something by itself, after something that it has waited for. */
  readonly isCalled: () => boolean;
}

export interface ObjectOptions<Engine> {
  readonly boot: (process: ObjectProcess) => Engine;
  /** What else a crash takes back: answers how. */
  readonly remember?: () => () => void;
  readonly afterCall?: () => void;
}

export interface CallOptions<Reply> {
  /** Runs each time that the call has come to an end and its writes are kept. */
  readonly committed?: (reply: Reply) => void;
  /** The network may deliver it twice, much later. */
  readonly repeats?: boolean;
}

export interface ObjectHost<Engine> {
  readonly name: string;
  readonly call: <Reply>(
    label: string,
    call: (engine: Engine) => Reply,
    options?: CallOptions<Reply>,
  ) => Promise<Reply>;
  /** Reads without faults, for checks. */
  readonly engine: () => Engine;
  readonly sql: NodeSql;
  readonly now: () => number;
  /** Counts writes: the same number means the same tables. */
  readonly writes: () => number;
  readonly deaths: () => number;
  readonly die: () => void;
  /** Work of the object itself, in which a write may fail; it is no call, and nothing takes it back. */
  readonly run: (work: (engine: Engine) => void) => void;
  readonly close: () => void;
}

/** What the platform throws when a call may or may not have happened. */
function lostCall(): Error {
  return Object.assign(new Error("Network connection lost."), { retryable: true });
}

export function openObjectHost<Engine>(
  name: string,
  setting: Setting,
  { boot, remember = () => () => {}, afterCall = () => {} }: ObjectOptions<Engine>,
): ObjectHost<Engine> {
  const { timeline, chance, faults, features, say, count } = setting;
  const sql = openNodeSql();
  const setRightAt = features.clockJumps && chance.happens(0.6) ? START + chance.below(CHAOS_MS) : START;
  if (setRightAt > timeline.now()) count("clockJumps");
  const now = () => timeline.now() + (timeline.now() < setRightAt ? CLOCK_AHEAD_MS : 0);
  let process = 0;
  let writes = 0;
  let writesUntilFailure = Number.POSITIVE_INFINITY;
  let called = true;
  let engine = start();
  called = false;

  function start(): Engine {
    const own = ++process;
    const isAlive = () => own === process;
    return boot({
      isAlive,
      isCalled: () => called,
      now,
      sql: {
        ...sql,
        run(query, ...params) {
          if (!isAlive() || (own > 1 && query.startsWith(MAKES_SURE))) return;
          writes += 1;
          writesUntilFailure -= 1;
          if (writesUntilFailure === 0) throw new Error("database or disk is full");
          sql.run(query, ...params);
        },
      },
    });
  }

  function die(): void {
    engine = start();
  }

  function mayFail<Value>(work: () => Value): Value {
    if (chance.happens(faults().failWrite)) writesUntilFailure = chance.between(1, FAILING_WRITES);
    try {
      return work();
    } finally {
      writesUntilFailure = Number.POSITIVE_INFINITY;
    }
  }

  /** One call is one commit. An exception alone takes nothing back, as in a Durable Object; only a crash does. */
  function execute<Reply>(
    label: string,
    call: (engine: Engine) => Reply,
    committed: (reply: Reply) => void,
  ): Attempted<Reply> {
    const takeBack = remember();
    const crash = chance.happens(faults().crashBefore);
    called = true;
    try {
      const done = crash
        ? sql.transaction((): Attempted<Reply> => {
            attempt(() => mayFail(() => call(engine)));
            throw lostCall();
          })
        : attempt(() => mayFail(() => call(engine)));
      if ("error" in done) say(() => `${name} ${label} failed: ${String(done.error)}`);
      else committed(done.reply);
      return done;
    } catch (error) {
      if (!crash) throw error;
      takeBack();
      writes += 1;
      say(() => `${name} ${label} rolled back`);
      die();
      return { error };
    } finally {
      called = false;
      afterCall();
    }
  }

  return {
    name,
    sql,
    now,
    die,
    call: (label, call, { committed = () => {}, repeats = true } = {}) =>
      new Promise((resolve, reject) => {
        const { loseRequest, loseReply, crashAfter, repeatCall } = faults();
        const lose = () => timeline.after(chance.between(1, 2_000), () => reject(lostCall()));
        timeline.after(chance.between(1, 40), () => {
          if (chance.happens(loseRequest)) return lose();
          const done = execute(label, call, committed);
          if ("error" in done) return timeline.after(1, () => reject(done.error as Error));
          const reply = setting.copy(done.reply);
          if (chance.happens(repeatCall) && repeats)
            timeline.after(chance.between(1, chance.pick([5_000, 90_000])), () => execute(label, call, committed));
          if (chance.happens(crashAfter)) {
            say(() => `${name} dies`);
            die();
            return lose();
          }
          if (chance.happens(loseReply)) return lose();
          return timeline.after(chance.between(1, 40), () => resolve(reply));
        });
      }),
    engine: () => engine,
    writes: () => writes,
    // The first process did not follow one that died.
    deaths: () => process - 1,
    run: (work) => mayFail(() => work(engine)),
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
