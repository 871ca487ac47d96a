import { describe, expect, it } from "vitest";
import { CYCLE_STEPS_MAX, busCycles } from "../../../scripts/analysis/bus-cycles.ts";
import type { Json } from "../../../src/core/result.ts";
import type { InputParts, RuleParts } from "../../support/rules-input.ts";
import { inputOf } from "../../support/rules-input.ts";

const TARGETS = {
  "to-default": { bus: "default" },
  "to-audit": { bus: "audit" },
  "to-shop": { bus: "shop" },
  ci: { http: "https://ci.acme.dev" },
};

function found(rules: InputParts["rules"], targets: InputParts["targets"] = TARGETS) {
  return busCycles(inputOf({ rules, targets })).map(({ file, severity, message }) => ({ file, severity, message }));
}

function rule(pattern: Json, targets: readonly string[], transform?: Json): RuleParts {
  return { pattern, targets, ...(transform === undefined ? {} : { transform }) };
}

const PUSH = { type: ["com.github.push"] };
const ANY = { type: [{ prefix: "com.github." }] };

describe("circles over bus targets", () => {
  it("are errors that name the way, an event and a way out", () => {
    expect(found({ "default/a": rule(PUSH, ["ci", "to-audit"]), "audit/b": rule(ANY, ["to-default"]) })).toEqual([
      {
        file: "rule default/a: targets[1]",
        severity: "error",
        message:
          "events go in a circle: rule default/a -> target to-audit -> bus audit -> rule audit/b -> target to-default -> bus default, " +
          'and again, such as {"type":"com.github.push"}; an event is dead after 8 passes (hop-limit). ' +
          "Narrow a pattern, or leave out what has been passed on: sluicehops: [{ exists: false }]",
      },
    ]);
  });

  it("may be as small as one rule on its own bus", () => {
    expect(found({ "default/a": rule(PUSH, ["to-default"]) })).toMatchObject([{ severity: "error" }]);
  });

  it.each<[string, InputParts["rules"]]>([
    [
      "the patterns have nothing in common",
      { "default/a": rule(PUSH, ["to-audit"]), "audit/b": rule({ type: ["com.github.create"] }, ["to-default"]) },
    ],
    [
      "the last one leads elsewhere",
      { "default/a": rule(PUSH, ["to-audit"]), "audit/b": rule(ANY, ["to-shop"]), "shop/c": rule(ANY, ["ci"]) },
    ],
    [
      "a rule is off",
      { "default/a": rule(PUSH, ["to-audit"]), "audit/b": { ...rule(ANY, ["to-default"]), mode: "off" } },
    ],
    [
      "a rule leaves out what was passed on",
      { "default/a": rule({ ...PUSH, sluicehops: [{ exists: false }] }, ["to-default"]) },
    ],
    [
      "a rule takes only so many passes",
      { "default/a": rule({ ...PUSH, sluicehops: [{ exists: false }, { numeric: ["<", 8] }] }, ["to-default"]) },
    ],
  ])("are none when %s", (_, rules) => expect(found(rules)).toEqual([]));

  it("are found when a rule takes any number of passes", () => {
    const pattern = { ...PUSH, sluicehops: [{ numeric: ["<=", 8] }] };
    expect(found({ "default/a": rule(pattern, ["to-default"]) })).toHaveLength(1);
  });

  it("are found over three buses, and told once for all rules in them", () => {
    const rules = {
      "default/a": rule(PUSH, ["to-audit"]),
      "audit/b": rule(ANY, ["to-shop"]),
      "shop/c": rule(ANY, ["to-default"]),
      "shop/d": rule(ANY, ["ci"]),
    };
    expect(found(rules)).toHaveLength(1);
    expect(found(rules)[0]?.message).toContain(
      "rule default/a -> target to-audit -> bus audit -> rule audit/b -> target to-shop -> bus shop -> rule shop/c",
    );
  });
});

describe("transforms in a circle", () => {
  const body = { template: { body: { a: 1 } } };

  it("leave it certain where no rule looks at the data", () => {
    const rules = { "default/a": rule(PUSH, ["to-audit"], body), "audit/b": rule(ANY, ["to-default"]) };
    expect(found(rules)).toMatchObject([{ severity: "error" }]);
  });

  it("make it a warning where one does", () => {
    const rules = {
      "default/a": rule({ ...PUSH, data: { ref: ["refs/heads/main"] } }, ["to-audit"], body),
      "audit/b": rule(ANY, ["to-default"]),
    };
    const [problem] = found(rules);
    expect(problem?.severity).toBe("warning");
    expect(problem?.message).toMatch(/^events may go in a circle, if a transform makes what the next rule takes: /);
  });

  it("don't excuse attributes that have nothing in common", () => {
    const rules = {
      "default/a": rule(PUSH, ["to-audit"], body),
      "audit/b": rule({ type: ["com.github.create"] }, ["to-default"], body),
    };
    expect(found(rules)).toEqual([]);
  });

  it("tell data before one from data after it", () => {
    const data = (x: number) => ({ ...PUSH, data: { x: [x] } });
    const circle = (first: Json | undefined) => ({
      "default/a": rule(data(1), ["to-audit"], first),
      "audit/b": rule(data(2), ["to-shop"]),
      "shop/c": rule(data(3), ["to-default"], body),
    });
    // What b gets, c gets too, whatever a made of it.
    expect(found(circle(body))).toEqual([]);
    const rules = { ...circle(body), "shop/c": rule(data(2), ["to-default"], body) };
    expect(found(rules)).toMatchObject([{ severity: "warning" }]);
  });

  it("may make an event of another type, with JSONata", () => {
    const rules = (back: string) => ({
      "default/a": rule(PUSH, ["to-audit"], { jsonata: "{}" }),
      "audit/b": rule({ type: [back] }, ["to-default"]),
    });
    expect(found(rules("com.github.push"))).toMatchObject([{ severity: "warning" }]);
    expect(found(rules("com.acme.summary"))).toEqual([]);
  });
});

describe("the search for circles", () => {
  it("ends after so many steps and says where", () => {
    // Each rule of the one bus leads to each of the other, and none of those takes what comes.
    const rules = (count: number): InputParts["rules"] =>
      Object.fromEntries(
        Array.from({ length: count }, (_, at) => [
          [`default/a${at}`, rule({ type: [`a${at}`] }, ["to-audit"])],
          [`audit/b${at}`, rule({ type: [`b${at}`] }, ["to-default"])],
        ]).flat() as [string, RuleParts][],
      );
    // A step for each rule, and one for each pair in either direction.
    const fits = Math.floor((-1 + Math.sqrt(1 + 2 * CYCLE_STEPS_MAX)) / 2);
    expect(2 * fits + 2 * fits ** 2).toBeLessThanOrEqual(CYCLE_STEPS_MAX);
    expect(found(rules(fits))).toEqual([]);
    expect(found(rules(fits + 1))).toMatchObject([
      {
        severity: "warning",
        message: `the search for circles over bus targets ended at this rule, after ${CYCLE_STEPS_MAX} steps`,
      },
    ]);
  });

  it("takes no steps for rules whose bus leads nowhere", () => {
    const many = Object.fromEntries(
      Array.from({ length: CYCLE_STEPS_MAX + 1 }, (_, at) => [`default/a${at}`, rule(PUSH, ["to-audit"])]),
    );
    expect(found(many)).toEqual([]);
  });
});
