import { describe, expect, it } from "vitest";
import { coverRule, findingsOf, shareOfAlternatives, shareOfRules } from "../../bin/coverage.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { formatPath } from "../../src/core/result.ts";

function cover(pattern: Json, ...hits: readonly JsonObject[]) {
  const parsed = parsePattern(pattern);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return coverRule("default/a", parsed.value, { isTested: true, hasMiss: true, hits });
}

function uncovered(pattern: Json, ...hits: readonly JsonObject[]): readonly string[] {
  return cover(pattern, ...hits).uncovered.map(formatPath);
}

describe("the coverage of a pattern", () => {
  const pattern = { type: ["a", { prefix: "b" }], data: { x: [1, { "anything-but": [1, 2] }, { exists: false }] } };

  it("counts alternatives that an event meets, several at once too", () => {
    expect(uncovered(pattern)).toEqual(["type[0]", "type[1]", "data.x[0]", "data.x[1]", "data.x[2]"]);
    expect(uncovered(pattern, { type: "a", data: { x: 1 } })).toEqual(["type[1]", "data.x[1]", "data.x[2]"]);
    expect(uncovered(pattern, { type: "bc", data: { x: [1, 3] } })).toEqual(["type[0]", "data.x[2]"]);
    expect(uncovered(pattern, { type: "a", data: { x: [1, 3] } }, { type: "b", data: {} })).toEqual([]);
  });

  it("counts of every $or only the branches that match, and a field that several branches share once", () => {
    const either = { type: ["a", "b"], $or: [{ data: { x: [1] } }, { data: { y: [2, 3] } }] };
    expect(cover(either).alternatives).toBe(5);
    expect(uncovered(either, { type: "a", data: { x: 1, y: 9 } })).toEqual([
      "type[1]",
      "$or[1].data.y[0]",
      "$or[1].data.y[1]",
    ]);
    expect(uncovered(either, { type: "b", data: { y: 3 } })).toEqual([
      "type[0]",
      "$or[0].data.x[0]",
      "$or[1].data.y[0]",
    ]);
  });

  it("counts nothing of an event that meets every field, but not in one element", () => {
    const tied = { data: { list: { a: [1], b: [2] } } };
    expect(uncovered(tied, { data: { list: [{ a: 1 }, { b: 2 }] } })).toEqual(["data.list.a[0]", "data.list.b[0]"]);
    expect(uncovered(tied, { data: { list: [{ a: 1, b: 2 }] } })).toEqual([]);
  });
});

describe("the coverage of all rules", () => {
  const good = cover({ type: ["a"] }, { type: "a" });
  const half = cover({ type: ["a", { prefix: "b" }] }, { type: "a" });
  const untested = { ...cover({ type: ["a"] }), rule: "default/b", isTested: false, hasMiss: false };

  it("is rounded down, so that 100 means all", () => {
    expect(shareOfRules([good, half, untested])).toEqual({ covered: 2, of: 3, percent: 66 });
    expect(shareOfAlternatives([good, half, untested])).toEqual({ covered: 2, of: 4, percent: 50 });
    expect(shareOfAlternatives(Array.from({ length: 250 }, (_, index) => (index === 0 ? half : good))).percent).toBe(
      99,
    );
    expect(shareOfRules([])).toEqual({ covered: 0, of: 0, percent: 100 });
  });

  it("says what is left out, an untested rule in one line", () => {
    const found = findingsOf(
      [good, { ...half, hasMiss: false }, untested],
      () => ({ type: ["a", { prefix: "b" }] }),
      (rule, path) => ({ file: `${rule}:${formatPath(path)}`, line: 1, column: 2 }),
    );
    expect([...found].map(({ file, message }) => `${file}: ${message}`)).toEqual([
      'default/a:pattern.type[1]: this alternative is matched by no case: {"prefix":"b"}',
      "default/a:pattern: no case shows an event that this rule leaves alone: add one with match: false",
      "default/b:: this rule has no case: write b.test.yaml beside it",
    ]);
  });
});
