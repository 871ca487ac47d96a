/**
 * Conditions on how a text begins, or how it ends, or what all of it is, found by hash: one pass over the text's first units,
 * however many conditions there are. Each length that a condition has is looked up once. What a text is compared with then lies
 * in one place: most of what a search costs is waiting for memory that the parser has pushed out of the processor's caches.
 */
import { foldsTo } from "./case-folding.ts";
import type { FiledCondition, Hit } from "./filed-condition.ts";
import { hitAll, tryText } from "./filed-condition.ts";
import { hashKey, hashedUnit, mixUnit } from "./hashed-unit.ts";
import type { PrintFilter } from "./print-filter.ts";
import { buildPrintFilter, passesFilter } from "./print-filter.ts";

/** UTF-16 units of an affix that are hashed; what is beyond them is compared. */
export const AFFIX_UNITS_MAX = 64;

/** After so many lengths the search ends unless a longer condition goes on as the text does. */
const CHECKPOINTS = [0, 3, 10, 24];

/** Rows for each entry of a table: with fewer, those that collide would be many. */
const ROWS_PER_ENTRY = 2;

/** Places of units that are hashed, at least, and texts that are looked at to choose them. */
const PLACES_MIN = 8;
const SAMPLES_MAX = 512;
/** Conditions with the same hash up to which it doesn't pay to hash more units. */
const SAME_HASH_MAX = 8;

export interface Affix {
  /** What every text that meets the condition begins with, or ends. */
  readonly text: string;
  /** Whether the text is folded, and others are compared with it without regard to case. */
  readonly isFolded: boolean;
  /** Whether nothing else may follow; then the text has at most AFFIX_UNITS_MAX units. */
  readonly isWhole: boolean;
  /** Whether that is the whole condition; else it is tried on each text that has the affix. */
  readonly isSufficient: boolean;
  readonly filed: FiledCondition;
}

/** What is looked up at a length: conditions that other text may follow, and the search for longer ones. */
const OPEN = 1;
const CHECKPOINT = 2;

/** Of an entry: another with the same hash follows it. */
const MORE = 1;
const WHOLE = 2;
const FOLDED = 4;
const SUFFICIENT = 8;
/** What tells whom to tell is the one target itself, not a place among the conditions. */
const DIRECT = 16;
/** Flags, the length in two halves, and the target or place in two, before the units. */
const ENTRY_HEAD = 5;

export interface AffixIndex {
  readonly isHead: boolean;
  /** The least of the lengths. */
  readonly shortest: number;
  readonly filter: PrintFilter;
  /** Ascending. */
  readonly lengths: Int32Array;
  readonly lookUps: Uint8Array;
  /** The places of the units that are hashed, ascending: of a length those before it. */
  readonly places: Int32Array;
  /**
   * Open addressing: a hash stands at its row, or the next that was empty. Each row is the hash, 0 where there is none, and the
   * place of its first entry, -1 where it only says that some condition goes on from there.
   */
  readonly rows: Int32Array;
  /** Each has its units in the order in which they are read. */
  readonly entries: Uint16Array;
  readonly conditions: readonly FiledCondition[];
}

export function buildAffixIndex(end: "head" | "tail", affixes: readonly Affix[]): AffixIndex {
  const isHead = end === "head";
  const keys = affixes.map(({ text }) => hashedUnitsOf(text, isHead));
  const lengths = Int32Array.from(new Set(keys.map(({ length }) => length))).toSorted();
  const lookUps = Uint8Array.from(lengths, (_, at) => (CHECKPOINTS.includes(at) ? CHECKPOINT : 0));
  const places = choosePlaces(keys);
  const found = new Map<number, Affix[]>();
  for (const [number, units] of keys.entries()) {
    const affix = affixes[number] as Affix;
    const own = hashAt(units, units.length, places);
    const known = found.get(own);
    if (known === undefined) found.set(own, [affix]);
    else known.push(affix);
    for (let index = 0; (lengths[index] as number) <= units.length; index++) {
      const length = lengths[index] as number;
      if (length === units.length) {
        if (!affix.isWhole) lookUps[index] = (lookUps[index] as number) | OPEN;
        break;
      }
      if (((lookUps[index] as number) & CHECKPOINT) === 0) continue;
      const key = hashAt(units, length, places);
      if (!found.has(key)) found.set(key, []);
    }
  }
  const shortest = lengths[0] as number;
  const { entries, conditions, starts } = packEntries(found, isHead);
  return {
    isHead,
    shortest,
    filter: buildPrintFilter(keys, shortest),
    lengths,
    lookUps,
    places,
    rows: packRows(starts),
    entries,
    conditions,
  };
}

/** Hits for each condition that the text meets. */
export function findAffixes(index: AffixIndex, text: string, hit: Hit): void {
  const { isHead, shortest } = index;
  if (text.length < shortest) return;
  const from = isHead ? 0 : text.length - 1;
  const step = isHead ? 1 : -1;
  if (shortest === 0 || passesFilter(index.filter, text, from, step)) search(index, text, from, step, hit);
}

function search(index: AffixIndex, text: string, from: number, step: number, hit: Hit): void {
  const { lengths, lookUps, places, rows } = index;
  const lastRow = (rows.length >> 1) - 1;
  let hash = 0;
  let at = 0;
  for (let number = 0; number < lengths.length; number++) {
    const length = lengths[number] as number;
    if (length > text.length) return;
    const lookUp = lookUps[number] as number;
    if (lookUp === 0 && length !== text.length) continue;
    for (; at < places.length && (places[at] as number) < length; at++) {
      hash = mixUnit(hash, hashedUnit(text.charCodeAt(from + step * (places[at] as number))));
    }
    const key = hashKey(mixUnit(hash, length));
    let row = key & lastRow;
    while (rows[2 * row] !== key && rows[2 * row] !== 0) row = (row + 1) & lastRow;
    if (rows[2 * row] !== 0) {
      const entry = rows[2 * row + 1] as number;
      if (entry >= 0) tryEntries(index, entry, text, from, step, hit);
    } else if ((lookUp & CHECKPOINT) !== 0) return;
  }
}

