/**
 * Runs the program of a regular expression on a text: all ways at once, one code unit after the other, each instruction at
 * most once for each unit (Pike's machine, https://swtch.com/~rsc/regexp/regexp2.html). The ways stand in the order in which
 * JavaScript would try them, so the first that ends is the match that JavaScript finds.
 */
import { LINE_ENDS, hasUnit } from "./code-units.ts";
import type { Edge } from "./linear-regex-pattern.ts";
import type { Instruction, LinearProgram } from "./linear-regex-program.ts";
import type { UnitSet } from "./unit-set.ts";
import { isIn } from "./unit-set.ts";

/** How many instructions, each with its character, are one unit of work: about a microsecond. */
const VISITS_PER_UNIT = 64;
/** What noting a place costs: the places of all groups are copied. */
const SLOTS_PER_VISIT = 16;
/** Units that are only passed over to find where a match can begin, by a test of each, and by `indexOf`. */
const SKIPPED_PER_VISIT = 8;
const SEARCHED_PER_VISIT = 64;

/** Places in the text; -1 where a group took no part. 2n and 2n + 1 are the start and the end of group n, 0 that of the match. */
export type Slots = readonly number[];

/** The first match that begins at `from` or later. */
export type Search = (text: string, from: number) => Slots | undefined;

/** The ways that are still open, the preferred first. Kept for all searches, to be filled anew. */
interface Ways {
  length: number;
  readonly at: number[];
  readonly slots: Slots[];
}

/** `charge` hears of the work as it is done, and may throw to end it. */
export function createSearch(program: LinearProgram, charge: (units: number) => void): Search {
  const { instructions, entry, groupCount, first, needed, isAnchored } = program;
  const noSlots: Slots = Array.from({ length: 2 * groupCount + 2 }, () => -1);
  const noteVisits = 1 + noSlots.length / SLOTS_PER_VISIT;
  /** Which round of the search has last seen an instruction. */
  const seen = instructions.map(() => 0);
  const waiting: Ways = { length: 0, at: [], slots: [] };
  let ways: Ways = { length: 0, at: [], slots: [] };
  let following: Ways = { length: 0, at: [], slots: [] };
  let round = 0;
  let visits = 0;

  const pay = (): void => {
    const units = Math.floor(visits / VISITS_PER_UNIT);
    visits -= units * VISITS_PER_UNIT;
    charge(units);
  };

  /** Follows a way from an instruction to all that wait for a unit, or are a match. */
  const follow = (into: Ways, begin: number, noted: Slots, text: string, place: number): void => {
    let index = begin;
    let slots = noted;
    for (;;) {
      if (seen[index] !== round) {
        seen[index] = round;
        visits++;
        const instruction = instructions[index] as Instruction;
        switch (instruction.op) {
          case "match":
          case "unit":
            into.at[into.length] = index;
            into.slots[into.length++] = slots;
            break;
          case "split":
            waiting.at[waiting.length] = instruction.other;
            waiting.slots[waiting.length++] = slots;
            index = instruction.next;
            continue;
          case "note":
            slots = slots.with(instruction.slot, place);
            visits += noteVisits;
            index = instruction.next;
            continue;
          case "forget":
            slots = slots.slice().fill(-1, instruction.from, instruction.until);
            visits += noteVisits;
            index = instruction.next;
            continue;
          case "edge":
            if (!isEdge(instruction.edge, text, place)) break;
            index = instruction.next;
            continue;
        }
      }
      if (waiting.length === 0) return;
      index = waiting.at[--waiting.length] as number;
      slots = waiting.slots[waiting.length] as Slots;
    }
  };

  const indexOf = (unit: number, text: string, from: number): number => {
    const found = text.indexOf(String.fromCharCode(unit), from);
    visits += ((found < 0 ? text.length : found) - from) / SEARCHED_PER_VISIT;
    return found;
  };

  /** Where the next match can begin, or -1. */
  const nextStart = (set: UnitSet, text: string, from: number): number => {
    if (set.only >= 0) return indexOf(set.only, text, from);
    let place = from;
    while (place < text.length && !isIn(set, text.charCodeAt(place))) place++;
    visits += (place - from) / SKIPPED_PER_VISIT;
    return place < text.length ? place : -1;
  };

  return (text, from) => {
    if (needed >= 0 && indexOf(needed, text, from) < 0) return undefined;
    let found: Slots | undefined;
    ways.length = 0;
    waiting.length = 0;
    round++;
    for (let place = from; place >= 0 && place <= text.length; place++) {
      if (ways.length === 0) {
        if (found !== undefined || (isAnchored && place > 0)) break;
        if (first !== undefined) place = nextStart(first, text, place);
        if (place < 0) break;
      }
      const canBegin =
        found === undefined &&
        (place === 0 || !isAnchored) &&
        (first === undefined || isIn(first, text.charCodeAt(place)));
      if (canBegin) follow(ways, entry, noSlots, text, place);
      const unit = place < text.length ? text.charCodeAt(place) : -1;
      round++;
      following.length = 0;
      visits += 1 + ways.length;
      for (let way = 0; way < ways.length; way++) {
        const instruction = instructions[ways.at[way] as number] as Instruction;
        if (instruction.op === "match") {
          found = (ways.slots[way] as Slots).with(1, place);
          break;
        }
        if (instruction.op === "unit" && unit >= 0 && isIn(instruction.set, unit))
          follow(following, instruction.next, ways.slots[way] as Slots, text, place + 1);
      }
      [ways, following] = [following, ways];
      if (visits >= VISITS_PER_UNIT) pay();
    }
    return found;
  };
}

function isEdge(edge: Edge, text: string, place: number): boolean {
  switch (edge) {
    case "text-start":
      return place === 0;
    case "text-end":
      return place === text.length;
    case "line-start":
      return place === 0 || hasUnit(LINE_ENDS, text.charCodeAt(place - 1));
    case "line-end":
      return place === text.length || hasUnit(LINE_ENDS, text.charCodeAt(place));
    case "word-edge":
      return isWord(text, place - 1) !== isWord(text, place);
    case "no-word-edge":
      return isWord(text, place - 1) === isWord(text, place);
  }
}

/** Letters and digits of ASCII and `_`; what stands outside of the text is none. */
function isWord(text: string, place: number): boolean {
  const unit = text.charCodeAt(place);
  return (
    (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f
  );
}
