/** Gates under watch: how many permits they give in a period, who sends without one, and who sends during a pause. */
import type { GateReply, PermitReply, PermitRequest, TargetStatus } from "../../src/bus/gate-ports.ts";
import type { Rate, TargetLimits } from "../../src/core/rule.ts";
import type { KnownDelivery } from "./registry.ts";
import type { Setting } from "./setting.ts";

/** The longest that somebody who has not heard of a pause may still send: an invocation's time. */
const LEASE_MS_MAX = 30_000;

export interface GateWatch {
  readonly acquired: (request: PermitRequest, reply: PermitReply) => void;
  readonly heard: (reply: GateReply) => void;
  /** A person's pause is known to these partitions. */
  readonly paused: (status: TargetStatus, partitions: readonly string[]) => void;
  /** A person is about to resume it. */
  readonly resuming: (target: string) => void;
  /** A partition has lent this out. */
  readonly leased: (known: KnownDelivery) => void;
  /** A request has started, by rules with these limits; what ends it comes back. */
  readonly requested: (
    target: string,
    known: KnownDelivery | undefined,
    limits: TargetLimits | undefined,
  ) => () => void;
  /** Whether any gate has ever held or limited anything. */
  readonly isTouched: () => boolean;
  /** What is wrong with all permits together. */
  readonly problems: () => readonly string[];
}

interface Permit {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** `limitsOf`: what the deployments so far have said of a target, each version's once. */
export function openGateWatch(
  { timeline, features, violations, count, say }: Setting,
  limitsOf: (target: string) => readonly (TargetLimits | undefined)[],
): GateWatch {
  const permits = new Map<string, Permit>();
  /** Until when what a token has been granted may last. */
  const grants = new Map<string, number>();
  const starts = new Map<string, number[]>();
  const inFlight = new Map<string, number>();
  const pauses = new Map<string, { readonly since: number; readonly partitions: ReadonlySet<string> }>();
  /** The newest of each target's gate. */
  const versions = new Map<string, number>();
  let touched = false;

  function heard({ status, changed }: GateReply): void {
    if (status.version === 0) return;
    touched = true;
    if (!changed) return;
    versions.set(status.target, status.version);
    if (status.state.kind !== "held") pauses.delete(status.target);
    say(() => `gate ${status.target}: ${JSON.stringify(status.state)}`);
    if (status.state.kind !== "held") return;
    if (status.state.reason === "breaker") count("breakersOpened");
    if (status.state.reason === "target-gone") count("gone");
  }

  return {
    heard,

    acquired({ target, token, forMs, limits }, reply) {
      heard(reply);
      const now = timeline.now();
      if (reply.kind === "denied") {
        touched = true;
        count("deniedPermits");
        return;
      }
      // A late repeat of the question, after its permit was given back, may have got another one: until the end of that one no
      // further start is given.
      const grantedTo = grants.get(token) ?? now;
      grants.set(token, Math.max(grantedTo, now + forMs));
      const known = permits.get(token);
      if (known !== undefined && known.endsAt > now) return;
      const startsAt = now + reply.waitMs;
      if (reply.waitMs > 0) touched = true;
      permits.set(token, { startsAt, endsAt: now + forMs });
      count("permits");
      if (limits.rate === undefined || grantedTo > now) return;
      const own = starts.get(target) ?? [];
      starts.set(target, own);
      own.push(startsAt);
    },

    paused({ target, version }, partitions) {
      // Somebody else may have resumed it before all partitions were told.
      if ((versions.get(target) ?? 0) > version) return;
      pauses.set(target, { since: timeline.now(), partitions: new Set(partitions) });
    },

    resuming: (target) => void pauses.delete(target),

    leased({ id, partition, target }) {
      if (pauses.get(target)?.partitions.has(partition) === true) {
        violations.push(`${id} was lent out, and ${partition} knows that ${target} is paused`);
      }
    },

    requested(target, known, limits) {
      const now = timeline.now();
      const pause = pauses.get(target);
      if (pause?.partitions.has(known?.partition ?? "") === true && now > pause.since + LEASE_MS_MAX) {
        violations.push(`${known?.id} is sent to ${target}, which is paused since ${now - pause.since} ms`);
      }
      if (limits !== undefined || known?.lease?.gated === true) {
        const permit = permits.get(known?.lease?.token ?? "");
        if (permit === undefined || permit.startsAt > now || permit.endsAt <= now) {
          violations.push(`${known?.id} is sent to ${target} without a permit`);
        }
      }
      const running = (inFlight.get(target) ?? 0) + 1;
      inFlight.set(target, running);
      const most = concurrencyOf(limitsOf(target));
      if (running > most) violations.push(`${running} requests at once to ${target}, which takes ${most}`);
      return () => void inFlight.set(target, (inFlight.get(target) ?? 1) - 1);
    },

    // A gate that is out of reach limits, too.
    isTouched: () => touched || features.limits,

    problems: () =>
      [...starts].flatMap(([target, times]) => {
        const rates = limitsOf(target).flatMap((limits) => limits?.rate ?? []);
        return rates.length === 0 ? [] : windowProblem(target, times, rates);
      }),
  };
}

/** With several versions of the rules each has its own limit. */
function concurrencyOf(limits: readonly (TargetLimits | undefined)[]): number {
  return Math.max(...limits.map((each) => each?.concurrency ?? Number.POSITIVE_INFINITY));
}

/** In any window of the period, one end of it not counted, there are fewer than limit + burst. */
function windowProblem(target: string, times: readonly number[], rates: readonly Rate[]): readonly string[] {
  const periodMs = Math.max(...rates.map((rate) => rate.periodMs));
  const most = rates.reduce((sum, rate) => sum + (rate.limit * periodMs) / rate.periodMs + rate.burst - 1, 0);
  const sorted = times.toSorted((a, b) => a - b);
  for (const [index, end] of sorted.entries()) {
    const first = sorted[index - most];
    if (first !== undefined && end - first < periodMs) {
      return [`${target} was granted more than ${most} starts within ${end - first} ms`];
    }
  }
  return [];
}