/** Other texts may have the same hash, so all units are compared. */
function tryEntries(index: AffixIndex, first: number, text: string, from: number, step: number, hit: Hit): void {
  const { entries, conditions } = index;
  let flags = MORE;
  for (let entry = first; (flags & MORE) !== 0;) {
    flags = entries[entry] as number;
    const length = pairAt(entries, entry + 1);
    const value = pairAt(entries, entry + 3);
    const units = entry + ENTRY_HEAD;
    entry = units + length;
    if ((flags & WHOLE) === 0 ? length > text.length : length !== text.length) continue;
    const isMet =
      (flags & FOLDED) === 0
        ? hasUnits(entries, units, length, text, from, step)
        : foldsToUnits(entries, units, length, text, from, step);
    if (!isMet) continue;
    if ((flags & DIRECT) !== 0) hit(value);
    else if ((flags & SUFFICIENT) !== 0) hitAll((conditions[value] as FiledCondition).targets, hit);
    else tryText(conditions[value] as FiledCondition, text, hit);
  }
}

function hasUnits(
  entries: Uint16Array,
  units: number,
  length: number,
  text: string,
  from: number,
  step: number,
): boolean {
  for (let at = 0; at < length; at++) {
    if (text.charCodeAt(from + step * at) !== entries[units + at]) return false;
  }
  return true;
}

function foldsToUnits(
  entries: Uint16Array,
  units: number,
  length: number,
  text: string,
  from: number,
  step: number,
): boolean {
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(from + step * at);
    if (unit >= 0x80) {
      const folded = Array.from(entries.subarray(units, units + length), (each) => String.fromCharCode(each));
      if (step === 1) return foldsTo(text, 0, folded.join(""));
      return foldsTo(text, text.length - length, folded.toReversed().join(""));
    }
    const lower = unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit;
    if (lower !== entries[units + at]) return false;
  }
  return true;
}

/** At most AFFIX_UNITS_MAX of them, in the order in which they are read. */
function hashedUnitsOf(text: string, isHead: boolean): Uint16Array {
  const length = Math.min(text.length, AFFIX_UNITS_MAX);
  return Uint16Array.from({ length }, (_, at) => hashedUnit(text.charCodeAt(isHead ? at : text.length - 1 - at)));
}

/** As the search hashes a text that begins so. */
function hashAt(units: Uint16Array, length: number, places: Int32Array): number {
  let hash = 0;
  for (let at = 0; at < places.length && (places[at] as number) < length; at++) {
    hash = mixUnit(hash, units[places[at] as number] as number);
  }
  return hashKey(mixUnit(hash, length));
}

/** A few of the places at which most texts differ, unless too many texts would have the same hash. */
function choosePlaces(keys: readonly Uint16Array[]): Int32Array {
  const longest = keys.reduce((most, { length }) => Math.max(most, length), 0);
  const all = Int32Array.from({ length: longest }, (_, place) => place);
  const samples = keys.slice(0, SAMPLES_MAX);
  const variety = Array.from(all, (place) => new Set(samples.map((units) => units[place] ?? 0)).size);
  const ranked = all.toSorted((a, b) => (variety[b] as number) - (variety[a] as number));
  for (let count = PLACES_MIN; count < longest; count *= 2) {
    const places = ranked.slice(0, count).toSorted();
    const counts = new Map<number, number>();
    for (const units of keys) {
      const key = hashAt(units, units.length, places);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    if ([...counts.values()].every((same) => same <= SAME_HASH_MAX)) return places;
  }
  return all;
}

function packEntries(found: ReadonlyMap<number, readonly Affix[]>, isHead: boolean) {
  const conditions: FiledCondition[] = [];
  const packed: number[] = [];
  const starts = new Map<number, number>();
  for (const [key, affixes] of found) {
    starts.set(key, affixes.length === 0 ? -1 : packed.length);
    for (const [number, { text, isFolded, isWhole, isSufficient, filed }] of affixes.entries()) {
      const isDirect = isSufficient && typeof filed.targets === "number";
      const flags =
        (number < affixes.length - 1 ? MORE : 0) |
        (isWhole ? WHOLE : 0) |
        (isFolded ? FOLDED : 0) |
        (isSufficient ? SUFFICIENT : 0) |
        (isDirect ? DIRECT : 0);
      const value = isDirect ? (filed.targets as number) : conditions.push(filed) - 1;
      packed.push(flags, text.length, text.length >>> 16, value, value >>> 16);
      for (let at = 0; at < text.length; at++) packed.push(text.charCodeAt(isHead ? at : text.length - 1 - at));
    }
  }
  return { entries: Uint16Array.from(packed), conditions, starts };
}

/** A number as it was cut in two. */
function pairAt(entries: Uint16Array, at: number): number {
  return (entries[at] as number) | ((entries[at + 1] as number) << 16);
}

function packRows(starts: ReadonlyMap<number, number>): Int32Array {
  const count = 2 ** Math.ceil(Math.log2(ROWS_PER_ENTRY * starts.size));
  const rows = new Int32Array(2 * count);
  for (const [key, start] of starts) {
    let row = key & (count - 1);
    while (rows[2 * row] !== 0) row = (row + 1) & (count - 1);
    rows[2 * row] = key;
    rows[2 * row + 1] = start;
  }
  return rows;
}
