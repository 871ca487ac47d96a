/**
 * Reads a JavaScript regular expression (flags g, i and m, as JSONata knows them) into a tree: ECMA-262, section 22.2 and annex
 * B.1.2. Every set of characters is spelt out in code units; what can't be searched for in linear time is refused.
 */
import type { CodeUnits } from "./code-units.ts";
import { DIGITS, LINE_ENDS, SPACE, WORD, ignoringCase, otherUnits, unitsOf, unitsOfText } from "./code-units.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** How deep groups may stand in one another. */
export const GROUP_DEPTH_MAX = 100;

/** A place between two characters. */
export type Edge = "text-start" | "text-end" | "line-start" | "line-end" | "word-edge" | "no-word-edge";

export type RegexPart = { readonly canBeEmpty: boolean } & (
  | { readonly kind: "set"; readonly units: CodeUnits }
  | { readonly kind: "edge"; readonly edge: Edge }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly RegexPart[] }
  | { readonly kind: "group"; readonly number: number; readonly part: RegexPart }
  | RegexRepeat
);

/** `max` may be Infinity. Its groups are those from `firstGroup` until before `endGroup`. */
export interface RegexRepeat {
  readonly canBeEmpty: boolean;
  readonly kind: "repeat";
  readonly part: RegexPart;
  readonly min: number;
  readonly max: number;
  readonly lazy: boolean;
  readonly firstGroup: number;
  readonly endGroup: number;
}

export interface LinearPattern {
  readonly tree: RegexPart;
  readonly groupCount: number;
}

function refuse(what: string, at: number): never {
  const refused = `${what}, at character ${at + 1} of the regular expression`;
  throw Object.assign(new Error(refused), { refused });
}

/** The error is a sentence without its stop. `source` is a valid pattern: `RegExp` has read it. */
export function linearPattern(expression: RegExp): Result<LinearPattern, string> {
  try {
    return ok(read(expression));
  } catch (error) {
    if (error instanceof Error && Object.hasOwn(error, "refused")) return err(error.message);
    throw error;
  }
}

function edge(at: Edge): RegexPart {
  return { kind: "edge", edge: at, canBeEmpty: true };
}

function read({ source, ignoreCase, multiline }: RegExp): LinearPattern {
  const groupCount = countGroups(source);
  const hasNames = /\(\?<[^=!]/.test(source);
  let at = 0;
  let nextGroup = 1;

  const setOf = (units: CodeUnits, negated = false): RegexPart => {
    const cased = ignoreCase ? ignoringCase(units) : units;
    return { kind: "set", units: negated ? otherUnits(cased) : cased, canBeEmpty: false };
  };

  const choice = (depth: number): RegexPart => {
    if (depth > GROUP_DEPTH_MAX) refuse(`groups nest deeper than ${GROUP_DEPTH_MAX}`, at);
    const parts = [sequence(depth)];
    while (source[at] === "|") {
      at++;
      parts.push(sequence(depth));
    }
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    return { kind: "choice", parts, canBeEmpty: parts.some(({ canBeEmpty }) => canBeEmpty) };
  };

  const sequence = (depth: number): RegexPart => {
    const parts: RegexPart[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") parts.push(repeated(depth));
    return { kind: "sequence", parts, canBeEmpty: parts.every(({ canBeEmpty }) => canBeEmpty) };
  };

  const repeated = (depth: number): RegexPart => {
    const firstGroup = nextGroup;
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
      // A round that matches nothing is not to be counted, which needs more than a place in the program to know.
      refuse(`${text} stands behind a part that can match nothing, which engines understand differently`, start);
    }
    const lazy = source[at] === "?";
    if (lazy) at++;
    const canBeEmpty = part.canBeEmpty || min === 0;
    return { kind: "repeat", part, min, max, lazy, firstGroup, endGroup: nextGroup, canBeEmpty };
  };

  const atom = (depth: number): RegexPart => {
    const start = at;
    const char = source[at++] as string;
    if (char === "(") return group(start, depth);
    if (char === "[") return charClass();
    if (char === "\\") return escape(start);
    if (char === ".") return setOf(LINE_ENDS, true);
    if (char === "^") return edge(multiline ? "line-start" : "text-start");
    if (char === "$") return edge(multiline ? "line-end" : "text-end");
    return setOf(unitsOfText(char));
  };

  const group = (start: number, depth: number): RegexPart => {
    const opening = /^\?(?:<([^=!][^>]*)>|<?[=!]|:|[a-z-]*:)/.exec(source.slice(at))?.[0] ?? "";
    if (/^\?<?[=!]/.test(opening)) refuse("there is no look-ahead and no look-behind in linear time", start);
    if (opening.endsWith(":") && opening !== "?:") refuse("there are no flags inside the pattern", start);
    at += opening.length;
    const number = opening === "?:" ? undefined : nextGroup++;
    const part = choice(depth + 1);
    at++;
    return number === undefined ? part : { kind: "group", number, part, canBeEmpty: part.canBeEmpty };
  };

  const escape = (start: number): RegexPart => {
    const char = source[at] as string;
    if (char === "b" || char === "B") {
      at++;
      return edge(char === "b" ? "word-edge" : "no-word-edge");
    }
    if (char === "k" && hasNames) refuse("there are no back-references in linear time", start);
    const number = Number(/^[1-9]\d*/.exec(source.slice(at, at + 5))?.[0] ?? "0");
    if (number > 0 && number <= groupCount) refuse("there are no back-references in linear time", start);
    const [units] = escapedUnits(false);
    return setOf(units);
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

  const charClass = (): RegexPart => {
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
    return setOf(unitsOf(...ranges), negated);
  };

  const classAtom = (): readonly [units: CodeUnits, isOne: boolean] => {
    const char = source[at++] as string;
    return char === "\\" ? escapedUnits(true) : [unitsOfText(char), true];
  };

  return { tree: choice(0), groupCount };
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
