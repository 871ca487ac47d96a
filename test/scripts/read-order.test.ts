import { describe, expect, it } from "vitest";
import { formatProblem } from "../../scripts/problem.ts";
import { orderWarnings } from "../../scripts/order-warnings.ts";
import { SKIP_AFTER_FAILURES_MAX } from "../../scripts/read-order.ts";
import { readRule } from "../../scripts/read-rule.ts";
import { readRuleText } from "../../scripts/rule-text.ts";
import type { Json, Mistake } from "../../src/core/result.ts";
import type { RuleDefinition, TargetDefinition } from "../../src/core/rule.ts";

const RULE = "pattern: { type: [a] }\ntargets: [ci]\n";

/** The rule of a file with these lines more, and its mistakes as they are shown. */
function read(more: string): { readonly rule: RuleDefinition | undefined; readonly problems: readonly string[] } {
  const text = readRuleText(RULE + more, false);
  const mistakes: Mistake[] = [];
  const rule = text.value === undefined ? undefined : readRule("default", "a", text.value, ["ci"], mistakes);
  const found = [
    ...text.problems,
    ...mistakes.map((mistake) => ({ ...text.locate(mistake), message: mistake.message })),
  ];
  const problems = found.map((problem) => formatProblem({ file: "/a", severity: "error", ...problem }, "/"));
  return { rule, problems };
}

const orderOf = (more: string) => {
  const { rule, problems } = read(more);
  expect(problems).toEqual([]);
  return rule?.order;
};

describe("a rule's order", () => {
  it("is no member of a rule without one", () => {
    for (const more of ["", "order: none"]) expect(read(more).rule).not.toHaveProperty("order");
  });

  it("is by key, and blocks unless the file says otherwise", () => {
    expect(orderOf("order: key")).toEqual({ by: "key", onFailure: { kind: "block" }, gapWaitMs: 0 });
  });

  it("is by sequence, and waits a minute for a gap unless the file says otherwise", () => {
    expect(orderOf("order: sequence")).toEqual({ by: "sequence", onFailure: { kind: "block" }, gapWaitMs: 60_000 });
    expect(orderOf("order: sequence\ngap_wait: 1s")).toMatchObject({ gapWaitMs: 1_000 });
    expect(orderOf("order: sequence\ngap_wait: 1h")).toMatchObject({ gapWaitMs: 3_600_000 });
  });

  it.each([
    ["block", { kind: "block" }],
    ["park", { kind: "park" }],
    ["latest", { kind: "latest" }],
    ["{ skip-after: 1 }", { kind: "skip-after", failures: 1 }],
    [`{ skip-after: ${SKIP_AFTER_FAILURES_MAX} }`, { kind: "skip-after", failures: SKIP_AFTER_FAILURES_MAX }],
    ["\n  skip-after: 3", { kind: "skip-after", failures: 3 }],
  ])("may come with on_failure: %s", (form, onFailure) => {
    expect(orderOf(`order: key\non_failure: ${form}`)).toMatchObject({ onFailure });
  });

  it("by sequence may come with any on_failure but latest", () => {
    for (const form of ["block", "park", "{ skip-after: 3 }"]) {
      expect(orderOf(`order: sequence\non_failure: ${form}`)?.by).toBe("sequence");
    }
  });
});

