/**
 * Every regular expression in src/ takes a time linear in its input. They are collected from the source text; the attacks are
 * made of strings that the expression itself matches, a part of them repeated, and an end that doesn't fit.
 */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url).href);

interface Found {
  readonly file: string;
  readonly expression: RegExp;
}

/** The literals of a TypeScript file: a slash that stands where a value may begin. */
function literalsOf(file: string, text: string): readonly Found[] {
  const found: Found[] = [];
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|(?<=[(,=:[!&|?{};>\n]\s*|return )\/((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([a-z]*)/g;
  for (const [, source, flags] of text.matchAll(token)) {
    if (source !== undefined) found.push({ file, expression: new RegExp(source, flags) });
  }
  return found;
}

function constantsIn(text: string): readonly (readonly [name: string, value: string])[] {
  const written = text.matchAll(/const ([A-Z_]+) = (?:String\.raw)?[`"]?([^\n]*?)[`"]?;/g);
  return [...written].map(([, name = "", value = ""]) => [name, value]);
}

/** The expressions that a file puts together from text, its own constants and those that others export. */
function madeIn(file: string, text: string): readonly Found[] {
  const constants = new Map([...exported, ...constantsIn(text)]);
  const made = text.matchAll(/new RegExp\(\s*(String\.raw)?`([^`]*)`(?:, "([a-z]*)")?,?\s*\)/g);
  return [...made].map(([, raw, written = "", flags]) => {
    const source = raw === undefined ? written.replaceAll("\\\\", "\\") : written;
    const whole = source.replaceAll(/\$\{([A-Z_]+)\}/g, (_, name: string) => constants.get(name) ?? "missing");
    return { file, expression: new RegExp(whole, flags) };
  });
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const texts = files.map((file) => ({ file, text: readFileSync(SRC + file, "utf8") }));
const exported = texts.flatMap(({ text }) => constantsIn(text.replaceAll(/^const .*$/gm, "")));
const literals = texts.flatMap(({ file, text }) => literalsOf(file, text));
const made = texts.flatMap(({ file, text }) => madeIn(file, text));

const SAMPLES = 4;
const SAMPLE_CHARACTERS_MAX = 24;
const PUMP_CHARACTERS_MAX = 3;
const ENDS = ["\u0000", "!"];

/** Characters that an expression may be about. */
function lettersOf({ source }: RegExp): readonly string[] {
  const named = [...source].filter((letter) => !"\\()[]{}^$|?*+".includes(letter));
  return [...new Set([...named, "a", "A", "0", " ", "\t", ".", "-", '"', "/", "\\", "é"])].slice(0, 20);
}

function matchesOf(expression: RegExp): readonly string[] {
  // What repeats nothing has nothing to be pumped; and fast-check never ends on classes of code points in hexadecimal.
  if (!/[*+{]/.test(expression.source) || /\\[xu]/.test(expression.source)) return [];
  try {
    const flags = expression.flags.replaceAll(/[gy]/g, "");
    return fc.sample(fc.stringMatching(new RegExp(expression.source, flags)), { seed: 7, numRuns: SAMPLES });
  } catch {
    // fast-check can't read every expression; its letters are tried all the same.
    return [];
  }
}

interface Attack {
  readonly head: string;
  readonly pump: string;
}

function attacksOn(expression: RegExp): readonly Attack[] {
  const attacks = new Map<string, Attack>();
  const add = (head: string, pump: string) => attacks.set(`${head}\n${pump}`, { head, pump });
  for (const a of lettersOf(expression)) {
    add("", a);
    for (const b of [".", "a", ";"]) add("", a + b);
  }
  for (const match of matchesOf(expression)) {
    const text = match.slice(0, SAMPLE_CHARACTERS_MAX);
    for (let at = 0; at < text.length; at++) {
      for (let length = 1; length <= PUMP_CHARACTERS_MAX; length++) {
        add(text.slice(0, at), text.slice(at, at + length));
      }
    }
  }
  return [...attacks.values()];
}

function timeOf(expression: RegExp, text: string): number {
  const startedAt = performance.now();
  expression.lastIndex = 0;
  expression.test(text);
  return performance.now() - startedAt;
}

function bestOf(times: number, measure: () => number): number {
  return Math.min(...Array.from({ length: times }, measure));
}

const MEASURABLE_MS = 3;

/** The first attack that takes more than a linear time, or undefined. Only what is slow enough to measure is compared. */
function findSlow(expression: RegExp): string | undefined {
  for (const { head, pump } of attacksOn(expression)) {
    for (const end of ENDS) {
      const attack = (repeats: number) => head + pump.repeat(repeats) + end;
      const shown = JSON.stringify(`${head}(${pump})*${end}`);
      // What grows exponentially must not get as far as the long texts.
      for (let repeats = 4; repeats <= 24; repeats += 5) {
        if (timeOf(expression, attack(repeats)) < 5) continue;
        if (bestOf(3, () => timeOf(expression, attack(repeats))) > 5) return shown;
      }
      if (timeOf(expression, attack(3_000)) < MEASURABLE_MS) continue;
      const short = bestOf(3, () => timeOf(expression, attack(3_000)));
      if (short < MEASURABLE_MS) continue;
      if (bestOf(3, () => timeOf(expression, attack(12_000))) > 10 * short) return shown;
    }
  }
  return undefined;
}

it("the literals are found, and so are the expressions that are put together", () => {
  const text = (file: string) =>
    literals.filter((each) => each.file === file).map(({ expression }) => expression.source);
  expect(literals.length).toBeGreaterThan(55);
  expect(text("core/receipt.ts")).toHaveLength(2);
  expect(text("targets/_url-entry.ts").length).toBeGreaterThanOrEqual(6);
  // Each use of a literal that a plain search sees is among them.
  for (const { file, text } of texts) {
    const uses = text
      .split("\n")
      .filter((line) => /[^/]\/[a-z]*\.(?:test|exec)\(/.test(line) && !/^\s*(?:\/?\*|\/\/)/.test(line));
    expect(literals.filter((each) => each.file === file).length, file).toBeGreaterThanOrEqual(uses.length);
  }
  const constructions = texts.map(({ text }) => text.split("new RegExp(").length - 1);
  expect(made).toHaveLength(constructions.reduce((sum, each) => sum + each, 0));
  expect(made.filter(({ expression }) => expression.source.includes("missing"))).toEqual([]);
});

it.each([/(?:a+)+$/, /(?:\w|\d)*!!/, /\s+$/, /\b[a-z][a-z0-9+.-]*:\/\//])("the search would find %s", (planted) => {
  expect(findSlow(planted)).toBeDefined();
});

describe("in linear time", () => {
  it.each([...literals, ...made].map(({ file, expression }) => [file, expression] as const))(
    "%s %s",
    (_file, expression) => {
      expect(findSlow(expression)).toBeUndefined();
    },
  );
});
