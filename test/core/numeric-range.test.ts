import { describe, expect, test } from "vitest";
import type { Json } from "../../src/core/result.ts";
import { parseNumericRange, rangeContains } from "../../src/core/numeric-range.ts";

function contains(range: Json, value: number): boolean {
  const parsed = parseNumericRange(range);
  if (!parsed.ok) throw new Error(parsed.error);
  return rangeContains(parsed.value, value);
}

describe("numeric ranges", () => {
  test.each<[Json, readonly number[], readonly number[]]>([
    [
      ["=", 5],
      [5, 5.0],
      [4.999, 5.001],
    ],
    [["=", 0], [0, -0], [5e-324]],
    [[">", 5], [5.1, Infinity], [5]],
    [[">=", 5], [5], [4.9]],
    [["<", 5], [4.9, -1e300], [5]],
    [["<=", 5], [5], [5.1]],
    [
      [">", 0, "<", 5],
      [1, 4.9],
      [0, 5],
    ],
    [
      [">=", 0, "<=", 5],
      [0, -0, 5],
      [-0.1, 5.1],
    ],
    [[">", 0, "<=", 5], [5], [0]],
    [[">=", 0, "<", 5], [0], [5]],
  ])("%j contains %j and not %j", (range, inside, outside) => {
    expect(inside.filter((value) => !contains(range, value))).toEqual([]);
    expect(outside.filter((value) => contains(range, value))).toEqual([]);
  });

  test.each<[Json]>([
    [5],
    [null],
    [{}],
    [[]],
    [["="]],
    [[5]],
    [[5, "="]],
    [["=", "5"]],
    [["=", null]],
    [["!=", 5]],
    [["<>", 5]],
    [["==", 5]],
    [["=", 5, "=", 5]],
    [["=", 5, "<", 6]],
    [["<", 5, ">", 1]],
    [[">", 1, ">", 2]],
    [[">", 5, "<", 5]],
    [[">=", 5, "<=", 5]],
    [[">", 5, "<", 1]],
    [[">", 1, "<"]],
    [[">", 1, "<", 5, "<", 6]],
    [[">", 1, "<", "5"]],
    [[[">"], 1]],
  ])("%j is invalid", (range) => {
    expect(parseNumericRange(range)).toMatchObject({ ok: false, error: expect.stringContaining("found") as string });
  });
});
