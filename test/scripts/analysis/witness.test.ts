import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COMMON_TEXT_STATES_MAX, commonText } from "../../../scripts/analysis/common-text.ts";
import { CANDIDATES_MAX, TEXT_PAIRS_MAX } from "../../../scripts/analysis/common-value.ts";
import { BRANCH_COMBINATIONS_MAX, commonWitness, witness } from "../../../scripts/analysis/witness.ts";
import { matchesPattern } from "../../../src/core/matcher.ts";
import type { Pattern } from "../../../src/core/pattern.ts";
import { parsePattern } from "../../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../../src/core/result.ts";

function read(value: Json): Pattern {
  const pattern = parsePattern(value);
  if (!pattern.ok) throw new Error(JSON.stringify(pattern.error));
  return pattern.value;
}

function common(a: Json, b: Json): JsonObject | undefined {
  return witness(read(a), read(b));
}

/** The value that both lists of one field take. */
function value(a: readonly Json[], b: readonly Json[]): Json | undefined {
  const event = common({ data: { x: [...a] } }, { data: { x: [...b] } });
  return event === undefined ? undefined : (event["data"] as JsonObject)["x"];
}

describe("an event of one pattern", () => {
  it.each([
    [{ type: ["com.github.push"], data: { ref: ["refs/heads/main"] } }],
    [{ data: { n: [{ numeric: [">", 5, "<=", 6] }] } }],
    [{ data: { ip: [{ cidr: "10.200.3.4/12" }] } }],
    [{ data: { ip: [{ cidr: "2001:db8:ff00::/33" }] } }],
    [{ data: { x: [{ "anything-but": ["x", "other", ""] }] } }],
    [{ data: { x: [{ "anything-but": [1, 0] }] } }],
    [{ data: { x: [{ "anything-but": { wildcard: "*" } }] } }],
    [{ data: { x: [{ wildcard: "*/x/*-\\*" }] } }],
    [{ data: { x: [{ prefix: { "equals-ignore-case": "STRASSE" } }] } }],
    [{ $or: [{ data: { x: [1] } }, { data: { y: [2] } }] }],
    [{ data: { x: [{ exists: true }], y: [{ exists: false }] } }],
    [{ data: { a: [1], "a.b": [2], "a.b.c": [3] } }],
    [{ "__proto__.x": [1], data: { constructor: { y: [1] } } }],
  ] as const)("is found: %j", (json) => {
    const pattern = read(json as unknown as Json);
    const event = witness(pattern);
    expect(event).toBeDefined();
    expect(matchesPattern(pattern, event as JsonObject)).toBe(true);
  });

  it("is the shortest that does", () => {
    expect(witness(read({ type: ["a", "b"], data: { draft: [false, { exists: false }] } }))).toEqual({ type: "a" });
  });

  it("has text and no lack where CloudEvents wants text", () => {
    expect(witness(read({ type: [{ exists: false }] }))).toBeUndefined();
    expect(witness(read({ type: [{ "anything-but": { wildcard: "*" } }] }))).toBeUndefined();
    expect(witness(read({ subject: [{ exists: false }], data: { x: [1] } }))).toEqual({ data: { x: 1 } });
  });
});

