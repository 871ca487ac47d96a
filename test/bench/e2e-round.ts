/** One round of the end-to-end bench: a fresh server, a warm-up, the load, and the wait until everything has arrived. */
import type { BenchTarget } from "./bench-process.ts";
import { cpuUs, runLoad } from "./bench-process.ts";
import type { LoadResult } from "./load-generator.ts";
import { percentile } from "./percentile.ts";

/** Nothing new at the target for so long: what is missing does not come. Longer than a first retry. */
const STALL_MS = 20_000;
const LOOK_EVERY_MS = 20;
/** What no server of this bench reaches, as signatures are computed beforehand. */
const EVENTS_PER_SECOND_MAX = 6_000;

export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  /** For a profiler. */
  readonly inspectorUrl?: string | undefined;
  /** The Worker that it runs; empty when it is none. */
  readonly script: string;
  readonly stop: () => Promise<void>;
}

export interface BenchSystem {
  readonly name: string;
  /** Where it takes webhooks. */
  readonly path: string;
  readonly secret: string;
  readonly start: (targetUrl: string) => Promise<BenchServer>;
}

export interface RoundOptions {
  readonly senders: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Called when the load is on, with its length; for a profiler. */
  readonly onLoad?: (server: BenchServer, seconds: number) => Promise<void>;
  /** Has the server nothing to deliver, there is nothing to wait for. */
  readonly forwards?: boolean;
  /** Deliveries of each event. */
  readonly fanOut?: number;
}

export interface Round {
  readonly accepted: number;
  readonly refused: number;
  readonly delivered: number;
  readonly acceptedPerSecond: number;
  /** From the first request to the arrival of the last event. */
  readonly eventsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the server, delivery included; undefined where the system does not tell. */
  readonly cpuUsPerEvent: number | undefined;
  /** Accepted and not yet delivered when the load ended. */
  readonly backlog: number;
  /** Requests at the target beyond one per event. */
  readonly repeated: number;
  /** Shares of one core, while the load was on. */
  readonly generatorCpu: number;
  readonly targetCpu: number;
  readonly serverCpu: number | undefined;
  readonly problem: string | undefined;
}

export async function runRound(system: BenchSystem, target: BenchTarget, options: RoundOptions): Promise<Round> {
  const { senders, seconds, warmUpSeconds, forwards = true, fanOut = 1 } = options;
  const server = await system.start(target.url);
  try {
    const run = crypto.randomUUID().slice(0, 8);
    const order = { url: server.url, path: system.path, secret: system.secret, run, senders };
    await target.ask("reset");
    const warmUpMax = Math.ceil(warmUpSeconds * EVENTS_PER_SECOND_MAX);
    const warmUp = await runLoad({ ...order, seconds: warmUpSeconds, first: 0, eventsMax: warmUpMax }).result;
    if (forwards) await arrival(target, warmUp.accepted * fanOut);

    const before = await target.ask("reset");
    const load = runLoad({ ...order, seconds, first: warmUpMax, eventsMax: seconds * EVENTS_PER_SECOND_MAX });
    await load.started;
    const serverBefore = await cpuUs(server.pid);
    const profiled = options.onLoad?.(server, seconds);
    const result = await load.result;
    const [atEnd, serverAtEnd] = [await target.ask("count"), await cpuUs(server.pid)];
    await profiled;
    const count = forwards ? await arrival(target, result.accepted * fanOut) : atEnd;
    const serverAfter = await cpuUs(server.pid);
    return describe(result, {
      delivered: count.distinct,
      repeated: count.requests - count.distinct,
      backlog: result.accepted * fanOut - atEnd.distinct,
      lastAt: Math.max(count.lastAt, result.endedAt),
      serverUs: difference(serverAfter, serverBefore),
      serverLoadUs: difference(serverAtEnd, serverBefore),
      targetUs: atEnd.cpuUs - before.cpuUs,
    });
  } finally {
    await server.stop();
  }
}

interface Seen {
  readonly delivered: number;
  readonly repeated: number;
  readonly backlog: number;
  readonly lastAt: number;
  readonly serverUs: number | undefined;
  readonly serverLoadUs: number | undefined;
  readonly targetUs: number;
}

function describe(load: LoadResult, seen: Seen): Round {
  const loadMs = load.endedAt - load.startedAt;
  const ofCore = (us: number) => us / (loadMs * 1_000);
  return {
    accepted: load.accepted,
    refused: Object.values(load.refused).reduce((sum, count) => sum + count, 0),
    delivered: seen.delivered,
    acceptedPerSecond: (load.accepted / loadMs) * 1_000,
    eventsPerSecond: (seen.delivered / (seen.lastAt - load.startedAt)) * 1_000,
    p50Ms: percentile(load.latenciesMs, 0.5),
    p99Ms: percentile(load.latenciesMs, 0.99),
    cpuUsPerEvent: seen.serverUs === undefined ? undefined : seen.serverUs / Math.max(1, load.accepted),
    backlog: seen.backlog,
    repeated: seen.repeated,
    generatorCpu: ofCore(load.cpuUs),
    targetCpu: ofCore(seen.targetUs),
    serverCpu: seen.serverLoadUs === undefined ? undefined : ofCore(seen.serverLoadUs),
    problem: load.problem,
  };
}

/** Waits until so many events have arrived, or nothing new comes. */
async function arrival(target: BenchTarget, wanted: number) {
  let count = await target.ask("count");
  let changedAt = Date.now();
  while (count.distinct < wanted && Date.now() - changedAt < STALL_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const next = await target.ask("count");
    if (next.distinct > count.distinct) changedAt = Date.now();
    count = next;
  }
  return count;
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}
