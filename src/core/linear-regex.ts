/**
 * Regular expressions in time linear in the text: JavaScript's, read and run by this project's own engine. What is accepted
 * finds exactly what JavaScript finds; what can't be is refused with its reason.
 */
import { createSearch } from "./linear-regex-machine.ts";
import { linearPattern } from "./linear-regex-pattern.ts";
import type { LinearProgram } from "./linear-regex-program.ts";
import { linearProgram } from "./linear-regex-program.ts";
import type { Result } from "./result.ts";

/** As of a `RegExp` with the flag g: `exec` begins at `lastIndex` and leaves it behind the match, or at 0 when there is none. */
export interface LinearRegex {
  lastIndex: number;
  readonly exec: (text: unknown) => RegexMatch | null;
}

/** The match and its groups, as `RegExp.prototype.exec` answers them. */
export type RegexMatch = (string | undefined)[] & { readonly 0: string; index: number };

/** The error is a sentence without its stop. */
export function compileLinearRegex(expression: RegExp): Result<LinearProgram, string> {
  const pattern = linearPattern(expression);
  return pattern.ok ? linearProgram(pattern.value) : pattern;
}

/** `charge` hears of the work as it is done, and may throw to end it. */
export function linearRegex(program: LinearProgram, charge: (units: number) => void): LinearRegex {
  const search = createSearch(program, charge);
  const regex: { lastIndex: number; exec: (text: unknown) => RegexMatch | null } = {
    lastIndex: 0,
    exec: (given) => {
      const text = String(given);
      const start = regex.lastIndex;
      regex.lastIndex = 0;
      if (start > text.length) return null;
      charge(1);
      const slots = search(text, start);
      if (slots === undefined) return null;
      const groups = Array.from({ length: program.groupCount + 1 }, (_, group) => {
        const end = slots[2 * group + 1] as number;
        return end < 0 ? undefined : text.slice(slots[2 * group], end);
      });
      regex.lastIndex = slots[1] as number;
      return Object.assign(groups, { index: slots[0] }) as unknown as RegexMatch;
    },
  };
  return regex;
}
