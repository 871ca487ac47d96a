import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOLD_MS_MAX, HOLD_MS_MIN, WATCH_MS_MIN } from "../../src/core/breaker.ts";
import type { Gate, GateCondition, PermitAnswer } from "../../src/core/gate.ts";
import {
  acquire,
  BUSY_RETRY_MS,
  CLOCK_BACK_MS_MAX,
  conditionOf,
  finish,
  NEW_GATE,
  pause,
  PAUSED_RETRY_MS,
  PERMIT_MS_MAX,
  PERMITS_MAX,
  PROBE_RETRY_MS,
  RATE_PERMITS_KEPT_MAX,
  report,
  resume,
  TOKEN_CHARS_MAX,
  WITHDRAWN_KEPT_MAX,
  WITHDRAWN_MS,
} from "../../src/core/gate.ts";
import type { TargetLimits } from "../../src/core/rule.ts";

const START = 1_800_000_000_000;
const LEASE_MS = 20_000;
const RATE = { limit: 1, periodMs: 1_000, burst: 1 };

interface Asked {
  readonly token?: string;
  readonly limits?: TargetLimits;
  readonly forMs?: number;
  readonly waitMsMax?: number;
  readonly random?: number;
}

let tokens = 0;

/** A gate that is asked one thing after another; it survives JSON between any two of them. */
function openGate(from: Gate = NEW_GATE) {
  let gate = from;
  const keep = (next: Gate): Gate => (gate = next === gate ? gate : (JSON.parse(JSON.stringify(next)) as Gate));
  return {
    gate: () => gate,
    /** So many attempts one after another, each counted. */
    fail(now: number, times: number): void {
      for (let time = 0; time < times; time++) {
        const token = `token-${(tokens += 1)}`;
        this.ask(now, { token, limits: { concurrency: 99 } });
        this.finish(now, token, "failed");
      }
    },
    ask(now: number, { token, limits = {}, forMs = LEASE_MS, waitMsMax = 0, random = 0 }: Asked = {}): PermitAnswer {
      const ask = { token: token ?? `token-${(tokens += 1)}`, limits, forMs, waitMsMax };
      const { gate: next, answer } = acquire(gate, ask, now, () => random);
      keep(next);
      return answer;
    },
    finish: (now: number, token: string, result: "succeeded" | "failed" | "unsent") =>
      keep(finish(gate, token, result, now)),
    report: (now: number, attempts: number, failures: number) => keep(report(gate, attempts, failures, now)),
    pause: (now: number, reason: "paused" | "target-gone") => keep(pause(gate, reason, now)),
    resume: (now: number) => keep(resume(gate, now)),
    condition: (now: number): GateCondition => conditionOf(gate, now).condition,
    version: (now: number): number => conditionOf(gate, now).version,
  };
}

/** A gate that is open since START. */
function brokenGate() {
  const gate = openGate();
  gate.fail(START, 10);
  return gate;
}

/** A gate in the first step of its ramp, since `START + HOLD_MS_MIN`. */
function rampGate() {
  const gate = brokenGate();
  gate.ask(START + HOLD_MS_MIN, { token: "probe" });
  gate.finish(START + HOLD_MS_MIN, "probe", "succeeded");
  return gate;
}

const AT_RAMP = START + HOLD_MS_MIN;
const GRANTED = { kind: "granted", waitMs: 0, finish: false } as const;
const TO_FINISH = { kind: "granted", waitMs: 0, finish: true } as const;

