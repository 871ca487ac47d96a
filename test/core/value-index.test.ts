/** The indexes of values: each finds just what testing every condition finds, and the limits of each change nothing of it. */
import { describe, expect, it } from "vitest";
import { AFFIX_UNITS_MAX } from "../../src/core/affix-index.ts";
import type { Scalar, ValueCondition } from "../../src/core/alternative.ts";
import { foldCase } from "../../src/core/case-folding.ts";
import { conditionKey } from "../../src/core/filing.ts";
import { hashedUnit } from "../../src/core/hashed-unit.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import { TABLE_CELLS_MAX } from "../../src/core/piece-index.ts";
import type { Json } from "../../src/core/result.ts";
import { addCondition, createValueIndex, findValue } from "../../src/core/value-index.ts";
import { compileCondition } from "../../src/core/value-test.ts";
import { TRIED_UNITS_MAX } from "../../src/core/wildcard-units.ts";
import { WINDOW_UNITS_MAX, WINDOW_UNITS_MIN } from "../../src/core/window-index.ts";

function conditionsOf(alternatives: readonly Json[]): readonly ValueCondition[] {
  return alternatives.map((alternative) => {
    const pattern = parsePattern({ x: [alternative] });
    if (!pattern.ok) throw new Error(JSON.stringify(pattern.error));
    return pattern.value.branches[0]?.[0]?.alternatives[0] as ValueCondition;
  });
}

/** For each value, the numbers of the conditions that the index finds. */
function found(alternatives: readonly Json[], values: readonly Scalar[]): readonly (readonly number[])[] {
  const index = createValueIndex();
  for (const [number, condition] of conditionsOf(alternatives).entries()) {
    addCondition(index, condition, conditionKey(condition), number);
  }
  return values.map((value) => {
    const hits: number[] = [];
    findValue(index, value, (target) => hits.push(target));
    return hits.toSorted((a, b) => a - b);
  });
}

/** The same, by trying every condition. */
function met(alternatives: readonly Json[], values: readonly Scalar[]): readonly (readonly number[])[] {
  const tests = conditionsOf(alternatives).map(compileCondition);
  return values.map((value) => tests.flatMap((test, number) => (test(value) ? [number] : [])));
}

const ignoringCase = (text: string) => ({ "equals-ignore-case": text });

describe("an index of values", () => {
  it("finds nothing where nothing was added", () => {
    findValue(createValueIndex(), "a", () => expect.fail("there is nothing to hit"));
  });

  it("finds a condition for each target that was added with it", () => {
    const [condition] = conditionsOf([{ prefix: "a" }]);
    const index = createValueIndex();
    for (const target of [3, ~4, 5]) addCondition(index, condition as ValueCondition, "pa", target);
    const hits: number[] = [];
    findValue(index, "abc", (target) => hits.push(target));
    expect(hits).toEqual([3, ~4, 5]);
  });

  it("takes conditions when it has been asked already", () => {
    const [first, second] = conditionsOf([{ suffix: "a" }, { suffix: "ba" }]);
    const index = createValueIndex();
    const hits: number[] = [];
    const find = () => findValue(index, "cba", (target) => hits.push(target));
    addCondition(index, first as ValueCondition, "1", 1);
    find();
    addCondition(index, second as ValueCondition, "2", 2);
    find();
    expect(hits).toEqual([1, 1, 2]);
  });
});

