import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GROUP_DEPTH_MAX } from "../../src/core/linear-regex-pattern.ts";
import { PROGRAM_INSTRUCTIONS_MAX, ROUNDS_MAX } from "../../src/core/linear-regex-program.ts";
import { compileLinearRegex, linearRegex } from "../../src/core/linear-regex.ts";
import type { LinearRegex } from "../../src/core/linear-regex.ts";

function refusalOf(expression: RegExp): string | undefined {
  const compiled = compileLinearRegex(expression);
  return compiled.ok ? undefined : compiled.error;
}

function linear(expression: RegExp, charge: (units: number) => void = () => undefined): LinearRegex {
  const compiled = compileLinearRegex(expression);
  if (!compiled.ok) throw new Error(`${String(expression)}: ${compiled.error}`);
  return linearRegex(compiled.value, charge);
}

/** What one search finds, from every index of the text. */
function searches(regex: Pick<LinearRegex, "lastIndex"> & { exec: (text: string) => unknown }, text: string) {
  return Array.from({ length: text.length + 2 }, (_, start) => {
    regex.lastIndex = start;
    const match = regex.exec(text) as (string | undefined)[] | null;
    return { match: match && [...match], index: (match as { index?: number } | null)?.index, next: regex.lastIndex };
  });
}

// prettier-ignore
const PATTERNS = [
  "a", "a+", "(a+)+$", "(a|ab)(c|bcd)(d*)", "\\bfoo\\b", "\\Bo", "[^\\w\\s]+", "(?:(\\d+),?)+", "^(.*)$", "(?<y>\\d{4})-(\\d\\d)",
  "😀+", "[😀]", "[^a]", "\\s+", "(x)?y", "\\u0041\\x42\\103", "[\\d-x]+", "[\\b]", "a{2,3}?b", "{1", "a{,2}", "\\cA", "[\\c_]",
  "\\c", "é", "ſ", "ß", "[à-ö]", "\\W", "\\k", "\\8", "[]", "[^]", "(a)|b", ".", "$", "a|", "\\0", "k", "µ|\\u1e9e", "İ", "[^k]",
  "\\/", "]", "}", "x*", "(?:)", "(a?){2}", "(a){2,3}", "(?:ab)*?c", "\\ud83d", "[\\ud800-\\udfff]", "\\udE00", "[^\\S\\n]", "\\p{2}", "\\u{2}",
  "(\\()[(]", "[\\]a]", "[^\\D5]", "[a-]", "[-a]", "\\.\\*", "\\v\\f", "[\\w-]+@", "\u2028", "(?:a|(?:b|c)d)+",
  "(?:(a)|b)+", "(?:(a)?b)*", "(?:(a)|(b)|(c)){2,3}?", "(?:a(b)?|(c))+d", "(?:(?:(a)|b)x?)+", "(a){0}b", "a{0,2}b", "(?:a|b){2,}",
  "^b\\n?", "o\\r?$", "^[^\\n]*\\r", "\\n^b", "(?:^a|b)+", "(?:^a)?b", "(?:a$|b)", "(?:a|b|cd)*?d", "\\bfoo$", "x|$", "[a😀]b?",
];
const TEXTS = [
  "",
  "a",
  "aaab",
  "abcd",
  "x😀y😀😀",
  "\ud83d",
  "\ude00x",
  "foo bar\nfoo\r\nbar\u2028z\u2029",
  "2024-01-02 ABC 1,22,3",
  "a-1x\b\u0001",
  "\u001f{1 a{,2} uu pp",
  "ÀéÉßſSsKk\u212a µΜμ İiIẞ",
  "\\c \\8 k8 ()(",
  "/ ] } x@ \v\f",
  "abdcd aab aaab",
];

