/**
 * Conditions on a piece of text that stands anywhere in a value, found in one pass over the value, however many there are: an
 * automaton of all pieces (Aho and Corasick, "Efficient string matching", 1975), its steps in one table.
 */
import type { FiledCondition, Hit } from "./filed-condition.ts";
import { tryText } from "./filed-condition.ts";

/** UTF-16 units of a piece that the automaton looks for; fewer where the table would grow past TABLE_CELLS_MAX. */
const WINDOW_LENGTHS = [16, 8, 6, 4, 3, 2, 1];

/** Two bytes each. */
export const TABLE_CELLS_MAX = 1 << 21;
const STATES_MAX = 1 << 16;

/** Units from here on share classes, in order that the table's rows stay short; a piece's condition has the last word. */
const ASCII_UNITS = 128;
const OTHER_CLASSES = 64;

export interface PieceIndex {
  readonly classes: Uint8Array;
  readonly classCount: number;
  /** The state that follows, by state and class. */
  readonly steps: Uint16Array;
  /** By state: the state itself or the longest end of what it has read, whichever first has conditions; 0 is none. */
  readonly reports: Uint16Array;
  /** By state: where to look on after its own conditions. */
  readonly following: Uint16Array;
  readonly conditions: readonly (readonly FiledCondition[] | undefined)[];
  /** By state: the number of the search that last reported it, so that none reports twice. */
  readonly reportedIn: Float64Array;
  searches: number;
}

/** Hits for each condition that the text meets. */
export function findPieces(index: PieceIndex, text: string, hit: Hit): void {
  const { classes, classCount, steps, reports, following, conditions, reportedIn } = index;
  const searches = ++index.searches;
  let read = 0;
  for (let at = 0; at < text.length; at++) {
    read = steps[read * classCount + (classes[classIndex(text.charCodeAt(at))] as number)] as number;
    let state = reports[read] as number;
    // What follows a state that was reported was reported with it.
    while (state !== 0 && reportedIn[state] !== searches) {
      reportedIn[state] = searches;
      for (const condition of conditions[state] ?? []) tryText(condition, text, hit);
      state = following[state] as number;
    }
  }
}

function classIndex(unit: number): number {
  return unit < ASCII_UNITS ? unit : ASCII_UNITS + (unit & (OTHER_CLASSES - 1));
}

/** `pieces`: none empty, each part of every text that meets the condition. */
export function buildPieceIndex(
  pieces: readonly { readonly piece: string; readonly filed: FiledCondition }[],
): PieceIndex {
  // Class 0 is what no piece has.
  const classes = new Uint8Array(ASCII_UNITS + OTHER_CLASSES);
  let classCount = 1;
  for (const { piece } of pieces) {
    for (let at = 0; at < piece.length; at++) {
      const index = classIndex(piece.charCodeAt(at));
      if (classes[index] === 0) classes[index] = classCount++;
    }
  }
  const windows = windowsOf(
    pieces.map(({ piece }) => piece),
    Math.min(STATES_MAX, Math.floor(TABLE_CELLS_MAX / classCount)),
  );
  const statesMax = 1 + windows.reduce((sum, window) => sum + window.length, 0);
  const goes = new Uint16Array(statesMax * classCount);
  const conditions: FiledCondition[][] = [];
  let stateCount = 1;
  for (const [number, window] of windows.entries()) {
    let state = 0;
    for (let at = 0; at < window.length; at++) {
      const cell = state * classCount + (classes[classIndex(window.charCodeAt(at))] as number);
      if (goes[cell] === 0) goes[cell] = stateCount++;
      state = goes[cell] as number;
    }
    (conditions[state] ??= []).push((pieces[number] as (typeof pieces)[number]).filed);
  }
  const steps = goes.slice(0, stateCount * classCount);
  const { reports, following } = connect(steps, classCount, stateCount, conditions);
  return {
    classes,
    classCount,
    steps,
    reports,
    following,
    conditions,
    reportedIn: new Float64Array(stateCount),
    searches: 0,
  };
}

/** Fills the missing steps: a state goes where the longest end of what it has read goes that is a state as well. */
function connect(
  steps: Uint16Array,
  classCount: number,
  stateCount: number,
  conditions: readonly (readonly FiledCondition[] | undefined)[],
) {
  const fails = new Uint16Array(stateCount);
  const reports = new Uint16Array(stateCount);
  const following = new Uint16Array(stateCount);
  const queue = new Uint16Array(stateCount);
  let queued = 1;
  for (let next = 0; next < queued; next++) {
    const state = queue[next] as number;
    const fail = fails[state] as number;
    following[state] = reports[fail] as number;
    reports[state] = conditions[state] === undefined ? (reports[fail] as number) : state;
    for (let unitClass = 1; unitClass < classCount; unitClass++) {
      const cell = state * classCount + unitClass;
      const instead = state === 0 ? 0 : (steps[fail * classCount + unitClass] as number);
      const child = steps[cell] as number;
      if (child === 0) steps[cell] = instead;
      else {
        fails[child] = instead;
        queue[queued++] = child;
      }
    }
  }
  return { reports, following };
}

/** What to look for of each piece: all of it, or the part of it that the fewest pieces have. */
function windowsOf(pieces: readonly string[], statesMax: number): readonly string[] {
  const length =
    WINDOW_LENGTHS.find((units) => {
      return 1 + pieces.reduce((sum, piece) => sum + Math.min(units, piece.length), 0) <= statesMax;
    }) ?? 1;
  const counts = new Map<string, number>();
  const long = pieces.filter((piece) => piece.length > length);
  for (const piece of long) {
    for (const window of partsOf(piece, length)) counts.set(window, (counts.get(window) ?? 0) + 1);
  }
  return pieces.map((piece) => {
    let rarest = piece.slice(0, length);
    if (piece.length <= length) return rarest;
    for (const window of partsOf(piece, length)) {
      if ((counts.get(window) ?? 0) < (counts.get(rarest) ?? 0)) rarest = window;
    }
    return rarest;
  });
}

/** Of a very long piece, the parts at its beginning are choice enough. */
const PARTS_MAX = 64;

function partsOf(piece: string, length: number): readonly string[] {
  const count = Math.min(PARTS_MAX, piece.length - length + 1);
  return Array.from({ length: count }, (_, from) => piece.slice(from, from + length));
}
