/** Which patterns an event meets. Pure; the language is described in docs/patterns.md. */
import type { FieldPlaces } from "./array-consistency.ts";
import { canChoose } from "./array-consistency.ts";
import type { Leaf } from "./leaves.ts";
import { createLeafReader } from "./leaves.ts";
import type { Pattern } from "./pattern.ts";
import type { JsonObject } from "./result.ts";
import type { PathIndex, SolePatterns } from "./rule-index.ts";
import { createPatternBits } from "./pattern-bits.ts";
import { RECORD_END, RECORD_FIELD, RECORD_HEAD, compileRuleIndex } from "./rule-index.ts";
import { findValue } from "./value-index.ts";
import type { ValueTest } from "./value-test.ts";
import { compileAlternatives } from "./value-test.ts";

export interface Matcher {
  /**
   * The indexes of the patterns that the event meets, ascending. `view` is the event as JSON (`eventView`), of bounded
   * depth (`JSON_DEPTH_MAX`); it is read once, and only at the paths that some pattern names.
   */
  readonly match: (view: JsonObject) => readonly number[];
}

/** How an event meets a field; 0 is not known yet. */
const UNMET = 1;
/** By a value outside every element, or by having none. */
const FREE = 2;
/** All depends on the elements chosen. */
const TIED = 3;

type State = typeof UNMET | typeof FREE | typeof TIED;

/** A field's mark is the event's number times this, and its state for that event. */
const STATES = 4;
/** After so many the events are numbered from 1 again, and what is marked with their numbers is cleared. */
export const EVENT_NUMBER_MAX = 1 << 20;

