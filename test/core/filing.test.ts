import { describe, expect, it } from "vitest";
import { filePatterns } from "../../src/core/filing.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { Json } from "../../src/core/result.ts";

/** For each branch, the path that it is filed under. */
function filedUnder(patterns: readonly Json[]): readonly (string | undefined)[] {
  const { paths, fields, branches } = filePatterns(
    patterns.map((pattern) => {
      const parsed = parsePattern(pattern);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
      return parsed.value;
    }),
  );
  return branches.map(({ fields: [first] }) => paths[fields[first ?? -1]?.slot ?? -1]);
}

describe("a rule", () => {
  it("is filed under a value that few rules name, rather than one that hundreds do", () => {
    const patterns = Array.from({ length: 300 }, (_, at) => ({ action: ["opened"], repository: [`org/repo-${at}`] }));
    expect(new Set(filedUnder(patterns))).toEqual(new Set(["repository"]));
  });

  it.each<readonly [Json, Json]>([
    [["org/repo"], [{ prefix: "o" }]],
    [[{ prefix: "org/" }], [{ prefix: "o" }]],
    [["a"], [{ "anything-but": "a" }]],
    [["a"], [{ exists: true }]],
    [["a"], [{ exists: false }]],
    [["a"], [true]],
    [[{ cidr: "10.0.0.0/8" }], [{ numeric: [">", 0] }]],
    [[{ numeric: [">", 0, "<", 5] }], [{ numeric: [">", 0] }]],
    [[{ numeric: [">", 0] }], [{ "anything-but": "a" }]],
    [[{ wildcard: "*-release-*" }], [{ wildcard: "*" }]],
    [[{ "anything-but": "a" }], [{ exists: true }]],
    [
      ["a", "b"],
      [{ exists: false }, "b"],
    ],
  ])("is filed under %j rather than %j, whichever comes first", (selective, other) => {
    expect(
      filedUnder([
        { a: selective, b: other },
        { b: other, a: selective },
      ]),
    ).toEqual(["a", "a"]);
  });

  it("is filed once for each branch", () => {
    expect(filedUnder([{ $or: [{ a: ["x"] }, { b: ["y"] }], c: [{ exists: true }] }])).toEqual(["a", "b"]);
  });

  it("shares a field with others that ask the same, and not with those that ask nearly the same", () => {
    const same = [{ a: [1.0] }, { a: [1] }, { a: [{ "anything-but": "x" }] }, { a: [{ "anything-but": ["x"] }] }];
    const other = [
      { a: ["1"] },
      { a: [null] },
      { a: ["null"] },
      { a: [{ prefix: "x" }] },
      { a: [{ suffix: "x" }] },
      { a: [{ prefix: { "equals-ignore-case": "x" } }] },
      { a: [{ numeric: [">", 1] }] },
      { a: [{ numeric: [">=", 1] }] },
      { a: [{ numeric: ["<", 1] }] },
      { a: [{ wildcard: "x*y" }] },
      { a: [{ wildcard: "x*y*" }] },
      { a: ["x", "y"] },
      { a: ["xy"] },
      { b: [1] },
    ];
    const patterns = [...same, ...other].map((pattern) => {
      const parsed = parsePattern(pattern);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
      return parsed.value;
    });
    expect(filePatterns(patterns).fields).toHaveLength(2 + other.length);
  });
});
