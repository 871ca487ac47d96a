import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { includesJson, reduceJson } from "../../bin/json-compare.ts";
import { isSameJson } from "../../src/core/same-json.ts";
import { COMPARED_LINES_MAX, CONTEXT_LINES, DIFF_LINES_MAX, jsonDiff } from "../../bin/json-diff.ts";
import type { Json } from "../../src/core/result.ts";

const plain = (_: string, text: string): string => text;
const diff = (expected: Json, actual: Json): readonly string[] => jsonDiff(expected, actual, plain);
const json = () => fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);

describe("a diff of JSON", () => {
  it("shows what differs with a few lines around it", () => {
    const list = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(CONTEXT_LINES).toBe(3);
    expect(diff({ list, name: "a" }, { list: [...list.slice(0, 7), 9], name: "a", more: {} })).toEqual([
      "  …",
      "      5,",
      "      6,",
      "      7,",
      "-     8",
      "+     9",
      "    ],",
      '    "name": "a",',
      '+   "more": {}',
      "  }",
    ]);
  });

  it("is empty for equal values, whatever the order of their members", () => {
    expect(diff({ a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, a: 1 })).toEqual([]);
    fc.assert(fc.property(json(), json(), (a, b) => (diff(a, b).length === 0) === isSameJson(a, b)));
  });

  it("is coloured by side, and keeps text from steering the terminal", () => {
    const paint = (style: string, text: string): string => `<${style}>${text}`;
    expect(jsonDiff("a\u009b2J", "b", paint)).toEqual(['<red>- "a 2J"', '<green>+ "b"']);
  });

  it("has so many lines and no more, and says how many it left out", () => {
    const values = (length: number, from: number): Json => Array.from({ length }, (_, index) => index + from);
    // The brackets' lines are shown too.
    expect(diff([], values(DIFF_LINES_MAX - 3, 0))).toHaveLength(DIFF_LINES_MAX);
    expect(diff([], values(DIFF_LINES_MAX - 2, 0))).toHaveLength(DIFF_LINES_MAX + 1);
    expect(diff([], values(DIFF_LINES_MAX - 2, 0)).at(-1)).toBe("… and 1 more line");
  });

  it("says that values differ even where it no longer looks", () => {
    const long = Array.from({ length: COMPARED_LINES_MAX }, () => 0);
    expect(diff([...long, 1], [...long, 2])).toEqual([
      `… the first ${COMPARED_LINES_MAX} lines are equal; what differs stands behind them`,
    ]);
    expect(diff([...long, 1], [...long, 1])).toEqual([]);
  });

  it("of values with nothing in common comes soon", () => {
    const [even, odd] = [0, 1].map((from) => Array.from({ length: 20_000 }, (_, index) => 2 * index + from));
    const startedAt = performance.now();
    expect(diff(even ?? [], odd ?? [])).toHaveLength(DIFF_LINES_MAX + 1);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe("values that include others", () => {
  it.each<[Json, Json, boolean]>([
    [{ a: 1 }, { a: 1, b: 2 }, true],
    [{ a: 1, b: 2 }, { a: 1 }, false],
    [{ a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 }, true],
    [[{ a: 1 }, 2], [{ a: 1, b: 1 }, 2], true],
    [[1], [1, 2], false],
    [[1, 2], [1], false],
    [{}, [], false],
    [[], {}, false],
    [{ a: null }, {}, false],
    [{ toString: 1 }, {}, false],
    ["1", 1, false],
  ])("%j in %j: %j", (part, whole, expected) => {
    expect(includesJson(part, whole)).toBe(expected);
  });

  it("differ from what is reduced to them where they are not included, and only there", () => {
    fc.assert(
      fc.property(json(), json(), (part, whole) => {
        expect(isSameJson(part, reduceJson(part, whole))).toBe(includesJson(part, whole));
      }),
    );
    expect(reduceJson({ a: { b: 1 }, l: [{ c: 1 }] }, { a: { b: 2, x: 3 }, l: [{ c: 2, x: 1 }, 5], y: 1 })).toEqual({
      a: { b: 2 },
      l: [{ c: 2 }, 5],
    });
  });
});