/** Compiles patterns once, to match many events against them. */
export function compileMatcher(patterns: readonly Pattern[]): Matcher {
  const index = compileRuleIndex(patterns);
  const { paths, fields, pathIndexes, absences, mayWait, exceptionRecords, exceptionPatterns, records } = index;
  const reader = createLeafReader(paths, mayWait);
  const { single, several, found } = reader;
  // Events and values are numbered, so that nothing has to be cleared between them.
  const marks = new Int32Array(fields.length);
  const exceptionHits = new Float64Array(exceptionRecords.length);
  const tests: (ValueTest | undefined)[] = fields.map(() => undefined);
  const matched = createPatternBits(patterns.length);
  let event = 0;
  let value = 0;
  /** Whether the value that is looked up stands in no element. */
  let isFree = true;
  /** Whether it is its path's one value, and the exceptions that it has hit, if so. */
  let isOnly = false;
  const excluding: number[] = [];

  const testOf = (field: number): ValueTest => {
    const known = tests[field];
    if (known !== undefined) return known;
    return (tests[field] = compileAlternatives((fields[field] as (typeof fields)[number]).alternatives));
  };

  const stateOf = (field: number): State => {
    const { slot, mayBeAbsent } = fields[field] as (typeof fields)[number];
    if (mayWait[slot] === true) reader.need();
    const only = single[slot];
    if (only !== undefined) return testOf(field)(only) ? FREE : UNMET;
    const leaves = several[slot];
    if (leaves === undefined) return mayBeAbsent ? FREE : UNMET;
    const test = testOf(field);
    let isMet = false;
    let isAlwaysPresent = false;
    for (const leaf of leaves) {
      if (leaf.element === null) isAlwaysPresent = true;
      if (isMet && leaf.element !== null) continue;
      if (!test(leaf.value)) continue;
      if (leaf.element === null) return FREE;
      isMet = true;
    }
    return isMet || (mayBeAbsent && !isAlwaysPresent) ? TIED : UNMET;
  };

  const judge = (field: number): State => {
    const known = (marks[field] as number) - event * STATES;
    if (known > 0) return known as State;
    const state = stateOf(field);
    marks[field] = event * STATES + state;
    return state;
  };

  /** Looks at the branches under a field that is met, once for each event. */
  const follow = (record: number): void => {
    if (records[record] === event) return;
    records[record] = event;
    const field = records[record + RECORD_FIELD] as number;
    const end = records[record + RECORD_END] as number;
    for (let at = record + RECORD_HEAD; at < end;) {
      const pattern = records[at] as number;
      const first = at + 2;
      at = first + (records[at + 1] as number);
      if (!matched.has(pattern) && holds(field, first, at)) matched.add(pattern);
    }
  };

  /** Whether a branch is met: the field that it is filed under, and the others from `first` up to `end`. */
  const holds = (field: number, first: number, end: number): boolean => {
    let isTied = false;
    for (let at = first; at < end; at++) {
      const state = judge(records[at] as number);
      if (state === UNMET) return false;
      if (state === TIED) isTied = true;
    }
    const state = isFree ? FREE : judge(field);
    return state === FREE && !isTied ? true : state !== UNMET && agree([field, ...records.subarray(first, end)]);
  };

  /** Whether fields that are met, some of them by values in elements only, are met together. */
  const agree = (members: readonly number[]): boolean => {
    const tied = members.filter((field) => judge(field) === TIED);
    const mayTiedBeAbsent = tied.some((field) => fields[field]?.mayBeAbsent === true);
    if (tied.length === 1 && !mayTiedBeAbsent) return true;
    // With a field that may be absent, a value in an element can serve better than one that stands free: all fields count.
    const open = mayTiedBeAbsent ? members : tied;
    return canChoose(open.map(placesOf).filter((places) => places !== null));
  };

  /** Null when the field has no value at all. */
  const placesOf = (field: number): FieldPlaces | null => {
    const { slot, mayBeAbsent } = fields[field] as (typeof fields)[number];
    if (mayWait[slot] === true) reader.need();
    const only = single[slot];
    const leaves = only === undefined ? several[slot] : [{ value: only, element: null }];
    if (leaves === undefined) return null;
    const test = testOf(field);
    const meeting = leaves.filter((leaf) => test(leaf.value)).map(({ element }) => element);
    return { meeting, present: mayBeAbsent ? leaves.map(({ element }) => element) : null };
  };

  const hit = (target: number): void => {
    if (target >= 0) follow(target);
    else {
      if (isOnly && exceptionHits[~target] !== value) excluding.push(~target);
      exceptionHits[~target] = value;
    }
  };

  const lookUp = ({ values }: PathIndex, leaf: Leaf["value"]): void => {
    value++;
    findValue(values, leaf, hit);
  };

  const lookUpOne = (path: PathIndex, leaf: Leaf["value"]): void => {
    isFree = true;
    isOnly = true;
    lookUp(path, leaf);
    isOnly = false;
    for (const record of path.otherPresent) follow(record);
    for (const exception of path.otherExceptions) {
      if (exceptionHits[exception] !== value) follow(exceptionRecords[exception] as number);
    }
    if (path.sole !== null) addSole(path.sole);
    if (excluding.length > 0) excluding.length = 0;
  };

  /** All of them at once, less those whose exceptions the value has hit. */
  const addSole = ({ firstWord: offset, words }: SolePatterns): void => {
    for (const exception of excluding) {
      for (const pattern of exceptionPatterns[exception] ?? []) clearBit(words, pattern - 32 * offset);
    }
    matched.addWords(words, offset);
    for (const exception of excluding) {
      for (const pattern of exceptionPatterns[exception] ?? []) setBit(words, pattern - 32 * offset);
    }
  };

  const lookUpSeveral = (path: PathIndex, leaves: readonly Leaf[]): void => {
    // Those that have excluded every value so far: one that is not excluded is enough.
    let open = path.exceptions;
    for (const leaf of leaves) {
      isFree = leaf.element === null;
      lookUp(path, leaf.value);
      if (open.length === 0) continue;
      const still: number[] = [];
      for (const exception of open) {
        if (exceptionHits[exception] === value) still.push(exception);
        else follow(exceptionRecords[exception] as number);
      }
      open = still;
    }
    isFree = false;
    for (const record of path.present) follow(record);
  };

  const startOver = (): void => {
    event = 1;
    marks.fill(0);
    for (let record = 0; record < records.length; record = records[record + RECORD_END] as number) records[record] = 0;
  };

  return {
    match: (view) => {
      if (++event > EVENT_NUMBER_MAX) startOver();
      reader.read(view);
      for (let at = 0, count = reader.foundCount(); at < count; at++) {
        const slot = found[at] as number;
        const path = pathIndexes[slot];
        if (path === undefined) continue;
        const only = single[slot];
        if (only !== undefined) lookUpOne(path, only);
        else lookUpSeveral(path, several[slot] as readonly Leaf[]);
      }
      isFree = false;
      for (const { slot, records: ofSlot } of absences) {
        // A path whose one value stands in no element is not absent.
        if (single[slot] !== undefined) continue;
        for (const record of ofSlot) {
          if (judge(records[record + RECORD_FIELD] as number) !== UNMET) follow(record);
        }
      }
      reader.forget();
      return matched.take();
    },
  };
}

/** Matches one event against one pattern; for many events, compile a matcher. */
export function matchesPattern(pattern: Pattern, view: JsonObject): boolean {
  return compileMatcher([pattern]).match(view).length > 0;
}

function setBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31));
}

function clearBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5] = (words[bit >>> 5] as number) & ~(1 << (bit & 31));
}
