/**
 * The whole router in one process: the HTTP app, publish, engines on real SQL, gates, dispatch and the targets, with a network
 * and a clock of the test's. Everything that it leaves behind is kept, to be searched.
 */
import type { DispatchPorts } from "../../src/bus/dispatch.ts";
import { dispatch } from "../../src/bus/dispatch.ts";
import { createPacer } from "../../src/bus/pacer.ts";
import type { GatePort } from "../../src/bus/gate-ports.ts";
import type { AdminPartitionPort, DispatchJob, PartitionPort } from "../../src/bus/ports.ts";
import { sweep } from "../../src/bus/sweep.ts";
import { partitionName } from "../../src/core/receipt.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import type { TargetIo } from "../../src/core/target.ts";
import { sources, targets } from "../support/kinds.ts";
import { hashing } from "../../src/hashing.ts";
import { allPartitions } from "../../src/http/admin.ts";
import type { HttpPorts } from "../../src/http/app.ts";
import { app } from "../../src/http/app.ts";
import { createLargeBudget } from "../../src/http/large-body.ts";
import { createRejectionRecorder } from "../../src/http/rejection-recorder.ts";
import { createVerificationRecorder } from "../../src/http/verification-recorder.ts";
import type { Engine } from "../../src/objects/engine.ts";
import { openEngine } from "../../src/objects/engine.ts";
import type { GateEngine } from "../../src/objects/gate-engine.ts";
import { openGateEngine } from "../../src/objects/gate-engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { openNodeSql } from "../support/node-sql.ts";
import { secretsFrom, targetIo } from "../support/target-io.ts";

