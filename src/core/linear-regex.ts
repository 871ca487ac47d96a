/**
 * Regular expressions in time linear in the text: JavaScript's, run by RE2 (package re2js). What is accepted finds exactly
 * what JavaScript finds; what can't be is refused with its reason.
 */
import { RE2JS } from "re2js";
import { LOW_SURROGATE_SHIFT, linearPattern } from "./linear-regex-pattern.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** RE2 compiles to a program; a longer one than this is a pattern with big repetitions in it. */
export const PROGRAM_INSTRUCTIONS_MAX = 5_000;

/** How many looks at a character are one unit of work, in a program of at most so many instructions. */
const LOOKS_PER_UNIT = 16;
const INSTRUCTIONS_PER_LOOK = 64;

/** As of a `RegExp` with the flag g: `exec` begins at `lastIndex` and leaves it behind the match, or at 0 when there is none. */
export interface LinearRegex {
  lastIndex: number;
  readonly exec: (text: unknown) => RegexMatch | null;
}

/** The match and its groups, as `RegExp.prototype.exec` answers them. */
export type RegexMatch = (string | undefined)[] & { readonly 0: string; index: number };

export interface LinearProgram {
  readonly program: RE2JS;
  readonly groupCount: number;
  readonly lineEndsAlike: boolean;
}

/** The error is a sentence without its stop. */
export function compileLinearRegex(expression: RegExp): Result<LinearProgram, string> {
  const pattern = linearPattern(expression);
  if (!pattern.ok) return pattern;
  const { text, groupCount, lineEndsAlike } = pattern.value;
  let program: RE2JS;
  try {
    program = RE2JS.compile(text);
  } catch {
    return err("the regular expression repeats too much: {…} goes up to 1,000, also where one stands in another");
  }
  if (program.programSize() > PROGRAM_INSTRUCTIONS_MAX) {
    return err("the regular expression is too large: write out less, or repeat less");
  }
  return ok({ program, groupCount, lineEndsAlike });
}

/** `charge` hears of the work as it is done, and may throw to end it. */
export function linearRegex(compiled: LinearProgram, charge: (units: number) => void): LinearRegex {
  const { program, groupCount } = compiled;
  const weight = Math.ceil(program.programSize() / INSTRUCTIONS_PER_LOOK) / LOOKS_PER_UNIT;
  const regex: { lastIndex: number; exec: (text: unknown) => RegexMatch | null } = {
    lastIndex: 0,
    exec: (given) => {
      const text = String(given);
      const start = regex.lastIndex;
      regex.lastIndex = 0;
      if (start > text.length) return null;
      charge(1);
      const matcher = program.matcher(searchedText(text, compiled.lineEndsAlike, weight, charge) as unknown as string);
      if (!matcher.find(start)) return null;
      const groups = Array.from({ length: groupCount + 1 }, (_, group) => {
        const from = matcher.start(group);
        return from < 0 ? undefined : text.slice(from, matcher.end(group));
      });
      regex.lastIndex = matcher.end();
      return Object.assign(groups, { index: matcher.start() }) as unknown as RegexMatch;
    },
  };
  return regex;
}

/** What RE2 asks of a text. It takes anything that calls itself a String. */
interface SearchedText {
  readonly [Symbol.toStringTag]: "String";
  readonly length: number;
  readonly charCodeAt: (index: number) => number;
  readonly indexOf: (searched: string, from?: number) => number;
}

function searchedText(
  text: string,
  lineEndsAlike: boolean,
  weight: number,
  charge: (units: number) => void,
): SearchedText {
  let work = 0;
  const add = (units: number): void => {
    work += units;
    if (work < 1) return;
    const whole = Math.floor(work);
    work -= whole;
    charge(whole);
  };
  return {
    [Symbol.toStringTag]: "String",
    length: text.length,
    charCodeAt: (index) => {
      add(weight);
      const code = text.charCodeAt(index);
      if (code >= 0xdc00 && code <= 0xdfff) return code + LOW_SURROGATE_SHIFT;
      return lineEndsAlike && (code === 0x0d || code === 0x2028 || code === 0x2029) ? 0x0a : code;
    },
    indexOf: (searched, from = 0) => {
      const found = text.indexOf(searched, from);
      add(((found < 0 ? text.length : found) - from) / 4_096);
      return found;
    },
  };
}