describe("a value of two lists", () => {
  it.each([
    [["a", "b"], ["b", "c"], "b"],
    [[{ prefix: "refs/heads/" }], [{ suffix: "/main" }], "refs/heads/main"],
    [[{ prefix: "aab" }], [{ suffix: "baa" }], "aabaa"],
    [[{ wildcard: "a*c*e" }], [{ wildcard: "*b*d*" }], "acbde"],
    [[{ wildcard: "refs/*/v1" }], [{ prefix: "refs/tags/" }], "refs/tags/v1"],
    [[{ "equals-ignore-case": "MAIN" }], [{ prefix: "Ma" }], "Main"],
    [[{ numeric: [">", 1] }], [{ numeric: ["<", 1.5] }], 1.25],
    [[{ numeric: [">=", 3] }], [{ numeric: ["<=", 3] }], 3],
    [[{ cidr: "10.0.0.0/8" }], [{ cidr: "10.1.2.0/24" }], "10.1.2.0"],
    [[{ cidr: "10.0.0.0/8" }], [{ "anything-but": ["10.0.0.0", "10.0.0.1"] }], "10.0.0.2"],
    [[{ "anything-but": "x" }], [{ "anything-but": ["other"] }], "x1"],
    [["draft", { exists: false }], ["draft"], "draft"],
  ] as const)("%j and %j share %j", (a, b, shared) => {
    expect(value(a as unknown as Json[], b as unknown as Json[])).toBe(shared);
  });

  it.each([
    [["a"], ["b"]],
    [["1"], [1]],
    [["refs/tags/v1"], [{ prefix: "refs/heads/" }]],
    [[{ prefix: "a" }], [{ prefix: "b" }]],
    [[{ wildcard: "a*b" }], [{ suffix: "c" }]],
    [[{ prefix: "A" }], [{ "equals-ignore-case": "bA" }]],
    [[{ numeric: ["<", 1] }], [{ numeric: [">", 1] }]],
    [[{ cidr: "10.0.0.0/8" }], [{ cidr: "11.0.0.0/8" }]],
    [[{ "anything-but": "a" }], ["a"]],
    [[{ exists: false }], [{ exists: true }]],
  ] as const)("%j and %j share none", (a, b) => {
    expect(common({ data: { x: [...a] } }, { data: { x: [...b] } })).toBeUndefined();
  });
});

describe("an event of two patterns", () => {
  it("joins their fields", () => {
    expect(common({ type: ["t"], data: { a: [1] } }, { data: { b: { c: [2] } } })).toEqual({
      type: "t",
      data: { a: 1, b: { c: 2 } },
    });
  });

  it("has no arrays in which one takes the one element and one the other", () => {
    expect(common({ data: { a: [null] } }, { data: { a: { login: ["x"] } } })).toBeUndefined();
    expect(common({ data: { a: { login: [{ exists: true }] } } }, { data: { a: [{ exists: true }] } })).toBeUndefined();
  });

  it("tries every branch of each", () => {
    const a = { $or: [{ data: { x: [1] } }, { data: { y: [2] } }] };
    const b = { $or: [{ data: { x: [3], y: [3] } }, { data: { x: [4], y: [2] } }] };
    expect(common(a, b)).toEqual({ data: { x: 4, y: 2 } });
  });

  it("leaves out what nobody can send, and prefers what is likely", () => {
    const [a, b] = [
      read({ $or: [{ type: ["a"] }, { type: ["b"] }] }),
      read({ data: { x: [{ "anything-but": "v" }] } }),
    ];
    const consider = (branch: Pattern["branches"][number]) =>
      branch.some(({ alternatives }) => alternatives.some((each) => each.kind === "equals" && each.value === "a"))
        ? undefined
        : () => ["v", "w"];
    expect(witness(a, b, { consider })).toEqual({ type: "b", data: { x: "w" } });
  });

  it("stops after so many combinations of branches", () => {
    const branches = (count: number, last: Json) =>
      read({
        $or: Array.from({ length: count }, (_, index) => ({ x: [index === count - 1 ? last : `${count}-${index}`] })),
      });
    // One combination for each branch of the first, and for each pair.
    const seconds = BRANCH_COMBINATIONS_MAX / 50 - 1;
    expect(witness(branches(50, "z"), branches(seconds, "z"))).toEqual({ x: "z" });
    expect(witness(branches(50, "z"), branches(seconds + 1, "z"))).toBeUndefined();
  });

  it("brings only so many pairs of texts together", () => {
    const after = (count: number) => {
      const others = Array.from({ length: count }, (_, index) => ({ prefix: `a${index}` }));
      return value([...others, { prefix: "bkk" }], [{ wildcard: "b*q" }]);
    };
    expect(after(TEXT_PAIRS_MAX - 1)).toBe("bkkq");
    expect(after(TEXT_PAIRS_MAX)).toBeUndefined();
  });

  it("tries only so many values for one field", () => {
    const after = (count: number) => {
      const others = Array.from({ length: count }, (_, index) => ({ suffix: `a${index}` }));
      return value([...others, { numeric: ["=", 7] }], [{ numeric: [">", 6] }]);
    };
    const triedPerText = 5;
    expect(after(CANDIDATES_MAX / triedPerText - 1)).toBe(7);
    expect(after(CANDIDATES_MAX / triedPerText)).toBeUndefined();
  });

  it("gives up on texts that are too long", () => {
    const side = Math.floor(Math.sqrt(COMMON_TEXT_STATES_MAX)) - 1;
    const form = (length: number) => ({ pieces: ["a".repeat(length)], ignoresCase: false });
    expect(commonText(form(side), form(side))).toBe("a".repeat(side));
    expect(commonText(form(side * 2), form(side * 2))).toBeUndefined();
  });

  it("is not found for three patterns of which two have none", () => {
    const [a, b, c] = [read({ x: ["1", "2"] }), read({ x: ["2", "3"] }), read({ x: ["3", "1"] })];
    expect(commonWitness([a, b])).toEqual({ x: "2" });
    expect(commonWitness([a, b, c])).toBeUndefined();
  });
});

