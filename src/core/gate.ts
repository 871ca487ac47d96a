/**
 * The gate of a target, as data: who may send to it now. It knows the target's rate, the permits that are out, its breaker and
 * its pause. Every function takes the gate and the time and returns the gate as it is afterwards: the same object when there
 * is nothing to write. The gate is plain JSON.
 *
 * What partitions must know of it is its condition, and each change of that has a new version. Time alone changes no
 * condition: a hold whose time is over is still `held`, for 0 ms, until its probe has ended. So a partition that was told of
 * the hold needs no news when it ends: it lends one lease at a time, and each asks here.
 */
import type { Breaker } from "./breaker.ts";
import { CLOSED, countAttempt, endProbe, endRampRequest, hearReport, isClean, shiftBreaker } from "./breaker.ts";
import type { RateBucket } from "./gcra.ts";
import { takeStart } from "./gcra.ts";
import type { TargetLimits } from "./rule.ts";

/** Permits that are out at one time, whatever the limits say; beyond it the gate denies. */
export const PERMITS_MAX = 1_000;
/** Permits of a rate alone are only kept to recognise their tokens; the oldest give way. */
export const RATE_PERMITS_KEPT_MAX = 256;
/** The longest that a permit lasts: no lease is longer. */
export const PERMIT_MS_MAX = 600_000;
export const TOKEN_CHARS_MAX = 200;
/** Who finds all permits out comes back after this, or up to twice as long: not all in the same instant. */
export const BUSY_RETRY_MS = 1_000;
/** The same while a probe is out, unless its permit ends earlier. */
export const PROBE_RETRY_MS = 5_000;
/** A token that was given back gets no permit for so long: an invocation, which may have asked late, lives for 30 s. */
export const WITHDRAWN_MS = 60_000;
/** Of more than these the oldest give way. */
export const WITHDRAWN_KEPT_MAX = 256;
/** Who asks during a pause should not have: it has not heard of it. */
export const PAUSED_RETRY_MS = 60_000;
/** A clock that went back stands still for the gate, up to this; beyond it the gate's times go back with it. */
export const CLOCK_BACK_MS_MAX = 10_000;

export type PauseReason = "paused" | "target-gone";

export interface Gate {
  /** Rises with every change of the condition. */
  readonly version: number;
  /** The time of the last change. */
  readonly at: number;
  readonly pause: PauseReason | null;
  readonly breaker: Breaker;
  readonly buckets: readonly RateBucket[];
  readonly permits: readonly Permit[];
  /** Tokens that were given back, the oldest first. */
  readonly withdrawn: readonly Withdrawn[];
}

interface Withdrawn {
  readonly token: string;
  readonly until: number;
}

interface Permit {
  readonly token: string;
  readonly startsAt: number;
  readonly endsAt: number;
  /** It counts as a request under way until it is finished or ends; without this it is kept for its token only. */
  readonly finish: boolean;
  /** What its result means to the breaker, beyond its record. */
  readonly trial?: "probe" | "ramp";
}

export interface PermitAsk {
  readonly token: string;
  readonly limits: TargetLimits;
  readonly forMs: number;
  readonly waitMsMax: number;
}

export type PermitAnswer =
  | { readonly kind: "granted"; readonly waitMs: number; readonly finish: boolean }
  | { readonly kind: "denied"; readonly retryAfterMs: number };

export type GateCondition =
  | { readonly kind: "free" }
  | { readonly kind: "gated" }
  | { readonly kind: "held"; readonly reason: "breaker" | PauseReason; readonly forMs: number | null };

export const NEW_GATE: Gate = {
  version: 0,
  at: 0,
  pause: null,
  breaker: CLOSED,
  buckets: [],
  permits: [],
  withdrawn: [],
};

/**
 * Asks for a permit. A token that has one gets it again. A denial takes nothing; after its `retryAfterMs` a permit may be had,
 * as things are, within the time that the caller can wait. `random` is from 0 to less than 1.
 */