describe("a healthy target", () => {
  it("without limits is let through, with nothing to write", () => {
    const gate = openGate();
    expect(gate.ask(START)).toEqual(GRANTED);
    expect(gate.gate()).toBe(NEW_GATE);
    expect(conditionOf(NEW_GATE, START)).toEqual({ version: 0, condition: { kind: "free" } });
  });

  it("with a rate needs no second call, and stays free", () => {
    const gate = openGate();
    expect(gate.ask(START, { limits: { rate: RATE } })).toEqual(GRANTED);
    expect(gate.ask(START, { limits: { rate: RATE }, waitMsMax: 1_000 })).toEqual({ ...GRANTED, waitMs: 1_000 });
    expect(gate.ask(START, { limits: { rate: RATE }, waitMsMax: 1_999 })).toEqual({
      kind: "denied",
      retryAfterMs: 2_000,
    });
    // Spread over the time that they could have waited.
    const apart = { limits: { rate: RATE }, waitMsMax: 1_000, random: 0.75 };
    expect(gate.ask(START, apart)).toEqual({ kind: "denied", retryAfterMs: 1_250 });
    expect(gate.ask(START + 1_000, apart)).toMatchObject({ kind: "granted", waitMs: 1_000 });
    expect(gate.condition(START)).toEqual({ kind: "free" });
    expect(gate.version(START)).toBe(0);
  });

  it("is gated by bad reports, however bad: they hold nothing", () => {
    const gate = openGate();
    gate.report(START, 8, 2);
    expect(gate.condition(START)).toEqual({ kind: "free" });
    expect(gate.ask(START)).toEqual(GRANTED);
    for (let report = 0; report < 20; report++) gate.report(START, 10, 10);
    expect(gate.condition(START)).toEqual({ kind: "gated" });
    expect(gate.version(START)).toBe(1);
    for (let request = 0; request < 40; request++) expect(gate.ask(START)).toEqual(TO_FINISH);
  });

  it("is held while it is gated when seven of ten attempts fail, and free after five minutes when few do", () => {
    const down = openGate();
    down.report(START, 5, 5);
    down.fail(START, 9);
    expect(down.condition(START)).toEqual({ kind: "gated" });
    down.fail(START, 1);
    expect(down.condition(START)).toEqual({ kind: "held", reason: "breaker", forMs: HOLD_MS_MIN });
    expect(down.version(START)).toBe(2);

    const well = openGate();
    well.report(START, 5, 5);
    const over = START + WATCH_MS_MIN;
    // Time alone changes nothing.
    expect(well.condition(over)).toEqual({ kind: "gated" });
    expect(well.ask(over, { token: "a" })).toEqual(TO_FINISH);
    well.finish(over, "a", "succeeded");
    expect(well.condition(over)).toEqual({ kind: "free" });
    expect(well.version(over)).toBe(2);
    expect(well.ask(over)).toEqual(GRANTED);
  });
});

describe("a permit", () => {
  it("is given once for a token, however often it is asked for, and moves nearer", () => {
    const gate = openGate();
    gate.ask(START, { limits: { rate: RATE } });
    const asked = { token: "again", limits: { rate: RATE, concurrency: 1 }, waitMsMax: 1_000 };
    expect(gate.ask(START, asked)).toEqual({ ...TO_FINISH, waitMs: 1_000 });
    const written = gate.gate();
    expect(gate.ask(START + 400, asked)).toEqual({ ...TO_FINISH, waitMs: 600 });
    expect(gate.ask(START + 1_500, asked)).toEqual(TO_FINISH);
    expect(gate.gate()).toBe(written);
  });

  it("of a rate alone is given once for a token, too", () => {
    const gate = openGate();
    expect(gate.ask(START, { token: "again", limits: { rate: RATE } })).toEqual(GRANTED);
    expect(gate.ask(START, { token: "again", limits: { rate: RATE } })).toEqual(GRANTED);
    expect(gate.ask(START, { token: "other", limits: { rate: RATE } }).kind).toBe("denied");
  });

  it("that needs no finish is not ended by one", () => {
    const gate = openGate();
    gate.ask(START, { token: "a", limits: { rate: RATE } });
    const written = gate.gate();
    gate.finish(START, "a", "failed");
    expect(gate.gate()).toBe(written);
  });

  it("is not given when it would end before it starts", () => {
    const gate = openGate();
    gate.ask(START, { limits: { rate: RATE } });
    const asked = { limits: { rate: RATE }, waitMsMax: 5_000 };
    expect(gate.ask(START, { ...asked, forMs: 1_000 })).toEqual({ kind: "denied", retryAfterMs: 1_000 });
    expect(gate.ask(START, { ...asked, forMs: 1_001 })).toEqual({ ...GRANTED, waitMs: 1_000 });
  });

  it("has a token of bounded length", () => {
    const gate = openGate();
    expect(gate.ask(START, { token: "t".repeat(TOKEN_CHARS_MAX) })).toEqual(GRANTED);
    expect(() => gate.ask(START, { token: "t".repeat(TOKEN_CHARS_MAX + 1) })).toThrow(RangeError);
  });
});

