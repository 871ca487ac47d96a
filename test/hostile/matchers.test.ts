/**
 * A megabyte against every matcher takes a time linear in it. Where reads can be counted they are; elsewhere the time of a
 * value is compared with that of one four times as long, so that nothing depends on how fast the machine is.
 */
import { describe, expect, it } from "vitest";
import { parseJson } from "../../src/core/json.ts";
import { compileMatcher } from "../../src/core/matcher.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { WILDCARDS_PER_VALUE_MAX, compileWildcard, parseWildcard } from "../../src/core/wildcard.ts";

const LONG_BYTES = 1_048_576;
const SHORT_BYTES = LONG_BYTES / 4;
/** Four times the input; a quadratic time would be sixteen times as long. */
const RATIO_MAX = 9;
const MEASURABLE_MS = 4;
const TRIES = 5;

/** The least of several times: what disturbs a measurement only ever makes it longer. */
function timeOf(run: () => void, times: number): number {
  const measured = Array.from({ length: times }, () => {
    const startedAt = performance.now();
    run();
    return performance.now() - startedAt;
  });
  return Math.min(...measured);
}

/** Whether a longer input takes disproportionately longer, in every one of several tries. */
function isSlower(short: () => void, long: () => void): boolean {
  for (let tries = 1; tries <= TRIES; tries++) {
    const longMs = timeOf(long, tries);
    if (longMs < MEASURABLE_MS || longMs <= RATIO_MAX * timeOf(short, tries)) return false;
  }
  return true;
}

function matcherOf(pattern: Json) {
  const parsed = parsePattern(pattern);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return compileMatcher([parsed.value]);
}

/** Texts that are bad for one algorithm or another, of about so many bytes. */
const TEXTS: Readonly<Record<string, (bytes: number) => string>> = {
  "one letter": (bytes) => "a".repeat(bytes),
  "one letter and another end": (bytes) => `${"a".repeat(bytes)}b`,
  "two letters": (bytes) => "ab".repeat(bytes / 2),
  "runs that end alike": (bytes) => `${"a".repeat(999)}b`.repeat(bytes / 1_000),
  "letters that fold": (bytes) => "İſKẞ".repeat(bytes / 10),
  "letters of two code units": (bytes) => "𐐀😀".repeat(bytes / 8),
  "unpaired surrogates": (bytes) => "\ud800".repeat(bytes / 3),
  digits: (bytes) => "1".repeat(bytes),
  dots: (bytes) => "1.".repeat(bytes / 2),
  colons: (bytes) => "1:".repeat(bytes / 2),
  stars: (bytes) => "*\\".repeat(bytes / 2),
};

const LONG_PIECE = "a".repeat(60_000);
const WILDCARDS: readonly string[] = [
  "*a*b*c*",
  "*".concat("a*".repeat(WILDCARDS_PER_VALUE_MAX - 1)),
  `${"*a".repeat(WILDCARDS_PER_VALUE_MAX - 1)}*!`,
  `*${LONG_PIECE}!*`,
  `*!${LONG_PIECE}*`,
  `*${"a".repeat(999)}ab*`,
  `*${"ab".repeat(30_000)}!*`,
];

/** The alternatives of a field: every matcher of docs/patterns.md, and every form that one takes. */
const ALTERNATIVES: Readonly<Record<string, readonly Json[]>> = {
  value: ["a", 1, true, null],
  exactly: [{ exactly: LONG_PIECE }],
  prefix: [{ prefix: LONG_PIECE }],
  "prefix in any case": [{ prefix: { "equals-ignore-case": "ẞſK".repeat(20_000) } }],
  suffix: [{ suffix: `${LONG_PIECE}b` }],
  "equals-ignore-case": [{ "equals-ignore-case": "İſKẞ" }],
  "suffix in any case": [{ suffix: { "equals-ignore-case": `${LONG_PIECE}B` } }],
  wildcard: WILDCARDS.map((wildcard) => ({ wildcard })),
  numeric: [{ numeric: [">", 0, "<", 5] }, { numeric: ["=", 1e300] }],
  cidr: [{ cidr: "10.0.0.0/8" }, { cidr: "2001:db8::/32" }],
  exists: [{ exists: true }],
  "exists: false": [{ exists: false }],
  "anything-but": [{ "anything-but": ["a", LONG_PIECE] }, { "anything-but": [1, 2] }],
  "anything-but prefix": [{ "anything-but": { prefix: [LONG_PIECE, "a"] } }],
  "anything-but suffix": [{ "anything-but": { suffix: ["a", "b", LONG_PIECE] } }],
  "anything-but equals-ignore-case": [{ "anything-but": { "equals-ignore-case": ["A", "İſKẞ"] } }],
  "anything-but wildcard": [{ "anything-but": { wildcard: WILDCARDS } }],
};

