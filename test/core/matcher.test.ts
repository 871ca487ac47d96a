import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pattern } from "../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { CHOICES_MAX } from "../../src/core/array-consistency.ts";
import { EVENT_NUMBER_MAX, compileMatcher, matchesPattern } from "../../src/core/matcher.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import { matchesByDefinition } from "../support/pattern-oracle.ts";

function patternOf(value: Json): Pattern {
  const parsed = parsePattern(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

function matches(pattern: Json, view: JsonObject): boolean {
  return matchesPattern(patternOf(pattern), view);
}

const EXISTS_NOT = [{ exists: false }];

describe("compileMatcher", () => {
  test("answers with the indexes of the patterns that match, ascending", () => {
    const { match } = compileMatcher(
      [{ a: [1] }, { a: [2] }, { $or: [{ a: [1] }, { b: [1] }] }, { b: EXISTS_NOT }].map(patternOf),
    );
    expect(match({ a: 1, b: 1 })).toEqual([0, 2]);
    expect(match({ a: 2 })).toEqual([1, 3]);
    expect(match({ b: 1 })).toEqual([2]);
    expect(match({})).toEqual([3]);
  });

  test("remembers nothing of an event when the events are numbered from 1 again", () => {
    const { match } = compileMatcher([{ a: [1], b: [{ exists: true }] }, { b: [3] }].map(patternOf));
    // The first two events are met, and marked, with the numbers that the first two after the last number have.
    const both = (first: boolean): void => {
      expect(match(first ? { a: 1, b: 2 } : { b: 3 })).toEqual(first ? [0] : [1]);
      expect(match(first ? { a: 1 } : { a: 1, b: 2 })).toEqual(first ? [] : [0]);
    };
    both(true);
    for (let number = 3; number <= EVENT_NUMBER_MAX; number++) match({});
    both(false);
    both(true);
  });

  test("a pattern filed under one path reads another only when it has to, whichever of them stand in elements", () => {
    const { match } = compileMatcher([{ a: { b: [1] }, c: { d: ["x", "y"], e: [{ exists: false }] } }].map(patternOf));
    const isMet = (json: string): boolean => match(JSON.parse(json) as JsonObject).length > 0;
    for (let turn = 0; turn < 40; turn++) {
      expect(isMet('{"a":{"b":1},"c":[{"d":"x"},{"e":1}]}')).toBe(true);
      expect(isMet('{"a":{"b":1},"c":[{"d":"z"},{"d":"y","e":1}]}')).toBe(false);
      expect(isMet('{"a":[{"b":1}],"c":[{"d":"x"},{"e":1}]}')).toBe(true);
      expect(isMet('{"a":[{"b":1}],"c":{"d":"x","e":1}}')).toBe(false);
      for (let other = 0; other < turn; other++) expect(isMet('{"a":{"b":2},"c":{"d":"x"}}')).toBe(false);
    }
  });

  test("without patterns nothing matches", () => {
    expect(compileMatcher([]).match({ a: 1 })).toEqual([]);
  });

  test("reads a view that has no prototype", () => {
    const view = Object.assign(Object.create(null) as Record<string, Json>, { type: "push" });
    expect(matches({ type: ["push"] }, view)).toBe(true);
  });

  test("what every object inherits is not part of an event", () => {
    for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"]) {
      expect(matches(JSON.parse(`{"${name}":[{"exists":true}]}`) as Json, {})).toBe(false);
      expect(matches(JSON.parse(`{"${name}":{"name":[{"exists":false}]}}`) as Json, {})).toBe(true);
    }
  });
});

describe("values in arrays of objects", () => {
  const both = { x: { a: [1], b: [2] } };

  test.each<[Json, boolean]>([
    [[{ a: 1 }, { b: 2 }], false],
    [[{ a: 1, b: 2 }], true],
    [[[{ a: 1 }], [{ b: 2 }]], false],
    [[[{ a: 1, b: 2 }]], true],
    [[{ a: [1, 9], b: [8, 2] }], true],
    [{ a: [1, 9], b: [8, 2] }, true],
    [[{ a: 1 }, { a: 3, b: 2 }], false],
  ])("%j gives two fields one element: %s", (x, expected) => {
    expect(matches(both, { x })).toBe(expected);
  });

  test("different arrays are independent", () => {
    expect(matches({ x: { a: [1] }, y: { a: [2] } }, { x: [{}, { a: 1 }], y: [{ a: 2 }, {}] })).toBe(true);
  });

  test("consistency spans $or", () => {
    const pattern = { x: { $or: [{ a: [1] }, { b: [1] }], c: [1] } };
    expect(matches(pattern, { x: [{ a: 1 }, { c: 1 }] })).toBe(false);
    expect(matches(pattern, { x: [{ a: 1 }, { b: 1, c: 1 }] })).toBe(true);
  });

  test("a name with dots reaches the same element as objects in one another", () => {
    const pattern = { x: { "a.b": [1], c: [2] } };
    expect(matches(pattern, { x: [{ a: { b: 1 }, c: 2 }] })).toBe(true);
    expect(matches(pattern, { x: [{ "a.b": 1 }, { c: 2 }] })).toBe(false);
    expect(matches(pattern, { "x.a": { b: 1 }, x: [{ c: 2 }] })).toBe(true);
  });
});

describe("exists: false", () => {
  const lone = { x: { b: EXISTS_NOT } };
  const beside = { x: { b: EXISTS_NOT, c: [1] } };

  test.each<[Json, JsonObject, boolean]>([
    [lone, {}, true],
    [lone, { x: [{ b: 1 }, { c: 1 }] }, false],
    [beside, { x: [{ b: 1 }, { c: 1 }] }, true],
    [beside, { x: [{ b: 1, c: 1 }, { c: 2 }] }, false],
    [beside, { x: [{ b: 1, c: 1 }, { c: 1 }] }, true],
    [beside, { x: { b: 1, c: 1 } }, false],
    [{ x: { b: EXISTS_NOT, p: { q: [1] } } }, { x: [{ b: 1 }, { p: [{ q: 1 }] }] }, true],
    [{ x: { p: { q: EXISTS_NOT }, a: [1] } }, { x: [{ a: 1, p: [{ r: 1 }, { q: 1 }] }] }, false],
    [{ x: { p: { q: EXISTS_NOT, r: [1] } } }, { x: [{ p: [{ r: 1 }, { q: 1 }] }] }, true],
    [{ y: { a: [1] }, x: { b: EXISTS_NOT } }, { y: [{ a: 1 }], x: [{ b: 1 }, {}] }, false],
    [{ x: { $or: [{ b: EXISTS_NOT }, { d: [1] }], c: [1] } }, { x: [{ b: 1 }, { c: 1 }] }, true],
    [{ x: { b: ["no", { exists: false }], c: [1] } }, { x: [{ b: "yes" }, { c: 1, b: "no" }] }, true],
    [{ x: { b: ["no", { exists: false }] } }, { x: [{ b: "yes" }, {}] }, false],
  ])("%j on %j: %s", (pattern, view, expected) => {
    expect(matches(pattern, view)).toBe(expected);
  });
});

describe("matching in general", () => {
  const scalar = fc.constantFrom<Json>("a", "b", "ab", "", 1, 2, null, true);
  const name = fc.constantFrom("a", "b", "c", "a.b", "b.c");
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      scalar,
      fc.dictionary(name, tie("value"), { maxKeys: 3 }),
      fc.array(tie("value"), { maxLength: 3 }),
    ),
  }));
  const event = fc.dictionary(name, value, { maxKeys: 3 }) as fc.Arbitrary<JsonObject>;
  const alternative = fc.oneof(
    { arbitrary: scalar, weight: 3 },
    fc.constantFrom<Json>(
      { exists: true },
      { exists: false },
      { exists: false },
      { prefix: "a" },
      { numeric: [">", 1] },
      { "anything-but": ["a", "b"] },
    ),
  );
  const alternatives = fc.array(alternative, { minLength: 1, maxLength: 2 });
  const { object } = fc.letrec<{ object: JsonObject }>((tie) => ({
    object: fc
      .tuple(
        fc.dictionary(name, fc.oneof({ maxDepth: 2 }, alternatives, tie("object")), { minKeys: 1, maxKeys: 3 }),
        fc.option(fc.array(tie("object"), { minLength: 2, maxLength: 2 }), {
          freq: 4,
          depthSize: "small",
          maxDepth: 2,
        }),
      )
      .map(([members, choices]) => (choices === null ? members : { ...members, $or: choices }) as JsonObject),
  }));
  const pattern = object.filter((one) => parsePattern(one).ok);

  test("agrees with the definition, tried out in every way", () => {
    let matched = 0;
    fc.assert(
      fc.property(pattern, event, (one, view) => {
        const expected = matchesByDefinition(one, view);
        if (expected) matched++;
        expect(matches(one, view)).toBe(expected);
      }),
      { numRuns: 500 },
    );
    expect(matched).toBeGreaterThan(10);
  });

  test("agrees with the definition where fields share arrays of objects", () => {
    const leaf = fc.constantFrom<Json>(1, 2, [1], [[1]], []);
    const inner = fc.dictionary(fc.constantFrom("q", "r"), leaf, { maxKeys: 2 });
    const element = fc.dictionary(
      fc.constantFrom("a", "b", "p", "p.q"),
      fc.oneof(leaf, inner, fc.array(inner, { maxLength: 3 })),
      { maxKeys: 4 },
    );
    const view = fc
      .record(
        { x: fc.oneof(element, fc.array(fc.oneof(element, leaf), { maxLength: 4 })), "x.p": fc.array(inner) },
        { requiredKeys: ["x"] },
      )
      .map((one) => one as JsonObject);
    const condition = fc.constantFrom<Json>([1], [2], EXISTS_NOT, [2, { exists: false }], [{ exists: true }]);
    const fields = fc.dictionary(fc.constantFrom("x", "x.a", "x.b", "x.p.q", "x.p.r"), condition, { minKeys: 2 });
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(fields, view, (one, viewed) => {
        const expected = matchesByDefinition(one as JsonObject, viewed);
        seen.add(expected);
        expect(matches(one as Json, viewed)).toBe(expected);
      }),
      { numRuns: 10_000 },
    );
    expect(seen.size).toBe(2);
  });

  test("the order of names changes nothing, in patterns or events", () => {
    fc.assert(
      fc.property(pattern, event, (one, view) => {
        expect(matches(reversed(one), reversed(view) as JsonObject)).toBe(matches(one, view));
      }),
      { numRuns: 500 },
    );
  });

  test("a matcher of many patterns agrees with each pattern alone", () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 8 }), event, (many, view) => {
        const alone = many.flatMap((one, index) => (matches(one, view) ? [index] : []));
        expect(compileMatcher(many.map(patternOf)).match(view)).toEqual(alone);
      }),
      { numRuns: 100 },
    );
  });
});

