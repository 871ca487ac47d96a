import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/outcome.ts";
import type { OnFailure } from "../../src/core/rule.ts";
import { nextStep, OLDER_RULES_DELAY_MS, OLDER_RULES_DELAY_MS_MAX } from "../../src/core/step.ts";

const lease = { failures: 0, expiresInMs: 3_600_000, ageMs: 0 };
const policy = { retryDelaysMs: [5_000, 30_000] };
const middle = () => 0.5;

describe("what an outcome leads to", () => {
  const step = (outcome: Outcome, more: Partial<typeof lease> = {}) =>
    nextStep(outcome, { ...lease, ...more }, policy, middle);
  const refused: Outcome = { kind: "retryable", reason: "status", detail: "503" };

  it("leaves a delivery of newer rules alone for half its age, from five seconds to five minutes", () => {
    const older: Outcome = { kind: "released", reason: "older-rules" };
    const delays = [0, 20_001, 60_000, 86_400_000].map((ageMs) => step(older, { ageMs }));
    expect(delays.map((each) => "delayMs" in each && each.delayMs)).toEqual([
      OLDER_RULES_DELAY_MS,
      10_001,
      30_000,
      OLDER_RULES_DELAY_MS_MAX,
    ]);
  });

  it("ends what was delivered, what can never be and what nobody wants", () => {
    expect(step({ kind: "delivered" })).toEqual({ kind: "delivered" });
    expect(step({ kind: "permanent", reason: "redirect", detail: "301" })).toEqual({
      kind: "dead",
      reason: "redirect",
      detail: "301",
    });
    expect(step({ kind: "unwanted", reason: "target-removed" })).toEqual({
      kind: "cancelled",
      reason: "target-removed",
    });
  });

  it("takes the delay of the schedule that belongs to the failures so far", () => {
    expect(step(refused)).toEqual({ kind: "retry", delayMs: 5_000 });
    expect(step(refused, { failures: 1 })).toEqual({ kind: "retry", delayMs: 30_000 });
  });

  it("is dead when the schedule is used up, with the last failure as its detail", () => {
    expect(step(refused, { failures: 2 })).toEqual({ kind: "dead", reason: "retries-exhausted", detail: "503" });
  });

  it("is dead as expired when the target asks to wait until the maximum age or past it", () => {
    const asked: Outcome = { ...refused, retryAfterMs: 10_000 };
    expect(step(asked, { expiresInMs: 11_001 })).toEqual({ kind: "retry", delayMs: 11_000 });
    expect(step(asked, { expiresInMs: 11_000 })).toMatchObject({ kind: "dead", reason: "expired" });
    expect(step(asked, { expiresInMs: 11_000 })).toMatchObject({ detail: expect.stringContaining("503") });
  });

  it("waits a minute at least after a 429 or a timeout", () => {
    const crowded: Outcome = { ...refused, answer: { status: 429 } };
    expect(step(crowded)).toEqual({ kind: "retry", delayMs: 66_000 });
    expect(step({ kind: "retryable", reason: "timeout", detail: "" })).toEqual({ kind: "retry", delayMs: 66_000 });
  });

  it("gives back at once what it had no time for, and leaves to newer rules what they planned", () => {
    expect(step({ kind: "released", reason: "out-of-time" })).toEqual({ kind: "release", delayMs: 0 });
    expect(step({ kind: "released", reason: "older-rules" })).toEqual({
      kind: "release",
      delayMs: OLDER_RULES_DELAY_MS,
    });
  });
});

