/**
 * A regular expression's tree as a program for `linear-regex-machine.ts`: Thompson's construction, as in
 * https://swtch.com/~rsc/regexp/regexp2.html.
 */
import type { CodeUnits } from "./code-units.ts";
import { unitsOf } from "./code-units.ts";
import type { Edge, LinearPattern, RegexPart, RegexRepeat } from "./linear-regex-pattern.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";
import type { UnitSet } from "./unit-set.ts";
import { unitSet } from "./unit-set.ts";

/** The work for one character grows with the program; a longer one than this is a pattern with big repetitions in it. */
export const PROGRAM_INSTRUCTIONS_MAX = 5_000;
/** The rounds of `{…}`, and of those that stand in one another together. */
export const ROUNDS_MAX = 1_000;

/** `next` and `other` are indexes of instructions. Of two ways that a split offers, `next` is tried first. */
export type Instruction =
  | { readonly op: "match" }
  | { readonly op: "unit"; readonly set: UnitSet; readonly next: number }
  | { readonly op: "edge"; readonly edge: Edge; readonly next: number }
  | { readonly op: "split"; next: number; other: number }
  /** Notes the place: slot 0 is the start of the match, 2n and 2n + 1 are the start and the end of group n. */
  | { readonly op: "note"; readonly slot: number; readonly next: number }
  /** A round begins: what an earlier one has noted from one slot until before the other is forgotten. */
  | { readonly op: "forget"; readonly from: number; readonly until: number; readonly next: number };

export interface LinearProgram {
  readonly instructions: readonly Instruction[];
  /** Where it begins. */
  readonly entry: number;
  readonly groupCount: number;
  /** The units that a match can begin with; undefined where it can begin with none, as it is empty. */
  readonly first: UnitSet | undefined;
  /** A unit that every match has, or -1 where none is known. */
  readonly needed: number;
  /** Matches begin at the start of the text, or nowhere. */
  readonly isAnchored: boolean;
}

/** The error is a sentence without its stop. */
export function linearProgram({ tree, groupCount }: LinearPattern): Result<LinearProgram, string> {
  if (roundsOf(tree) > ROUNDS_MAX)
    return err("the regular expression repeats too much: {…} goes up to 1,000, also where one stands in another");
  const tooLarge = new Error("the regular expression is too large: write out less, or repeat less");
  const written: Instruction[] = [];
  const write = (instruction: Instruction): number => {
    if (written.length === PROGRAM_INSTRUCTIONS_MAX) throw tooLarge;
    return written.push(instruction) - 1;
  };
  try {
    const found = emitter(write)(tree, write({ op: "match" }));
    const entry = write({ op: "note", slot: 0, next: found });
    const first = tree.canBeEmpty ? undefined : unitSet(unitsOf(...firstUnits(tree)));
    // The last, as the first is what is searched for anyway.
    const needed = neededUnits(tree).at(-1) ?? -1;
    return ok({ instructions: written, entry, groupCount, first, needed, isAnchored: isAnchored(tree) });
  } catch (error) {
    if (error === tooLarge) return err(tooLarge.message);
    throw error;
  }
}

/** Writes a part that goes on at the instruction `next`; answers where it begins. */
type Emit = (part: RegexPart, next: number) => number;