function reversed(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member as Json)]),
  );
}

/** Each of these would run for hours if its cost were not bounded; the runner's own time limit is the assertion. */
describe("events chosen to be slow", () => {
  const megabyte = "a".repeat(1_000_000);

  test.each<[Json]>([
    ["b"],
    [{ exactly: "b" }],
    [{ prefix: `${"a".repeat(1_000)}b` }],
    [{ prefix: { "equals-ignore-case": `${"É".repeat(1_000)}b` } }],
    [{ suffix: `b${"a".repeat(1_000)}` }],
    [{ suffix: { "equals-ignore-case": `b${"É".repeat(1_000)}` } }],
    [{ "equals-ignore-case": "É" }],
    [{ wildcard: "*a*b*c*" }],
    [{ wildcard: `*${"a".repeat(20_000)}b*${"a".repeat(20_000)}b*` }],
    [{ numeric: [">", 0] }],
    [{ cidr: "::/0" }],
    [{ "anything-but": { wildcard: ["*a*b*c*", "*"] } }],
    [{ exists: false }],
  ])("a megabyte of text against %j", (alternative) => {
    const field = patternOf({ x: [alternative] });
    for (const x of [megabyte, `${megabyte}é`, "1:".repeat(500_000), "É".repeat(500_000)]) {
      expect(matchesPattern(field, { x })).toBe(false);
    }
  });

  test("fields that no element of a long array meets together, beside another long array", () => {
    const elements = Array.from({ length: 30_000 }, (_, index) => ({ a: index % 2, b: (index + 1) % 2, d: index % 2 }));
    const view = { x: elements, y: elements };
    expect(matches({ x: { a: [1], b: [1], c: EXISTS_NOT }, y: { a: [1], b: [0] } }, view)).toBe(false);
    expect(matches({ y: { a: [1], b: [1] }, x: { a: [1], b: [0], d: [1] } }, view)).toBe(false);
    expect(matches({ y: { a: [1], b: [0], c: EXISTS_NOT }, x: { a: [1], b: [0], d: [1] } }, view)).toBe(true);
  });

  test("the same fields offered by many arrays under names with dots", () => {
    const names = Array.from({ length: 12 }, (_, index) => `f${index}`);
    const elements = Array.from({ length: 500 }, (_, index) =>
      Object.fromEntries(names.filter((_name, bit) => ((index * 7919) >> bit) % 2 === 1).map((one) => [one, 1])),
    );
    const view: JsonObject = {
      "a.b.c": elements,
      "a.b": { c: elements },
      a: { "b.c": elements, b: { c: elements } },
    };
    const met = Object.fromEntries(names.map((one) => [one, [1]]));
    expect(matches({ a: { b: { c: { ...met, missing: [1] } } } }, view)).toBe(false);
    expect(matches({ a: { b: { c: { ...met, f0: [2], f1: [1, { exists: false }] } } } }, view)).toBe(false);
  });

  test("ways to choose within one array are kept up to CHOICES_MAX, leaving it alone being one of them", () => {
    const names = Array.from({ length: 11 }, (_, index) => `f${index}`);
    const fives = Array.from({ length: 1 << names.length }, (_, bits) =>
      names.filter((_name, bit) => (bits >> bit) & 1),
    );
    const element = (chosen: readonly string[]): JsonObject => Object.fromEntries(chosen.map((one) => [one, 1]));
    const others = fives.filter((chosen) => chosen.length === 5);
    // The only one without any of the first six names, so the last that is come upon.
    const wanted = others.pop() ?? [];
    const rest = names.filter((one) => !wanted.includes(one));
    const found = (elements: readonly (readonly string[])[]): boolean =>
      matches(
        { a: { b: Object.fromEntries(names.map((one) => [one, [1]])) } },
        // All names are offered twice; only the wanted element of the one array and `rest` of the other make a whole.
        { "a.b": elements.map(element), a: { b: [element(rest), element(wanted)] } },
      );
    const most = others.slice(0, CHOICES_MAX - 2);
    expect(found([...most, wanted])).toBe(true);
    const tooMany = others.slice(0, CHOICES_MAX - 1);
    expect(found([...tooMany, wanted])).toBe(false);
  });

  test("a name with very many dots", () => {
    expect(matches({ "a.b": [1] }, { ["a.".repeat(500_000)]: 1, "a.b": 1 })).toBe(true);
  });
});
