/**
 * What a target with limits costs while more is due to it than it takes: the real partitions, gate and dispatchers on simulated
 * time, with a backlog from the start. It counts rows, calls and deliveries; it measures no time.
 */
import type { DispatchPorts } from "../../src/bus/dispatch.ts";
import { dispatch } from "../../src/bus/dispatch.ts";
import { createPacer } from "../../src/bus/pacer.ts";
import type { DispatchJob } from "../../src/bus/ports.ts";
import type { TargetLimits } from "../../src/core/rule.ts";
import { hashing } from "../../src/hashing.ts";
import type { Engine } from "../../src/objects/engine.ts";
import { openEngine } from "../../src/objects/engine.ts";
import { openGateEngine } from "../../src/objects/gate-engine.ts";
import { FRESH_MS_MAX } from "../../src/objects/fresh-work.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { createTimeline } from "../simulation/timeline.ts";
import { acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { openNodeSql } from "../support/node-sql.ts";
import { ruleSetOf } from "../support/rule-sets.ts";
import { targetIo } from "../support/target-io.ts";

const START = Date.UTC(2026, 0, 1);
/** How long a call to an object takes. */
const CALL_MS = 5;

export interface LimitsCase {
  readonly partitions: number;
  readonly limits: TargetLimits;
  /** How long the target takes to answer. */
  readonly answerMs: number;
  readonly forMs: number;
  /** In each partition, from the start. */
  readonly backlog: number;
}

export interface LimitsCost {
  readonly delivered: number;
  /** The fewest that a partition has got delivered. */
  readonly deliveredMin: number;
  readonly rowsPerDelivery: number;
  readonly permitsAskedPerDelivery: number;
}

export async function measureLimits(each: LimitsCase): Promise<LimitsCost> {
  const timeline = createTimeline(START);
  const random = lcg(7);
  const ruleSet = ruleSetOf({
    targets: { ci: { limits: each.limits } },
    rules: { all: { targets: ["ci"] } },
    send: async () => {
      await timeline.sleep(each.answerMs);
      return { kind: "delivered" };
    },
  });
  const engines = new Map<string, Engine>();
  const delivered = new Map<string, number>();
  let [rowsBefore, alarms, asked, tokens] = [0, 0, 0, 0];
  const sqls: ReturnType<typeof openNodeSql>[] = [];
  const openSql = () => {
    const sql = openNodeSql();
    sqls.push(sql);
    return sql;
  };
  const rows = () => sqls.reduce((sum, sql) => sum + sql.rowsWritten(), alarms);
  const gate = openGateEngine({ sql: openSql(), now: timeline.now, random });
  const call = async <Reply>(work: () => Reply): Promise<Reply> => {
    await timeline.sleep(CALL_MS);
    const reply = work();
    await timeline.sleep(CALL_MS);
    return reply;
  };
  const engineOf = (name: string): Engine => {
    const engine = engines.get(name);
    if (engine === undefined) throw new Error(`no partition ${name}`);
    return engine;
  };
  const refuse = () => Promise.reject(new Error("nobody asks this"));
  const ports: DispatchPorts = {
    ruleSet,
    rulesVersion: { hash: "v1", deployedAt: 1 },
    io: targetIo(),
    now: timeline.now,
    sleep: timeline.sleep,
    random,
    log: () => {},
    partitions: each.partitions,
    partitionsBefore: [],
    hashing,
    newToken: () => `token-${(tokens += 1)}`,
    pacer: createPacer(),
    within: (work, timeoutMs) => Promise.race([work, timeline.sleep(timeoutMs).then(() => "timeout" as const)]),
    allPartitions: () => [...engines.keys()],
    adminPartition: (name) => ({
      setTargetStatuses: (statuses) => call(() => engineOf(name).setTargetStatuses(statuses)),
    }),
    gate: () => ({
      acquire: (request) => {
        asked += 1;
        return call(() => gate.acquire(request));
      },
      finish: (token, result, target) => call(() => gate.finish(token, result, target)),
      report: (record) => call(() => gate.report(record)),
      pause: refuse,
      resume: refuse,
      status: (target) => call(() => gate.status(target)),
    }),
    partition: (name) => ({
      accept: refuse,
      known: refuse,
      openLanes: refuse,
      settle: (request) =>
        call(() => {
          const ended = request.settlements.filter(({ step }) => step.kind === "delivered").length;
          delivered.set(name, (delivered.get(name) ?? 0) + ended);
          return engineOf(name).settle(request);
        }),
    }),
  };

  function openPartition(name: string): void {
    let alarmAt: number | null = null;
    let isFilling = true;
    const engine = openEngine({
      sql: openSql(),
      limits: LEDGER_LIMITS,
      setAlarm(at) {
        alarmAt = at;
        alarms += 1;
        timeline.after(at - timeline.now(), () => {
          if (alarmAt !== at) return;
          alarmAt = null;
          void engine.alarm();
        });
      },
      handOver: async (job: DispatchJob) => {
        await timeline.sleep(CALL_MS);
        void dispatch([job], ports);
      },
      askOpenLanes: async () => [],
      now: () => (isFilling ? START - FRESH_MS_MAX : timeline.now()),
      newToken: () => `lease-${(tokens += 1)}`,
      log: () => {},
    });
    engines.set(name, engine);
    engine.start(null);
    const items = Array.from({ length: each.backlog }, (_, n) =>
      acceptItem(`${name}-${n}`, ["ci"], { planned: { maxAgeMs: 86_400_000 } }),
    );
    engine.accept({ ...acceptRequest(`accept-${name}`, items), partition: name });
    // A backlog that stands has rows of its own.
    isFilling = false;
    for (let rowsAt = -1; rowsAt !== rows();) {
      rowsAt = rows();
      engine.setTargetStatuses([]);
    }
  }

  for (let n = 0; n < each.partitions; n++) openPartition(`v1/default/${each.partitions}/${n}`);
  rowsBefore = rows();
  await timeline.run(START + each.forMs, () => {});
  const counts = [...engines.keys()].map((name) => delivered.get(name) ?? 0);
  const sum = counts.reduce((total, count) => total + count, 0);
  return {
    delivered: sum,
    deliveredMin: Math.min(...counts),
    rowsPerDelivery: (rows() - rowsBefore) / sum,
    permitsAskedPerDelivery: asked / sum,
  };
}

/** Numbers that look random, the same in every run: Numerical Recipes, "an even quicker and dirtier generator". */
function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
