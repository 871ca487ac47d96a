import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PATTERN_COST_MAX, patternCost, patternCosts } from "../../../scripts/analysis/pattern-cost.ts";
import { RULES_DIR } from "../../../scripts/generate.ts";
import { readRules } from "../../../scripts/rule-files.ts";
import { parsePattern, parsePatternText } from "../../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../../src/core/result.ts";
import { inputOf } from "../../support/rules-input.ts";

function costOf(pattern: Json): number {
  const parsed = parsePattern(pattern);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return patternCost(parsed.value).cost;
}

function list<Item>(count: number, item: (index: number) => Item): readonly Item[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

function found(pattern: Json, mode: "live" | "shadow" | "off" = "live") {
  return patternCosts(inputOf({ rules: { "default/a": { pattern, targets: [], mode } } }));
}

/** A pattern that costs exactly this, from one field, if the cost is odd and small enough; else from several branches. */
function costing(cost: number): JsonObject {
  const branches = list(25, (index) => {
    const share = Math.floor(cost / 25) + (index < cost % 25 ? 1 : 0);
    return { data: { x: list(share - 1, (at) => ({ prefix: `${index}-${at}` })) } };
  });
  return { $or: branches };
}

describe("the cost of a pattern", () => {
  it.each<[number, JsonObject]>([
    [0, { type: ["com.github.push"], subject: [{ wildcard: "a*b" }] }],
    [1, { type: ["com.github.push"], data: { ref: ["a", "b", "c"] } }],
    [2, { data: { ref: [{ prefix: "refs/heads/" }] } }],
    [3, { data: { ref: [{ wildcard: "refs/*/x" }] } }],
    [5, { data: { ref: [{ "equals-ignore-case": "main" }] } }],
    [5, { data: { ip: [{ cidr: "10.0.0.0/8" }] } }],
    [21, { data: { ip: [{ cidr: "2001:db8::/32" }] } }],
    [2, { data: { ref: [{ "anything-but": ["a", "b"] }] } }],
    [6, { data: { ref: [{ "anything-but": { wildcard: ["a*", "b*"] } }] } }],
    // Two fields below data: 1 for each look, 20 for the element that meets both; the dearer of the two counts.
    [22, { data: { a: [1], b: [{ prefix: "x" }] } }],
    [1, { $or: [{ data: { a: [1] } }, { data: { b: [1] } }] }],
    [2, { $or: [{ data: { a: [1] } }, { data: { a: [2] } }] }],
    // One value can occupy only the branches that name it.
    [22, { $or: [{ data: { a: [1], b: [3] } }, { data: { a: [2], b: [4] } }] }],
    [42, { $or: [{ data: { a: [1], b: [3] } }, { data: { a: [2], b: [3] } }] }],
    // Three fields that may be there or not: 8 ways to choose, times 3.
    [21 + 24, { data: Object.fromEntries(["a", "b", "c"].map((name) => [name, [1, { exists: false }]])) }],
  ])("is %i for %j", (cost, pattern) => expect(costOf(pattern)).toBe(cost));

  it("stops doubling where the matcher stops keeping ways to choose", () => {
    const optional = (count: number) =>
      costOf({ data: Object.fromEntries(list(count, (at) => [`x${at}`, [1, { exists: false }]])) });
    expect(optional(8) - 21).toBe(256 * 8);
    expect(optional(9) - 21).toBe(512 * 9);
    expect(optional(11)).toBeLessThan(PATTERN_COST_MAX);
    expect(optional(12)).toBeGreaterThan(PATTERN_COST_MAX);
  });

  it("is far under the limit for all that was observed of EventBridge and for the sample rules", async () => {
    const texts = readFileSync("test/conformance/patterns/observed.ndjson", "utf8").trim().split("\n");
    const observed = texts.flatMap((line) => {
      const pattern = parsePatternText((JSON.parse(line) as { readonly pattern: string }).pattern);
      return pattern.ok ? [patternCost(pattern.value).cost] : [];
    });
    expect(observed.length).toBeGreaterThan(500);
    const { document } = await readRules(RULES_DIR);
    expect(document.rules.length).toBeGreaterThan(3);
    const samples = document.rules.map(({ pattern }) => costOf(pattern));
    expect(Math.max(...observed, ...samples)).toBeLessThan(PATTERN_COST_MAX / 10);
  });
});

describe("a pattern that costs much", () => {
  it("is a warning from half of the limit on, and an error beyond it", () => {
    expect(found(costing(PATTERN_COST_MAX / 2))).toEqual([]);
    expect(found(costing(PATTERN_COST_MAX / 2 + 1))).toMatchObject([{ severity: "warning", code: "pattern-cost" }]);
    expect(found(costing(PATTERN_COST_MAX))).toMatchObject([{ severity: "warning" }]);
    expect(found(costing(PATTERN_COST_MAX + 1))).toMatchObject([{ severity: "error", code: "pattern-cost" }]);
  });

  it("says where the cost comes from", () => {
    const [problem] = found(costing(PATTERN_COST_MAX + 1));
    expect(problem?.file).toBe("rule default/a: pattern.$or[0].data.x");
    expect(problem?.message).toBe(
      "a pattern may cost 25,000 (PATTERN_COST_MAX), this one costs 25,001: 25,001 of it at data.x, " +
        "which is in 25 branches, in all 25,001 for its alternatives; exact values in one list cost least",
    );
    const repositories = { $or: list(1_000, (at) => ({ data: { repo: [`r${at}`], ref: ["refs/heads/main"] } })) };
    expect(found(repositories)[0]?.message).toContain(
      "21,000 of it at data.ref, which is in 1,000 branches, in all 1,000 for its alternatives " +
        "and 20,000 for other fields that must be met in the same element of an array",
    );
    const optional = { data: Object.fromEntries(list(60, (at) => [`x${at}`, [1, { exists: false }]])) };
    expect(found(optional)[0]?.message).toContain("62,914,560 of it because 60 fields of a branch may be there or not");
  });

  it("is none of a rule that is off", () => {
    expect(found(costing(PATTERN_COST_MAX + 1), "shadow")).toHaveLength(1);
    expect(found(costing(PATTERN_COST_MAX + 1), "off")).toEqual([]);
  });
});
