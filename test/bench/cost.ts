/**
 * What a million events cost beyond what Cloudflare's Workers Paid plan includes: requests and rows are counted on the real
 * partition and gate, each event alone in an idle partition, so that its alarm is its own.
 */
import type { AcceptItem, DispatchJob, LeasedWork } from "../../src/bus/ports.ts";
import type { Step } from "../../src/core/step.ts";
import type { TargetLimits } from "../../src/core/rule.ts";
import { deflating } from "../../src/objects/deflating.ts";
import { openEngine } from "../../src/objects/engine.ts";
import { openGateEngine } from "../../src/objects/gate-engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { NO_TARGETS, acceptItem, acceptRequest } from "../support/accept-requests.ts";
import { settlementFor } from "../support/deliveries.ts";
import { openNodeSql } from "../support/node-sql.ts";
import { usageOfCalls } from "./cost-model.ts";
import { dollarsOf } from "./cost-prices.ts";

const EVENTS = 100;
const RETRY_MS = 5_000;
const DELIVERED: Step = { kind: "delivered" };

export interface Cost {
  readonly name: string;
  readonly objectRequests: number;
  readonly rows: number;
  readonly requests: number;
  readonly dollars: number;
}

interface Case {
  readonly name: string;
  readonly item: (n: number) => AcceptItem;
  /** Settles each delivery by itself, where several would share one otherwise. */
  readonly apart?: true;
  readonly failures?: number;
  readonly limits?: TargetLimits;
  /** So many events wait in the lane at a time. */
  readonly atOnce?: number;
}

const lane = (sequence?: number) => ({
  planned: { lane: { id: "lane", ...(sequence === undefined ? {} : { sequence, gapWaitMs: 60_000 }) } },
});
const FIVE = ["a", "b", "c", "d", "e"];

const CASES: readonly Case[] = [
  { name: "no rule matches", item: (n) => acceptItem(`e${n}`, []) },
  { name: "a repeat", item: () => acceptItem("first", ["ci"]) },
  { name: "one target", item: (n) => acceptItem(`e${n}`, ["ci"]) },
  { name: "five targets that answer within 250 ms", item: (n) => acceptItem(`e${n}`, FIVE) },
  { name: "five targets, each settled by itself", item: (n) => acceptItem(`e${n}`, FIVE), apart: true },
  { name: "`order: key`, nothing before it", item: (n) => acceptItem(`e${n}`, ["ci"], lane()) },
  { name: "`order: key`, always some before it", item: (n) => acceptItem(`e${n}`, ["ci"], lane()), atOnce: 10 },
  { name: "`order: sequence`", item: (n) => acceptItem(`e${n}`, ["ci"], lane(n + 1)) },
  { name: "`rate`", item: (n) => acceptItem(`e${n}`, ["ci"]), limits: rateLimits() },
  { name: "`rate` and `concurrency`", item: (n) => acceptItem(`e${n}`, ["ci"]), limits: rateLimits(4) },
  { name: "one target that fails once", item: (n) => acceptItem(`e${n}`, ["ci"]), failures: 1 },
  { name: "one target that fails three times", item: (n) => acceptItem(`e${n}`, ["ci"]), failures: 3 },
];

function rateLimits(concurrency?: number): TargetLimits {
  const rate = { limit: 50, periodMs: 1_000, burst: 1 };
  return concurrency === undefined ? { rate } : { rate, concurrency };
}

export async function measureCosts(): Promise<readonly Cost[]> {
  const costs: Cost[] = [];
  for (const each of CASES) costs.push(await measure(each));
  return costs;
}

async function measure({ name, item, apart, failures = 0, limits, atOnce = 1 }: Case): Promise<Cost> {
  const [sql, gateSql] = [openNodeSql(), openNodeSql()];
  let now = Date.UTC(2026, 0, 1);
  let [objectRequests, alarms, requests, reported, tokens] = [0, 0, 0, 0, 0];
  let alarmAt: number | null = null;
  const attempts = new Map<string, number>();
  const jobs: DispatchJob[] = [];
  const engine = openEngine({
    deflating,
    sql,
    limits: LEDGER_LIMITS,
    setAlarm: (at) => {
      alarmAt = at;
      alarms += 1;
    },
    handOver: async (job) => void jobs.push(job),
    askOpenLanes: async () => [],
    now: () => now,
    newToken: () => `lease-${++tokens}`,
    log: () => {},
  });
  engine.start(null);
  const gate = openGateEngine({ sql: gateSql, now: () => now, random: () => 0 });

  function send({ lease }: Pick<LeasedWork, "lease">) {
    now += 50;
    requests += 1;
    const count = (attempts.get(lease.deliveryId) ?? 0) + 1;
    attempts.set(lease.deliveryId, count);
    if (limits !== undefined) {
      objectRequests += 1;
      const permit = gate.acquire({ target: "ci", token: lease.token, limits, forMs: 20_000, waitMsMax: 0 });
      if (permit.kind === "granted" && permit.finish) {
        objectRequests += 1;
        gate.finish(lease.token, "succeeded", "ci");
      }
    }
    return settlementFor(lease, count > failures ? DELIVERED : { kind: "retry", delayMs: RETRY_MS });
  }

  function work(leases: readonly Pick<LeasedWork, "lease">[]): void {
    const settlements = leases.map(send);
    for (const batch of apart === true ? settlements.map((one) => [one]) : [settlements]) {
      objectRequests += 1;
      const reply = engine.settle({ settlements: batch, leasesMax: 6, withinMs: 20_000, ...NO_TARGETS });
      for (const record of reply.records) {
        objectRequests += 1;
        // To a gate that has heard of no other failure: one that has heard of five counts every request.
        const otherSql = openNodeSql();
        const other = openGateEngine({ sql: otherSql, now: () => now, random: () => 0 });
        const written = otherSql.rowsWritten();
        other.report(record);
        reported += otherSql.rowsWritten() - written;
      }
      if (reply.work.length > 0) work(reply.work);
    }
  }

  async function pass(): Promise<void> {
    while (alarmAt !== null) {
      now = Math.max(now, alarmAt);
      alarmAt = null;
      objectRequests += 1;
      await engine.alarm();
      for (const job of jobs.splice(0)) work(job.work);
    }
    now += 1_000;
  }

  const accept = (token: string, each: AcceptItem) => {
    objectRequests += 1;
    const reply = engine.accept(acceptRequest(token, [each], 6));
    if (reply.kind === "accepted" && reply.leases.length > 0) return reply.leases.map((lease) => ({ lease }));
    return [];
  };

  // The first event makes tables; nobody counts it.
  work(accept("warm-up", acceptItem("first", ["ci"])));
  await pass();
  const before = sql.rowsWritten() + gateSql.rowsWritten();
  [objectRequests, alarms, requests, reported] = [0, 0, 0, 0];
  for (let n = 0; n < EVENTS; n += atOnce) {
    const leases = Array.from({ length: atOnce }, (_, k) => accept(`t${n + k}`, item(n + k))).flat();
    if (leases.length > 0) work(leases);
    await pass();
  }
  const rows = (sql.rowsWritten() + gateSql.rowsWritten() - before + alarms + reported) / EVENTS;
  const perEvent = { objectRequests: objectRequests / EVENTS, requests: requests / EVENTS };
  const usage = usageOfCalls({ ...perEvent, rowsWritten: rows, requestsSent: perEvent.requests });
  return { name, ...perEvent, rows, dollars: dollarsOf(usage) };
}