describe("a token that is given back", () => {
  const limits = { concurrency: 1 };

  it("has no permit any more, and gets none, also when it is given back before it is asked for", () => {
    const gate = openGate();
    gate.ask(START, { token: "late reply", limits });
    expect(gate.ask(START, { limits }).kind).toBe("denied");
    gate.finish(START, "late reply", "unsent");
    gate.finish(START, "late question", "unsent");
    const written = gate.gate();
    gate.finish(START, "late question", "unsent");
    for (const token of ["late reply", "late question"]) {
      expect(gate.ask(START, { token, limits })).toEqual({ kind: "denied", retryAfterMs: BUSY_RETRY_MS });
      expect(gate.ask(START + WITHDRAWN_MS - 1, { token, limits, random: 0.5 })).toEqual({
        kind: "denied",
        retryAfterMs: 1.5 * BUSY_RETRY_MS,
      });
    }
    expect(gate.gate()).toBe(written);
    expect(gate.ask(START, { limits })).toEqual(TO_FINISH);
    expect(gate.ask(START + WITHDRAWN_MS, { token: "late question", limits })).toEqual(TO_FINISH);
  });

  it("is no failed probe, and the next one may go at once", () => {
    const gate = brokenGate();
    gate.finish(AT_RAMP, "late", "unsent");
    expect(gate.ask(AT_RAMP, { token: "late" }).kind).toBe("denied");
    expect(gate.ask(AT_RAMP, { token: "probe" })).toEqual(TO_FINISH);
    gate.finish(AT_RAMP, "probe", "unsent");
    expect(gate.condition(AT_RAMP + LEASE_MS)).toEqual({ kind: "held", reason: "breaker", forMs: 0 });
    expect(gate.ask(AT_RAMP)).toEqual(TO_FINISH);
  });

  it("is forgotten when too many were given back since; one that is too long for a token is not kept", () => {
    const gate = openGate();
    gate.finish(START, "t".repeat(TOKEN_CHARS_MAX + 1), "unsent");
    expect(gate.gate()).toBe(NEW_GATE);
    for (let index = 0; index < WITHDRAWN_KEPT_MAX; index++) gate.finish(START, `w${index}`, "unsent");
    expect(gate.ask(START, { token: "w0" }).kind).toBe("denied");
    gate.finish(START, "one more", "unsent");
    expect(gate.gate().withdrawn).toHaveLength(WITHDRAWN_KEPT_MAX);
    expect(gate.ask(START, { token: "w0" })).toEqual(GRANTED);
    expect(gate.ask(START, { token: "w1" }).kind).toBe("denied");
    gate.finish(START + WITHDRAWN_MS, "later", "unsent");
    expect(gate.gate().withdrawn.map(({ token }) => token)).toEqual(["later"]);
  });
});

