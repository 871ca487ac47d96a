import { describe, expect, it } from "vitest";
import type { PlanCost } from "./plan.ts";
import { measurePlans } from "./plan.ts";

describe("the benchmark of plans", () => {
  it("measures rules that match, and bodies that change", async () => {
    const costs: PlanCost[] = [];
    for await (const cost of measurePlans(300, 50)) costs.push(cost);
    const shown = costs.map(({ changed, rulesChanged, matched, bodiesChanged }) => {
      return [changed, rulesChanged, matched > 0, bodiesChanged > 0];
    });
    expect(shown).toEqual([
      ["nothing", 0, false, false],
      ["10 rules", 10, true, false],
      ["every target list", 50, true, false],
      ["every pattern", 50, true, false],
      ["every template", 50, true, true],
      ["every pattern and template", 50, true, true],
      ["every JSONata", 50, true, true],
    ]);
    // 0.1 s on a machine that has nothing else to do.
    expect(Math.max(...costs.map(({ seconds }) => seconds))).toBeLessThan(5);
  });
});
