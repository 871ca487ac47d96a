/**
 * Which condition of each rule an event is looked up by. All the fields of a branch have to be met, so it is enough to look at a
 * branch when one of them is: the one that is met most seldom, as far as the rules themselves tell.
 */
import type { Alternative, ValueCondition } from "./alternative.ts";
import type { Pattern } from "./pattern.ts";
import { anchorOf } from "./value-index.ts";

/** A path and its alternatives; rules that ask the same of a path share it. */
export interface FiledField {
  /** The place of the path among all paths. */
  readonly slot: number;
  readonly alternatives: readonly Alternative[];
  /** The alternatives' own keys, equal for equal ones. */
  readonly keys: readonly string[];
  /** How many branches have it. */
  uses: number;
}

export interface FiledBranch {
  readonly pattern: number;
  /** Places among the fields, those first that are met most seldom: the branch is filed under the first. */
  readonly fields: readonly number[];
}

export interface Filing {
  readonly paths: readonly string[];
  readonly fields: readonly FiledField[];
  readonly branches: readonly FiledBranch[];
}

/** A path that is named this often seems to have as many values as its rules say; of one named less often that is unsure. */
const UNSURE_USES = 16;

export function filePatterns(patterns: readonly Pattern[]): Filing {
  const slots = new Map<string, number>();
  const fields: FiledField[] = [];
  /** By slot, where each field is: by the key of its one alternative, or of all of them. */
  const places: Map<string, number>[] = [];
  const branches: { readonly pattern: number; readonly fields: number[] }[] = [];

  const placeOf = (path: string, alternatives: readonly Alternative[]): number => {
    let slot = slots.get(path);
    if (slot === undefined) {
      slots.set(path, (slot = slots.size));
      places.push(new Map());
    }
    const ofSlot = places[slot] as Map<string, number>;
    const keys = alternatives.map(alternativeKey);
    // The key of one begins with no digit, as that of several does.
    const key = keys.length === 1 ? (keys[0] as string) : listKey(keys);
    let place = ofSlot.get(key);
    if (place === undefined) {
      ofSlot.set(key, (place = fields.length));
      fields.push({ slot, alternatives, keys, uses: 0 });
    }
    return place;
  };

  for (const [index, pattern] of patterns.entries()) {
    // Branches share the fields that stand beside their `$or`.
    const shared = pattern.branches.length > 1 ? new Map<readonly Alternative[], number>() : undefined;
    for (const branch of pattern.branches) {
      const members: number[] = [];
      for (const { path, alternatives } of branch) {
        const place = shared?.get(alternatives) ?? placeOf(path, alternatives);
        shared?.set(alternatives, place);
        (fields[place] as FiledField).uses++;
        members.push(place);
      }
      branches.push({ pattern: index, fields: members });
    }
  }
  const shares = estimateShares(fields, slots.size);
  for (const branch of branches) {
    if (branch.fields.length > 1) branch.fields.sort((a, b) => (shares[a] as number) - (shares[b] as number));
  }
  return { paths: [...slots.keys()], fields, branches };
}

/** For each field, the share of events that may meet it. */
function estimateShares(fields: readonly FiledField[], slotCount: number): Float64Array {
  const usesOfSlot = new Float64Array(slotCount);
  const usesOfKey = Array.from({ length: slotCount }, () => new Map<string, number>());
  for (const { slot, keys, uses } of fields) {
    usesOfSlot[slot] = (usesOfSlot[slot] as number) + uses;
    const ofSlot = usesOfKey[slot] as Map<string, number>;
    for (const key of keys) ofSlot.set(key, (ofSlot.get(key) ?? 0) + uses);
  }
  return Float64Array.from(fields, ({ slot, alternatives, keys }) => {
    let sum = 0;
    for (let at = 0; at < alternatives.length; at++) {
      const uses = usesOfKey[slot]?.get(keys[at] as string) ?? 0;
      // What many rules ask for is a value that many events have: few people name what never comes.
      sum += estimateShare(alternatives[at] as Alternative, uses / ((usesOfSlot[slot] as number) + UNSURE_USES));
    }
    return Math.min(1, sum);
  });
}

/** `named`: the share of the path's uses that name just this. The smallest differences only tell which is the cheaper look. */
function estimateShare(alternative: Alternative, named: number): number {
  switch (alternative.kind) {
    case "equals":
      return typeof alternative.value === "string" || typeof alternative.value === "number"
        ? named
        : Math.max(named, 0.4);
    case "equals-ignore-case":
      return named + 0.000_1;
    case "prefix":
    case "suffix":
      return Math.max(named, affixShare(alternative.text.length)) + 0.000_1;
    case "prefix-ignore-case":
    case "suffix-ignore-case":
      return Math.max(named, affixShare(alternative.folded.length)) + 0.000_2;
    case "cidr":
      return Math.max(named, 0.01);
    case "wildcard":
      return alternative.wildcard.length === 1
        ? named
        : Math.max(named, affixShare(anchorOf(alternative.wildcard)[1].length)) + 0.005;
    case "numeric": {
      const { low, high } = alternative.range;
      if (low !== undefined && high !== undefined) return low.value === high.value ? named : 0.2;
      return 0.5;
    }
    case "anything-but":
    case "absent":
      return 0.9;
    case "present":
      return 0.95;
  }
}

function affixShare(units: number): number {
  return 0.6 ** units;
}

/** A name that is the same for alternatives that any value meets or does not meet alike. */
function alternativeKey(alternative: Alternative): string {
  if (alternative.kind === "present") return "+";
  if (alternative.kind === "absent") return "-";
  if (alternative.kind === "anything-but") return `!${listKey(alternative.excluded.map(conditionKey))}`;
  return conditionKey(alternative);
}

export function conditionKey(condition: ValueCondition): string {
  switch (condition.kind) {
    case "equals":
      return typeof condition.value === "string" ? `s${condition.value}` : `v${String(condition.value)}`;
    case "equals-ignore-case":
      return `i${condition.folded}`;
    case "prefix":
      return `p${condition.text}`;
    case "suffix":
      return `x${condition.text}`;
    case "prefix-ignore-case":
      return `P${condition.folded}`;
    case "suffix-ignore-case":
      return `X${condition.folded}`;
    case "wildcard":
      return `w${listKey(condition.wildcard)}`;
    case "numeric": {
      const { low, high } = condition.range;
      return `n${low?.inclusive === true ? "[" : "("}${low?.value},${high?.value}${high?.inclusive === true ? "]" : ")"}`;
    }
    case "cidr":
      return `c${condition.cidr.network.join(".")}/${condition.cidr.prefixBits}`;
  }
}

function listKey(keys: readonly string[]): string {
  return keys.length === 1
    ? `1${keys[0] as string}`
    : `${keys.length}${keys.map((key) => `${key.length}:${key}`).join("")}`;
}
