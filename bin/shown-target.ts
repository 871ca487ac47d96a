/** What the admin API answers about targets (src/http/admin-targets.ts writes it), and how a person sees it. */
import { formatDuration } from "../src/core/read-object.ts";
import type { TargetLimits } from "../src/core/rule.ts";
import { shortTime } from "./shown-delivery.ts";
import type { Style } from "./terminal.ts";

export interface ShownTarget {
  readonly name: string;
  readonly kind: string;
  readonly limits?: TargetLimits;
  /** `unknown` when the router could not ask. */
  readonly state: "free" | "gated" | "held" | "unknown";
  readonly reason?: string;
  /** When it is let go by itself; absent when somebody must resume it. */
  readonly until?: string;
  readonly version?: number;
}

/** `held: breaker until 2026-01-31 12:00:00`, or the state alone. */
export function describeTargetState({ state, reason, until }: ShownTarget): string {
  if (state !== "held") return state;
  return `held: ${reason ?? "?"}${until === undefined ? "" : ` until ${shortTime(until)} UTC`}`;
}

/** `50/s, burst 10, concurrency 4`; nothing for a target without limits. */
export function describeLimits({ rate, concurrency }: TargetLimits = {}): string {
  const parts: string[] = [];
  if (rate !== undefined) parts.push(`${rate.limit}/${formatDuration(rate.periodMs).replace(/^1(?=\D)/, "")}`);
  if (rate !== undefined && rate.burst > 1) parts.push(`burst ${rate.burst}`);
  if (concurrency !== undefined) parts.push(`concurrency ${concurrency}`);
  return parts.join(", ");
}

export function targetStyle({ state }: ShownTarget): Style {
  return state === "free" ? "green" : state === "held" ? "red" : "yellow";
}