describe("prefixes and suffixes", () => {
  it("are told apart beyond the units that are hashed, and at them", () => {
    const lengths = [AFFIX_UNITS_MAX - 1, AFFIX_UNITS_MAX, AFFIX_UNITS_MAX + 1, 3 * AFFIX_UNITS_MAX];
    const texts = lengths.flatMap((length) => [
      "a".repeat(length),
      `${"a".repeat(length - 1)}b`,
      `b${"a".repeat(length)}`,
    ]);
    const affixes = [...texts.map((prefix) => ({ prefix })), ...texts.map((suffix) => ({ suffix }))];
    const hits = found(affixes, texts);
    expect(hits).toEqual(met(affixes, texts));
    expect(hits.every((each) => each.length > 1)).toBe(true);
  });

  it("of every length up to forty are found in one text", () => {
    const text = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop";
    const lengths = Array.from({ length: 41 }, (_, length) => length);
    const prefixes = lengths.map((length) => ({ prefix: text.slice(0, length) }));
    const suffixes = lengths.map((length) => ({
      suffix: ignoringCase(text.slice(text.length - length).toUpperCase()),
    }));
    const affixes = [...prefixes, ...suffixes];
    const values = [text, text.slice(0, 20), `${text}!`, ""];
    expect(found(affixes, values)).toEqual(met(affixes, values));
    expect(found(affixes, values).map(({ length }) => length)).toEqual([82, 22, 42, 2]);
  });

  it("of which more than may share a hash differ at one place only are found all the same", () => {
    const texts = Array.from({ length: 400 }, (_, number) => {
      const at = number % 40;
      return `${"-".repeat(at)}${String.fromCharCode(0x61 + Math.floor(number / 40))}${"-".repeat(40 - at)}`;
    });
    const conditions = [...texts, ...texts.map((text) => ({ prefix: text.slice(0, 30) }))];
    expect(found(conditions, texts)).toEqual(met(conditions, texts));
  });

  it("that are equal to texts of as many units as are hashed, and of more, are found as whole texts only", () => {
    const texts = [AFFIX_UNITS_MAX - 1, AFFIX_UNITS_MAX, AFFIX_UNITS_MAX + 1].map((length) =>
      "Ab".repeat(length).slice(0, length),
    );
    const wholes = texts.flatMap((text) => [text, { wildcard: text }, ignoringCase(text.toLowerCase())]);
    const values = [...texts, ...texts.map((text) => `${text}A`), ...texts.map((text) => text.toUpperCase())];
    expect(found(wholes, values)).toEqual(met(wholes, values));
  });

  it("are hashed alike where they fold alike, whatever folds to ASCII", () => {
    const odd = Array.from({ length: 0x1_00_00 }, (_, unit) => unit).filter((unit) => {
      return hashedUnit(unit) !== hashedUnit(foldCase(String.fromCharCode(unit)).charCodeAt(0));
    });
    expect(odd).toEqual([]);
  });

  it("are found without regard to case, halves of surrogate pairs included", () => {
    const texts = ["K", "\u212a", "straſſe", "STRASSE", "𐐀", "𐐨", "\ud801", "\udc00", "\udc28", "x𐐀", "𐐨x"];
    const folded = texts.flatMap((text) => {
      return [ignoringCase(text), { prefix: ignoringCase(text) }, { suffix: ignoringCase(text) }];
    });
    expect(found(folded, texts)).toEqual(met(folded, texts));
  });
});