describe("what an outcome leads to in a lane", () => {
  const refused: Outcome = { kind: "retryable", reason: "status", detail: "503" };
  const forGood: Outcome = { kind: "permanent", reason: "redirect", detail: "301" };
  const BLOCK: OnFailure = { kind: "block" };
  const SKIP: OnFailure = { kind: "skip-after", failures: 4 };
  const PARK: OnFailure = { kind: "park" };
  const LATEST: OnFailure = { kind: "latest" };

  const step = (
    onFailure: OnFailure,
    outcome: Outcome,
    { retryDelaysMs = policy.retryDelaysMs, ...more }: Partial<typeof lease & typeof policy> = {},
  ) => nextStep(outcome, { ...lease, ...more }, { retryDelaysMs, onFailure }, middle);

  it("block: tries again by the schedule, whose last delay repeats until the delivery is too old", () => {
    const delays = [0, 1, 2, 3, 500].map((failures) => step(BLOCK, refused, { failures }));
    expect(delays.map((each) => "delayMs" in each && each.delayMs)).toEqual([5_000, 30_000, 30_000, 30_000, 30_000]);
    expect(step(BLOCK, refused, { failures: 500, expiresInMs: 30_001 })).toEqual({ kind: "retry", delayMs: 30_000 });
    expect(step(BLOCK, refused, { failures: 500, expiresInMs: 30_000 })).toMatchObject({
      kind: "dead",
      reason: "expired",
    });
  });

  it("skip-after: dead with the failure that fills the number, not before it, also past the schedule's end", () => {
    const kinds = [0, 1, 2, 3].map((failures) => step(SKIP, refused, { failures }));
    expect(kinds.map((each) => ("delayMs" in each ? each.delayMs : each))).toEqual([
      5_000,
      30_000,
      30_000,
      { kind: "dead", reason: "skipped", detail: "failed 4 times; last: 503" },
    ]);
    expect(step({ kind: "skip-after", failures: 1 }, refused)).toMatchObject({ reason: "skipped" });
    expect(step(SKIP, refused, { failures: 9 })).toMatchObject({ reason: "skipped" });
  });

  it("skip-after: dead as expired when the next retry would be past the maximum age", () => {
    expect(step(SKIP, refused, { expiresInMs: 5_000 })).toMatchObject({ kind: "dead", reason: "expired" });
  });

  it("park: stops when the schedule is over, or would be past the maximum age, and before that tries again", () => {
    expect(step(PARK, refused, { failures: 1 })).toEqual({ kind: "retry", delayMs: 30_000 });
    const parked = { kind: "park", reason: "retries-exhausted", detail: "503" };
    expect(step(PARK, refused, { failures: 2 })).toEqual(parked);
    expect(step(PARK, refused, { expiresInMs: 5_000 })).toEqual(parked);
    expect(step(PARK, refused, { expiresInMs: 5_001 })).toEqual({ kind: "retry", delayMs: 5_000 });
  });

  it("latest: tries again by the schedule, then dead", () => {
    expect(step(LATEST, refused, { failures: 1 })).toEqual({ kind: "retry", delayMs: 30_000 });
    expect(step(LATEST, refused, { failures: 2 })).toEqual({
      kind: "dead",
      reason: "retries-exhausted",
      detail: "503",
    });
  });

  it("stops for a failure for good only with park; else that one is dead at once", () => {
    const dead = { kind: "dead", reason: "redirect", detail: "301" };
    for (const onFailure of [BLOCK, SKIP, LATEST]) expect(step(onFailure, forGood)).toEqual(dead);
    expect(step(PARK, forGood)).toEqual({ ...dead, kind: "park" });
  });

  it("tries once and no more without a schedule, whatever the policy", () => {
    for (const onFailure of [BLOCK, SKIP, LATEST]) {
      expect(step(onFailure, refused, { retryDelaysMs: [] })).toMatchObject({
        kind: "dead",
        reason: "retries-exhausted",
      });
    }
    expect(step(PARK, refused, { retryDelaysMs: [] })).toMatchObject({ kind: "park", reason: "retries-exhausted" });
  });

  it("obeys what the target asks to wait, in each of them", () => {
    for (const onFailure of [BLOCK, SKIP, PARK, LATEST]) {
      expect(step(onFailure, { ...refused, retryAfterMs: 100_000 })).toMatchObject({ kind: "retry" });
      const asked = step(onFailure, { ...refused, retryAfterMs: 100_000 });
      expect("delayMs" in asked && asked.delayMs).toBeGreaterThanOrEqual(100_000);
    }
  });

  it("treats what was delivered, given back or not wanted any more as everywhere", () => {
    for (const onFailure of [BLOCK, SKIP, PARK, LATEST]) {
      expect(step(onFailure, { kind: "delivered" })).toEqual({ kind: "delivered" });
      expect(step(onFailure, { kind: "unwanted", reason: "rule-off" })).toEqual({
        kind: "cancelled",
        reason: "rule-off",
      });
      expect(step(onFailure, { kind: "released", reason: "out-of-time" })).toEqual({ kind: "release", delayMs: 0 });
    }
  });
});

describe("what a gate's refusal leads to", () => {
  it("is a wait as long as the gate says, however many failures there were and however little time is left", () => {
    const held: Outcome = { kind: "held", delayMs: 1_234 };
    for (const onFailure of [undefined, { kind: "skip-after", failures: 1 }, { kind: "park" }] as const) {
      const settings = { ...policy, ...(onFailure === undefined ? {} : { onFailure }) };
      expect(nextStep(held, { ...lease, failures: 99, expiresInMs: 1 }, settings, middle)).toEqual({
        kind: "release",
        delayMs: 1_234,
      });
    }
  });
});