describe("a target with a concurrency limit", () => {
  const limits = { concurrency: 2 };

  it("has that many permits out, each until it is finished or ends by itself", () => {
    const gate = openGate();
    expect(gate.ask(START, { token: "a", limits })).toEqual(TO_FINISH);
    expect(gate.ask(START, { token: "b", limits })).toEqual(TO_FINISH);
    expect(gate.ask(START, { limits })).toEqual({ kind: "denied", retryAfterMs: BUSY_RETRY_MS });
    expect(gate.ask(START, { limits, random: 0.5 })).toEqual({ kind: "denied", retryAfterMs: 1.5 * BUSY_RETRY_MS });
    gate.finish(START + 1, "a", "succeeded");
    expect(gate.ask(START + 1, { token: "c", limits, forMs: LEASE_MS + 5 })).toEqual(TO_FINISH);
    expect(gate.ask(START + LEASE_MS - 1, { limits }).kind).toBe("denied");
    expect(gate.ask(START + LEASE_MS, { limits })).toEqual(TO_FINISH);
    expect(gate.ask(START + LEASE_MS, { limits }).kind).toBe("denied");
  });

  it("takes no start of the rate when all permits are out", () => {
    const gate = openGate();
    gate.ask(START, { token: "a", limits: { concurrency: 1, rate: RATE } });
    const written = gate.gate();
    expect(gate.ask(START + 1_000, { limits: { concurrency: 1, rate: RATE } }).kind).toBe("denied");
    expect(gate.gate()).toBe(written);
    gate.finish(START + 1_000, "a", "succeeded");
    expect(gate.ask(START + 1_000, { limits: { concurrency: 1, rate: RATE } })).toEqual(TO_FINISH);
  });

  it("counts a finish once, and not at all for what was not sent or is over", () => {
    const gate = openGate();
    for (let index = 0; index < 9; index++) {
      gate.ask(START, { token: `f${index}`, limits: { concurrency: 99 } });
      gate.finish(START, `f${index}`, "failed");
      gate.finish(START, `f${index}`, "failed");
    }
    gate.ask(START, { token: "unsent", limits });
    gate.finish(START, "unsent", "unsent");
    gate.finish(START, "never given", "failed");
    gate.ask(START, { token: "over", limits });
    gate.finish(START + LEASE_MS, "over", "failed");
    expect(gate.condition(START + LEASE_MS)).toEqual({ kind: "free" });
    gate.ask(START + LEASE_MS, { token: "tenth", limits });
    gate.finish(START + LEASE_MS, "tenth", "failed");
    expect(gate.condition(START + LEASE_MS)).toMatchObject({ kind: "held", reason: "breaker" });
  });
});

describe("what a gate keeps is bounded:", () => {
  it("permits to finish, beyond which it denies", () => {
    let gate = NEW_GATE;
    const ask = (index: number) =>
      acquire(
        gate,
        { token: `p${index}`, limits: { concurrency: 5_000 }, forMs: LEASE_MS, waitMsMax: 0 },
        START,
        () => 0,
      );
    for (let index = 0; index < PERMITS_MAX; index++) {
      const { gate: next, answer } = ask(index);
      expect(answer.kind).toBe("granted");
      gate = next;
    }
    expect(ask(PERMITS_MAX).answer).toEqual({ kind: "denied", retryAfterMs: BUSY_RETRY_MS });
  });

  it("tokens of a rate alone, of which the oldest give way, never a permit to finish", () => {
    const gate = openGate();
    const limits = { rate: { limit: 1, periodMs: 1_000, burst: 1_000 } };
    gate.ask(START, { token: "slow", limits: { ...limits, concurrency: 1 } });
    for (let index = 0; index <= RATE_PERMITS_KEPT_MAX; index++) gate.ask(START, { token: `r${index}`, limits });
    expect(gate.gate().permits.map(({ token }) => token)).toEqual([
      "slow",
      ...Array.from({ length: RATE_PERMITS_KEPT_MAX }, (_, index) => `r${index + 1}`),
    ]);
  });

  it("how long a permit lasts", () => {
    const gate = openGate();
    gate.ask(START, { limits: { concurrency: 1 }, forMs: 10 * PERMIT_MS_MAX });
    expect(gate.ask(START + PERMIT_MS_MAX - 1, { limits: { concurrency: 1 } }).kind).toBe("denied");
    expect(gate.ask(START + PERMIT_MS_MAX, { limits: { concurrency: 1 } }).kind).toBe("granted");
  });
});

