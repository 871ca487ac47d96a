import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json, Mistake } from "../../src/core/result.ts";
import { ALTERNATIVES_PER_FIELD_MAX } from "../../src/core/alternative.ts";
import { OR_BRANCHES_MAX, PATTERN_DEPTH_MAX, parsePattern, parsePatternText } from "../../src/core/pattern.ts";
import { formatPath } from "../../src/core/result.ts";

function mistakesIn(value: Json): readonly Mistake[] {
  const parsed = parsePattern(value);
  return parsed.ok ? [] : parsed.error;
}

function placesOf(mistakes: readonly Mistake[]): readonly string[] {
  return mistakes.map(({ path }) => formatPath(path));
}

function nested(depth: number, leaf: Json = ["v"]): Json {
  let value: Json = leaf;
  for (let level = 0; level < depth; level++) value = { a: value };
  return value;
}

function strings(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `v${index}`);
}

function or(name: string, count: number): { readonly $or: readonly Json[] } {
  return { $or: strings(count).map((value) => ({ [name]: [value] })) };
}

describe("parsePattern", () => {
  test("yields each field with its joined path, and one branch when there is no $or", () => {
    expect(parsePattern({ type: ["push"], data: { "a.b": [1, null], c: { d: [true] } } })).toEqual({
      ok: true,
      value: {
        branches: [
          [
            { path: "type", at: ["type"], alternatives: [{ kind: "equals", value: "push" }] },
            {
              path: "data.a.b",
              at: ["data", "a.b"],
              alternatives: [
                { kind: "equals", value: 1 },
                { kind: "equals", value: null },
              ],
            },
            { path: "data.c.d", at: ["data", "c", "d"], alternatives: [{ kind: "equals", value: true }] },
          ],
        ],
      },
    });
  });

  test("multiplies $or of different objects out, and adds nested ones up", () => {
    const parsed = parsePattern({
      ...or("a", 2),
      x: { $or: [{ b: [1] }, { $or: [{ c: [1] }, { d: [1] }] }] },
    });
    const paths = parsed.ok ? parsed.value.branches.map((branch) => branch.map(({ path }) => path).join()) : [];
    expect(paths).toEqual(["a,x.b", "a,x.c", "a,x.d", "a,x.b", "a,x.c", "a,x.d"]);
  });

  test("says where every mistake is, not only the first", () => {
    const mistakes = mistakesIn({
      type: "push",
      data: { ref: [], labels: [{ Prefix: "a" }, ["b"], {}], n: [{ numeric: [">", "1"] }], empty: {} },
      $or: [{ a: [{ wildcard: "**" }] }, "x"],
    });
    expect(placesOf(mistakes)).toEqual([
      "type",
      "data.ref",
      "data.labels[0].Prefix",
      "data.labels[1]",
      "data.labels[2]",
      "data.n[0].numeric",
      "data.empty",
      "$or[0].a[0].wildcard",
      "$or[1]",
    ]);
    expect(mistakes.map(({ message }) => message).join("\n")).toMatchInlineSnapshot(`
      "expected a list of alternatives, or an object with the fields below, found the string "push"; write ["push"]
      expected a non-empty list, found an empty list
      unknown matcher "Prefix"; did you mean "prefix"? (known: exactly, prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr, exists)
      expected a value or a matcher, found a list inside the list
      expected exactly one matcher (exactly, prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr, exists), found an empty object
      expected ["=", n], one bound such as [">", n], or a low bound and then a high bound such as [">=", 0, "<", 10], found [">","1"]
      expected at least one field, found an empty object
      expected a single "*", found "**"
      expected an object in "$or", found the string "x""
    `);
  });

  test.each<[string, string]>([
    ["Prefix", "prefix"],
    ["sufix", "suffix"],
    ["anything_but", "anything-but"],
    ["equals-ignorecase", "equals-ignore-case"],
    ["exist", "exists"],
  ])("points at the key %s and proposes %s", (written, meant) => {
    expect(mistakesIn({ x: [{ [written]: "a" }] })).toEqual([
      {
        path: ["x", 0, written],
        at: "key",
        message: expect.stringContaining(`did you mean "${meant}"?`) as string,
      },
    ]);
  });

  test.each<[string, Json]>([
    ["a scalar for a pattern", "a"],
    ["null for a pattern", null],
    ["a list for a pattern", [{ x: ["a"] }]],
    ["an empty pattern", {}],
    ["an empty object below", { x: {} }],
    ["an empty list", { x: [] }],
    ["a bare string", { x: "a" }],
    ["a bare null", { x: null }],
    ["a nested list", { x: [["a"]] }],
    ["an empty matcher", { x: [{}] }],
    ["two matchers", { x: [{ prefix: "a", suffix: "b" }] }],
    ["a matcher and an unknown key", { x: [{ prefix: "a", note: "b" }] }],
    ["exactly with a number", { x: [{ exactly: 1 }] }],
    ["prefix with a list", { x: [{ prefix: ["a"] }] }],
    ["prefix with a number", { x: [{ prefix: 1 }] }],
    ["prefix with an empty object", { x: [{ prefix: {} }] }],
    ["prefix with an unknown matcher", { x: [{ prefix: { wildcard: "a" } }] }],
    ["prefix with a list that ignores case", { x: [{ prefix: { "equals-ignore-case": ["a"] } }] }],
    ["suffix with null", { x: [{ suffix: null }] }],
    ["equals-ignore-case with a list", { x: [{ "equals-ignore-case": ["a"] }] }],
    ["wildcard with a list", { x: [{ wildcard: ["a*"] }] }],
    ["exists with a number", { x: [{ exists: 1 }] }],
    ["exists with a string", { x: [{ exists: "true" }] }],
    ["cidr with a number", { x: [{ cidr: 5 }] }],
    ["cidr with a list", { x: [{ cidr: ["10.0.0.0/8"] }] }],
    ["anything-but null", { x: [{ "anything-but": null }] }],
    ["anything-but true", { x: [{ "anything-but": true }] }],
    ["anything-but a list with null", { x: [{ "anything-but": [null] }] }],
    ["anything-but a mixed list", { x: [{ "anything-but": ["a", 1] }] }],
    ["anything-but an empty list", { x: [{ "anything-but": [] }] }],
    ["anything-but a nested list", { x: [{ "anything-but": [["a"]] }] }],
    ["anything-but an empty object", { x: [{ "anything-but": {} }] }],
    ["anything-but two matchers", { x: [{ "anything-but": { prefix: "a", suffix: "b" } }] }],
    ["anything-but exists", { x: [{ "anything-but": { exists: false } }] }],
    ["anything-but cidr", { x: [{ "anything-but": { cidr: "10.0.0.0/8" } }] }],
    ["anything-but anything-but", { x: [{ "anything-but": { "anything-but": "a" } }] }],
    ["anything-but exactly", { x: [{ "anything-but": { exactly: "a" } }] }],
    ["anything-but an empty prefix", { x: [{ "anything-but": { prefix: "" } }] }],
    ["anything-but an empty suffix in a list", { x: [{ "anything-but": { suffix: ["a", ""] } }] }],
    ["anything-but a number in a nested form", { x: [{ "anything-but": { wildcard: ["a", 1] } }] }],
    ["anything-but a nested empty list", { x: [{ "anything-but": { wildcard: [] } }] }],
    ["anything-but a prefix that ignores case", { x: [{ "anything-but": { prefix: { "equals-ignore-case": "a" } } }] }],
    ["$or with an object", { $or: { a: [1] } }],
    ["$or with an empty list", { $or: [] }],
    ["$or with one object", { $or: [{ a: [1] }] }],
    ["$or with values", { $or: ["a", "b"] }],
    ["$or with a value among objects", { $or: [{ a: [1] }, { b: [1] }, null] }],
    ["$or with an empty object", { $or: [{ a: [1] }, {}] }],
    ["$or with matchers in place of objects", { $or: [{ prefix: "a" }, { suffix: "b" }] }],
    ["$or below with a string", { x: { $or: "a" } }],
  ])("refuses %s", (_, value) => {
    expect(mistakesIn(value)).not.toEqual([]);
  });

  test.each<[string, Json]>([
    ["names of properties that every object inherits", { toString: ["a"], constructor: { length: [1] } }],
    ["an empty name", { "": ["a"] }],
    ["fields named like matchers", { prefix: ["a"], $or: [{ suffix: ["b"] }, { exists: ["c"] }] }],
    ["the same alternative twice", { x: ["a", "a"] }],
    ["an empty prefix and suffix", { x: [{ prefix: "" }, { suffix: "" }] }],
    ["an empty wildcard in anything-but", { x: [{ "anything-but": { wildcard: "" } }] }],
    ["anything-but an empty string", { x: [{ "anything-but": "" }] }],
    ["exists beside other alternatives", { x: ["a", { exists: false }, { exists: true }] }],
    ["one field in several objects of a $or", { $or: [{ a: [1] }, { a: [2], b: [3] }] }],
    ["a field and a longer one", { a: ["x"], "a.b": ["y"] }],
  ])("accepts %s", (_, value) => {
    expect(mistakesIn(value)).toEqual([]);
  });

  test.each<[string, Json, string]>([
    ["beside a $or and inside it", { $or: [{ a: [1] }, { b: [2] }], a: [3] }, "$or[0].a"],
    ["the other way around", { a: [3], $or: [{ b: [1] }, { a: [2] }] }, "$or[1].a"],
    ["in another spelling", { "x.a": [3], x: { $or: [{ a: [1] }, { b: [2] }] } }, "x.$or[0].a"],
    ["in a nested $or", { a: [1], $or: [{ b: [1] }, { $or: [{ c: [1] }, { a: [2] }] }] }, "$or[1].$or[1].a"],
    [
      "in two $or that multiply",
      { $or: [{ x: { a: [1] } }, { b: [2] }], x: { $or: [{ a: [1] }, { c: [1] }] } },
      "x.$or[0].a",
    ],
    ["twice in two spellings", { "x.a": [1], x: { a: [2] } }, "x.a"],
  ])("refuses a field that is named %s", (_, value, place) => {
    expect(mistakesIn(value)).toMatchObject([{ at: "key", message: expect.stringContaining("is named") as string }]);
    expect(placesOf(mistakesIn(value))).toEqual([place]);
  });

  test("never throws, whatever the JSON", () => {
    const name = fc.constantFrom(
      "$or",
      "prefix",
      "anything-but",
      "numeric",
      "wildcard",
      "cidr",
      "exists",
      "a",
      "__proto__",
    );
    const scalar = fc.constantFrom<Json>(null, true, 1, -0, Infinity, "", "a", "*", "\\", "10.0.0.0/8", "=", "<");
    const { json } = fc.letrec<{ json: Json }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 5 },
        scalar,
        fc.array(tie("json"), { maxLength: 4 }),
        fc.dictionary(name, tie("json"), { maxKeys: 3, noNullPrototype: false }),
      ),
    }));
    fc.assert(
      fc.property(fc.oneof(json, fc.jsonValue() as fc.Arbitrary<Json>), (value) => {
        const parsed = parsePattern(value);
        expect(parsed.ok ? parsed.value.branches.length : parsed.error.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the limits of a pattern", () => {
  test("depth", () => {
    expect(mistakesIn(nested(PATTERN_DEPTH_MAX))).toEqual([]);
    expect(mistakesIn(nested(PATTERN_DEPTH_MAX + 1))).toMatchObject([
      { message: expect.stringContaining("PATTERN_DEPTH_MAX") as string },
    ]);
    expect(mistakesIn(nested(100_000))).toHaveLength(1);
  });

  test("depth counts the objects of a $or", () => {
    const levels = (depth: number): Json => {
      let value: Json = { z: [1] };
      for (let level = 1; level < depth; level++) value = { $or: [{ [`a${level}`]: [1] }, value] };
      return value;
    };
    expect(mistakesIn(levels(PATTERN_DEPTH_MAX))).toEqual([]);
    const tooDeep = mistakesIn(levels(PATTERN_DEPTH_MAX + 1)).map(({ message }) => message);
    expect(tooDeep.length).toBeGreaterThan(0);
    expect(tooDeep.filter((message) => !message.includes("PATTERN_DEPTH_MAX"))).toEqual([]);
    expect(parsePatternText(JSON.stringify(levels(PATTERN_DEPTH_MAX))).ok).toBe(true);
    expect(parsePatternText(JSON.stringify(levels(PATTERN_DEPTH_MAX + 1))).ok).toBe(false);
  });

  test("alternatives per field", () => {
    expect(mistakesIn({ x: strings(ALTERNATIVES_PER_FIELD_MAX) })).toEqual([]);
    expect(mistakesIn({ x: strings(ALTERNATIVES_PER_FIELD_MAX + 1) })).toMatchObject([
      { path: ["x"], message: expect.stringContaining("ALTERNATIVES_PER_FIELD_MAX") as string },
    ]);
  });

  test("items of one anything-but", () => {
    expect(mistakesIn({ x: [{ "anything-but": strings(ALTERNATIVES_PER_FIELD_MAX) }] })).toEqual([]);
    expect(mistakesIn({ x: [{ "anything-but": strings(ALTERNATIVES_PER_FIELD_MAX + 1) }] })).toHaveLength(1);
    expect(mistakesIn({ x: [{ "anything-but": { prefix: strings(ALTERNATIVES_PER_FIELD_MAX) } }] })).toEqual([]);
    expect(mistakesIn({ x: [{ "anything-but": { prefix: strings(ALTERNATIVES_PER_FIELD_MAX + 1) } }] })).toHaveLength(
      1,
    );
  });

  test("branches after $or is multiplied out", () => {
    expect(mistakesIn(or("a", OR_BRANCHES_MAX))).toEqual([]);
    expect(mistakesIn({ ...or("a", OR_BRANCHES_MAX / 10), x: or("b", 10) })).toEqual([]);
    expect(mistakesIn({ ...or("a", OR_BRANCHES_MAX / 10), x: or("b", 11) })).toMatchObject([
      { path: ["x", "$or"], message: expect.stringContaining("OR_BRANCHES_MAX") as string },
    ]);
  });

  test("a product far beyond the limit is refused, not multiplied out", () => {
    const fields = strings(60).map((name) => [name, or("a", 100)] as const);
    expect(mistakesIn(Object.fromEntries(fields))).toHaveLength(1);
  });
});

describe("parsePatternText", () => {
  test("reads JSON", () => {
    expect(parsePatternText(' {"x": ["a"]} \n')).toEqual(parsePattern({ x: ["a"] }));
  });

  test.each(["", "{", '{"x":["a"]}}', '{"x":["a"]} x', "{'x':['a']}", '{"x":["a",]}', '{"x":[NaN]}', "x: [a]"])(
    "refuses %j, which is not JSON",
    (text) => {
      expect(parsePatternText(text)).toMatchObject({
        ok: false,
        error: [{ path: [], message: expect.stringContaining("expected JSON") as string }],
      });
    },
  );

  test.each<[string, readonly Mistake["path"][number][]]>([
    ['{"x":["a"],"x":["b"]}', ["x"]],
    ['{"x":["a"],"\\u0078":["b"]}', ["x"]],
    ['{"x":{"y":["a"],"y":["a"]}}', ["x", "y"]],
    ['{"x":[{"prefix":"a","prefix":"b"}]}', ["x", 0, "prefix"]],
    ['{"$or":[{"a":[1]},{"b":[1],"b":[2]}]}', ["$or", 1, "b"]],
  ])("refuses %s, which names a member twice", (text, path) => {
    expect(parsePatternText(text)).toMatchObject({ ok: false, error: [{ path, at: "key" }] });
  });

  test("refuses hostile nesting without throwing", () => {
    expect(parsePatternText("[".repeat(1_000_000))).toMatchObject({ ok: false });
    expect(parsePatternText('{"a":'.repeat(100_000) + "[1]" + "}".repeat(100_000))).toMatchObject({
      ok: false,
      error: [{ message: expect.stringContaining("PATTERN_DEPTH_MAX") as string }],
    });
  });
});
