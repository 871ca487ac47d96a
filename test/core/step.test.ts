import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/outcome.ts";
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
