/**
 * A gate without its platform: `core/gate.ts` decides, one row keeps what it decided. `gate.ts` runs it in a Durable Object,
 * tests on `node:sqlite`. Every method is one commit of at most one row, and none when it changes nothing.
 */
import type { GateReply, PermitReply, PermitRequest, TargetRecord, TargetStatus } from "../bus/gate-ports.ts";
import type { Gate, PauseReason } from "../core/gate.ts";
import { acquire, conditionOf, finish, NEW_GATE, pause, report, resume } from "../core/gate.ts";
import { runMigrations } from "./schema.ts";
import type { Sql } from "./sql.ts";

/** One entry per schema version, run in order, each once. Entries of a released version are never edited. */
const MIGRATIONS: readonly ((sql: Sql) => void)[] = [
  (sql) => {
    sql.run("CREATE TABLE gate (id INTEGER PRIMARY KEY CHECK (id = 1), target TEXT NOT NULL, state TEXT NOT NULL)");
  },
];

export const GATE_SCHEMA_VERSION = MIGRATIONS.length;

export interface GateEnginePorts {
  readonly sql: Sql;
  readonly now: () => number;
  readonly random: () => number;
}

/** `GatePort`, without its promises. */
export interface GateEngine {
  readonly acquire: (request: PermitRequest) => PermitReply;
  readonly finish: (token: string, result: "succeeded" | "failed" | "unsent", target: string) => GateReply;
  readonly report: (record: TargetRecord) => GateReply;
  readonly pause: (target: string, reason: PauseReason) => GateReply;
  readonly resume: (target: string) => GateReply;
  readonly status: (target: string) => GateReply;
}

export function openGateEngine({ sql, now, random }: GateEnginePorts): GateEngine {
  runMigrations(sql, MIGRATIONS, "the gate's table has");
  const row = sql.all<{ target: string; state: string }>("SELECT target, state FROM gate WHERE id = 1")[0];
  let gate = row === undefined ? NEW_GATE : (JSON.parse(row.state) as Gate);
  let stored = row?.target;

  /** Writes what changed before it is answered; memory follows the row, so a failed write changes nothing. */
  function keep(target: string, next: Gate, time: number): GateReply {
    if (stored !== undefined && stored !== target) {
      throw new Error(`this is the gate of ${stored}; ${target} has one of its own`);
    }
    const changed = next.version !== gate.version;
    if (next !== gate) {
      const state = JSON.stringify(next);
      sql.run("INSERT OR REPLACE INTO gate (id, target, state) VALUES (1, ?, ?)", target, state);
      gate = next;
      stored = target;
    }
    return { status: statusOf(target, gate, time), changed };
  }

  return {
    acquire(request) {
      const time = now();
      const { gate: next, answer } = acquire(gate, request, time, random);
      return { ...answer, ...keep(request.target, next, time) };
    },

    finish(token, result, target) {
      const time = now();
      return keep(target, finish(gate, token, result, time), time);
    },

    report({ target, attempts, failures }) {
      const time = now();
      return keep(target, report(gate, attempts, failures, time), time);
    },

    pause(target, reason) {
      const time = now();
      return keep(target, pause(gate, reason, time), time);
    },

    resume(target) {
      const time = now();
      return keep(target, resume(gate, time), time);
    },

    status: (target) => ({ status: statusOf(target, gate, now()), changed: false }),
  };
}

function statusOf(target: string, gate: Gate, time: number): TargetStatus {
  const { version, condition } = conditionOf(gate, time);
  return { target, version, state: condition };
}
