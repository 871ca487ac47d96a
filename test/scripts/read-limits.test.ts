import { describe, expect, it } from "vitest";
import { CONCURRENCY_MAX, RATE_BURST_MAX, RATE_LIMIT_MAX } from "../../scripts/read-limits.ts";
import { readTarget } from "../../scripts/read-target.ts";
import { loadRegistry } from "../../scripts/registry.ts";
import { readRuleText } from "../../scripts/rule-text.ts";
import { formatPath } from "../../src/core/result.ts";
import type { Mistake } from "../../src/core/result.ts";

const { targets: kinds } = await loadRegistry();

function read(keys: string) {
  const { value } = readRuleText(`{ http: https://a.example/${keys === "" ? "" : `, ${keys}`} }`, false);
  if (value === undefined) throw new Error("the entry is YAML");
  const mistakes: Mistake[] = [];
  const target = readTarget("ci", value, kinds, mistakes);
  return { target, mistakes: mistakes.map(({ path, message }) => `${formatPath(path)}: ${message}`) };
}

describe("a target's limits", () => {
  it("are no member of a target without any", () => {
    expect(read("").target).not.toHaveProperty("limits");
  });

  it.each([
    ["rate: 50/s", { rate: { limit: 50, periodMs: 1_000, burst: 1 } }],
    ["rate: 1/m", { rate: { limit: 1, periodMs: 60_000, burst: 1 } }],
    [`rate: ${RATE_LIMIT_MAX}/h`, { rate: { limit: RATE_LIMIT_MAX, periodMs: 3_600_000, burst: 1 } }],
    ["rate: { limit: 50/s }", { rate: { limit: 50, periodMs: 1_000, burst: 1 } }],
    ["rate: { limit: 50/s, burst: 10 }", { rate: { limit: 50, periodMs: 1_000, burst: 10 } }],
    [`rate: { limit: 1/s, burst: ${RATE_BURST_MAX} }`, { rate: { limit: 1, periodMs: 1_000, burst: RATE_BURST_MAX } }],
    ["concurrency: 1", { concurrency: 1 }],
    [`concurrency: ${CONCURRENCY_MAX}`, { concurrency: CONCURRENCY_MAX }],
    ["rate: 5/s, concurrency: 2", { rate: { limit: 5, periodMs: 1_000, burst: 1 }, concurrency: 2 }],
  ])("%s", (keys, limits) => {
    const { target, mistakes } = read(keys);
    expect(mistakes).toEqual([]);
    expect(target).toMatchObject({ limits, entry: { http: "https://a.example/" } });
    expect(target?.limits).toEqual(limits);
  });

  it.each([
    ["rate: 50", "ci.rate: expected a rate such as 50/s, 600/m or 1000/h, found the number 50"],
    ["rate: 50/sec", 'ci.rate: expected a rate such as 50/s, 600/m or 1000/h, found the string "50/sec"'],
    ["rate: 50 / s", "ci.rate: expected a rate"],
    ["rate: 0.5/s", "ci.rate: expected a rate"],
    ["rate: -1/s", "ci.rate: expected a rate"],
    ["rate: 5/d", "ci.rate: expected a rate"],
    ["rate: [5/s]", "ci.rate: expected a rate such as 50/s, 600/m or 1000/h, found a list"],
    ["rate: 0/s", "ci.rate: expected a rate from 1 to 10000 requests, found 0/s"],
    [`rate: ${RATE_LIMIT_MAX + 1}/s`, "ci.rate: expected a rate from 1 to 10000 requests, found 10001/s"],
    ["rate: {}", "ci.rate: expected { limit: 50/s, burst: 10 }, found no limit"],
    ["rate: { burst: 5 }", "ci.rate: expected { limit: 50/s, burst: 10 }, found no limit"],
    ["rate: { limit: 50 }", "ci.rate.limit: expected a rate"],
    ["rate: { limit: 5/s, burst: 0 }", "ci.rate.burst: expected a whole number from 1 to 10000, found the number 0"],
    [`rate: { limit: 5/s, burst: ${RATE_BURST_MAX + 1} }`, "ci.rate.burst: expected a whole number from 1 to 10000"],
    ["rate: { limit: 5/s, bursts: 2 }", 'ci.rate.bursts: unknown key "bursts"; did you mean "burst"?'],
    ["concurrency: 0", "ci.concurrency: expected a whole number from 1 to 100, found the number 0"],
    [`concurrency: ${CONCURRENCY_MAX + 1}`, "ci.concurrency: expected a whole number from 1 to 100"],
    ["concurrency: many", 'ci.concurrency: expected a whole number from 1 to 100, found the string "many"'],
  ])("are wrong: %s", (keys, expected) => {
    const { target, mistakes } = read(keys);
    expect(target).toBeUndefined();
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(expected);
  });
});
