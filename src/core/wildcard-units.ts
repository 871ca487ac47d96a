/** Wildcards as units one after the other, so that trying several on a short text reads one place in memory. */
import type { Wildcard } from "./wildcard.ts";

/** Units of a text that is tried so: each of its places, for each piece, however bad text and piece are for that. */
export const TRIED_UNITS_MAX = 128;

/** How many units the wildcard takes up, the place of its known piece, and the number of its pieces; each begins with its length. */
const HEAD = 3;

/** `known`: the place of the piece between two `*` that was found when the wildcard is tried. */
export function pushWildcard(units: number[], wildcard: Wildcard, known: number): void {
  const start = units.length;
  units.push(0, known, wildcard.length);
  for (const piece of wildcard) {
    // What is longer than any text that is tried stays so.
    const length = Math.min(piece.length, TRIED_UNITS_MAX + 1);
    units.push(length);
    for (let at = 0; at < length; at++) units.push(piece.charCodeAt(at));
  }
  units[start] = units.length - start;
}

/** Where the next wildcard is. */
export function afterWildcard(units: Uint16Array, wildcard: number): number {
  return wildcard + (units[wildcard] as number);
}

/** Whether a text of at most TRIED_UNITS_MAX units meets the wildcard. The known piece stands nowhere before `from`. */
export function meetsUnits(units: Uint16Array, wildcard: number, text: string, from: number): boolean {
  const known = units[wildcard + 1] as number;
  const last = (units[wildcard + 2] as number) - 1;
  const head = units[wildcard + HEAD] as number;
  if (head > text.length || !standsAt(units, wildcard + HEAD + 1, head, text, 0)) return false;
  let piece = wildcard + HEAD + 1 + head;
  let at = head;
  for (let place = 1; place < last; place++) {
    const length = units[piece] as number;
    if (place === known && at < from) at = from;
    // The leftmost place of each piece leaves the most room for the next, so nothing is ever tried twice.
    while (at + length <= text.length && !standsAt(units, piece + 1, length, text, at)) at++;
    at += length;
    if (at > text.length) return false;
    piece += 1 + length;
  }
  const tail = units[piece] as number;
  return at + tail <= text.length && standsAt(units, piece + 1, tail, text, text.length - tail);
}

function standsAt(units: Uint16Array, first: number, length: number, text: string, at: number): boolean {
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(at + index) !== units[first + index]) return false;
  }
  return true;
}
