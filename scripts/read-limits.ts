/** Reads a target's `rate` and `concurrency`: what its gate lets through, over all partitions together. */
import type { Reader } from "../src/core/read-object.ts";
import { describe, readInteger, readMembers } from "../src/core/read-object.ts";
import type { Json, Mistake, PathStep } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";
import type { Rate, TargetLimits } from "../src/core/rule.ts";

/** Requests in one period. */
export const RATE_LIMIT_MAX = 10_000;
export const RATE_BURST_MAX = 10_000;
export const CONCURRENCY_MAX = 100;
const RATE_BURST_DEFAULT = 1;

const PERIODS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const RATE_FORM = "50/s, 600/m or 1000/h";

const readFlatRate: Reader<Omit<Rate, "burst">> = (value, path, mistakes) => {
  const parts = typeof value === "string" ? /^(\d{1,9})\/([smh])$/.exec(value) : null;
  const periodMs = PERIODS_MS[parts?.[2] ?? ""];
  if (parts === null || periodMs === undefined) {
    mistakes.push({ path, message: `expected a rate such as ${RATE_FORM}, found ${describe(value)}` });
    return undefined;
  }
  const limit = Number(parts[1]);
  if (limit >= 1 && limit <= RATE_LIMIT_MAX) return { limit, periodMs };
  mistakes.push({ path, message: `expected a rate from 1 to ${RATE_LIMIT_MAX} requests, found ${String(value)}` });
  return undefined;
};

const readRate: Reader<Rate> = (value, path, mistakes) => {
  if (isJsonObject(value)) return readRateWithBurst(value, path, mistakes);
  const rate = readFlatRate(value, path, mistakes);
  return rate === undefined ? undefined : { ...rate, burst: RATE_BURST_DEFAULT };
};

function readRateWithBurst(
  value: { readonly [name: string]: Json },
  path: readonly PathStep[],
  mistakes: Mistake[],
): Rate | undefined {
  const before = mistakes.length;
  const read = readMembers(value, path, { limit: readFlatRate, burst: readInteger(1, RATE_BURST_MAX) }, mistakes);
  if (!Object.hasOwn(value, "limit")) {
    mistakes.push({ path, message: `expected { limit: 50/s, burst: 10 }, found no limit` });
  }
  if (read.limit === undefined || mistakes.length > before) return undefined;
  return { ...read.limit, burst: read.burst ?? RATE_BURST_DEFAULT };
}

/** The readers of a target's members; `limitsOf` puts together what they read. */
export const LIMIT_READERS = { rate: readRate, concurrency: readInteger(1, CONCURRENCY_MAX) } as const;

/** Undefined when the target has no limit, so that it costs no gate. */
export function limitsOf(read: { readonly rate?: Rate; readonly concurrency?: number }): TargetLimits | undefined {
  const { rate, concurrency } = read;
  if (rate === undefined && concurrency === undefined) return undefined;
  return { ...(rate === undefined ? {} : { rate }), ...(concurrency === undefined ? {} : { concurrency }) };
}
