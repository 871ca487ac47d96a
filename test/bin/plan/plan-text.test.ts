import { describe, expect, it } from "vitest";
import { DIFF_LINES_SHOWN_MAX, planLines } from "../../../bin/plan/plan-text.ts";
import type { PlanEvent } from "../../../src/core/plan.ts";
import { planChanges } from "../../../src/core/plan.ts";
import type { Json } from "../../../src/core/result.ts";
import type { RuleDefinition } from "../../../src/core/rule.ts";

function ruleOf(changes: Partial<RuleDefinition>): RuleDefinition {
  return { path: "default/r", bus: "default", pattern: { type: ["t"] }, targets: ["ci"], mode: "live", ...changes };
}

async function linesOf(
  before: Partial<RuleDefinition>,
  after: Partial<RuleDefinition>,
  { name = "evt_1", data = {} as Json } = {},
): Promise<readonly string[]> {
  const attributes = {
    specversion: "1.0",
    id: "1",
    source: "/s",
    type: "t",
    datacontenttype: "application/json",
  } as const;
  const event: PlanEvent = {
    name,
    bus: "default",
    acceptedAt: 0,
    event: { attributes, body: new TextEncoder().encode(JSON.stringify(data, null, 1)) },
  };
  const planned = await planChanges([ruleOf(before)], [ruleOf(after)], [[event]]);
  if (!planned.ok) throw new Error(planned.error.detail);
  return planLines({ rules: planned.value, targets: [], sources: [] }, (_style, text) => text);
}

describe("a plan in words", () => {
  it("has targets, mode and order of a rule in a line each", async () => {
    const order = { by: "sequence", onFailure: { kind: "skip-after", failures: 3 }, gapWaitMs: 5_000 } as const;
    expect(await linesOf({ targets: ["ci", "old"] }, { targets: ["ci", "new"], order })).toEqual([
      "~ default/r  newly matched 0, no longer matched 0, body changed 0",
      "    targets: + new, - old, for 1 event matched before and now",
      "    order: none -> sequence (skip-after: 3, gap wait 5 s)",
      "",
      "Plan: 1 event, 1 rule changes: 0 newly matched, 0 no longer matched, 0 bodies changed.",
    ]);
    const lines = await linesOf({ mode: "shadow" }, { mode: "live" });
    expect(lines.slice(0, 2)).toEqual([
      "~ default/r  newly matched 1, no longer matched 0, body changed 0; shadow: newly matched 0, no longer matched 1, body changed 0",
      "    mode: shadow -> live",
    ]);
  });

  it("says why transforms fail", async () => {
    const lines = await linesOf({}, { transform: { path: "$.data.a", required: true } });
    expect(lines[0]).toBe(
      "~ default/r  newly matched 0, no longer matched 0, body changed 0, transform newly failing 1",
    );
    expect(lines[2]).toBe("    transform newly failing (the event has nothing at the required path $.data.a): evt_1");
    expect(lines.at(-1)).toMatch(/, 1 transform newly failing\.$/);
  });

  it(`shows ${DIFF_LINES_SHOWN_MAX} lines of a diff (DIFF_LINES_SHOWN_MAX)`, async () => {
    const diffOf = async (count: number) => {
      // A diff has a line for each member of the two, and two for the braces.
      const membersOf = (word: string) =>
        Object.fromEntries(Array.from({ length: count }, (_, n) => [`${word}${n}`, n]));
      const lines = await linesOf(
        { transform: { constant: membersOf("a") } },
        { transform: { constant: membersOf("b") } },
      );
      return lines.slice(lines.indexOf("    body of evt_1:") + 1, -2);
    };
    const most = (DIFF_LINES_SHOWN_MAX - 2) / 2;
    expect(await diffOf(most)).toHaveLength(DIFF_LINES_SHOWN_MAX);
    const cut = await diffOf(most + 1);
    expect(cut).toHaveLength(DIFF_LINES_SHOWN_MAX + 1);
    expect(cut.at(-1)).toBe("      … and more; --json has both bodies");
  });

  it("says when bodies are the same JSON, and when they are too large", async () => {
    expect(await linesOf({}, { transform: { path: "$.data" } }, { data: { a: 1 } })).toContain(
      "      the same JSON, written in another way",
    );
    const data = "x".repeat(50_000);
    expect(await linesOf({}, { transform: { constant: 1 } }, { data })).toContain(
      "    the bodies are too large to be shown",
    );
  });

  it("lets no event's name steer the terminal", async () => {
    const lines = await linesOf({}, { transform: { constant: 1 } }, { name: "a\u001b[2J" });
    expect(lines.join("")).not.toContain("\u001b");
  });
});
