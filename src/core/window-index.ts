/**
 * Wildcards with a piece of some length that stands anywhere in a text, found by looking at few of the text's places: a window as
 * long as the shortest piece is moved on as far as its last two units allow, and hashed where a piece may begin with it (Wu and
 * Manber, "A fast algorithm for multi-pattern searching", 1994).
 */
import type { FiledCondition, Hit } from "./filed-condition.ts";
import { hitAll, tryText } from "./filed-condition.ts";
import { hashKey } from "./hashed-unit.ts";
import type { Wildcard } from "./wildcard.ts";
import { TRIED_UNITS_MAX, afterWildcard, meetsUnits, pushWildcard } from "./wildcard-units.ts";

/** UTF-16 units of the shortest piece that it pays for, and of the longest window. */
export const WINDOW_UNITS_MIN = 4;
export const WINDOW_UNITS_MAX = 16;

/** For each piece, and for all; powers of two. */
const SHIFTS_PER_PIECE = 8;
const SHIFTS_MIN = 1_024;
const SHIFTS_MAX = 8_192;
const ROWS_PER_WINDOW = 2;
const HASH_BASE = 0x01_00_01_93;

export interface FiledWildcard {
  readonly wildcard: Wildcard;
  /** Which of its pieces is looked for: neither the first nor the last, and of WINDOW_UNITS_MIN units or more. */
  readonly place: number;
  readonly filed: FiledCondition;
}

export interface WindowIndex {
  readonly window: number;
  /** By a print of two units, how far a window that ends with them may be moved on. */
  readonly shifts: Uint8Array;
  /** What the first unit of a window counts in its hash, in order to take it out again. */
  readonly firstFactor: number;
  /** Open addressing: a hash, or 0 where there is none, and the number of its group. */
  readonly rows: Int32Array;
  readonly groups: readonly Group[];
  /** All groups' wildcards, those of a group one after the other, as its conditions are. */
  readonly units: Uint16Array;
  searches: number;
}

/** The wildcards with the same window. */
interface Group {
  /** Where the first one is. */
  readonly first: number;
  readonly conditions: readonly FiledCondition[];
  /** The number of the search that last tried it, so that it isn't tried at each of a text's places. */
  triedIn: number;
}

export function buildWindowIndex(wildcards: readonly FiledWildcard[]): WindowIndex {
  const window = wildcards.reduce((least, each) => Math.min(least, pieceOf(each).length), WINDOW_UNITS_MAX);
  const wanted = 2 ** Math.ceil(Math.log2(SHIFTS_PER_PIECE * wildcards.length));
  const shifts = new Uint8Array(Math.min(SHIFTS_MAX, Math.max(SHIFTS_MIN, wanted))).fill(window - 1);
  for (const each of wildcards) {
    const piece = pieceOf(each);
    for (let last = 1; last < window; last++) {
      const pair = pairOf(piece.charCodeAt(last - 1), piece.charCodeAt(last), shifts.length);
      shifts[pair] = Math.min(shifts[pair] as number, window - 1 - last);
    }
  }
  const found = Map.groupBy(wildcards, (each) => hashKey(hashOf(pieceOf(each), 0, window)));
  const units: number[] = [];
  const groups: Group[] = [];
  const count = 2 ** Math.ceil(Math.log2(ROWS_PER_WINDOW * found.size));
  const rows = new Int32Array(2 * count);
  for (const [key, members] of found) {
    let row = key & (count - 1);
    while (rows[2 * row] !== 0) row = (row + 1) & (count - 1);
    rows[2 * row] = key;
    rows[2 * row + 1] = groups.length;
    groups.push({ first: units.length, conditions: members.map(({ filed }) => filed), triedIn: 0 });
    for (const { wildcard, place } of members) pushWildcard(units, wildcard, place);
  }
  let firstFactor = 1;
  for (let at = 1; at < window; at++) firstFactor = Math.imul(firstFactor, HASH_BASE);
  return { window, shifts, firstFactor, rows, groups, units: Uint16Array.from(units), searches: 0 };
}

/** Hits for each condition that the text meets. */
export function findWindows(index: WindowIndex, text: string, hit: Hit): void {
  const { window, shifts, firstFactor, rows } = index;
  const prints = shifts.length;
  const lastRow = (rows.length >> 1) - 1;
  const { length } = text;
  index.searches++;
  let hash = 0;
  /** Where the window ended that was hashed last. */
  let hashedAt = 0;
  for (let last = window - 1; last < length;) {
    const shift = shifts[pairOf(text.charCodeAt(last - 1), text.charCodeAt(last), prints)] as number;
    if (shift !== 0) {
      last += shift;
      continue;
    }
    const from = last - window + 1;
    if (hashedAt === last - 1 && from > 0) {
      hash = (hash - Math.imul(text.charCodeAt(from - 1), firstFactor)) | 0;
      hash = (Math.imul(hash, HASH_BASE) + text.charCodeAt(last)) | 0;
    } else hash = hashOf(text, from, window);
    hashedAt = last;
    const key = hashKey(hash);
    let row = key & lastRow;
    while (rows[2 * row] !== key && rows[2 * row] !== 0) row = (row + 1) & lastRow;
    if (rows[2 * row] !== 0) tryGroup(index, rows[2 * row + 1] as number, text, from, hit);
    last++;
  }
}

/** The window stands nowhere in the text before `from`, the first time that the group is tried on it. */
function tryGroup(
  { groups, units, searches }: WindowIndex,
  number: number,
  text: string,
  from: number,
  hit: Hit,
): void {
  const group = groups[number] as Group;
  if (group.triedIn === searches) return;
  group.triedIn = searches;
  const { conditions } = group;
  let wildcard = group.first;
  for (let at = 0; at < conditions.length; at++) {
    const condition = conditions[at] as FiledCondition;
    if (text.length > TRIED_UNITS_MAX) tryText(condition, text, hit);
    else if (meetsUnits(units, wildcard, text, from)) hitAll(condition.targets, hit);
    wildcard = afterWildcard(units, wildcard);
  }
}

function hashOf(text: string, from: number, window: number): number {
  let hash = 0;
  for (let at = from; at < from + window; at++) hash = (Math.imul(hash, HASH_BASE) + text.charCodeAt(at)) | 0;
  return hash;
}

function pairOf(first: number, second: number, prints: number): number {
  return (first * 37 + second) & (prints - 1);
}

function pieceOf({ wildcard, place }: FiledWildcard): string {
  return wildcard[place] as string;
}
