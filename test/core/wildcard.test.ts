import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WILDCARDS_PER_VALUE_MAX, compileWildcard, parseWildcard } from "../../src/core/wildcard.ts";

function matches(wildcard: string, text: string): boolean {
  const parsed = parseWildcard(wildcard);
  if (!parsed.ok) throw new Error(parsed.error);
  return compileWildcard(parsed.value)(text);
}

/** Tries everything: right by looking at it, and slow. */
function matchesNaively(wildcard: string, text: string): boolean {
  if (wildcard === "") return text === "";
  if (wildcard.startsWith("*")) {
    return matchesNaively(wildcard.slice(1), text) || (text !== "" && matchesNaively(wildcard, text.slice(1)));
  }
  const literal = wildcard.startsWith("\\") ? 2 : 1;
  return text !== "" && text[0] === wildcard[literal - 1] && matchesNaively(wildcard.slice(literal), text.slice(1));
}

describe("wildcards", () => {
  test.each([
    ["*", ""],
    ["*", "a\nb"],
    ["a*", "a"],
    ["*\\*", "a*"],
    ["\\**", "*a"],
    ["a\\\\b", "a\\b"],
    ["*ab*ab*", "xababx"],
    ["a*b*c", "a\u2028b\r\nc"],
    ["*😀", "a😀"],
  ])("%j matches %j", (wildcard, text) => {
    expect(matches(wildcard, text)).toBe(true);
  });

  test.each([
    ["", "a"],
    ["a*a", "a"],
    ["ab*ba", "aba"],
    ["*ab*ab*", "xabx"],
    ["a.c", "abc"],
    ["a\\*b", "axb"],
    ["A*", "ab"],
    ["a?", "ab"],
  ])("%j does not match %j", (wildcard, text) => {
    expect(matches(wildcard, text)).toBe(false);
  });

  test.each(["**", "a**b", "***", "\\", "a\\", "\\a", "\\\\\\", "*\\x"])("%j is invalid", (wildcard) => {
    expect(parseWildcard(wildcard).ok).toBe(false);
  });

  test("the number of * is limited, and escaped ones don't count", () => {
    expect(parseWildcard("*a".repeat(WILDCARDS_PER_VALUE_MAX)).ok).toBe(true);
    expect(parseWildcard("*a".repeat(WILDCARDS_PER_VALUE_MAX) + "\\*".repeat(100)).ok).toBe(true);
    expect(parseWildcard("*a".repeat(WILDCARDS_PER_VALUE_MAX + 1))).toMatchObject({
      ok: false,
      error: expect.stringContaining("WILDCARDS_PER_VALUE_MAX") as string,
    });
  });

  test("they agree with trying everything", () => {
    const wildcards = fc
      .array(fc.constantFrom("a", "b", "aab", "*", "\\*", "\\\\"), { maxLength: 7 })
      .map((parts) => parts.join(""))
      .filter((wildcard) => parseWildcard(wildcard).ok);
    const texts = fc.array(fc.constantFrom("a", "b", "*", "\\"), { maxLength: 12 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(wildcards, texts, (wildcard, text) => {
        expect(matches(wildcard, text)).toBe(matchesNaively(wildcard, text));
      }),
      { numRuns: 2_000 },
    );
  });

  test("a megabyte chosen to be bad for a search is done in one pass", () => {
    const text = "a".repeat(1_000_000);
    const long = "a".repeat(50_000);
    expect(matches("*a*b*c*", text)).toBe(false);
    expect(matches("*a".repeat(WILDCARDS_PER_VALUE_MAX - 1) + "*b", `${text}c`)).toBe(false);
    // Character by character from every start, each of these would be 5e10 comparisons.
    expect(matches(`*${long}b*`, text)).toBe(false);
    expect(matches(`*b${long}*`, text)).toBe(false);
    expect(matches(`*${long}b${long}*`, text)).toBe(false);
  });
});