describe("wildcards", () => {
  it("are found by pieces that overlap, stand in one another and come again", () => {
    const pieces = ["ab", "abab", "babb", "b", "bb", "abba", "aaab", "ba", "aa"];
    const wildcards = [...pieces.map((piece) => `*${piece}*`), "a*b", "*a*b*a*", "*", "*abab*bb*", "ab*"];
    const values = Array.from({ length: 300 }, (_, number) =>
      number.toString(2).replaceAll("0", "a").replaceAll("1", "b"),
    );
    const conditions = wildcards.map((wildcard) => ({ wildcard }));
    expect(found(conditions, values)).toEqual(met(conditions, values));
  });

  it("without ASCII share classes of the table, and are told apart", () => {
    const letters = ["é", "\u0129", "ĩ", "𐐀", "日", "本", "\u65a5"];
    const conditions = letters.map((letter) => ({ wildcard: `*a${letter}*` }));
    const values = letters.map((letter) => `xa${letter}y`);
    expect(found(conditions, values)).toEqual(met(conditions, values));
  });

  it("whose pieces are more than the table has room for are looked for by parts of them", () => {
    const digits = Array.from({ length: 60 }, (_, digit) => String.fromCharCode(0x30 + digit)).filter(
      (d) => d !== "\\",
    );
    const pieces = Array.from({ length: 13_000 }, (_, number) => {
      return [number % 59, Math.floor(number / 59) % 59, Math.floor(number / 3_481)]
        .map((digit) => digits[digit])
        .join("");
    });
    expect(pieces.every(({ length }) => length < WINDOW_UNITS_MIN)).toBe(true);
    expect(pieces.join("").length * digits.length).toBeGreaterThan(TABLE_CELLS_MAX);
    const index = createValueIndex();
    for (const [number, condition] of conditionsOf(pieces.map((piece) => ({ wildcard: `*${piece}*` }))).entries()) {
      addCondition(index, condition, String(number), number);
    }
    for (const number of [0, 1, 70, 4_000, 12_999]) {
      const hits: number[] = [];
      const text = `!${pieces[number]}!${pieces[number]}`;
      findValue(index, text, (target) => hits.push(target));
      expect(hits).toEqual([number]);
    }
  });

  it("of many long pieces are found, and no others", () => {
    const unit = (number: number) =>
      String.fromCharCode(0x21 + (number % 9), 0x30 + (number % 71), 0x40 + (number % 53));
    const pieces = Array.from(
      { length: 9_000 },
      (_, number) => `${unit(number)}${unit(number * 7)}-${unit(number * 31)}-${number}`,
    );
    const escaped = pieces.map((piece) => ({ wildcard: `*${piece.replaceAll(/[\\*]/g, (each) => `\\${each}`)}*` }));
    const index = createValueIndex();
    for (const [number, condition] of conditionsOf(escaped).entries()) {
      addCondition(index, condition, String(number), number);
    }
    for (const number of [0, 1, 70, 4_000, 8_999]) {
      const hits: number[] = [];
      findValue(index, `before ${pieces[number]} after ${pieces[number]}`, (target) => hits.push(target));
      expect(hits).toContain(number);
      expect(hits.every((target) => pieces[number]?.startsWith(pieces[target] as string))).toBe(true);
    }
  });

  it("are found whether their pieces are as long as a window has to be and may be, or one unit shorter or longer", () => {
    const text = "abcdefghijklmnopqrstuvwxyz";
    const lengths = [WINDOW_UNITS_MIN, WINDOW_UNITS_MAX].flatMap((length) => [length - 1, length, length + 1]);
    const pieces = lengths.flatMap((length) => [0, 3, 26 - length].map((from) => text.slice(from, from + length)));
    const values = [
      text,
      ...pieces,
      ...pieces.map((piece) => piece.slice(1)),
      text.repeat(2),
      `abcdabcdeabcdef${text}`,
    ];
    const single = pieces.map((piece) => ({ wildcard: `*${piece}*` }));
    for (const wildcard of single) expect(found([wildcard], values)).toEqual(met([wildcard], values));
    expect(found(single, values)).toEqual(met(single, values));
  });

  it("are found in texts as long as are compared unit by unit, and one unit longer, wherever their pieces stand", () => {
    const conditions = [
      "*abcd*",
      "*abcd*ef*",
      "*e*abcd*e*",
      "a*abcd*",
      "*abcd*z",
      `*abcd*${"x".repeat(140)}*`,
      "*e*abcd*z",
      "*abcd*cd",
    ];
    const values = [TRIED_UNITS_MAX - 1, TRIED_UNITS_MAX, TRIED_UNITS_MAX + 1, 2 * TRIED_UNITS_MAX].flatMap((length) =>
      [0, 1, 7, length - 8, length - 4].flatMap((at) => {
        const text = `${"x".repeat(at)}abcd${"x".repeat(length - at - 4)}`;
        return [
          text,
          `eaa${text.slice(3, -3)}efz`,
          `${text.slice(0, -3)}efz`,
          `eaa${text.slice(3)}`,
          text.replace("abcd", "abce"),
        ];
      }),
    );
    const wildcards = conditions.map((wildcard) => ({ wildcard }));
    expect(found(wildcards, values)).toEqual(met(wildcards, values));
    expect(found(wildcards, values).filter(({ length }) => length > 0).length).toBeGreaterThan(20);
  });
});