it("the measure would find a quadratic matcher, and finds none in a linear one", () => {
  const search = (text: string, piece: string) => () => {
    for (let at = 0; at < text.length; at++) if (text.startsWith(piece, at)) return;
  };
  const quadratic = (length: number) => search("a".repeat(length), `${"a".repeat(length / 2)}b`);
  // A short run that is disturbed once makes the measure say no: it errs to that side only, so one yes of several is enough.
  const tries = Array.from({ length: TRIES }, () => () => isSlower(quadratic(6_000), quadratic(24_000)));
  expect(tries.some((attempt) => attempt())).toBe(true);
  const linear = (length: number) => () => [..."a".repeat(length)].join("");
  expect(isSlower(linear(SHORT_BYTES), linear(LONG_BYTES))).toBe(false);
});

describe.each(Object.entries(ALTERNATIVES))("the matcher %s", (_name, alternatives) => {
  it("takes a linear time for a megabyte of text", () => {
    for (const alternative of alternatives) {
      const matcher = matcherOf({ x: [alternative] });
      for (const [name, make] of Object.entries(TEXTS)) {
        const [short, long] = [make(SHORT_BYTES), make(LONG_BYTES)];
        const slower = isSlower(
          () => matcher.match({ x: short }),
          () => matcher.match({ x: long }),
        );
        expect(slower, `${JSON.stringify(alternative).slice(0, 80)} on ${name}`).toBe(false);
      }
    }
  }, 60_000);

  it("takes a linear time for a megabyte of values, side by side, nested and in objects", () => {
    const values: readonly ((bytes: number) => Json)[] = [
      (bytes) => Array.from({ length: bytes / 2 }, () => 0),
      (bytes) => Array.from({ length: bytes / 4 }, (_, at) => "ab".charAt(at % 2)),
      (bytes) => Array.from({ length: bytes / 4 }, () => [1]),
      (bytes) => Array.from({ length: bytes / 8 }, (_, at) => ({ x: at })),
      (bytes) => Array.from({ length: bytes / 5 }, () => null),
      (bytes) => Array.from({ length: bytes / 18 }, () => "10.0.0.1 and more"),
    ];
    for (const alternative of alternatives) {
      // Costs that a short value shares in belong to the longest pieces alone, and they were measured above.
      if (JSON.stringify(alternative).length > 10_000) continue;
      const matcher = matcherOf({ x: [alternative], y: { x: [{ exists: true }] } });
      for (const make of values) {
        const [short, long] = [make(SHORT_BYTES), make(LONG_BYTES)].map((x): JsonObject => ({ x, y: x })) as [
          JsonObject,
          JsonObject,
        ];
        const slower = isSlower(
          () => matcher.match(short),
          () => matcher.match(long),
        );
        expect(slower, `${JSON.stringify(alternative).slice(0, 80)} on ${JSON.stringify(make(40)).slice(0, 60)}`).toBe(
          false,
        );
      }
    }
  }, 60_000);
});

