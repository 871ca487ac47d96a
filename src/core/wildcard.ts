/**
 * Text with `*` for any run of characters, also an empty one. `\*` is an asterisk and `\\` a backslash. A text is matched
 * in one pass from left to right, whatever it holds: its pieces are searched with Knuth-Morris-Pratt, and no regular
 * expression is built.
 */
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** Unescaped `*` in one value. */
export const WILDCARDS_PER_VALUE_MAX = 32;

/** As far as an expression can say it: the number of `*` is not counted. */
export const WILDCARD_SCHEMA = {
  type: "string",
  pattern: "^(?:[^*\\\\]|\\\\[*\\\\]|\\*(?!\\*))*$",
  patternErrorMessage: 'Expected a single "*" at a time, and a backslash only before "*" or another backslash.',
} as const;

/** The literal text between the `*`: one piece more than there are `*`; only the first and the last may be empty. */
export type Wildcard = readonly string[];

/** The error says what is wrong with the text. */
export function parseWildcard(text: string): Result<Wildcard, string> {
  const pieces: string[] = [];
  let piece = "";
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "\\") {
      const escaped = text.charAt(++at);
      if (escaped !== "*" && escaped !== "\\") return err(escapeMessage(escaped));
      piece += escaped;
    } else if (character === "*") {
      if (text.charAt(at + 1) === "*") return err('expected a single "*", found "**"');
      pieces.push(piece);
      piece = "";
    } else piece += character;
  }
  if (pieces.length > WILDCARDS_PER_VALUE_MAX) {
    return err(
      `expected at most ${WILDCARDS_PER_VALUE_MAX} "*" in one value (WILDCARDS_PER_VALUE_MAX), found ${pieces.length}`,
    );
  }
  return ok([...pieces, piece]);
}

function escapeMessage(escaped: string): string {
  const found = escaped === "" ? "a backslash at the end" : `a backslash before ${JSON.stringify(escaped)}`;
  return `expected a backslash only before "*" or another backslash, found ${found}`;
}

/** Characters up to which a text is searched with `indexOf`: however bad they are for it, they are few. */
const SHORT_TEXT = 128;

/** Makes a test of whole texts. Its time is linear in the text's length. */
export function compileWildcard(wildcard: Wildcard): (text: string) => boolean {
  const head = wildcard[0] ?? "";
  if (wildcard.length === 1) return (text) => text === head;
  const tail = wildcard.at(-1) ?? "";
  const pieces = wildcard.slice(1, -1);
  let searches: readonly Search[] | null = null;
  return (text) => {
    if (text.length < head.length + tail.length) return false;
    if ((head !== "" && !text.startsWith(head)) || (tail !== "" && !text.endsWith(tail))) return false;
    const end = text.length - tail.length;
    let at = head.length;
    // The leftmost place of each piece leaves the most room for the next, so nothing is ever tried twice.
    if (text.length <= SHORT_TEXT) {
      for (let index = 0; index < pieces.length; index++) {
        const piece = pieces[index] as string;
        const found = text.indexOf(piece, at);
        at = found + piece.length;
        if (found === -1 || at > end) return false;
      }
      return true;
    }
    searches ??= pieces.map(compileSearch);
    for (const search of searches) {
      at = search(text, at, end);
      if (at === -1) return false;
    }
    return true;
  };
}

/** Finds the index just after the leftmost occurrence that lies within `[from, end)`, or -1. */
type Search = (text: string, from: number, end: number) => number;

/**
 * Knuth-Morris-Pratt: at most twice as many comparisons as characters. The engine's own `indexOf` is quicker on friendly
 * text but promises no bound, and here both the piece and the text may be chosen to be bad for it.
 */
function compileSearch(piece: string): Search {
  const borders = bordersOf(piece);
  return (text, from, end) => {
    let matched = 0;
    for (let at = from; at < end; at++) {
      const unit = text.charCodeAt(at);
      while (matched > 0 && piece.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
      if (piece.charCodeAt(matched) === unit) matched++;
      if (matched === piece.length) return at + 1;
    }
    return -1;
  };
}

/** For each prefix of the piece, the length of its longest proper prefix that is also its suffix. */
function bordersOf(piece: string): readonly number[] {
  const borders = [0];
  let length = 0;
  for (let at = 1; at < piece.length; at++) {
    while (length > 0 && piece.charCodeAt(at) !== piece.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (piece.charCodeAt(at) === piece.charCodeAt(length)) length++;
    borders.push(length);
  }
  return borders;
}
