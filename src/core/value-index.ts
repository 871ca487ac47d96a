/** Conditions on the value of one path, so kept that a value meets only those that it can meet. */
import type { Scalar, ValueCondition } from "./alternative.ts";
import type { Affix, AffixIndex } from "./affix-index.ts";
import { AFFIX_UNITS_MAX, buildAffixIndex, findAffixes } from "./affix-index.ts";
import type { CidrIndex } from "./cidr-index.ts";
import { buildCidrIndex, findBlocks } from "./cidr-index.ts";
import type { FiledCondition, Hit, Targets } from "./filed-condition.ts";
import { addTarget, hitAll } from "./filed-condition.ts";
import type { PieceIndex } from "./piece-index.ts";
import { buildPieceIndex, findPieces } from "./piece-index.ts";
import type { RangeIndex } from "./range-index.ts";
import { buildRangeIndex, findRanges } from "./range-index.ts";
import type { Wildcard } from "./wildcard.ts";
import type { FiledWildcard, WindowIndex } from "./window-index.ts";
import { WINDOW_UNITS_MIN, buildWindowIndex, findWindows } from "./window-index.ts";

/** For each value, and for all; powers of two. */
const PRINTS_PER_VALUE = 16;
const PRINTS_MAX = 4_096;

export interface ValueIndex {
  readonly filed: Map<string, FiledCondition>;
  /** Made of `filed` when a value first comes. */
  tables: ValueTables | null;
}

interface ValueTables {
  /** Values that are no texts, and texts that are too long to be looked up among the heads. */
  readonly equal: ReadonlyMap<Scalar, Targets> | null;
  /** 1 for the last bits that one of the numbers has: most others need not be hashed. As many as a power of two. */
  readonly numberPrints: Uint8Array;
  readonly longTexts: ReadonlyMap<Scalar, Targets> | null;
  readonly ranges: RangeIndex | null;
  readonly heads: AffixIndex | null;
  readonly tails: AffixIndex | null;
  readonly windows: WindowIndex | null;
  readonly pieces: PieceIndex | null;
  readonly blocks: CidrIndex | null;
}

export function createValueIndex(): ValueIndex {
  return { filed: new Map(), tables: null };
}

/** `key`: the same for equal conditions alone. */
export function addCondition(index: ValueIndex, condition: ValueCondition, key: string, target: number): void {
  const known = index.filed.get(key);
  if (known === undefined) index.filed.set(key, { condition, targets: target, test: null });
  else known.targets = addTarget(known.targets, target);
  index.tables = null;
}

/** Hits once for each target that was added with a condition that the value meets; for each such condition, if there are several. */
export function findValue(index: ValueIndex, value: Scalar, hit: Hit): void {
  const tables = (index.tables ??= buildTables(index.filed));
  if (typeof value === "string") findText(tables, value, hit);
  else if (typeof value === "number") findNumber(tables, value, hit);
  else if (tables.equal !== null) findEqual(tables.equal, value, hit);
}

function findText({ longTexts, heads, tails, windows, pieces, blocks }: ValueTables, text: string, hit: Hit): void {
  if (heads !== null) findAffixes(heads, text, hit);
  if (tails !== null) findAffixes(tails, text, hit);
  if (windows !== null) findWindows(windows, text, hit);
  if (pieces !== null) findPieces(pieces, text, hit);
  if (blocks !== null) findBlocks(blocks, text, hit);
  if (longTexts !== null && text.length > AFFIX_UNITS_MAX) findEqual(longTexts, text, hit);
}

function findNumber({ equal, numberPrints, ranges }: ValueTables, value: number, hit: Hit): void {
  if (equal !== null && numberPrints[value & (numberPrints.length - 1)] === 1) findEqual(equal, value, hit);
  if (ranges !== null) findRanges(ranges, value, hit);
}

function findEqual(equal: ReadonlyMap<Scalar, Targets>, value: Scalar, hit: Hit): void {
  const targets = equal.get(value);
  if (targets !== undefined) hitAll(targets, hit);
}