describe("what is wrong with a rule's order", () => {
  it.each([
    ["order: keys", '3:8: error: unknown value "keys"; did you mean "key"?'],
    ["order: true", "3:8: error: expected one of none, key, sequence, found true"],
    ["order: key\non_failure: parks", '4:13: error: unknown value "parks"; did you mean "park"?'],
    [
      "order: key\non_failure: skip",
      '4:13: error: unknown value "skip" (known: block, park, latest, { skip-after: 3 })',
    ],
    [
      "order: key\non_failure: skip-after 5",
      "4:13: error: skip-after takes a number of failures in braces; write on_failure: { skip-after: 5 }",
    ],
    ["order: key\non_failure: 'skip-after: 5'", "write on_failure: { skip-after: 5 }"],
    ["order: key\non_failure: skip-after:5", "write on_failure: { skip-after: 5 }"],
    ["order: key\non_failure: skip_after=5", "write on_failure: { skip-after: 5 }"],
    ["order: key\non_failure: skip-after", "write on_failure: { skip-after: 3 }"],
    ["order: key\non_failure: skip-after: 5", "put keys in braces, as in on_failure: { skip-after: 3 }"],
    ["order: key\non_failure: 5", "4:13: error: expected block, park, latest or { skip-after: 3 }, found the number 5"],
    ["order: key\non_failure: [park]", "expected block, park, latest or { skip-after: 3 }, found a list"],
    ["order: key\non_failure: {}", "4:13: error: expected { skip-after: 3 }, found nothing"],
    ["order: key\non_failure: { skipafter: 3 }", '4:15: error: unknown key "skipafter"; did you mean "skip-after"?'],
    [
      "order: key\non_failure: { skip-after: 0 }",
      "4:27: error: expected a whole number from 1 to 20, found the number 0",
    ],
    [`order: key\non_failure: { skip-after: ${SKIP_AFTER_FAILURES_MAX + 1} }`, "from 1 to 20, found the number 21"],
    ["order: key\non_failure: { skip-after: 1.5 }", "from 1 to 20, found the number 1.5"],
    ["on_failure: block", "3:1: error: on_failure belongs to ordered rules; add order: key, or leave it out"],
    ["order: none\non_failure: park", "4:1: error: on_failure belongs to ordered rules"],
    ["gap_wait: 5s", "3:1: error: gap_wait belongs to rules with order: sequence; add that, or leave it out"],
    ["order: key\ngap_wait: 5s", "4:1: error: gap_wait belongs to order: sequence; with order: key nothing waits"],
    ["order: sequence\ngap_wait: 999ms", "4:11: error: expected a duration from 1s to 1h, found 999ms"],
    ["order: sequence\ngap_wait: 3601s", "from 1s to 1h, found 3601s"],
    [
      "order: sequence\non_failure: latest",
      "4:13: error: on_failure: latest drops what waits, and order: sequence waits for every number; use order: key",
    ],
  ])("%j", (more, expected) => {
    const { rule, problems } = read(more);
    expect(rule).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  it("is told at once, and a misspelt order blames nothing else", () => {
    expect(read("on_failure: park\ngap_wait: 5s").problems).toHaveLength(2);
    expect(read("order: seqence\non_failure: latest\ngap_wait: 5s").problems).toEqual([
      expect.stringContaining('did you mean "sequence"?'),
    ]);
  });

  it("never comes from what every object inherits", () => {
    const hostile = JSON.parse(
      '{"pattern":{"type":["a"]},"targets":["ci"],"order":"key","on_failure":{"__proto__":1}}',
    );
    const mistakes: Mistake[] = [];
    expect(readRule("default", "a", hostile as Json, ["ci"], mistakes)).toBeUndefined();
    expect(mistakes.map(({ path }) => path)).toEqual([["on_failure", "__proto__"]]);
  });
});

describe("what has no effect together", () => {
  const target = (changes: Partial<TargetDefinition>): TargetDefinition => ({
    name: "ci",
    kind: "queue",
    entry: { queue: "Q" },
    timeoutMs: 15_000,
    retryDelaysMs: [5_000],
    maxAgeMs: 120_000,
    ...changes,
  });
  const warningsOf = (more: string, changes: Partial<TargetDefinition>) => {
    const { rule } = read(more);
    if (rule === undefined) throw new Error("the rule is right");
    return orderWarnings(rule, [target(changes)]).map(({ message }) => message);
  };

  it("is skip-after for a target that is tried once", () => {
    const more = "order: key\non_failure: { skip-after: 2 }";
    expect(warningsOf(more, { retryDelaysMs: [] })).toEqual([expect.stringContaining("the target ci has retry: none")]);
    expect(warningsOf(more, {})).toEqual([]);
    expect(warningsOf(more, { name: "other", retryDelaysMs: [] })).toEqual([]);
    expect(warningsOf("order: key\non_failure: { skip-after: 1 }", { retryDelaysMs: [] })).toEqual([]);
  });

  it("is not a lane that blocks for a target that is tried once: then nothing is repeated", () => {
    expect(warningsOf("order: key", { retryDelaysMs: [] })).toEqual([]);
    expect(warningsOf("order: key\non_failure: park", { retryDelaysMs: [] })).toEqual([]);
  });

  it("is a wait for a gap that lasts as long as the delivery may live", () => {
    const more = "order: sequence\ngap_wait: 2m";
    expect(warningsOf(more, {})).toEqual([expect.stringContaining("the target ci has max-age: 2m, so what waits 2m")]);
    expect(warningsOf(more, { maxAgeMs: 120_001 })).toEqual([]);
    expect(warningsOf("order: key", { maxAgeMs: 60_000 })).toEqual([]);
  });

  it("is nothing for a rule without order", () => {
    expect(warningsOf("", { retryDelaysMs: [], maxAgeMs: 60_000 })).toEqual([]);
  });
});