describe("numbers", () => {
  it("are found in ranges that touch, lie in one another, and have no end", () => {
    const bounds = [-1e308, -1, -0, 0, 0.1, 1, 2, 3, 1e308];
    const ranges = bounds.flatMap((low, at) => [
      ...["=", ">", ">=", "<", "<="].map((operator) => [operator, low]),
      ...bounds.slice(at + 1).flatMap((high) =>
        low < high
          ? [
              [">", low, "<", high],
              [">=", low, "<=", high],
            ]
          : [],
      ),
    ]);
    const values = [
      ...bounds,
      -2,
      -0.5,
      0.05,
      1.5,
      2.5,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      5e-324,
      "1",
      null,
    ];
    const conditions = ranges.map((numeric) => ({ numeric }));
    expect(found(conditions, values)).toEqual(met(conditions, values));
  });
});

describe("numbers in ranges", () => {
  it("are found however unevenly the bounds lie", () => {
    for (const bounds of [
      [7],
      [0, 1, 2, 3, 1e300],
      [-1.7e308, 0, 5e-324, 1.7e308],
      [1, 1 + 2 ** -52, 1 + 2 ** -51],
      Array.from({ length: 3_000 }, (_, at) => at ** 3),
    ]) {
      const ranges = bounds.flatMap((low, at) => [
        { numeric: [">=", low] },
        { numeric: ["<", low] },
        ...(at + 1 < bounds.length ? [{ numeric: [">", low, "<=", bounds[at + 1] as number] }] : []),
      ]);
      const conditions = ranges.length > 100 ? ranges.filter((_, at) => at % 3 === 2) : ranges;
      const near = bounds.slice(0, 50).flatMap((bound) => [bound, bound - 0.5, bound * (1 + 2 ** -52)]);
      const values = [...near, bounds.at(-1) as number, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0];
      expect(found(conditions, values)).toEqual(met(conditions, values));
    }
  });

  it("equal to one of many are told from others with the same last bits", () => {
    const numbers = Array.from({ length: 600 }, (_, at) => (at % 2 === 0 ? at * 8_192 : at / 3));
    const values = [...numbers, ...numbers.map((number) => number + 4_096), 0.1, -1, true, null, "0"];
    const conditions = [...numbers, true, null];
    expect(found(conditions, values)).toEqual(met(conditions, values));
  });
});

describe("addresses", () => {
  it("are found in blocks of every length, of their own family", () => {
    const ofIpv4 = Array.from({ length: 33 }, (_, bits) => ({ cidr: `170.85.170.85/${bits}` }));
    const ofIpv6 = Array.from({ length: 129 }, (_, bits) => ({
      cidr: `aaaa:5555:aaaa:5555:aaaa:5555:aaaa:5555/${bits}`,
    }));
    const near = Array.from({ length: 32 }, (_, bit) => {
      const address = (0xaa_55_aa_55 ^ (1 << bit)) >>> 0;
      return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
    });
    const blocks = [...ofIpv4, ...ofIpv6];
    const values = ["170.85.170.85", ...near, "aaaa:5555:aaaa:5555:AAAA:5555:aaaa:5555", "aaaa::", "::", "1.2.3"];
    const hits = found(blocks, values);
    expect(hits).toEqual(met(blocks, values));
    expect(hits.map(({ length }) => length)).toEqual([33, ...near.map((_, bit) => 32 - bit), 129, 18, 1, 0]);
  });
});
