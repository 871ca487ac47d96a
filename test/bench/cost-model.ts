/** From what was counted to what a million events cost: once each event alone, once under load. */
import type { Counted, Load } from "./cost-load.ts";
import { COMMIT_MS, countLoad } from "./cost-load.ts";
import type { CostOptions } from "./cost-options.ts";
import type { Peer } from "./cost-peers.ts";
import { peersFor } from "./cost-peers.ts";
import type { Usage } from "./cost-prices.ts";
import { OBJECT_GB, dollarsOf, gbMonths } from "./cost-prices.ts";

/** Assumed for each event and each request to a target: measured are 0.7 and 0.15 ms of CPU on a slow core. */
export const CPU_MS = { event: 2, request: 0.5 };

/** US dollars a million events that Sluice is to stay under, for the traffic that the goal is for. */
const GOAL = { fanout: 2, size: 10_000, logDays: 14, rateMin: 100, trickle: 6, underLoad: 4 } as const;

export interface Regime {
  readonly load: Load;
  readonly counted: Counted;
  readonly usage: Usage;
  /** For a million events, with nothing included. */
  readonly dollars: number;
  /** Absent where the goal is for other traffic. */
  readonly goalDollars?: number;
}

export interface CostModel {
  readonly options: CostOptions;
  readonly trickle: Regime;
  readonly underLoad: Regime;
  readonly peers: readonly Peer[];
}

export async function modelCost(options: CostOptions): Promise<CostModel> {
  const { fanout, size, rate, logDays, isolates } = options;
  const traffic = { fanout, bodyBytes: size };
  const isGoal = fanout === GOAL.fanout && size === GOAL.size && logDays === GOAL.logDays;
  return {
    options,
    trickle: await regimeOf(
      { ...traffic, eventsPerSecond: null, isolates: 1 },
      logDays,
      isGoal ? GOAL.trickle : undefined,
    ),
    underLoad: await regimeOf(
      { ...traffic, eventsPerSecond: rate, isolates },
      logDays,
      isGoal && rate >= GOAL.rateMin ? GOAL.underLoad : undefined,
    ),
    peers: peersFor({ ...traffic, logDays }),
  };
}

async function regimeOf(load: Load, logDays: number, goalDollars?: number): Promise<Regime> {
  const counted = await countLoad(load);
  const usage = usageOf(counted, logDays);
  const regime = { load, counted, usage, dollars: dollarsOf(usage) };
  return goalDollars === undefined ? regime : { ...regime, goalDollars };
}

/** Identities are kept for 4 days only, but reckoned as long as the log: a few bytes in ten thousand. */
export function usageOf(counted: Counted, logDays: number): Usage {
  return {
    workerRequests: 1,
    cpuMs: CPU_MS.event + CPU_MS.request * counted.requestsSent,
    objectRequests: counted.accepts + counted.settles + counted.alarms,
    objectGbSeconds: (counted.awakeMs / 1_000) * OBJECT_GB,
    rowsWritten: counted.rowsWritten,
    storedGbMonths: gbMonths(counted.storedBytes, logDays),
  };
}

/** The same for calls that were counted without a clock: each keeps the object awake for its commit. */
export function usageOfCalls(calls: {
  readonly objectRequests: number;
  readonly rowsWritten: number;
  readonly requestsSent: number;
}): Usage {
  return {
    workerRequests: 1,
    cpuMs: CPU_MS.event + CPU_MS.request * calls.requestsSent,
    objectRequests: calls.objectRequests,
    objectGbSeconds: ((calls.objectRequests * COMMIT_MS) / 1_000) * OBJECT_GB,
    rowsWritten: calls.rowsWritten,
    storedGbMonths: 0,
  };
}