it("comparing without case takes a linear time where the pattern is as long as the value", () => {
  for (const make of Object.values(TEXTS)) {
    const compare = (bytes: number) => {
      const text = make(bytes);
      const equal = { "equals-ignore-case": `${text.slice(0, -1)}b` };
      const matcher = matcherOf({ x: [equal, { prefix: equal }, { suffix: equal }, { "anything-but": equal }] });
      return () => void matcher.match({ x: text });
    };
    expect(isSlower(compare(SHORT_BYTES), compare(LONG_BYTES)), make(40)).toBe(false);
  }
}, 30_000);

it("a wildcard reads each character of the value once at most, wherever its pieces are", () => {
  for (const written of WILDCARDS) {
    const wildcard = parseWildcard(written);
    if (!wildcard.ok) throw new Error(wildcard.error);
    const meets = compileWildcard(wildcard.value);
    for (const make of Object.values(TEXTS)) {
      const text = make(SHORT_BYTES);
      let reads = 0;
      const counted = {
        length: text.length,
        startsWith: (start: string) => text.startsWith(start),
        endsWith: (end: string) => text.endsWith(end),
        charCodeAt: (at: number) => {
          reads += 1;
          return text.charCodeAt(at);
        },
      };
      expect(meets(counted as unknown as string)).toBe(meets(text));
      expect(reads).toBeLessThanOrEqual(text.length);
    }
  }
});

describe("several fields in the elements of arrays", () => {
  const names = Array.from({ length: 8 }, (_, at) => `f${at}`);
  const pick = (at: number, index: number) => (at * 7 + index * 13) % 5;

  it.each([
    ["that must be there", [1]],
    ["that may be absent", [1, { exists: false }]],
  ] as const)(
    "%s take a linear time",
    (_name, alternatives) => {
      const matcher = matcherOf({ a: { b: Object.fromEntries(names.map((name) => [name, alternatives])) } });
      const view = (elements: number): JsonObject => {
        const list = (from: number) =>
          Array.from({ length: elements }, (_, at) =>
            Object.fromEntries(names.flatMap((name, index) => [[name, pick(at + from, index)]])),
          );
        // The same paths in two arrays, by a name with a dot in it: choices of one go with choices of the other.
        return { a: { b: list(0) }, "a.b": list(3) };
      };
      const [short, long] = [view(1_500), view(6_000)];
      expect(JSON.stringify(long).length).toBeGreaterThan(LONG_BYTES / 2);
      const slower = isSlower(
        () => matcher.match(short),
        () => matcher.match(long),
      );
      expect(slower).toBe(false);
    },
    30_000,
  );

  it("under every `$or` a pattern may have take a linear time", () => {
    const branches = Array.from({ length: 500 }, (_, at) => ({ x: [{ suffix: `${at}!` }], y: [at] }));
    const matcher = matcherOf({ $or: branches });
    const view = (bytes: number): JsonObject => ({
      x: "1".repeat(bytes),
      y: Array.from({ length: bytes / 200 }, () => -1),
    });
    const [short, long] = [view(SHORT_BYTES), view(LONG_BYTES)];
    expect(
      isSlower(
        () => matcher.match(short),
        () => matcher.match(long),
      ),
    ).toBe(false);
  }, 30_000);
});

it("a megabyte of names, plain and with dots, takes a linear time to read", () => {
  const matcher = matcherOf({ a: { a: { a: { a: [1] } } } });
  const views: readonly ((bytes: number) => string)[] = [
    (bytes) => `{"a":{${Array.from({ length: bytes / 12 }, (_, at) => `"a.${at}":1`).join(",")}}}`,
    (bytes) => `{"${"a.".repeat(bytes / 2)}a":1}`,
    (bytes) => `{"${".".repeat(bytes)}":1}`,
    (bytes) => `{${Array.from({ length: bytes / 14 }, (_, at) => `"m${at}":{}`).join(",")}}`,
  ];
  for (const make of views) {
    const [short, long] = [make(SHORT_BYTES), make(LONG_BYTES)];
    const read = (text: string) => () => {
      const parsed = parseJson(text);
      if (!parsed.ok) throw new Error(parsed.error.reason);
      matcher.match(parsed.value as JsonObject);
    };
    expect(isSlower(read(short), read(long)), make(40)).toBe(false);
  }
}, 30_000);