function emitter(write: (instruction: Instruction) => number): Emit {
  const sets = new Map<string, UnitSet>();
  const setOf = (units: CodeUnits): UnitSet => {
    const key = units.join(";");
    let set = sets.get(key);
    if (set === undefined) sets.set(key, (set = unitSet(units)));
    return set;
  };
  const split = (wanted: number, other: number, lazy: boolean): number =>
    write(lazy ? { op: "split", next: other, other: wanted } : { op: "split", next: wanted, other });

  const repeat = (repeated: RegexRepeat, next: number): number => {
    const { part, min, max, lazy, firstGroup, endGroup } = repeated;
    const forgets = max > 1 && leavesOut(part);
    const round = (after: number): number => {
      const begin = emit(part, after);
      return forgets ? write({ op: "forget", from: 2 * firstGroup, until: 2 * endGroup, next: begin }) : begin;
    };
    let begin = next;
    let left = min;
    if (max === Infinity) {
      const again: Instruction = { op: "split", next, other: next };
      const loop = write(again);
      const body = round(loop);
      if (lazy) again.other = body;
      else again.next = body;
      begin = left === 0 ? loop : body;
      left--;
    }
    // Where one of these rounds is left out, so are those behind it.
    for (let more = max === Infinity ? 0 : max - min; more > 0; more--) begin = split(round(begin), next, lazy);
    for (; left > 0; left--) begin = round(begin);
    return begin;
  };

  const emit: Emit = (part, next) => {
    switch (part.kind) {
      case "set":
        return write({ op: "unit", set: setOf(part.units), next });
      case "edge":
        return write({ op: "edge", edge: part.edge, next });
      case "sequence":
        return part.parts.reduceRight((after, each) => emit(each, after), next);
      case "choice": {
        const [last, ...others] = part.parts.map((each) => emit(each, next)).toReversed();
        return others.reduce((begin, each) => split(each, begin, false), last ?? next);
      }
      case "group": {
        const end = write({ op: "note", slot: 2 * part.number + 1, next });
        return write({ op: "note", slot: 2 * part.number, next: emit(part.part, end) });
      }
      case "repeat":
        return repeat(part, next);
    }
  };
  return emit;
}

/** The most rounds that anything in it is written out for. */
function roundsOf(part: RegexPart): number {
  switch (part.kind) {
    case "set":
    case "edge":
      return 1;
    case "sequence":
    case "choice":
      return part.parts.reduce((most, each) => Math.max(most, roundsOf(each)), 1);
    case "group":
      return roundsOf(part.part);
    case "repeat":
      return roundsOf(part.part) * Math.max(1, part.max === Infinity ? part.min : part.max);
  }
}

/** Whether a match of it may leave one of its groups out, so that what an earlier round has noted would stay. */
function leavesOut(part: RegexPart, canSkip = false): boolean {
  switch (part.kind) {
    case "set":
    case "edge":
      return false;
    case "sequence":
    case "choice":
      return part.parts.some((each) => leavesOut(each, canSkip || part.kind === "choice"));
    case "group":
      return canSkip || leavesOut(part.part, canSkip);
    case "repeat":
      return leavesOut(part.part, canSkip || part.min === 0);
  }
}

/** The units that it can begin with, when it is not empty. */
function firstUnits(part: RegexPart): CodeUnits {
  switch (part.kind) {
    case "set":
      return part.units;
    case "edge":
      return [];
    case "choice":
      return part.parts.flatMap(firstUnits);
    case "sequence": {
      const needed = part.parts.findIndex(({ canBeEmpty }) => !canBeEmpty);
      return part.parts.slice(0, needed < 0 ? undefined : needed + 1).flatMap(firstUnits);
    }
    case "group":
      return firstUnits(part.part);
    case "repeat":
      return part.max === 0 ? [] : firstUnits(part.part);
  }
}

/** Units that every match of it has. */
function neededUnits(part: RegexPart): readonly number[] {
  switch (part.kind) {
    case "set": {
      const [range] = part.units;
      return part.units.length === 1 && range !== undefined && range[0] === range[1] ? [range[0]] : [];
    }
    case "edge":
      return [];
    case "sequence":
      return part.parts.flatMap(neededUnits);
    case "choice": {
      const [first = [], ...others] = part.parts.map(neededUnits);
      return first.filter((unit) => others.every((units) => units.includes(unit)));
    }
    case "group":
      return neededUnits(part.part);
    case "repeat":
      return part.min > 0 ? neededUnits(part.part) : [];
  }
}

function isAnchored(part: RegexPart): boolean {
  switch (part.kind) {
    case "set":
      return false;
    case "edge":
      return part.edge === "text-start";
    case "sequence":
      return part.parts[0] !== undefined && isAnchored(part.parts[0]);
    case "choice":
      return part.parts.every(isAnchored);
    case "group":
      return isAnchored(part.part);
    case "repeat":
      return part.min > 0 && isAnchored(part.part);
  }
}
