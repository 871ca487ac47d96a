/** Lists of targets one after the other in one place: what a lookup leads to is reached by one step, not by several objects. */
import type { FiledCondition, Hit } from "./filed-condition.ts";

export interface TargetLists {
  readonly lists: Int32Array;
  /** Where each list is; a list begins with its length. */
  readonly starts: readonly number[];
}

/** One list for each group of conditions that are met together. */
export function packTargets(groups: readonly (readonly FiledCondition[])[]): TargetLists {
  const packed: number[] = [];
  const starts: number[] = [];
  for (const group of groups) {
    const targets = group.flatMap((filed) => filed.targets);
    starts.push(packed.length);
    packed.push(targets.length);
    for (const target of targets) packed.push(target);
  }
  return { lists: Int32Array.from(packed), starts };
}

/** Tells the targets of the list that starts there. */
export function hitList(lists: Int32Array, start: number, hit: Hit): void {
  const end = start + 1 + (lists[start] as number);
  for (let at = start + 1; at < end; at++) hit(lists[at] as number);
}