export function acquire(
  gate: Gate,
  ask: PermitAsk,
  now: number,
  random: () => number,
): { readonly gate: Gate; readonly answer: PermitAnswer } {
  if (ask.token.length > TOKEN_CHARS_MAX) throw new RangeError(`a token has at most ${TOKEN_CHARS_MAX} characters`);
  const { current, time, out } = advance(gate, now);
  const known = out.find(({ token }) => token === ask.token);
  if (isWithdrawn(current, ask.token, time)) {
    return { gate: current, answer: denied(spread(BUSY_RETRY_MS, random)) };
  }
  if (known !== undefined) {
    return { gate: current, answer: granted(Math.max(0, known.startsAt - now), known.finish) };
  }
  const busyMs = obstacleMs(current, out, ask.limits, time, random);
  if (busyMs !== null) return { gate: current, answer: denied(busyMs) };

  const trial = trialOf(current.breaker);
  const { rate, concurrency } = ask.limits;
  const needsFinish = concurrency !== undefined || trial !== null || current.breaker.kind === "watched";
  if (rate === undefined && !needsFinish) return { gate: current, answer: granted(0, false) };
  const forMs = Math.min(ask.forMs, PERMIT_MS_MAX);
  let waitMs = 0;
  let { buckets } = current;
  if (rate !== undefined) {
    // A start after the permit's end would be none.
    const start = takeStart(buckets, rate, now, Math.min(ask.waitMsMax, forMs - 1));
    if (start.kind === "denied") {
      // Who comes earlier by what it can wait gets a start in time; so all that were told the same moment come apart.
      const earlierMs = Math.floor(Math.min(ask.waitMsMax, start.retryAfterMs) * random());
      return { gate: current, answer: denied(start.retryAfterMs - earlierMs) };
    }
    ({ waitMs, buckets } = start);
  }
  const permit: Permit = {
    token: ask.token,
    startsAt: now + waitMs,
    endsAt: time + forMs,
    finish: needsFinish,
    ...(trial === null ? {} : { trial }),
  };
  const permits = withRoom([...out, permit]);
  return { gate: change(current, { buckets, permits }, time), answer: granted(waitMs, needsFinish) };
}

/**
 * Ends a permit. One that is not out (any more) changes nothing, so the call may be made twice. `unsent` gives a token back,
 * whether it has a permit or not: who has heard no answer does not know, and the question may be on its way still.
 */
export function finish(gate: Gate, token: string, result: "succeeded" | "failed" | "unsent", now: number): Gate {
  const { current, time, out } = advance(gate, now);
  if (result === "unsent") {
    if (token.length > TOKEN_CHARS_MAX || isWithdrawn(current, token, time)) return current;
    const kept = current.withdrawn.filter(({ until }) => until > time);
    const withdrawn = [...kept, { token, until: time + WITHDRAWN_MS }].slice(-WITHDRAWN_KEPT_MAX);
    return change(current, { permits: out.filter((each) => each.token !== token), withdrawn }, time);
  }
  const permit = out.find((each) => each.token === token && each.finish);
  if (permit === undefined) return current;
  const permits = out.filter((each) => each !== permit);
  const succeeded = result === "succeeded";
  return change(current, { permits, breaker: breakerAfter(current.breaker, permit, succeeded, time) }, time);
}

/** Hears of attempts that had no permit to finish. */
export function report(gate: Gate, attempts: number, failures: number, now: number): Gate {
  const { current, time } = advance(gate, now);
  const breaker = hearReport(current.breaker, attempts, failures, time);
  return breaker === current.breaker ? current : change(current, { breaker }, time);
}

/** Holds everything until `resume`, whatever the breaker does. A person's pause is not turned into the target's. */
export function pause(gate: Gate, reason: PauseReason, now: number): Gate {
  const { current, time } = advance(gate, now);
  if (current.pause === reason || current.pause === "paused") return current;
  return change(current, { pause: reason }, time);
}

/** Ends a pause and forgets the breaker's record. Permits that are out, and what the rate has counted, stay. */
export function resume(gate: Gate, now: number): Gate {
  const { current, time } = advance(gate, now);
  if (current.pause === null && isClean(current.breaker)) return current;
  return change(current, { pause: null, breaker: CLOSED }, time);
}

export function conditionOf(gate: Gate, now: number): { readonly version: number; readonly condition: GateCondition } {
  const { current, time } = advance(gate, now);
  const { version, breaker } = current;
  if (current.pause !== null) return { version, condition: { kind: "held", reason: current.pause, forMs: null } };
  switch (breaker.kind) {
    case "closed":
      return { version, condition: { kind: "free" } };
    case "watched":
    case "ramp":
      return { version, condition: { kind: "gated" } };
    case "open": {
      const forMs = Math.max(0, breaker.until - time);
      return { version, condition: { kind: "held", reason: "breaker", forMs } };
    }
  }
}

/**
 * The gate brought up to date, its own time, and the permits that are out. The gate is the same object unless its clock or its
 * condition changed: that some permits have ended is seen again at the next call, and needs no write.
 */