describe("what is accepted", () => {
  it.each(PATTERNS)("/%s/ finds what JavaScript finds, with every flag and from every index", (pattern) => {
    let compared = 0;
    for (const flags of ["g", "gi", "gm", "gim"]) {
      const native = new RegExp(pattern, flags);
      const found = compileLinearRegex(native);
      if (!found.ok) continue;
      compared++;
      for (const text of TEXTS)
        expect(searches(linear(native), text), `${flags} ${text}`).toEqual(searches(native, text));
    }
    expect(compared).toBeGreaterThan(1);
  });

  it("finds what JavaScript finds, for any pattern made of parts", () => {
    const part = fc.constantFrom(
      "a",
      "b",
      ".",
      "\\w",
      "\\d",
      "[ab]",
      "[^a]",
      "\\b",
      "^",
      "$",
      "\\s",
      "é",
      "😀",
      "\\n",
      "K",
      "-",
      "\\r",
    );
    const pattern = fc.letrec<{ all: string; one: string }>((tie) => ({
      one: fc.oneof(
        { weight: 5, arbitrary: part },
        tie("all").map((all) => `(${all})`),
        tie("all").map((all) => `(?:${all})`),
        fc.tuple(tie("one"), tie("all")).map(([one, all]) => `(?:${one}|(${all}))`),
      ),
      all: fc
        .array(
          fc.tuple(tie("one"), fc.constantFrom("", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{2,}", "|")),
          {
            maxLength: 4,
          },
        )
        .map((parts) =>
          parts.map(([one, times]) => (/^[\^$\\]b?$/.test(one) && times !== "|" ? one : one + times)).join(""),
        ),
    })).all;
    const text = fc.array(fc.constantFrom("a", "b", "A", "é", "É", "😀", "1", "\n", "\r", " ", "k", "\u212a", "-"), {
      maxLength: 8,
    });
    let compared = 0;
    fc.assert(
      fc.property(pattern, fc.constantFrom("g", "gi", "gm", "gim"), text, (source, flags, parts) => {
        const native = new RegExp(source, flags);
        const compiled = compileLinearRegex(native);
        if (!compiled.ok) return;
        compared++;
        expect(searches(linear(native), parts.join(""))).toEqual(searches(native, parts.join("")));
      }),
      { numRuns: 3_000 },
    );
    expect(compared).toBeGreaterThan(1_000);
  });

  it("takes anything for a text, as JavaScript does", () => {
    expect(linear(/5/g).exec(15)?.index).toBe(1);
    expect(linear(/undef/g).exec(undefined)?.[0]).toBe("undef");
  });
});

describe("what is refused", () => {
  it.each([
    [/(?=a)b/, "look-ahead"],
    [/(?!a)b/, "look-ahead"],
    [/(?<=a)b/, "look-behind"],
    [/x(?<!a)b/, "at character 2 of the regular expression"],
    [/(a)\1/, "back-references"],
    [/(?<n>a)\k<n>/, "back-references"],
    [/(a*)*/, "can match nothing"],
    [/(?:a|b?)+/, "can match nothing"],
    [/(?:\b)?a/, "can match nothing"],
    [/(?:a?){1,2}/, "can match nothing"],
    [/a{1001}/, "goes up to 1,000"],
    [/(a{100}){100}/, "goes up to 1,000"],
    [/(?:[ab]{900}){1}[cd]{900}(?:xyzuvw){700}/, "too large"],
  ])("%s, with the reason", (expression, reason) => expect(refusalOf(expression)).toContain(reason));

  it("is nothing else of that kind", () => {
    for (const expression of [
      /a\n^b/,
      /^[^\n]*\S$/,
      /^.*$/m,
      /^\s*\w+$/m,
      /(?:(a)b)*/,
      /(?:a?){3}/,
      /(?:(a)|b)+/,
      /(?:(a)?b)*/,
      /^a\n^b/m,
      /a\r?$/m,
      new RegExp("\\1(?:a)"),
    ]) {
      expect(refusalOf(expression), String(expression)).toBeUndefined();
    }
  });

  it("nests deeper, or is larger, than the limits", () => {
    const nested = (depth: number) => new RegExp(`${"(?:".repeat(depth)}a${")".repeat(depth)}`);
    expect(refusalOf(nested(GROUP_DEPTH_MAX))).toBeUndefined();
    expect(refusalOf(nested(GROUP_DEPTH_MAX + 1))).toContain(`deeper than ${GROUP_DEPTH_MAX}`);
    expect(() => refusalOf(nested(5_000))).not.toThrow();
    const twice = (outer: number) => new RegExp(`(?:a{10}){${outer}}`);
    expect(refusalOf(new RegExp(`a{${ROUNDS_MAX}}`))).toBeUndefined();
    expect(refusalOf(new RegExp(`a{${ROUNDS_MAX + 1},}`))).toContain("goes up to 1,000");
    expect(refusalOf(twice(ROUNDS_MAX / 10))).toBeUndefined();
    expect(refusalOf(twice(ROUNDS_MAX / 10 + 1))).toContain("goes up to 1,000");
    // Nothing, over and over, ends too.
    expect(refusalOf(/(?:){999999999}/)).toContain("goes up to 1,000");
    // The start, the end and one instruction for each character.
    const long = (length: number) => new RegExp("ab".repeat(length).slice(0, length));
    expect(refusalOf(long(PROGRAM_INSTRUCTIONS_MAX - 2))).toBeUndefined();
    expect(refusalOf(long(PROGRAM_INSTRUCTIONS_MAX - 1))).toContain("too large");
  });
});

describe("the work", () => {
  function workOf(expression: RegExp, text: string, searches = Infinity): number {
    let work = 0;
    const regex = linear(expression, (units) => {
      work += units;
    });
    for (let search = 0; search < searches && regex.exec(text) !== null; search++);
    return work;
  }

  it.each([
    [/(a+)+$/g, "a"],
    [/^(a|aa)+$/g, "a"],
    [/(?:(a)|(a)a|(aa)a)*[cd]/g, "a"],
    [/(.*)(.*)(.*)(.*)(.*)x!/g, "x"],
    [/(?:a|b|ab)*(?:[ab]?){20}$/g, "ab"],
    [/(\d+)(\d+)(\d+)$/g, "1"],
    [/^(\s|\S)*?$^$/g, " x"],
    [/\b(?:\w+\b ?)+$/g, "x y "],
    [/([^"]*")+?[yz]{20}/g, '"a'],
  ])("of %s grows with the text, also where backtracking would double it with each character", (expression, pump) => {
    const searched = (repeats: number) => workOf(expression, `${pump.repeat(repeats)}!`, 1);
    const small = searched(4_000);
    expect(small).toBeGreaterThan(8);
    expect(searched(40_000) / small).toBeGreaterThan(8);
    expect(searched(40_000) / small).toBeLessThan(12);
  });

  it("grows with the program, and with the groups that are copied", () => {
    const text = "a".repeat(1_000);
    const rounds = (times: number) => workOf(new RegExp(`a{1,${times}}!|!!`, "g"), `${text}!`);
    expect(rounds(200) / rounds(20)).toBeGreaterThan(7);
    const groups = (times: number) => workOf(new RegExp(`${"(a)".repeat(times)}!|!!`, "g"), `${text}!`);
    expect(groups(100) / groups(10)).toBeGreaterThan(30);
  });

  it("is little for what is not there, or can only stand at the start", () => {
    const text = "a".repeat(400_000);
    for (const expression of [/(\w+)@(\w+)/g, /^b+/g, /b{1,500}/g, /(?:a|aa)+(?:x|xx)!/g]) {
      expect(workOf(expression, text), String(expression)).toBeLessThan(1_000);
    }
  });

  it("counts what each of many searches looks at", () => {
    const once = workOf(/a[^]*b|a/g, `a${"c".repeat(2_000)}`);
    const often = workOf(/a[^]*b|a/g, "a".repeat(2_000));
    expect(often / once).toBeGreaterThan(200);
  });

  it("can be ended from outside", () => {
    const regex = linear(/(a+)+$/g, () => {
      throw new Error("enough");
    });
    expect(() => regex.exec("a".repeat(1_000))).toThrow("enough");
  });
});
