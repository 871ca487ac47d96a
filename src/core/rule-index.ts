/** What the matcher looks events up in: for each path the conditions that rules are filed under, and for each of those the rules. */
import type { Alternative } from "./alternative.ts";
import type { Filing } from "./filing.ts";
import { conditionKey, filePatterns } from "./filing.ts";
import type { Pattern } from "./pattern.ts";
import type { ValueIndex } from "./value-index.ts";
import { addCondition, createValueIndex } from "./value-index.ts";

/** What the values of one path are looked up in. Records are places in `RuleIndex.records`. */
export interface PathIndex {
  readonly slot: number;
  /** Hits the records that a value meets; an exception is hit as `~` its number. */
  readonly values: ValueIndex;
  /** Records that any value meets. */
  readonly present: readonly number[];
  /** The numbers of every `anything-but`: met by a value that doesn't hit it. */
  readonly exceptions: readonly number[];
  /** Of the two, those that are not in `sole`. */
  readonly otherPresent: readonly number[];
  readonly otherExceptions: readonly number[];
  /** Patterns that have nothing but one such field, so that a value that doesn't hit it is all they need; null when there are none. */
  readonly sole: SolePatterns | null;
}

/** A set of patterns as bits. */
export interface SolePatterns {
  /** What the first of `words` is among those of all patterns, 32 to a word. */
  readonly firstWord: number;
  readonly words: Uint32Array;
}

/** Of a record: the number of the event that its branches were last looked at for, its field, where it ends; branches follow. */
export const RECORD_FIELD = 1;
export const RECORD_END = 2;
export const RECORD_HEAD = 3;

export interface RuleIndex {
  readonly paths: readonly string[];
  readonly fields: readonly {
    /** The place of the field's path. */
    readonly slot: number;
    readonly alternatives: readonly Alternative[];
    readonly mayBeAbsent: boolean;
  }[];
  /** By path: whether no rule is filed under a field of it, so that its values matter only when another field is met. */
  readonly mayWait: readonly boolean[];
  /** By path; undefined where it may wait. */
  readonly pathIndexes: readonly (PathIndex | undefined)[];
  /** Records of fields that are met when their path has no value, among other cases. */
  readonly absences: readonly { readonly slot: number; readonly records: readonly number[] }[];
  /** The record of each exception. */
  readonly exceptionRecords: readonly number[];
  /** The patterns of each exception that are `sole`; none where there are others. */
  readonly exceptionPatterns: readonly (readonly number[] | undefined)[];
  /**
   * One record for each field that branches are filed under. Of each branch: its pattern's number, how many other fields it has,
   * and their numbers. All that a field leads to lies in one place, as most of it is far from the processor when it is needed.
   */
  readonly records: Int32Array;
}