function advance(
  gate: Gate,
  now: number,
): { readonly current: Gate; readonly time: number; readonly out: readonly Permit[] } {
  const set = gate.at - now > CLOCK_BACK_MS_MAX ? shift(gate, gate.at - now) : gate;
  const time = Math.max(now, set.at);
  const out = set.permits.filter(({ endsAt }) => endsAt > time);
  const lost = set.permits.find(({ endsAt, trial }) => trial === "probe" && endsAt <= time);
  if (lost === undefined) return { current: set, time, out };
  // The hold counts from the end of the permit, so that it does not matter who looks first.
  const breaker = endProbe(set.breaker, false, lost.endsAt);
  return { current: change(set, { permits: out, breaker }, time), time, out };
}

/** A change, with the next version if partitions must hear of it. */
function change(gate: Gate, part: Partial<Omit<Gate, "version" | "at">>, time: number): Gate {
  const next = { ...gate, ...part, at: time };
  // What was sent before a hold or a resume says nothing of what comes after it.
  const over = next.breaker !== gate.breaker && next.breaker.kind !== "ramp";
  const permits = over ? next.permits.map(({ trial: _over, ...permit }) => permit) : next.permits;
  return { ...next, permits, version: visible(next) === visible(gate) ? gate.version : gate.version + 1 };
}

function visible({ pause: paused, breaker }: Gate): string {
  if (paused !== null) return paused;
  return breaker.kind === "open" ? `open until ${breaker.until}` : breaker.kind;
}

/** How long something other than the rate stands in the way; null when nothing does. */
function obstacleMs(
  { pause: paused, breaker }: Gate,
  out: readonly Permit[],
  { concurrency = PERMITS_MAX }: TargetLimits,
  time: number,
  random: () => number,
): number | null {
  if (paused !== null) return PAUSED_RETRY_MS;
  if (breaker.kind === "open") {
    if (breaker.until > time) return breaker.until - time;
    const probe = out.find(({ trial }) => trial === "probe");
    if (probe !== undefined) return Math.min(spread(PROBE_RETRY_MS, random), probe.endsAt - time);
  }
  const underWay = out.filter((permit) => permit.finish).length;
  const most = Math.min(concurrency, PERMITS_MAX, breaker.kind === "ramp" ? breaker.size : PERMITS_MAX);
  return underWay >= most ? spread(BUSY_RETRY_MS, random) : null;
}

function trialOf(breaker: Breaker): "probe" | "ramp" | null {
  if (breaker.kind === "open") return "probe";
  return breaker.kind === "ramp" ? "ramp" : null;
}

function breakerAfter(breaker: Breaker, { trial }: Permit, succeeded: boolean, time: number): Breaker {
  if (trial === "probe") return endProbe(breaker, succeeded, time);
  if (trial === "ramp") return endRampRequest(breaker, succeeded, time);
  return countAttempt(breaker, succeeded, time);
}

function isWithdrawn({ withdrawn }: Gate, token: string, time: number): boolean {
  return withdrawn.some((each) => each.token === token && each.until > time);
}

function withRoom(permits: readonly Permit[]): readonly Permit[] {
  const tooMany = permits.filter((permit) => !permit.finish).length - RATE_PERMITS_KEPT_MAX;
  if (tooMany <= 0) return permits;
  const leaving = new Set(permits.filter((permit) => !permit.finish).slice(0, tooMany));
  return permits.filter((permit) => !leaving.has(permit));
}

/** The gate as if everything had happened `byMs` earlier: for a clock that was ahead by so much and is right again. */
function shift(gate: Gate, byMs: number): Gate {
  return {
    ...gate,
    at: gate.at - byMs,
    breaker: shiftBreaker(gate.breaker, byMs),
    buckets: gate.buckets.map((bucket) => ({ ...bucket, at: bucket.at - byMs })),
    permits: gate.permits.map((permit) => ({
      ...permit,
      startsAt: permit.startsAt - byMs,
      endsAt: permit.endsAt - byMs,
    })),
    withdrawn: gate.withdrawn.map((each) => ({ ...each, until: each.until - byMs })),
  };
}

function spread(ms: number, random: () => number): number {
  return Math.ceil(ms * (1 + random()));
}

function granted(waitMs: number, needsFinish: boolean): PermitAnswer {
  return { kind: "granted", waitMs, finish: needsFinish };
}

function denied(retryAfterMs: number): PermitAnswer {
  return { kind: "denied", retryAfterMs: Math.max(1, retryAfterMs) };
}
