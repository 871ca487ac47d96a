import { describe, expect, it } from "vitest";
import { OVERLAPS_SHOWN_MAX, WITNESSES_MAX, overlaps } from "../../../scripts/analysis/overlaps.ts";
import { SHOWN_CHARACTERS_MAX, shownEvent } from "../../../scripts/analysis/shown-event.ts";
import type { Json } from "../../../src/core/result.ts";
import type { InputParts, RuleParts } from "../../support/rules-input.ts";
import { inputOf } from "../../support/rules-input.ts";

const HTTP = { http: "https://ci.acme.dev" };

function found(rules: InputParts["rules"], more: Omit<InputParts, "rules"> = {}) {
  return overlaps(inputOf({ rules, targets: { ci: HTTP, ops: HTTP }, ...more }));
}

function rule(pattern: Json, ...targets: readonly string[]): RuleParts {
  return { pattern, targets: targets.length === 0 ? ["ci"] : targets };
}

const PUSH = { type: ["com.github.push"] };
const MAIN = { ...PUSH, data: { ref: ["refs/heads/main"] } };

describe("rules that overlap", () => {
  it("are told at the later rule, with the earlier one, the target, an event and what to do", () => {
    expect(found({ "default/deploy": rule(MAIN), "default/push": rule(PUSH) })).toEqual([
      {
        file: "rule default/push: pattern",
        line: 1,
        column: 1,
        severity: "warning",
        code: "overlap",
        message:
          "the rule default/deploy takes some of the same events, so ci gets them twice: " +
          '{"type":"com.github.push","data":{"ref":"refs/heads/main"}}; ' +
          "narrow one of the two with anything-but, make them one rule with $or, or leave it if both are meant",
      },
    ]);
  });

  it("are told once for all targets that they share", () => {
    const problems = found({ "default/a": rule(PUSH, "ci", "ops"), "default/b": rule(MAIN, "ops", "ci") });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain("so ci and ops get them twice");
  });

  it.each<[string, InputParts["rules"]]>([
    ["other targets", { "default/a": rule(PUSH, "ci"), "default/b": rule(PUSH, "ops") }],
    ["other buses", { "default/a": rule(PUSH), "shop/b": rule(PUSH) }],
    ["one of them off", { "default/a": rule(PUSH), "default/b": { ...rule(PUSH), mode: "off" } }],
    ["one of them in the shadow", { "default/a": rule(PUSH), "default/b": { ...rule(PUSH), mode: "shadow" } }],
    ["other types", { "default/a": rule(PUSH), "default/b": rule({ type: ["com.github.create"] }) }],
    [
      "what the one leaves out",
      {
        "default/a": rule(MAIN),
        "default/b": rule({ ...PUSH, data: { ref: [{ "anything-but": "refs/heads/main" }] } }),
      },
    ],
  ])("are no finding with %s", (_, rules) => expect(found(rules)).toEqual([]));

  it("are none where GitHub can't send such an event, and are where others may", () => {
    const rules = {
      "default/a": rule({ type: [{ prefix: "com.github.issues." }], data: { action: ["opened"] } }),
      "default/b": rule({ type: ["com.github.issues.closed"] }),
    };
    expect(found(rules)).toEqual([]);
    const open = {
      "default/a": rule({ type: [{ prefix: "com.acme." }], data: { action: ["opened"] } }),
      "default/b": rule({ type: ["com.acme.closed"] }),
    };
    expect(found(open, { sources: [["cloudevents", "default"]] })).toHaveLength(1);
  });

  it("are shown by an event that GitHub can send", () => {
    const [problem] = found({
      "default/a": rule({ type: [{ prefix: "com.github.issues." }] }),
      "default/b": rule({
        type: [{ prefix: "com.github." }],
        data: { action: [{ "anything-but": "opened" }], issue: { state: ["open"] } },
      }),
    });
    const event = JSON.parse(/\{.*\}/.exec(problem?.message ?? "")?.[0] ?? "") as {
      type: string;
      data: { action: string };
    };
    expect(event.type).toMatch(/^com\.github\.issues\.[a-z_]+$/);
    expect(event.type).not.toMatch(/\.x/);
    expect(event.data.action).not.toBe("x");
  });

  it("are none of an object that is there and of one that is null", () => {
    const assignee = (more: Json) => rule({ type: ["com.github.issues.opened"], data: { issue: { assignee: more } } });
    expect(found({ "default/a": assignee([null]), "default/b": assignee({ login: [{ exists: true }] }) })).toEqual([]);
  });

  it("are found among many that don't", () => {
    const rules: Record<string, RuleParts> = {};
    for (let at = 0; at < 1_000; at++) {
      const name = at === 998 ? 17 : at;
      rules[`default/r${String(at).padStart(4, "0")}`] = rule({
        type: [`com.github.${at % 2 === 0 || at === 17 || at === 998 ? "push" : "create"}`],
        data: { repository: { full_name: [`acme/r${name}`] } },
      });
    }
    const started = performance.now();
    const problems = found(rules);
    expect(problems.map(({ file, message }) => [file, message.split(" ")[2]])).toEqual([
      ["rule default/r0998: pattern", "default/r0017"],
    ]);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it("are shown up to a limit, with a word about the others", () => {
    const same = (count: number) =>
      found(Object.fromEntries(Array.from({ length: count }, (_, at) => [`default/r${at}`, rule(PUSH)])));
    // 7 rules make 21 pairs, 6 rules 15.
    const problems = same(7);
    expect(problems).toHaveLength(OVERLAPS_SHOWN_MAX + 1);
    expect(problems.at(-1)?.message).toMatch(
      /^the search for rules that overlap ended after the first 20: .* overlap, too$/,
    );
    expect(same(6)).toHaveLength(15);
    expect(same(6).every(({ message }) => message.startsWith("the rule"))).toBe(true);
  });

  it("are looked for up to a limit", () => {
    const many = (count: number) =>
      found(
        Object.fromEntries(
          Array.from({ length: count }, (_, at) => [
            `default/r${at}`,
            rule({ ext: [{ numeric: [">", at, "<", at + 1] }] }),
          ]),
        ),
      );
    // The least number of rules with more pairs than may be looked at.
    const count = Math.ceil((1 + Math.sqrt(1 + 8 * WITNESSES_MAX)) / 2);
    expect(many(count - 1)).toEqual([]);
    expect(many(count).map(({ message }) => message)).toEqual([
      `the search for rules that overlap ended after ${WITNESSES_MAX} pairs that may overlap`,
    ]);
  });
});

describe("a shown event", () => {
  it("is cut at a limit and moves no cursor", () => {
    expect(shownEvent({ a: "x".repeat(SHOWN_CHARACTERS_MAX - 8) })).toHaveLength(SHOWN_CHARACTERS_MAX);
    expect(shownEvent({ a: "x".repeat(SHOWN_CHARACTERS_MAX - 7) })).toMatch(/x"…$/);
    expect(shownEvent({ a: "\u001b[31m\u009b\u202e" })).toBe('{"a":"\\u001b[31m\\u009b\\u202e"}');
  });
});