const scalar = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom("refs/heads/main", "refs/tags/v1", "10.1.2.3", "Straße"),
  fc.integer({ min: -5, max: 5 }),
  fc.boolean(),
  fc.constant(null),
);

/** Matchers that take this value. */
function takes(of: Json): fc.Arbitrary<Json> {
  const always: fc.Arbitrary<Json>[] = [
    fc.constant(of),
    fc.constant({ exists: true }),
    fc.constant({ "anything-but": "§" }),
  ];
  if (typeof of === "number") {
    always.push(fc.nat(3).map((by) => ({ numeric: [">=", of - by] })));
    always.push(fc.nat(3).map((by) => ({ numeric: ["<", of + by + 1] })));
  }
  if (typeof of === "string") {
    always.push(fc.nat(of.length).map((to) => ({ prefix: of.slice(0, to) })));
    always.push(fc.nat(of.length).map((from) => ({ suffix: of.slice(from) })));
    always.push(fc.constant({ "equals-ignore-case": of.toLowerCase() === of ? of : of.toLowerCase() }));
    if (of === "10.1.2.3") always.push(fc.integer({ min: 0, max: 32 }).map((bits) => ({ cidr: `${of}/${bits}` })));
    if (!/[*\\]/.test(of))
      always.push(fc.nat(of.length).map((at) => ({ wildcard: `${of.slice(0, at)}*${of.slice(at)}` })));
  }
  return fc.oneof(...always);
}

const PATHS = ["data.a", "data.b.c", "data.b.d", "data.e", "ext"];

/** Patterns that all take an event with these values. */
function patternOf(values: Readonly<Record<string, Json>>): fc.Arbitrary<Json> {
  return fc
    .subarray(Object.keys(values), { minLength: 1 })
    .chain((paths) =>
      fc.tuple(
        ...paths.map((path) =>
          fc.tuple(fc.constant(path), takes(values[path] ?? null), fc.array(scalar, { maxLength: 2 })),
        ),
      ),
    )
    .map((fields) => Object.fromEntries(fields.map(([path, one, others]) => [path, [one, ...others]])));
}

const values = fc
  .tuple(...PATHS.map(() => scalar))
  .map((list) => Object.fromEntries(PATHS.map((path, at) => [path, list[at] ?? null])));

describe("patterns that share an event", () => {
  it("have a witness, and each witness meets both", () => {
    let found = 0;
    let runs = 0;
    fc.assert(
      fc.property(
        values.chain((event) => fc.tuple(patternOf(event), patternOf(event))),
        ([a, b]) => {
          const [first, second] = [parsePattern(a), parsePattern(b)];
          if (!first.ok || !second.ok) return;
          runs++;
          const event = witness(first.value, second.value);
          if (event === undefined) return;
          found++;
          expect(matchesPattern(first.value, event)).toBe(true);
          expect(matchesPattern(second.value, event)).toBe(true);
        },
      ),
      { numRuns: 1_000, seed: 4 },
    );
    // Not all can be found, a prefix of an address against a block of them among others.
    expect(found / runs).toBeGreaterThan(0.98);
  });

  it("have none when the exact values of a field have none in common", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(scalar, { minLength: 2, maxLength: 8 }),
        fc.nat(),
        fc.constantFrom(...PATHS),
        (all, at, path) => {
          const cut = 1 + (at % (all.length - 1));
          const a = { [path]: all.slice(0, cut), type: [{ prefix: "t" }] };
          const b = { [path]: all.slice(cut), "data.z": [{ exists: true }] };
          expect(common(a, b)).toBeUndefined();
        },
      ),
      { numRuns: 300 },
    );
  });
});