function buildTables(all: ReadonlyMap<string, FiledCondition>): ValueTables {
  // A map compares as JSON does here: no coercion, strings by code unit, and 0 equal to -0.
  const equal = new Map<Scalar, Targets>();
  const longTexts = new Map<Scalar, Targets>();
  const heads: Affix[] = [];
  const tails: Affix[] = [];
  const windows: FiledWildcard[] = [];
  const pieces: Parameters<typeof buildPieceIndex>[0][number][] = [];
  const ranges: Parameters<typeof buildRangeIndex>[0][number][] = [];
  const blocks: Parameters<typeof buildCidrIndex>[0][number][] = [];

  const addWhole = (text: string, isFolded: boolean, filed: FiledCondition): void => {
    const isShort = text.length <= AFFIX_UNITS_MAX;
    if (isShort || isFolded) heads.push({ text, isFolded, isWhole: isShort, isSufficient: isShort, filed });
    else longTexts.set(text, [longTexts.get(text) ?? [], filed.targets].flat());
  };
  const shares = countPieces(all);
  for (const filed of all.values()) {
    const { condition } = filed;
    switch (condition.kind) {
      case "equals":
        if (typeof condition.value === "string") addWhole(condition.value, false, filed);
        else equal.set(condition.value, filed.targets);
        break;
      case "equals-ignore-case":
        addWhole(condition.folded, true, filed);
        break;
      case "prefix":
        heads.push({ text: condition.text, isFolded: false, isWhole: false, isSufficient: true, filed });
        break;
      case "prefix-ignore-case":
        heads.push({ text: condition.folded, isFolded: true, isWhole: false, isSufficient: true, filed });
        break;
      case "suffix":
        tails.push({ text: condition.text, isFolded: false, isWhole: false, isSufficient: true, filed });
        break;
      case "suffix-ignore-case":
        tails.push({ text: condition.folded, isFolded: true, isWhole: false, isSufficient: true, filed });
        break;
      case "wildcard": {
        if (condition.wildcard.length === 1) {
          addWhole(condition.wildcard[0] as string, false, filed);
          break;
        }
        const { at, piece } = rarestPiece(condition.wildcard, shares);
        const affix = { text: piece, isFolded: false, isWhole: false, isSufficient: false, filed };
        if (at === "head") heads.push(affix);
        else if (at === "tail") tails.push(affix);
        else if (piece.length >= WINDOW_UNITS_MIN) {
          windows.push({ wildcard: condition.wildcard, place: condition.wildcard.indexOf(piece, 1), filed });
        } else pieces.push({ piece, filed });
        break;
      }
      case "numeric":
        ranges.push({ range: condition.range, filed });
        break;
      case "cidr":
        blocks.push({ cidr: condition.cidr, filed });
        break;
    }
  }
  return {
    equal: equal.size === 0 ? null : equal,
    numberPrints: printsOf([...equal.keys()]),
    longTexts: longTexts.size === 0 ? null : longTexts,
    ranges: ranges.length === 0 ? null : buildRangeIndex(ranges),
    heads: heads.length === 0 ? null : buildAffixIndex("head", heads),
    tails: tails.length === 0 ? null : buildAffixIndex("tail", tails),
    windows: windows.length === 0 ? null : buildWindowIndex(windows),
    pieces: pieces.length === 0 ? null : buildPieceIndex(pieces),
    blocks: blocks.length === 0 ? null : buildCidrIndex(blocks),
  };
}

function printsOf(values: readonly Scalar[]): Uint8Array {
  const wanted = 2 ** Math.ceil(Math.log2(PRINTS_PER_VALUE * values.length));
  const prints = new Uint8Array(Math.min(PRINTS_MAX, Math.max(1, wanted)));
  for (const value of values) if (typeof value === "number") prints[value & (prints.length - 1)] = 1;
  return prints;
}

/** Where a wildcard is looked for first: its longest piece, rather at an end than between. */
export function anchorOf(wildcard: Wildcard): readonly [at: "head" | "tail" | "inside", piece: string] {
  const head = wildcard[0] ?? "";
  const tail = wildcard.at(-1) ?? "";
  let longest = head.length >= tail.length ? head : tail;
  let at: "head" | "tail" | "inside" = head.length >= tail.length ? "head" : "tail";
  for (const piece of wildcard.slice(1, -1)) {
    if (piece.length <= longest.length) continue;
    longest = piece;
    at = "inside";
  }
  return [at, longest];
}

interface Piece {
  readonly at: "head" | "tail" | "inside";
  readonly piece: string;
  /** The same for pieces that are looked for together. */
  readonly key: string;
}

/** The pieces that a value can be looked for by, each once. */
function piecesOf(wildcard: Wildcard): readonly Piece[] {
  const head = wildcard[0] ?? "";
  const tail = wildcard.at(-1) ?? "";
  const inside = [...new Set(wildcard.slice(1, -1))];
  const pieces: readonly Piece[] = [
    { at: "head", piece: head, key: `h${head.slice(0, AFFIX_UNITS_MAX)}` },
    { at: "tail", piece: tail, key: `t${tail.slice(-AFFIX_UNITS_MAX)}` },
    ...inside.map((piece) => ({ at: "inside", piece, key: `i${piece}` }) as const),
  ];
  return pieces.filter(({ piece }) => piece !== "");
}

/** How many wildcards have each piece. */
function countPieces(all: ReadonlyMap<string, FiledCondition>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { condition } of all.values()) {
    if (condition.kind !== "wildcard") continue;
    for (const { key } of piecesOf(condition.wildcard)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Longer than this a piece says no more. */
const TELLING_UNITS_MAX = 8;

/**
 * The piece by which a wildcard is looked for: one that few others have, of those a long one, rather at an end than between. What
 * a thousand begin with (`https://…`) finds all of them in every value.
 */
function rarestPiece(wildcard: Wildcard, shares: ReadonlyMap<string, number>): Pick<Piece, "at" | "piece"> {
  const [at, piece] = anchorOf(wildcard);
  let best: Pick<Piece, "at" | "piece"> = { at, piece };
  let least = Number.POSITIVE_INFINITY;
  for (const each of piecesOf(wildcard)) {
    const isAnchor = each.at === at && each.piece === piece;
    const score = (shares.get(each.key) ?? 0) / Math.min(each.piece.length, TELLING_UNITS_MAX);
    if (score > least || (score === least && !isAnchor)) continue;
    best = each;
    least = score;
  }
  return best;
}
