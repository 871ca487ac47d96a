import { describe, expect, test } from "vitest";
import type { RuleMode } from "../../src/core/rule.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import { parseTransform } from "../../src/core/read-transform.ts";
import type { Json } from "../../src/core/result.ts";
import { wantedByPatterns, wantedByTransform, wantedMembers } from "../../src/core/wanted-paths.ts";

function ruleOf(path: string, pattern: Json, mode: RuleMode = "live") {
  const bus = path.split("/")[0] ?? "";
  return { definition: { path, bus, pattern, targets: [], mode }, transform: undefined };
}

function wantedOf(transform: Json) {
  const parsed = parseTransform(transform, jsonataEngine);
  if (!parsed.ok) throw new Error("the transform parses");
  return wantedByTransform(parsed.value);
}

describe("what patterns want of the data", () => {
  test("is what the live and shadow rules of the bus name, once, and values only", () => {
    const rules = [
      ruleOf("a/one", { type: ["x"], data: { ref: ["r"], commits: { author: { name: ["n"] } } } }),
      ruleOf("a/two", { $or: [{ data: { ref: ["s"] } }, { data: { "head.commit": [{ exists: false }] } }] }, "shadow"),
      ruleOf("a/off", { data: { off: ["x"] } }, "off"),
      ruleOf("b/other", { data: { other: ["x"] } }),
      ruleOf("a/text", { data: ["text"] }),
    ];
    expect(wantedByPatterns({ rules }, "a")).toEqual([
      { names: ["ref"], depth: "values" },
      { names: ["commits", "author", "name"], depth: "values" },
      { names: ["head", "commit"], depth: "values" },
      { names: [], depth: "values" },
    ]);
  });
});

describe("what a transform wants of the data", () => {
  test.each([
    ["a constant", { constant: { a: 1 } }, []],
    ["attributes", { path: "$.type" }, []],
    ["a path", { path: "$.data.a['b.c'][3].d" }, [["a", "b.c", "d"]]],
    ["every element", { path: "$.data.commits[*].id" }, [["commits", "id"]]],
    [
      "a template",
      { template: { paths: { a: "$.data.a", t: "$.type", b: { path: "$.data.b.c" } }, body: "<a>" } },
      [["a"], ["b", "c"]],
    ],
  ] as const)("%s", (_, transform, names) => {
    expect(wantedOf(transform as Json)).toEqual({
      ok: true,
      value: names.map((each) => ({ names: each, depth: "all" })),
    });
  });

  test.each([
    ["a JSONata expression", { jsonata: "data.ref" }, "name what it needs in a template's paths"],
    ["the event", { path: "$" }, "the path $ reads the whole payload"],
    ["the data", { template: { paths: { all: "$.data" }, body: "<all>" } }, "the path $.data reads the whole payload"],
    ["an element of the data", { path: "$.data[0]" }, "the path $.data[0] reads the whole payload"],
  ] as const)("%s may be all of it, which is said", (_, transform, text) => {
    expect(wantedOf(transform as Json)).toEqual({ ok: false, error: expect.stringContaining(text) });
  });
});

test("a source's paths are wanted as they are", () => {
  expect(wantedMembers(["repository.id", "ref"])).toEqual([
    { names: ["repository", "id"], depth: "all" },
    { names: ["ref"], depth: "all" },
  ]);
});
