/** Reads a target's `rate` and `concurrency`: what its gate lets through, over all partitions together. */
import type { Reader } from "../src/core/read-object.ts";
import { describe, readInteger, readMembers } from "../src/core/read-object.ts";
import { described, membersSchema, withSchema } from "../src/core/reader-schema.ts";
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

const FLAT_RATE = /^(\d{1,9})\/([smh])$/;

const readFlatRate: Reader<Omit<Rate, "burst">> = withSchema(
  (value, path, mistakes) => {
    const parts = typeof value === "string" ? FLAT_RATE.exec(value) : null;
    const periodMs = PERIODS_MS[parts?.[2] ?? ""];
    if (parts === null || periodMs === undefined) {
      mistakes.push({ path, message: `expected a rate such as ${RATE_FORM}, found ${describe(value)}` });
      return undefined;
    }
    const limit = Number(parts[1]);
    if (limit >= 1 && limit <= RATE_LIMIT_MAX) return { limit, periodMs };
    mistakes.push({ path, message: `expected a rate from 1 to ${RATE_LIMIT_MAX} requests, found ${String(value)}` });
    return undefined;
  },
  {
    type: "string",
    pattern: FLAT_RATE.source,
    patternErrorMessage: `Expected a rate such as ${RATE_FORM}.`,
    examples: ["50/s"],
  },
);

const BURST_READERS = {
  limit: described(readFlatRate, `Requests per second, minute or hour: ${RATE_FORM}.`),
  burst: described(readInteger(1, RATE_BURST_MAX), "How many may go at once after a pause.", {
    default: RATE_BURST_DEFAULT,
  }),
} as const;

const readRate: Reader<Rate> = withSchema(
  (value, path, mistakes) => {
    if (isJsonObject(value)) return readRateWithBurst(value, path, mistakes);
    const rate = readFlatRate(value, path, mistakes);
    return rate === undefined ? undefined : { ...rate, burst: RATE_BURST_DEFAULT };
  },
  { ...membersSchema(BURST_READERS, { required: ["limit"] }), ...readFlatRate.schema, type: ["string", "object"] },
);

function readRateWithBurst(
  value: { readonly [name: string]: Json },
  path: readonly PathStep[],
  mistakes: Mistake[],
): Rate | undefined {
  const before = mistakes.length;
  const read = readMembers(value, path, BURST_READERS, mistakes);
  if (!Object.hasOwn(value, "limit")) {
    mistakes.push({ path, message: `expected { limit: 50/s, burst: 10 }, found no limit` });
  }
  if (read.limit === undefined || mistakes.length > before) return undefined;
  return { ...read.limit, burst: read.burst ?? RATE_BURST_DEFAULT };
}

/** The readers of a target's members; `limitsOf` puts together what they read. */
export const LIMIT_READERS = {
  rate: described(
    readRate,
    `Requests per second, minute or hour, such as ${RATE_FORM}, or { limit: 50/s, burst: 10 }. What is over it waits.`,
  ),
  concurrency: described(readInteger(1, CONCURRENCY_MAX), "Requests at one time. What is over it waits."),
} as const;

/** Undefined when the target has no limit, so that it costs no gate. */
export function limitsOf(read: { readonly rate?: Rate; readonly concurrency?: number }): TargetLimits | undefined {
  const { rate, concurrency } = read;
  if (rate === undefined && concurrency === undefined) return undefined;
  return { ...(rate === undefined ? {} : { rate }), ...(concurrency === undefined ? {} : { concurrency }) };
}
