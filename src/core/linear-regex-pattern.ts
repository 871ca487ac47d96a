/**
 * Rewrites a JavaScript regular expression (flags g, i and m, as JSONata knows them) in the syntax of RE2, so that it finds
 * exactly what JavaScript would find: ECMA-262, section 22.2 and annex B.1.2. Every set of characters is spelt out in code
 * units; what RE2 can't do, or would do otherwise than JavaScript, is refused.
 */
import type { CodeUnits } from "./code-units.ts";
import {
  DIGITS,
  LINE_ENDS,
  SPACE,
  WORD,
  hasUnit,
  ignoringCase,
  otherUnits,
  unitsOf,
  unitsOfText,
} from "./code-units.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** How deep groups may stand in one another; RE2 has a limit of its own, 1,000. */
export const GROUP_DEPTH_MAX = 100;

/**
 * Low surrogates are searched for as code points of their own, so that RE2 never takes two units for one character; the text
 * is moved the same way. No text has these code points otherwise.
 */
export const LOW_SURROGATE_SHIFT = 0x10000;
const FIRST_SURROGATE = 0xd800;
const FIRST_LOW_SURROGATE = 0xdc00;
const LAST_SURROGATE = 0xdfff;
const BEYOND_TEXT = "\\x{10FFFF}";

export interface LinearPattern {
  readonly text: string;
  readonly groupCount: number;
  /** With the flag m, `^` and `$` stand at all four line ends of JavaScript; RE2 knows \n, so the others have to look like it. */
  readonly lineEndsAlike: boolean;
}

/** What a part of the pattern is like, besides its RE2 text. */
interface Part {
  readonly text: string;
  readonly canBeEmpty: boolean;
  /** `maybe` when a match can leave one of its groups out. */
  readonly groups: "none" | "always" | "maybe";
}

const ANCHOR: Omit<Part, "text"> = { canBeEmpty: true, groups: "none" };

function refuse(what: string, at: number): never {
  const refused = `${what}, at character ${at + 1} of the regular expression`;
  throw Object.assign(new Error(refused), { refused });
}

/** The error is a sentence without its stop. `source` is a valid pattern: `RegExp` has read it. */
export function linearPattern(expression: RegExp): Result<LinearPattern, string> {
  try {
    return ok(translate(expression));
  } catch (error) {
    if (error instanceof Error && Object.hasOwn(error, "refused")) return err(error.message);
    throw error;
  }
}

