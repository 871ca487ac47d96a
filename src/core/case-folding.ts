/**
 * Unicode simple case folding, one code point to one code point: `Straße` equals `STRAẞE` but not `STRASSE`, the Kelvin
 * sign equals `k`, final sigma equals sigma, and the Turkish dotted and dotless i stay letters of their own.
 *
 * Derived from the runtime's own case mappings, so that no table has to be kept: upper case first, then lower case, each
 * only where it yields a single code point. Source: Unicode CaseFolding.txt, statuses C and S.
 */

/**
 * Where the derivation and CaseFolding.txt differ. Dotless i has the capital I but no simple folding; the other letters
 * have only capitals of several code points, so the derivation can't see that they are pairs.
 */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ["\u0131", "\u0131"],
  ["\u1fd3", "\u0390"],
  ["\u1fe3", "\u03b0"],
  ["\ufb05", "\ufb06"],
]);

const ASCII = /^[\0-\x7f]*$/;

/** The text folded. Its length in UTF-16 units never changes, so callers may compare lengths before they fold. */
export function foldCase(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  let folded = "";
  for (const character of text) folded += foldCharacter(character);
  return folded;
}

/** Whether the text, from `start` for as many units as `folded` has, folds to it. */
export function foldsTo(text: string, start: number, folded: string): boolean {
  if (start < 0 || start + folded.length > text.length) return false;
  for (let at = 0; at < folded.length; at++) {
    const unit = text.charCodeAt(start + at);
    if (unit >= 0x80) return foldCase(text.slice(start, start + folded.length)) === folded;
    const lower = unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit;
    if (lower !== folded.charCodeAt(at)) return false;
  }
  return true;
}

function foldCharacter(character: string): string {
  const exception = EXCEPTIONS.get(character);
  if (exception !== undefined) return exception;
  const upper = sameLength(character.toUpperCase(), character);
  return sameLength(upper.toLowerCase(), upper);
}

/** A mapping to several code points belongs to full case folding; simple folding leaves such a letter alone. */
function sameLength(mapped: string, character: string): string {
  return mapped.length === character.length ? mapped : character;
}