describe("the breaker of a gate", () => {
  it("holds, says for how long, and goes on saying held when the time is over", () => {
    const gate = brokenGate();
    expect(gate.version(START)).toBe(1);
    expect(gate.condition(START + 10_000)).toEqual({ kind: "held", reason: "breaker", forMs: 20_000 });
    expect(gate.ask(START + 10_000)).toEqual({ kind: "denied", retryAfterMs: 20_000 });
    expect(gate.condition(START + HOLD_MS_MIN + 5)).toEqual({ kind: "held", reason: "breaker", forMs: 0 });
    expect(gate.version(START + HOLD_MS_MIN + 5)).toBe(1);
  });

  it("then lets exactly one probe through at a time", () => {
    const gate = brokenGate();
    expect(gate.ask(AT_RAMP, { token: "probe" })).toEqual(TO_FINISH);
    expect(gate.ask(AT_RAMP)).toEqual({ kind: "denied", retryAfterMs: PROBE_RETRY_MS });
    expect(gate.ask(AT_RAMP + LEASE_MS - 10)).toEqual({ kind: "denied", retryAfterMs: 10 });
    expect(gate.ask(AT_RAMP, { token: "probe" })).toEqual(TO_FINISH);
    expect(gate.condition(AT_RAMP)).toEqual({ kind: "held", reason: "breaker", forMs: 0 });
    expect(gate.version(AT_RAMP)).toBe(1);
    gate.finish(AT_RAMP, "probe", "unsent");
    expect(gate.ask(AT_RAMP)).toEqual(TO_FINISH);
  });

  it("opens for longer when the probe fails, and counts one that is lost as failed from the end of its permit", () => {
    const gate = brokenGate();
    gate.ask(AT_RAMP, { token: "probe" });
    gate.finish(AT_RAMP + 100, "probe", "failed");
    expect(gate.condition(AT_RAMP + 100)).toEqual({ kind: "held", reason: "breaker", forMs: 60_000 });
    expect(gate.version(AT_RAMP + 100)).toBe(2);
    gate.ask(AT_RAMP + 60_100, { token: "lost" });
    const lostAt = AT_RAMP + 60_100 + LEASE_MS;
    expect(gate.condition(lostAt - 1)).toEqual({ kind: "held", reason: "breaker", forMs: 0 });
    for (const lookedAt of [lostAt, lostAt + 1_000]) {
      expect(gate.condition(lookedAt)).toMatchObject({ forMs: 120_000 - (lookedAt - lostAt) });
      expect(gate.version(lookedAt)).toBe(3);
    }
    gate.finish(lostAt + 2_000, "lost", "succeeded");
    expect(gate.condition(lostAt + 2_000)).toMatchObject({ forMs: 118_000 });
    expect(gate.version(lostAt + 2_000)).toBe(3);
    expect(gate.ask(lostAt + 120_000)).toEqual(TO_FINISH);
  });

  it("has a state of its own for a version, whoever looked at the lost probe first", () => {
    const gate = brokenGate();
    gate.ask(AT_RAMP, { token: "lost" });
    const seen = gate.version(AT_RAMP + LEASE_MS);
    gate.pause(AT_RAMP + LEASE_MS, "paused");
    expect(gate.version(AT_RAMP + LEASE_MS)).toBe(seen + 1);
  });

  it("ramps up after a probe that succeeded: 1, 2, 4, 8 and 16 at a time, then free", () => {
    const gate = rampGate();
    const version = gate.version(AT_RAMP);
    for (const size of [1, 2, 4, 8, 16]) {
      expect(gate.condition(AT_RAMP)).toEqual({ kind: "gated" });
      for (let index = 0; index < size; index++) {
        expect(gate.ask(AT_RAMP, { token: `${size}/${index}` })).toEqual(TO_FINISH);
      }
      expect(gate.ask(AT_RAMP).kind).toBe("denied");
      for (let index = 1; index < size; index++) gate.finish(AT_RAMP, `${size}/${index}`, "unsent");
      expect(gate.version(AT_RAMP)).toBe(version);
      gate.finish(AT_RAMP, `${size}/0`, "succeeded");
    }
    expect(gate.condition(AT_RAMP)).toEqual({ kind: "free" });
    expect(gate.version(AT_RAMP)).toBe(version + 1);
    expect(gate.ask(AT_RAMP)).toEqual(GRANTED);
  });

  it("keeps to a concurrency limit below the ramp's size", () => {
    const gate = rampGate();
    gate.ask(AT_RAMP, { token: "a" });
    gate.finish(AT_RAMP, "a", "succeeded");
    expect(gate.ask(AT_RAMP, { limits: { concurrency: 1 } })).toEqual(TO_FINISH);
    expect(gate.ask(AT_RAMP, { limits: { concurrency: 1 } }).kind).toBe("denied");
  });

  it("opens again when the ramp fails, and takes what was sent before for what it is", () => {
    const gate = rampGate();
    gate.ask(AT_RAMP, { token: "a" });
    gate.finish(AT_RAMP, "a", "succeeded");
    gate.ask(AT_RAMP, { token: "c", forMs: PERMIT_MS_MAX });
    // With the probe two of six have succeeded, then two of seven: 71 % failed.
    for (let failure = 1; failure <= 5; failure++) {
      expect(gate.condition(AT_RAMP)).toEqual({ kind: "gated" });
      gate.ask(AT_RAMP, { token: `b${failure}` });
      gate.finish(AT_RAMP, `b${failure}`, "failed");
    }
    const held = { kind: "held", reason: "breaker", forMs: HOLD_MS_MIN };
    expect(gate.condition(AT_RAMP)).toEqual(held);
    gate.ask(AT_RAMP + HOLD_MS_MIN, { token: "probe" });
    gate.finish(AT_RAMP + HOLD_MS_MIN, "probe", "succeeded");
    gate.finish(AT_RAMP + HOLD_MS_MIN, "c", "failed");
    expect(gate.condition(AT_RAMP + HOLD_MS_MIN)).toEqual({ kind: "gated" });
  });

  it("never holds longer than ten minutes", () => {
    const gate = brokenGate();
    let now = START;
    for (let probe = 0; probe < 8; probe++) {
      const condition = gate.condition(now);
      if (condition.kind !== "held") throw new Error("not held");
      now += condition.forMs ?? 0;
      gate.ask(now, { token: `probe-${probe}` });
      gate.finish(now, `probe-${probe}`, "failed");
    }
    expect(gate.condition(now)).toEqual({ kind: "held", reason: "breaker", forMs: HOLD_MS_MAX });
  });
});