function translate({ source, ignoreCase, multiline }: RegExp): LinearPattern {
  const groupCount = countGroups(source);
  const hasNames = /\(\?<[^=!]/.test(source);
  let at = 0;
  let lineAnchor = -1;
  let tellsLineEndsApart = -1;

  const setOf = (units: CodeUnits, start: number, negated = false): Part => {
    const cased = ignoreCase ? ignoringCase(units) : units;
    const ends = LINE_ENDS.flatMap(([first, last]) => [first, last]).filter((unit) => hasUnit(cased, unit));
    if (ends.length > 0 && ends.length < 2 * LINE_ENDS.length && tellsLineEndsApart < 0) tellsLineEndsApart = start;
    return { text: spell(negated ? otherUnits(cased) : cased), canBeEmpty: false, groups: "none" };
  };
  const unit = (code: number, start: number): Part => setOf(unitsOf([code, code]), start);

  const alternatives = (depth: number): Part => {
    if (depth > GROUP_DEPTH_MAX) refuse(`groups nest deeper than ${GROUP_DEPTH_MAX}`, at);
    const found = [sequence(depth)];
    while (source[at] === "|") {
      at++;
      found.push(sequence(depth));
    }
    if (found.length === 1) return found[0] as Part;
    return {
      text: found.map(({ text }) => text).join("|"),
      canBeEmpty: found.some(({ canBeEmpty }) => canBeEmpty),
      groups: found.every(({ groups }) => groups === "none") ? "none" : "maybe",
    };
  };

  const sequence = (depth: number): Part => {
    const found: Part[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") found.push(repeated(depth));
    return {
      text: found.map(({ text }) => text).join(""),
      canBeEmpty: found.every(({ canBeEmpty }) => canBeEmpty),
      groups: (["maybe", "always"] as const).find((how) => found.some(({ groups }) => groups === how)) ?? "none",
    };
  };

  const repeated = (depth: number): Part => {
    const part = atom(depth);
    const start = at;
    const written = /^(?:[*+?]|\{(\d{1,18})(,?)(\d{0,18})\})/.exec(source.slice(at, at + 40));
    // `{,5}` and `{x` are text.
    if (written === null) return part;
    const [text, least, comma, most] = written;
    at += text.length;
    const min = text === "*" || text === "?" ? 0 : text === "+" ? 1 : Number(least);
    const max =
      text === "?" ? 1 : least === undefined || (comma !== "" && most === "") ? Infinity : Number(most || least);
    if (part.canBeEmpty && min !== max) {
      refuse(`${text} stands behind a part that can match nothing, which engines understand differently`, start);
    }
    if (max > 1 && part.groups === "maybe") {
      refuse(`${text} repeats a group that not every round needs; make it (?:…)`, start);
    }
    const lazy = source[at] === "?" ? "?" : "";
    at += lazy.length;
    return {
      text: `${part.text}${text}${lazy}`,
      canBeEmpty: part.canBeEmpty || min === 0,
      groups: min === 0 && part.groups === "always" ? "maybe" : part.groups,
    };
  };

  const atom = (depth: number): Part => {
    const start = at;
    const char = source[at++] as string;
    if (char === "(") return group(start, depth);
    if (char === "[") return charClass(start);
    if (char === "\\") return escape(start);
    if (char === ".") return setOf(LINE_ENDS, start, true);
    if (char === "^" || char === "$") {
      if (!multiline) return { ...ANCHOR, text: char === "^" ? "\\A" : "\\z" };
      if (lineAnchor < 0) lineAnchor = start;
      return { ...ANCHOR, text: `(?m:${char})` };
    }
    return unit(char.charCodeAt(0), start);
  };

  const group = (start: number, depth: number): Part => {
    const opening = /^\?(?:<([^=!][^>]*)>|<?[=!]|:|[a-z-]*:)/.exec(source.slice(at))?.[0] ?? "";
    if (/^\?<?[=!]/.test(opening)) refuse("there is no look-ahead and no look-behind in linear time", start);
    if (opening.endsWith(":") && opening !== "?:") refuse("there are no flags inside the pattern", start);
    at += opening.length;
    const inner = alternatives(depth + 1);
    at++;
    if (opening === "?:") return { ...inner, text: `(?:${inner.text})` };
    return { ...inner, text: `(${inner.text})`, groups: inner.groups === "maybe" ? "maybe" : "always" };
  };

  const escape = (start: number): Part => {
    const char = source[at] as string;
    if (char === "b" || char === "B") {
      at++;
      return { ...ANCHOR, text: `\\${char}` };
    }
    if (char === "k" && hasNames) refuse("there are no back-references in linear time", start);
    const number = Number(/^[1-9]\d*/.exec(source.slice(at, at + 5))?.[0] ?? "0");
    if (number > 0 && number <= groupCount) refuse("there are no back-references in linear time", start);
    const [units] = escapedUnits(false);
    return setOf(units, start);
  };

  /** What the escape at `at` stands for, and whether it is one unit. Leaves `at` behind it. */
  const escapedUnits = (inClass: boolean): readonly [units: CodeUnits, isOne: boolean] => {
    const char = source[at++] as string;
    const set = SETS[char];
    if (set !== undefined) return [set, false];
    return [unitsOfText(String.fromCharCode(escapedUnit(char, inClass))), true];
  };

  const escapedUnit = (char: string, inClass: boolean): number => {
    const control = "tnvfr".indexOf(char);
    if (control >= 0) return "\t\n\v\f\r".charCodeAt(control);
    if (inClass && char === "b") return 0x08;
    const rest = source.slice(at, at + 4);
    const hex = char === "x" ? /^[\da-f]{2}/i.exec(rest) : char === "u" ? /^[\da-f]{4}/i.exec(rest) : null;
    if (hex !== null) {
      at += hex[0].length;
      return Number.parseInt(hex[0], 16);
    }
    if (char === "c") {
      if ((inClass ? /^\w/ : /^[a-z]/i).test(rest)) return source.charCodeAt(at++) % 32;
      at--;
      return 0x5c;
    }
    const octal = /^(?:[0-3][0-7]{0,2}|[4-7][0-7]?)/.exec(char + rest);
    if (octal === null) return char.charCodeAt(0);
    at += octal[0].length - 1;
    return Number.parseInt(octal[0], 8);
  };

  const charClass = (start: number): Part => {
    const negated = source[at] === "^";
    if (negated) at++;
    const ranges: (readonly [number, number])[] = [];
    while (source[at] !== "]") {
      const [units, isOne] = classAtom();
      const isRange = source[at] === "-" && source[at + 1] !== "]";
      if (!isRange) {
        ranges.push(...units);
        continue;
      }
      at++;
      const [last, lastIsOne] = classAtom();
      if (isOne && lastIsOne) ranges.push([units[0]?.[0] ?? 0, last[0]?.[0] ?? 0]);
      else ranges.push(...units, [0x2d, 0x2d], ...last);
    }
    at++;
    return setOf(unitsOf(...ranges), start, negated);
  };

  const classAtom = (): readonly [units: CodeUnits, isOne: boolean] => {
    const char = source[at++] as string;
    return char === "\\" ? escapedUnits(true) : [unitsOfText(char), true];
  };

  const { text } = alternatives(0);
  if (lineAnchor >= 0 && tellsLineEndsApart >= 0) {
    refuse(
      "with the flag m, ^ and $ can't stand beside \\n or \\r; $ stands before \\r\\n by itself",
      tellsLineEndsApart,
    );
  }
  return { text, groupCount, lineEndsAlike: lineAnchor >= 0 };
}

const SETS: Readonly<Record<string, CodeUnits>> = Object.assign(Object.create(null) as object, {
  d: DIGITS,
  D: otherUnits(DIGITS),
  s: SPACE,
  S: otherUnits(SPACE),
  w: WORD,
  W: otherUnits(WORD),
});

/** Every `(` that is a group with a number. */
function countGroups(source: string): number {
  return [...source.matchAll(/\\[^]|\[(?:\\[^]|[^\]\\])*\]|(\((?!\?)|\(\?<(?![=!]))/g)].filter(
    ([, group]) => group !== undefined,
  ).length;
}

/** The set as RE2 reads it. */
function spell(units: CodeUnits): string {
  if (units.length === 0) return "[^\\x{0}-\\x{10FFFF}]";
  const ranges = units.flatMap(([first, last]) => splitAtSurrogates(first, last));
  const [only] = ranges;
  const isOne = ranges.length === 1 && only !== undefined && only[0] === only[1];
  if (isOne && (only[0] < FIRST_SURROGATE || (only[0] > LAST_SURROGATE && only[0] <= 0xffff))) return hex(only[0]);
  // RE2 looks for text that must be there with indexOf, which must not see the moved surrogates: a set is no text.
  const beyond = isOne ? BEYOND_TEXT : "";
  return `[${ranges.map(([first, last]) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`)).join("")}${beyond}]`;
}

function splitAtSurrogates(first: number, last: number): readonly (readonly [number, number])[] {
  const low: readonly [number, number] = [Math.max(first, FIRST_LOW_SURROGATE), Math.min(last, LAST_SURROGATE)];
  if (low[0] > low[1]) return [[first, last]];
  const parts: (readonly [number, number])[] = [[low[0] + LOW_SURROGATE_SHIFT, low[1] + LOW_SURROGATE_SHIFT]];
  if (first < low[0]) parts.unshift([first, low[0] - 1]);
  if (last > low[1]) parts.push([low[1] + 1, last]);
  return parts;
}

function hex(code: number): string {
  return `\\x{${code.toString(16)}}`;
}
