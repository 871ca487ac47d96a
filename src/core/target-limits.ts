/** What limits of several origins come to: those of the rule files, and what an endpoint allows. */
import type { Rate, TargetLimits } from "./rule.ts";

/** Limits that keep to both: in any stretch of time no more starts than either allows. */
export function strictest(first: TargetLimits | undefined, second: TargetLimits | undefined): TargetLimits | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const rate = slower(first.rate, second.rate);
  const concurrency = smaller(first.concurrency, second.concurrency);
  return { ...(rate === undefined ? {} : { rate }), ...(concurrency === undefined ? {} : { concurrency }) };
}

/** The rate that leaks slower, with the smaller burst: what it lets through in a time is bound by both, and so is less. */
function slower(first: Rate | undefined, second: Rate | undefined): Rate | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const rate = first.limit * second.periodMs <= second.limit * first.periodMs ? first : second;
  return { ...rate, burst: Math.min(first.burst, second.burst) };
}

function smaller(first: number | undefined, second: number | undefined): number | undefined {
  return first === undefined || second === undefined ? (first ?? second) : Math.min(first, second);
}