/**
 * Every 3 s a request, from partitions that each report a failure by itself and forget successes: the share of the time that
 * the target is held, and how many requests it gets.
 */
function serve(failedPercent: number, forMs: number, gate = openGate(), seed = 3) {
  const everyMs = 3_000;
  let state = seed;
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  let [sent, waiting, heldMs] = [0, 0, 0];
  for (let now = START; now < START + forMs; now += everyMs) {
    waiting += 1;
    if (gate.condition(now).kind === "held") heldMs += everyMs;
    for (let burst = Math.min(waiting, 4); burst > 0; burst--) {
      const failed = random() * 100 < failedPercent;
      const token = `served-${(tokens += 1)}`;
      const isGated = gate.condition(now).kind !== "free";
      if (isGated && gate.ask(now, { token }).kind === "denied") break;
      waiting -= 1;
      sent += 1;
      if (isGated) gate.finish(now, token, failed ? "failed" : "succeeded");
      else if (failed) gate.report(now, 1, 1);
    }
  }
  return { sent, heldShare: heldMs / forMs };
}

describe("over a day", () => {
  const DAY_MS = 86_400_000;

  it("a target on which one of six requests fails is hardly ever held, even if it was when the day began", () => {
    for (const seed of [1, 2, 3]) {
      expect(serve(16, DAY_MS, openGate(), seed).heldShare).toBeLessThan(0.01);
      expect(serve(16, DAY_MS, brokenGate(), seed).heldShare).toBeLessThan(0.01);
    }
  });

  it("a target on which every request fails is held, but for its probes", () => {
    const { sent, heldShare } = serve(100, DAY_MS);
    expect(heldShare).toBeGreaterThan(0.99);
    // What it took to find out, and a probe every ten minutes.
    expect(sent).toBeLessThan(15 + 10 + 144);
  });

  it("a target on which nine of ten fail is held most of the time", () => {
    expect(serve(90, DAY_MS).heldShare).toBeGreaterThan(0.8);
  });
});