export function compileRuleIndex(patterns: readonly Pattern[]): RuleIndex {
  const { paths, fields: filed, branches } = filePatterns(patterns);
  const { records, recordOf } = packRecords(filed.length, branches);
  const branchCounts = new Int32Array(patterns.length);
  for (const { pattern } of branches) branchCounts[pattern] = (branchCounts[pattern] as number) + 1;
  /** The patterns of a field's record with one alternative, when they have nothing else. */
  const solePatternsOf = (field: number): readonly number[] | undefined => {
    if (filed[field]?.alternatives.length !== 1) return undefined;
    const found: number[] = [];
    const record = recordOf[field] as number;
    for (let at = record + RECORD_HEAD; at < (records[record + RECORD_END] as number); at += 2) {
      const pattern = records[at] as number;
      if (records[at + 1] !== 0 || branchCounts[pattern] !== 1) return undefined;
      found.push(pattern);
    }
    return found;
  };

  const open: (OpenIndex | undefined)[] = paths.map(() => undefined);
  const absences = new Map<number, number[]>();
  const exceptionRecords: number[] = [];
  const exceptionPatterns: (readonly number[] | undefined)[] = [];
  for (const [number, { slot, alternatives, keys }] of filed.entries()) {
    const record = recordOf[number] as number;
    if (record === -1) continue;
    const index = (open[slot] ??= openIndex());
    for (const [at, alternative] of alternatives.entries()) {
      if (alternative.kind === "absent") {
        const ofSlot = absences.get(slot) ?? [];
        absences.set(slot, ofSlot);
        if (ofSlot.at(-1) !== record) ofSlot.push(record);
      } else if (alternative.kind === "present") {
        const patternsUnder = solePatternsOf(number);
        index.present.push(record);
        if (patternsUnder === undefined) index.otherPresent.push(record);
        else index.solePatterns.push(...patternsUnder);
      } else if (alternative.kind === "anything-but") {
        const exception = exceptionRecords.length;
        const patternsUnder = solePatternsOf(number);
        exceptionRecords.push(record);
        exceptionPatterns.push(patternsUnder);
        index.exceptions.push(exception);
        if (patternsUnder === undefined) index.otherExceptions.push(exception);
        else index.solePatterns.push(...patternsUnder);
        for (const excluded of alternative.excluded) {
          addCondition(index.values, excluded, conditionKey(excluded), ~exception);
        }
      } else addCondition(index.values, alternative, keys[at] as string, record);
    }
  }
  return {
    paths,
    fields: filed.map(({ slot, alternatives }) => {
      return { slot, alternatives, mayBeAbsent: alternatives.some(({ kind }) => kind === "absent") };
    }),
    mayWait: open.map((index) => index === undefined),
    pathIndexes: open.map((index, slot) =>
      index === undefined ? undefined : { ...index, slot, sole: packSole(index.solePatterns) },
    ),
    absences: [...absences].map(([slot, ofSlot]) => ({ slot, records: ofSlot })),
    exceptionRecords,
    exceptionPatterns,
    records,
  };
}

/** `recordOf`: by field, where its record is; -1 where no branch is filed under it. */
function packRecords(fieldCount: number, branches: Filing["branches"]) {
  const lengths = new Int32Array(fieldCount);
  for (const { fields } of branches) {
    const under = fields[0] as number;
    lengths[under] = (lengths[under] as number) + 1 + fields.length;
  }
  const recordOf = new Int32Array(fieldCount).fill(-1);
  let size = 0;
  for (let field = 0; field < fieldCount; field++) {
    if (lengths[field] === 0) continue;
    recordOf[field] = size;
    size += RECORD_HEAD + (lengths[field] as number);
  }
  const records = new Int32Array(size);
  for (const { pattern, fields } of branches) {
    const under = fields[0] as number;
    const record = recordOf[under] as number;
    let at = records[record + RECORD_END] as number;
    if (at === 0) at = record + RECORD_HEAD;
    records[record + RECORD_FIELD] = under;
    records[at++] = pattern;
    records[at++] = fields.length - 1;
    for (let other = 1; other < fields.length; other++) records[at++] = fields[other] as number;
    records[record + RECORD_END] = at;
  }
  return { records, recordOf };
}

interface OpenIndex extends Omit<PathIndex, "sole" | "slot"> {
  readonly present: number[];
  readonly exceptions: number[];
  readonly otherPresent: number[];
  readonly otherExceptions: number[];
  readonly solePatterns: number[];
}

function openIndex(): OpenIndex {
  const lists = { present: [], exceptions: [], otherPresent: [], otherExceptions: [], solePatterns: [] };
  return { values: createValueIndex(), ...lists };
}

function packSole(patterns: readonly number[]): SolePatterns | null {
  if (patterns.length === 0) return null;
  const wordOf = (pattern: number): number => pattern >>> 5;
  const firstWord = patterns.reduce((least, pattern) => Math.min(least, wordOf(pattern)), Number.POSITIVE_INFINITY);
  const lastWord = patterns.reduce((most, pattern) => Math.max(most, wordOf(pattern)), 0);
  const words = new Uint32Array(lastWord - firstWord + 1);
  for (const pattern of patterns) {
    const word = wordOf(pattern) - firstWord;
    words[word] = (words[word] as number) | (1 << (pattern & 31));
  }
  return { firstWord, words };
}
