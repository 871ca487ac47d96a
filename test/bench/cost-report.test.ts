import { describe, expect, it } from "vitest";
import type { CostModel, Regime } from "./cost-model.ts";
import { usageOf } from "./cost-model.ts";
import { peersFor } from "./cost-peers.ts";
import { dollarsOf } from "./cost-prices.ts";
import { costLines } from "./cost-report.ts";

const TERMINAL = { width: 160, paint: (_style: unknown, text: string) => text };
const OPTIONS = { fanout: 2, size: 10_000, rate: 100, logDays: 14, isolates: 1 };

function regime(rowsWritten: number, goalDollars?: number): Regime {
  const load = { fanout: 2, bodyBytes: 10_000, eventsPerSecond: null, isolates: 1 };
  const calls = { accepts: 1, settles: 1, alarms: 1, alarmsSet: 1, requestsSent: 2, awakeMs: 30 };
  const sizes = { storedBytes: 12_000, logLines: 2, logBytes: 640, engineMs: 0.2 };
  const counted = { events: 100, ...calls, ...sizes, rowsWritten };
  const usage = usageOf(counted, 14);
  const plain = { load, counted, usage, dollars: dollarsOf(usage) };
  return goalDollars === undefined ? plain : { ...plain, goalDollars };
}

function textOf(model: Partial<CostModel>): string {
  const peers = peersFor({ fanout: 2, bodyBytes: 10_000, logDays: 14 });
  const whole = { options: OPTIONS, trickle: regime(4), underLoad: regime(2), peers, ...model };
  return costLines(whole, TERMINAL).join("\n");
}

describe("the cost model in words", () => {
  it("adds its items up", () => {
    expect(textOf({})).toMatch(/rows written +1\.00 a million +4 +4\.00 +2 +2\.00/);
    // 0.30 + 0.06 + 0.45 + 0.048 + rows + 1.12
    expect(textOf({})).toMatch(/together +5\.98 +3\.98/);
  });

  it("says whether a goal is held, and nothing of goals for other traffic", () => {
    expect(textOf({ trickle: regime(4, 6), underLoad: regime(3, 4) })).toContain(
      "Goal: at most 6.00 for a trickle: held; at most 4.00 for load: missed.",
    );
    expect(textOf({})).not.toContain("Goal");
  });

  it("says how far the plan goes, the scarcest part first", () => {
    expect(textOf({})).toContain("trickle: object requests 333,333; log stored");
  });

  it("says what is assumed, what is left out and what a partition's log holds", () => {
    const text = textOf({});
    for (const words of ["assumed   CPU 2 ms an event", "89,478 such events", "Workers Logs", "egress"]) {
      expect(text).toContain(words);
    }
  });

  it("stands next to what others charge, with their pages", () => {
    const text = textOf({});
    for (const words of [
      "Amazon EventBridge: $2.51",
      "Svix: $100.00",
      "Hookdeck Event Gateway: $20.00",
      "2026-09-20",
    ]) {
      expect(text).toContain(words);
    }
  });

  it("can tell of no targets at all", () => {
    const counted = { ...regime(2).counted, logLines: 0, logBytes: 0, settles: 0 };
    const none = { ...regime(2), counted };
    expect(textOf({ trickle: none, underLoad: none })).not.toContain("NaN");
  });
});