describe("a pause", () => {
  it("holds until it is ended, whatever the breaker does, and is one change", () => {
    const gate = openGate();
    gate.ask(START, { token: "before", limits: { concurrency: 1 } });
    gate.pause(START, "paused");
    const held = { kind: "held", reason: "paused", forMs: null };
    expect(gate.condition(START)).toEqual(held);
    expect(gate.ask(START)).toEqual({ kind: "denied", retryAfterMs: PAUSED_RETRY_MS });
    const written = gate.gate();
    gate.pause(START, "paused");
    expect(gate.gate()).toBe(written);
    gate.report(START, 50, 50);
    gate.fail(START, 10);
    gate.finish(START, "before", "failed");
    expect(gate.condition(START + 86_400_000)).toEqual(held);
    expect(gate.version(START + 86_400_000)).toBe(1);
  });

  it("forgets the bad record when it ends", () => {
    const gate = brokenGate();
    gate.pause(START, "target-gone");
    expect(gate.condition(START)).toEqual({ kind: "held", reason: "target-gone", forMs: null });
    gate.resume(START + 1);
    expect(gate.condition(START + 1)).toEqual({ kind: "free" });
    expect(gate.version(START + 1)).toBe(3);
    expect(gate.ask(START + 1)).toEqual(GRANTED);
    gate.fail(START + 1, 9);
    gate.report(START + 1, 4, 4);
    expect(gate.condition(START + 1)).toEqual({ kind: "free" });
    gate.resume(START + 1);
    expect(gate.version(START + 1)).toBe(3);
    gate.fail(START + 1, 9);
    gate.report(START + 1, 4, 4);
    expect(gate.condition(START + 1)).toEqual({ kind: "free" });
  });

  it("of a person stays one when the target says that it is gone; the other way round it becomes one", () => {
    const gate = openGate();
    gate.pause(START, "target-gone");
    gate.pause(START, "paused");
    gate.pause(START, "target-gone");
    expect(gate.condition(START)).toMatchObject({ reason: "paused" });
  });

  it("leaves a rate and permits alone when it ends", () => {
    const gate = openGate();
    gate.ask(START, { token: "a", limits: { rate: RATE, concurrency: 1 } });
    gate.pause(START, "paused");
    gate.resume(START);
    expect(gate.ask(START, { limits: { concurrency: 1 } }).kind).toBe("denied");
    expect(gate.ask(START, { limits: { rate: RATE } })).toEqual({ kind: "denied", retryAfterMs: 1_000 });
  });

  it("ends what a probe meant, so that its late failure is one of a record", () => {
    const gate = brokenGate();
    gate.ask(AT_RAMP, { token: "probe" });
    gate.resume(AT_RAMP);
    gate.fail(AT_RAMP, 10);
    gate.finish(AT_RAMP + 1, "probe", "failed");
    expect(gate.condition(AT_RAMP + 1)).toEqual({ kind: "held", reason: "breaker", forMs: HOLD_MS_MIN - 1 });
  });

  it("has nothing to end at a healthy target", () => expect(resume(NEW_GATE, START)).toBe(NEW_GATE));
});

