import { describe, expect, test } from "vitest";
import { foldCase, foldsTo } from "../../src/core/case-folding.ts";

const CODE_POINTS = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));

describe("foldCase", () => {
  test.each([
    ["ABC", "abc"],
    ["É", "é"],
    ["ẞ", "ß"],
    ["\u212a", "k"],
    ["\u212b", "å"],
    ["ſ", "s"],
    ["ς", "Σ"],
    ["µ", "μ"],
    ["Ǆ", "ǅ"],
    ["ᾼ", "ᾳ"],
    ["𐐀", "𐐨"],
    ["Ꭰ", "ꭰ"],
    ["😀A", "😀a"],
  ])("%s equals %s", (a, b) => {
    expect(foldCase(a)).toBe(foldCase(b));
  });

  test.each([
    ["ß", "ss"],
    ["İ", "i"],
    ["İ", "i\u0307"],
    ["ı", "i"],
    ["ı", "I"],
    ["ﬀ", "ff"],
    ["e\u0301", "é"],
    ["😀", "😁"],
  ])("%s does not equal %s", (a, b) => {
    expect(foldCase(a)).not.toBe(foldCase(b));
  });

  test("the length of no code point changes, and folding twice changes nothing", () => {
    const wrong = CODE_POINTS.filter((character) => {
      const folded = foldCase(character);
      return folded.length !== character.length || foldCase(folded) !== folded;
    });
    expect(wrong).toEqual([]);
  });

  test("every code point is equal to exactly those that the engine's own simple case folding says", () => {
    // The i and u flags together compare by CaseFolding.txt, statuses C and S (ECMA-262, Canonicalize).
    const cased = CODE_POINTS.filter(
      (character) => character.toLowerCase() !== character || character.toUpperCase() !== character,
    );
    const letters = cased.join("");
    const byFold = Map.groupBy(cased, foldCase);
    const wrong = cased.filter((character) => {
      const same = letters.match(new RegExp(`\\u{${character.codePointAt(0)?.toString(16)}}`, "giu")) ?? [];
      return same.join("") !== (byFold.get(foldCase(character)) ?? []).join("");
    });
    expect(cased.length).toBeGreaterThan(2_500);
    expect(wrong).toEqual([]);
  });
});

describe("foldsTo", () => {
  test("says of every part of a text whether its folding is this", () => {
    const text = "aKk\u212aſSßẞ𐐀𐐨Z";
    const folded = [...new Set(["akk", "k", "kks", "ss", "s", "ßß", "𐐨", "z", "", foldCase(text), "\udc00", "\udc28"])];
    for (const part of folded) {
      for (let start = -1; start <= text.length; start++) {
        const isWithin = start >= 0 && start + part.length <= text.length;
        const expected = isWithin && foldCase(text.slice(start, start + part.length)) === part;
        expect(foldsTo(text, start, part), `${part} at ${start}`).toBe(expected);
      }
    }
  });
});
