/** What the index answers is what trying every rule answers, for rules and events of every kind. */
import { describe, expect, it } from "vitest";
import { compileMatcher } from "../../src/core/matcher.ts";
import { seededRandom } from "../../src/core/seeded-random.ts";
import { compileNaiveMatcher } from "../support/naive-matcher.ts";
import { createRandomRules } from "../support/random-rules.ts";

const RULE_SETS = 2_000;
const RULES_MAX = 80;
const EVENTS = 30;

/** Kinds of alternatives, so that none is left out unseen. */
const KINDS = [
  "equals",
  "equals-ignore-case",
  "prefix",
  "prefix-ignore-case",
  "suffix",
  "suffix-ignore-case",
  "wildcard",
  "numeric",
  "cidr",
  "anything-but",
  "present",
  "absent",
];

describe("the matcher's index", () => {
  it("finds the rules that a matcher without an index finds, in 100,000 cases and more", () => {
    let cases = 0;
    let matched = 0;
    const matchedKinds = new Set<string>();
    for (let set = 0; set < RULE_SETS; set++) {
      const random = seededRandom(`rules ${set}`);
      const rules = createRandomRules(random);
      const patterns = Array.from({ length: 1 + Math.floor(random() * RULES_MAX) }, rules.pattern);
      const { match } = compileMatcher(patterns);
      const naive = compileNaiveMatcher(patterns);
      for (let n = 0; n < EVENTS; n++) {
        const event = rules.event();
        const expected = naive.match(event);
        const found = match(event);
        if (found.join() !== expected.join()) {
          const odd = [...found, ...expected].find((index) => found.includes(index) !== expected.includes(index));
          const rule = JSON.stringify(patterns[odd ?? 0]?.branches);
          expect.fail(`set ${set}, event ${n}: rule ${odd} ${rule} on ${JSON.stringify(event)}: ${found.join()}`);
        }
        cases += patterns.length;
        matched += found.length;
        for (const index of found) {
          for (const { alternatives } of patterns[index]?.branches[0] ?? [])
            matchedKinds.add(alternatives[0]?.kind ?? "");
        }
      }
    }
    expect(cases).toBeGreaterThan(100_000);
    expect(matched / cases).toBeGreaterThan(0.02);
    expect([...matchedKinds].toSorted()).toEqual(KINDS.toSorted());
  }, 60_000);
});