describe("a clock that goes back", () => {
  it("stands still for a while: who may send waits for it to catch up", () => {
    const gate = openGate();
    gate.ask(START, { limits: { rate: RATE } });
    const early = START - CLOCK_BACK_MS_MAX;
    const late = { kind: "denied", retryAfterMs: CLOCK_BACK_MS_MAX + 1_000 };
    expect(gate.ask(early, { limits: { rate: RATE }, waitMsMax: 10_999 })).toEqual(late);
    expect(gate.ask(early, { limits: { rate: RATE }, waitMsMax: 11_000 })).toEqual({ ...GRANTED, waitMs: 11_000 });
  });

  it("takes the gate with it when it was far ahead", () => {
    const hourMs = 3_600_000;
    const gate = openGate();
    gate.ask(START + hourMs, { token: "a", limits: { rate: RATE, concurrency: 1 } });
    gate.ask(START + hourMs, { token: "later", limits: { rate: RATE }, waitMsMax: 1_000 });
    gate.finish(START + hourMs, "given back", "unsent");
    gate.fail(START + hourMs, 10);
    expect(gate.ask(START)).toEqual({ kind: "denied", retryAfterMs: HOLD_MS_MIN });
    expect(gate.gate().at).toBe(START);
    expect(gate.gate().withdrawn).toEqual([{ token: "given back", until: START + WITHDRAWN_MS }]);
    expect(gate.ask(START, { token: "later" })).toEqual({ ...GRANTED, waitMs: 1_000 });
    expect(gate.condition(START + HOLD_MS_MIN)).toMatchObject({ forMs: 0 });
    gate.resume(START);
    expect(gate.ask(START, { limits: { rate: RATE } })).toEqual({ kind: "denied", retryAfterMs: 2_000 });
    expect(gate.ask(START + LEASE_MS - 1, { limits: { concurrency: 1 } }).kind).toBe("denied");
    expect(gate.ask(START + LEASE_MS, { limits: { concurrency: 1 } })).toEqual(TO_FINISH);
  });
});

describe("whatever happens in whatever order", () => {
  const steps = fc.array(
    fc.record({
      span: fc.oneof(fc.integer({ min: -5, max: 40 }), fc.integer({ min: 0, max: 40_000 })),
      what: fc.constantFrom("ask", "ask", "ask", "ask", "succeed", "succeed", "fail", "report", "pause", "resume"),
      pick: fc.nat(1_000),
    }),
    { minLength: 10, maxLength: 120 },
  );

  it("permits, probes, holds and versions are as promised", () => {
    const rate = { limit: 3, periodMs: 100, burst: 2 };
    const limits = { rate, concurrency: 4 };
    fc.assert(
      fc.property(steps, (plan) => {
        const gate = openGate();
        let clock = START;
        // The gate's clock does not go back.
        let now = START;
        let out: { readonly token: string; readonly endsAt: number }[] = [];
        const starts: number[] = [];
        let last = { version: 0, state: "free" };
        for (const { span, what, pick } of plan) {
          clock += span;
          now = Math.max(now, clock);
          out = out.filter(({ endsAt }) => endsAt > now);
          const before = gate.condition(clock);
          if (what === "ask") {
            const token = `t${(tokens += 1)}`;
            const answer = gate.ask(clock, { token, limits, waitMsMax: pick % 50, forMs: 5_000 });
            if (answer.kind === "granted") {
              expect(before.kind === "held" && before.forMs !== 0).toBe(false);
              if (before.kind === "held") expect(gate.ask(clock, { limits }).kind).toBe("denied");
              starts.push(clock + answer.waitMs);
              out.push({ token, endsAt: now + 5_000 });
            }
          } else if (what === "succeed" || what === "fail") {
            const [ended] = out.splice(pick % Math.max(1, out.length), 1);
            if (ended !== undefined) gate.finish(clock, ended.token, what === "fail" ? "failed" : "succeeded");
          } else if (what === "report") {
            gate.report(clock, 6, 5);
            expect(gate.condition(clock).kind === "held").toBe(before.kind === "held");
          } else if (what === "pause") gate.pause(clock, pick % 2 === 0 ? "paused" : "target-gone");
          else gate.resume(clock);

          expect(out.length).toBeLessThanOrEqual(limits.concurrency);
          const condition = gate.condition(clock);
          const state = condition.kind === "held" ? `held: ${condition.reason}` : condition.kind;
          const version = gate.version(clock);
          expect(version).toBeGreaterThanOrEqual(last.version);
          if (version === last.version) expect(state).toBe(last.state);
          last = { version, state };
        }
        const sorted = starts.toSorted((a, b) => a - b);
        for (const [index, from] of sorted.entries()) {
          const within = sorted.slice(index).filter((at) => at <= from + rate.periodMs);
          expect(within.length).toBeLessThanOrEqual(rate.limit + rate.burst);
        }
      }),
      { numRuns: 200 },
    );
  });
});
