import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findJsonMistake } from "../../src/core/json-mistake.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("finding where a text stops being JSON", () => {
  it.each([
    ["", 0, "a value"],
    ["  ", 2, "a value"],
    ["[1,]", 3, "a value"],
    ["[1 2]", 3, "a comma or ]"],
    ["[", 1, "a value or ]"],
    ["{", 1, "a name in double quotes or }"],
    ['{"a" 1}', 5, "a colon"],
    ['{"a":1]', 6, "a comma or }"],
    ["1 x", 2, "nothing more"],
    ['["\\x"]', 1, "a value or ]"],
    ["[}", 1, "a value or ]"],
  ])("%j goes wrong at %i, where %s was expected", (text, position, expected) =>
    expect(findJsonMistake(text)).toEqual({ position, expected }),
  );

  it("agrees with the parser on every text", () => {
    const piece = fc.constantFrom(
      ...'[]{},:"\\ \n01-.e'.split(""),
      "true",
      "null",
      '"a"',
      '"\\u00e4"',
      "\t",
      "-0.5e+1",
    );
    const texts = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")),
      fc.json(),
      fc.string(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(findJsonMistake(text) === null).toBe(isJson(text));
      }),
      { numRuns: 5000 },
    );
  });

  it("takes deep nesting without recursion", () =>
    expect(findJsonMistake("[".repeat(100_000))).toEqual({ position: 100_000, expected: "a value or ]" }));
});