export interface RouterSetting {
  readonly document: Omit<RulesDocument, "version">;
  readonly secrets: Readonly<Record<string, string>>;
  readonly adminToken: string | undefined;
  readonly fetch: TargetIo["fetch"];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface PartitionHost {
  readonly engine: Engine;
  readonly sql: ReturnType<typeof openNodeSql>;
}

export function openRouter({ document, secrets, adminToken, fetch }: RouterSetting) {
  const ruleSet = compileRules({ version: "v1", ...document }, { sources, targets });
  /** Answers, log lines, RPC and whatever else has been seen outside. */
  const produced: string[] = [];
  const hosts = new Map<string, PartitionHost>();
  const gates = new Map<string, { readonly engine: GateEngine; readonly sql: ReturnType<typeof openNodeSql> }>();
  const later: Promise<unknown>[] = [];
  /** What fails, while it stands here: `partition`, `gate`. */
  const broken = new Set<string>();
  let now = Date.UTC(2026, 0, 1);
  let tokens = 0;

  const log = (message: string, fields: unknown) => void produced.push(`${message} ${JSON.stringify(fields)}`);

  function hostOf(name: string): PartitionHost {
    const known = hosts.get(name);
    if (known !== undefined) return known;
    const sql = openNodeSql();
    const engine = openEngine({
      sql,
      limits: LEDGER_LIMITS,
      setAlarm: () => {},
      handOver: async (job) => {
        if (broken.has("dispatch")) throw new Error(`no dispatcher for ${job.partition}`);
        later.push(dispatch([job], ports));
      },
      askOpenLanes: () => Promise.reject(new Error("there is no other layout")),
      now: () => now,
      newToken: () => `lease-${++tokens}`,
      log,
    });
    engine.start(null);
    const host = { engine, sql };
    hosts.set(name, host);
    return host;
  }

  function partition(name: string): PartitionPort {
    const { engine } = hostOf(name);
    return {
      accept: async (request) => structuredClone(engine.accept(request)),
      settle: async (request) => {
        if (broken.has("partition")) throw new Error(`the partition ${name} is out of reach`);
        produced.push(JSON.stringify(request));
        return structuredClone(engine.settle(request));
      },
      known: async (request) => structuredClone(engine.known(request)),
      openLanes: async (ids) => engine.openLanes(ids),
    };
  }

  function adminPartition(name: string): AdminPartitionPort {
    const { engine } = hostOf(name);
    const reach = (): void => {
      if (broken.has("partition")) throw new Error(`the partition ${name} is out of reach`);
    };
    return {
      get: async (seq) => engine.get(seq),
      list: async (request) => engine.list(request),
      redrive: async (seq, id) => engine.redrive(seq, id),
      recordRejections: async (entries) => engine.recordRejections(entries),
      listRejections: async (limit) => engine.listRejections(limit),
      recordVerifications: async (entries) => engine.recordVerifications(entries),
      listVerifications: async () => engine.listVerifications(),
      wake: async (...news) => {
        reach();
        return engine.wake(null, ...news);
      },
      keptBodies: async (keys) => engine.keptBodies(keys),
      setTargetStatuses: async (statuses) => {
        reach();
        engine.setTargetStatuses(statuses);
      },
    };
  }

  function gate(target: string): GatePort {
    if (broken.has("gate")) throw new Error(`the gate of ${target} is out of reach`);
    const sql = gates.get(target)?.sql ?? openNodeSql();
    const engine = gates.get(target)?.engine ?? openGateEngine({ sql, now: () => now, random: () => 0.5 });
    gates.set(target, { engine, sql });
    return {
      acquire: async (request) => engine.acquire(request),
      finish: async (token, result, name) => engine.finish(token, result, name),
      report: async (record) => engine.report(record),
      pause: async (name, reason) => engine.pause(name, reason),
      resume: async (name) => engine.resume(name),
      status: async (name) => engine.status(name),
    };
  }

  const secret = secretsFrom(secrets);
  const recorder = createRejectionRecorder()({
    now: () => (now += 2_000),
    sleep: () => Promise.resolve(),
    write: async (_source, entries) => adminPartition(partitionName("default", 1, 0)).recordRejections(entries),
  });
  const verifications = createVerificationRecorder()({
    now: () => now,
    write: async (_source, entries) => adminPartition(partitionName("default", 1, 0)).recordVerifications(entries),
  });
  const ports: HttpPorts & DispatchPorts = {
    ruleSet,
    rulesVersion: { hash: "v1", deployedAt: 0 },
    partitions: 1,
    partitionsBefore: [],
    hashing,
    partition,
    adminPartition,
    pacer: createPacer(),
    allPartitions: () => allPartitions(ports),
    gate,
    adminToken,
    secret,
    bodies: undefined,
    largeBudget: createLargeBudget(),
    io: targetIo({ now: () => now, hashing, secret, fetch }),
    now: () => now,
    random: () => 0.5,
    sleep: async (ms) => {
      now += Math.min(ms, 10);
    },
    newToken: () => `accept-${++tokens}`,
    within: (work) => work,
    log,
    later: (work) => void later.push(work),
    dispatch: (jobs: readonly DispatchJob[]) => dispatch(jobs, ports),
    admit: async () => {},
    recordRejection: recorder.record,
    recordVerification: verifications.record,
  };

  async function settled(): Promise<void> {
    while (later.length > 0) await Promise.all(later.splice(0));
  }

  async function fetchApp(request: Request): Promise<Response> {
    return app.fetch(request, { ports });
  }

  return {
    produced,
    broken,
    ports,
    /** As a server sees it: the answer unread, and what goes on after it not waited for. */
    fetch: fetchApp,
    settled,
    async ask(path: string, init: RequestInit = {}): Promise<Answer> {
      const response = await fetchApp(new Request(`https://sluice.example${path}`, init));
      const text = await response.text();
      produced.push(`${path} ${response.status} ${JSON.stringify([...response.headers])} ${text}`);
      await settled();
      return { status: response.status, headers: response.headers, text };
    },
    /** Lets time pass and every alarm ring. */
    async wait(ms: number): Promise<void> {
      now += ms;
      const known = [...hosts.values()];
      for (const { engine } of known) await engine.alarm();
      await settled();
    },
    async sweep(): Promise<void> {
      const statuses = [...gates].map(([name, { engine }]) => engine.status(name).status);
      const names = ruleSet.targets.map(({ definition }) => definition.name);
      const wanted = { pairs: ruleSet.pairs, deployedAt: ports.rulesVersion.deployedAt };
      await sweep(allPartitions(ports), 0, { statuses, targets: names, wanted }, ports);
    },
    /** Every row of every table of every object, as text. */
    tables(): readonly string[] {
      const decoder = new TextDecoder();
      const shown = (value: unknown) => (value instanceof Uint8Array ? decoder.decode(value) : String(value));
      return [...hosts.values(), ...gates.values()].flatMap(({ sql }) =>
        sql
          .all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
          .flatMap(({ name }) =>
            sql.all(`SELECT * FROM "${name}"`).map((row) => `${name} ${Object.values(row).map(shown).join(" | ")}`),
          ),
      );
    },
    /** Of all objects, by the platform's count. */
    rowsWritten: () => [...hosts.values(), ...gates.values()].reduce((sum, { sql }) => sum + sql.rowsWritten(), 0),
    close(): void {
      for (const { sql } of [...hosts.values(), ...gates.values()]) sql.close();
    },
  };
}
