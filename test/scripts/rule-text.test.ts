import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALIASES_MAX, NODES_MAX, readRuleText } from "../../scripts/rule-text.ts";

const problemsOf = (text: string, isJson = false) => readRuleText(text, isJson).problems;

describe("reading YAML", () => {
  it("answers the value as JSON", () => {
    expect(readRuleText("a: [1, two, true, null, ~]\nb: { c: 'no' }\nd: no\n", false).value).toEqual({
      a: [1, "two", true, null, null],
      b: { c: "no" },
      d: "no",
    });
  });
  it("reads an empty or commented file as null", () => {
    for (const text of ["", "# nothing\n", "---\n"])
      expect(readRuleText(text, false)).toMatchObject({ value: null, problems: [] });
  });
  it("keeps __proto__ an ordinary name", () => {
    const value = readRuleText("__proto__: { a: 1 }", false).value as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
  it("names the first stumble of broken syntax, not what follows from it, and every duplicate key", () => {
    expect(problemsOf("a: $.x[ }\nb: [1, 2]\nc: { d: 1 }\ne: [\n").map(({ line }) => line)).toHaveLength(1);
    expect(problemsOf("a: 1\na: 2\nb: 1\nb: 2\n").map(({ line }) => line)).toEqual([2, 4]);
  });
  it("points at the last thing that stands there when the end of a list is missing", () => {
    expect(problemsOf("a: [1, 2\n\n# more\n")).toMatchObject([{ line: 1, column: 9 }]);
    expect(problemsOf("a: { b: 1\n\n")).toMatchObject([{ line: 1, column: 10 }]);
  });
  it("reads a quoted << as a name like any other", () => {
    expect(readRuleText("'<<': [1]", false).value).toEqual({ "<<": [1] });
    expect(readRuleText('{"<<": [1]}', true).value).toEqual({ "<<": [1] });
  });
  it("resolves aliases", () => expect(readRuleText("a: &x [1]\nb: *x\n", false).value).toEqual({ a: [1], b: [1] }));
  it.each([
    ["a: [1", 1, 6, "Flow sequence"],
    ["a: 1\nb: 2\na: 3\n", 3, 1, "unique"],
    ["a: .nan\n", 1, 4, "NaN is no JSON number"],
    ["a: [-.inf]\n", 1, 5, "-Infinity is no JSON number"],
    ["1: x\n", 1, 1, 'write it in quotes: "1"'],
    ["null: x\n", 1, 1, "must be a string"],
    ["? [a]\n: x\n", 1, 3, "must be a string"],
    ["a: !!str 5\n", 1, 10, "tags are not supported"],
    ["a: !secret x\n", 1, 4, "tag"],
    ["a: *x\n", 1, 4, "there is no &x before it"],
    ["a: 1\n---\nb: 2\n", 2, 1, "a file holds one document"],
    ["a: { <<: { b: 1 } }\n", 1, 6, "merge keys (<<) are not supported"],
    ["x: &x { b: 1 }\na:\n  <<: *x\n", 3, 3, "merge keys (<<) are not supported"],
    ["\ufeff1: x\n", 1, 1, 'write it in quotes: "1"'],
    ["\ufeffa: .nan\n", 1, 4, "NaN is no JSON number"],
    ["a:\n\t- 1\n", 2, 1, "Tabs"],
  ])("refuses %j at %i:%i", (text, line, column, message) =>
    expect(problemsOf(text)).toContainEqual({ line, column, message: expect.stringContaining(message) }),
  );
  it("stops aliases that grow, and one that holds itself", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let n = 1; n < 9; n++)
      lines.push(`a${n}: &a${n} [${Array.from({ length: 10 }, () => `*a${n - 1}`).join(", ")}]`);
    expect(problemsOf(lines.join("\n"))).toMatchObject([{ message: expect.stringContaining("aliases") }]);
    expect(problemsOf("a: &a [*a]")).not.toEqual([]);
  });
  it("has a bounded number of aliases, values and levels", () => {
    const aliases = (count: number) => `a: &x 1\nb: [${Array.from({ length: count }, () => "*x").join(", ")}]`;
    expect(problemsOf(aliases(ALIASES_MAX))).toEqual([]);
    expect(problemsOf(aliases(ALIASES_MAX + 1))).toHaveLength(1);
    const values = (count: number) => `[${Array.from({ length: count - 1 }, () => "1").join(",")}]`;
    expect(problemsOf(values(NODES_MAX))).toEqual([]);
    expect(problemsOf(values(NODES_MAX + 1))).toHaveLength(1);
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(problemsOf(nested(128))).toEqual([]);
    expect(problemsOf(nested(129))).toHaveLength(1);
  });
});

describe("reading JSON", () => {
  it("answers what the parser answers", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 2, "\t"), (text, indent) => {
        const json = JSON.stringify(JSON.parse(text), null, indent);
        expect(readRuleText(json, true)).toMatchObject({ problems: [], value: JSON.parse(json) });
      }),
    );
  });
  it("is strict", () => {
    expect(problemsOf("{a: 1}", true)).toEqual([
      { line: 1, column: 2, message: expect.stringContaining("strict JSON") },
    ]);
    expect(problemsOf('{\n  "a": 1,\n}', true)).toMatchObject([{ line: 3, column: 1 }]);
    expect(problemsOf('{"a": 1, "a": 2}', true)).toMatchObject([{ line: 1, column: 10 }]);
  });
});

describe("locating", () => {
  const text = readRuleText(
    "pattern:\n  data:\n    labels: [{ name: bug }]\nempty:\nalias: &a { x: 1 }\nagain: *a\n",
    false,
  );
  it.each<[(string | number)[], "key" | "value", number, number]>([
    [["pattern", "data", "labels", 0, "name"], "value", 3, 22],
    [["pattern", "data", "labels", 0, "name"], "key", 3, 16],
    [["pattern", "data"], "key", 2, 3],
    [["pattern", "absent", "more"], "value", 2, 3],
    [["again", "x"], "value", 5, 16],
    [[], "value", 1, 1],
  ])("%j as %s is at %i:%i", (path, at, line, column) => expect(text.locate({ path, at })).toEqual({ line, column }));
});
