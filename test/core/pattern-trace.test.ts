import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileTracer, tracePattern } from "../../src/core/pattern-trace.ts";
import { matchesPattern } from "../../src/core/matcher.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";

function patternOf(value: Json) {
  const parsed = parsePattern(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

/** Path, indexes of the alternatives that are met, and standing of each field of the first branch. */
function fieldsOf(pattern: Json, view: JsonObject) {
  return tracePattern(patternOf(pattern), view)[0]?.fields.map(({ field, met, standing }) => [
    field.path,
    met,
    standing,
  ]);
}

describe("a trace", () => {
  it("tells which alternatives each field's values meet", () => {
    const pattern = {
      a: [1, { exists: true }, "x"],
      b: { c: [{ prefix: "q" }, { exists: false }] },
      d: [{ exists: false }],
    };
    expect(fieldsOf(pattern, { a: 1, d: 2 })).toEqual([
      ["a", [0, 1], "free"],
      ["b.c", [1], "free"],
      ["d", [], "unmet"],
    ]);
    expect(fieldsOf({ a: [1, 2] }, { a: [2, 3, 1] })).toEqual([["a", [0, 1], "free"]]);
  });

  it("tells what is met only in some element of an array", () => {
    const pattern = { l: { name: ["bug"], color: ["red"] } };
    const apart = {
      l: [
        { name: "bug", color: "blue" },
        { name: "x", color: "red" },
      ],
    };
    expect(fieldsOf(pattern, apart)).toEqual([
      ["l.name", [0], "tied"],
      ["l.color", [0], "tied"],
    ]);
    expect(tracePattern(patternOf(pattern), apart)[0]?.matches).toBe(false);
  });

  it("does not hold a field for unmet that an element lacks", () => {
    const pattern = { l: { gone: [{ exists: false }], name: ["a"] } };
    const view = { l: [{ gone: 1 }, { name: "a" }] };
    expect(tracePattern(patternOf(pattern), view)[0]?.matches).toBe(true);
    expect(fieldsOf(pattern, view)).toEqual([
      ["l.gone", [0], "tied"],
      ["l.name", [0], "tied"],
    ]);
    expect(fieldsOf({ ...pattern, type: ["x"] }, view)).toEqual([
      ["l.gone", [], "tied"],
      ["l.name", [0], "tied"],
      ["type", [], "unmet"],
    ]);
    expect(fieldsOf(pattern, { l: { gone: 1, name: "a" } })?.[0]).toEqual(["l.gone", [], "unmet"]);
  });

  it("has one entry for each branch", () => {
    const pattern = patternOf({ a: [1], $or: [{ b: [1] }, { c: [1] }] });
    expect(tracePattern(pattern, { a: 1, c: 1 }).map(({ matches }) => matches)).toEqual([false, true]);
  });

  it("agrees with the matcher on any pattern and event", () => {
    const scalar = fc.constantFrom<Json>(1, "a", null);
    const alternatives = fc.array(
      fc.oneof(scalar, fc.constant<Json>({ exists: false }), fc.constant<Json>({ exists: true })),
      {
        minLength: 1,
        maxLength: 2,
      },
    );
    const names = fc.constantFrom("a", "b", "c");
    const object = fc.dictionary(names, alternatives, { minKeys: 1, maxKeys: 2 });
    const pattern = fc.oneof(
      fc.dictionary(fc.constantFrom("x", "y"), object, { minKeys: 1, maxKeys: 2 }),
      fc.array(object, { minLength: 2, maxLength: 3 }).map(($or) => ({ $or })),
    );
    const item = fc.dictionary(names, fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxKeys: 3 });
    const event = fc.oneof(
      fc.dictionary(fc.constantFrom("x", "y"), fc.oneof(item, fc.array(item, { maxLength: 3 }))),
      item,
    );
    fc.assert(
      fc.property(pattern, event, (wanted, found) => {
        const parsed = patternOf(wanted as Json);
        const view = found as unknown as JsonObject;
        const traces = compileTracer(parsed)(view);
        expect(traces.some(({ matches }) => matches)).toBe(matchesPattern(parsed, view));
        for (const { fields, matches } of traces) {
          const isPossible = fields.every(({ standing }) => standing !== "unmet");
          // What can't be is never a match, and what is free in every field is always one.
          expect(matches && !isPossible).toBe(false);
          expect(!matches && fields.every(({ standing }) => standing === "free")).toBe(false);
          if (matches) for (const { met } of fields) expect(met).not.toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });
});
