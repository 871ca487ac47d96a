/**
 * Ranges of numbers, found by sorted bounds. The bounds cut the numbers into cells, each bound and each gap between two; a range
 * is kept at the few nodes of a binary tree over the cells that together make it up, and a number meets the ranges at the nodes
 * above its cell. Reference: de Berg and others, "Computational Geometry", section 10.3 (segment trees).
 */
import type { FiledCondition, Hit } from "./filed-condition.ts";
import type { NumericRange } from "./numeric-range.ts";
import { hitList, packTargets } from "./target-lists.ts";

/** Parts of the numbers between the least bound and the greatest, for each bound, and in all. */
const PARTS_PER_BOUND = 2;
const PARTS_MAX = 4_096;

export interface RangeIndex {
  readonly bounds: Bounds;
  /** By cell, the lowest node above it that has ranges; -1 where none has. A node is the place of its targets. */
  readonly lowest: Int32Array;
  /** By place, the next node above that has ranges. */
  readonly above: Int32Array;
  readonly lists: Int32Array;
}

/**
 * Sorted numbers that are found by a guess: they are cut in parts of equal width, and of each it is known which bounds lie in it.
 * Where the bounds lie evenly that leaves next to nothing to search; where they don't, it is a search in two halves.
 */
interface Bounds {
  /** Ascending, each once. */
  readonly values: Float64Array;
  readonly least: number;
  readonly partsPerUnit: number;
  /** By part, its first bound; one more at the end. */
  readonly firsts: Int32Array;
}

/** The cells' nodes stand after those above them: node n is below node n / 2. */
export function buildRangeIndex(
  ranges: readonly { readonly range: NumericRange; readonly filed: FiledCondition }[],
): RangeIndex {
  const all = ranges.flatMap(({ range: { low, high } }) => [
    ...(low === undefined ? [] : [low.value]),
    ...(high === undefined ? [] : [high.value]),
  ]);
  // As keys of a set, 0 and -0 are one.
  const bounds = cutBounds(Float64Array.from(new Set(all)).toSorted());
  const count = 2 * bounds.values.length + 1;
  const nodes: (FiledCondition[] | undefined)[] = Array.from({ length: 2 * count });
  for (const { range, filed } of ranges) {
    const { low, high } = range;
    const first = low === undefined ? 0 : cellOf(bounds, low.value) + (low.inclusive ? 0 : 1);
    const last = high === undefined ? count - 1 : cellOf(bounds, high.value) - (high.inclusive ? 0 : 1);
    let from = first + count;
    let to = last + 1 + count;
    for (; from < to; from >>= 1, to >>= 1) {
      if (from % 2 === 1) (nodes[from++] ??= []).push(filed);
      if (to % 2 === 1) (nodes[--to] ??= []).push(filed);
    }
  }
  const { lists, starts } = packTargets(nodes.filter((node) => node !== undefined));
  const above = new Int32Array(lists.length).fill(-1);
  /** By node: its own place, or that of the nearest above. */
  const nearest = new Int32Array(2 * count).fill(-1);
  let packed = 0;
  for (let node = 1; node < 2 * count; node++) {
    const next = nearest[node >> 1] as number;
    if (nodes[node] === undefined) nearest[node] = next;
    else {
      const place = starts[packed++] as number;
      above[place] = next;
      nearest[node] = place;
    }
  }
  return { bounds, lowest: nearest.slice(count), above, lists };
}

/** Hits for each range that the number lies in. */
export function findRanges({ bounds, lowest, above, lists }: RangeIndex, value: number, hit: Hit): void {
  for (let node = lowest[cellOf(bounds, value)] as number; node !== -1; node = above[node] as number) {
    hitList(lists, node, hit);
  }
}

function cutBounds(values: Float64Array): Bounds {
  const least = values[0] ?? 0;
  const parts = Math.min(PARTS_MAX, PARTS_PER_BOUND * values.length);
  const bounds = {
    values,
    least,
    partsPerUnit: parts / ((values.at(-1) ?? 0) - least),
    firsts: new Int32Array(parts + 1),
  };
  for (const value of values) {
    const part = partOf(bounds, value);
    bounds.firsts[part + 1] = (bounds.firsts[part + 1] as number) + 1;
  }
  for (let part = 0; part < parts; part++) {
    bounds.firsts[part + 1] = (bounds.firsts[part + 1] as number) + (bounds.firsts[part] as number);
  }
  return bounds;
}

/** Never less for a greater number, whatever is rounded: that is all that is needed of it. */
function partOf({ least, partsPerUnit, firsts }: Bounds, value: number): number {
  const place = (value - least) * partsPerUnit;
  const last = firsts.length - 2;
  if (place >= last) return last;
  return place > 0 ? Math.trunc(place) : 0;
}

/** The place among the cells: every bound, the gap before each, and the one after the last. */
function cellOf(bounds: Bounds, value: number): number {
  const { values, firsts } = bounds;
  const part = partOf(bounds, value);
  let low = firsts[part] as number;
  let high = firsts[part + 1] as number;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return values[low] === value ? 2 * low + 1 : 2 * low;
}
