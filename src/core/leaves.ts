/**
 * The values of an event at the paths that patterns name, read in one walk. Names are joined by "." on both sides, so a
 * name with dots in it and objects in one another are the same path; arrays leave no trace in a path, but every value
 * remembers which elements it was found in.
 */
import type { Scalar } from "./alternative.ts";
import type { PathTree } from "./path-tree.ts";
import { buildPathTree, memberAt } from "./path-tree.ts";
import type { Json, JsonObject } from "./result.ts";

/** An element of an array that is itself an object or an array, within the elements around it. */
export interface Element {
  /** Tells the arrays of one event apart. */
  readonly array: number;
  readonly index: number;
  readonly parent: Element | null;
}

export interface Leaf {
  readonly value: Scalar;
  /** The innermost element around the value; null when it stands in none. A scalar directly in an array is in none of its elements. */
  readonly element: Element | null;
}

/** Reads the values of one event after the other into the same lists: nothing is made for a path with one value. */
export interface LeafReader {
  /** By the path's place among the paths: its value, when it has just one and that stands in no element. */
  readonly single: readonly (Scalar | undefined)[];
  /** Its values, when there are several or one that stands in an element; their order is not fixed. */
  readonly several: readonly (readonly Leaf[] | undefined)[];
  /** The places of the paths with a value; only the first `foundCount` count. */
  readonly found: Int32Array;
  readonly foundCount: () => number;
  /** `view` is of bounded depth (`JSON_DEPTH_MAX`). What was read before is forgotten. Paths that may wait are not read yet. */
  readonly read: (view: JsonObject) => void;
  /** Reads the paths that may wait, if they have waited until now. */
  readonly need: () => void;
  /** Lets go of the event. */
  readonly forget: () => void;
}

/** An object is searched for the wanted names when they are at most so many for each of its own; else it is walked. */
const SEARCH_RATIO = 0.6;
/** How often an object that is searched is walked all the same, to see how many names it has now. */
const WALK_EVERY = 256;

/** How far events count for or against reading at once what may wait. */
const NEEDS_MAX = 16;

const NOTHING: JsonObject = {};

/** `mayWait`: by path, whether its values are read only when one of them is needed; all are read at once without it. */
export function createLeafReader(paths: readonly string[], mayWait: readonly boolean[] = []): LeafReader {
  const isAtOnce = Uint8Array.from(paths, (_, slot) => (mayWait[slot] === true ? 0 : 1));
  const treeOf = (isWanted: (slot: number) => boolean): PathTree => buildPathTree(paths, isWanted);
  const atOnce = treeOf((slot) => isAtOnce[slot] === 1);
  let waiting: PathTree | null = null;
  let whole = isAtOnce.includes(0) ? null : atOnce;
  const single: (Scalar | undefined)[] = paths.map(() => undefined);
  const several: (Leaf[] | undefined)[] = paths.map(() => undefined);
  const found = new Int32Array(paths.length);
  let foundCount = 0;
  let arrays = 0;
  let hasElements = false;
  /** Whether the paths that are read are those that have waited. */
  let isLate = false;
  let isAllRead = true;
  let isNeeded = false;
  /** The more, the more of the last events needed what may wait: then one walk for all costs least. */
  let needs = 0;
  let event = NOTHING;

  const record = (slot: number, value: Scalar, element: Element | null): void => {
    if (isLate && isAtOnce[slot] === 1) return;
    const first = single[slot];
    const list = several[slot];
    if (first === undefined && list === undefined) {
      found[foundCount++] = slot;
      if (element === null) single[slot] = value;
      else several[slot] = [{ value, element }];
    } else if (list !== undefined) list.push({ value, element });
    else {
      several[slot] = [
        { value: first as Scalar, element: null },
        { value, element },
      ];
      single[slot] = undefined;
    }
  };

  const visit = (value: Json, node: PathTree, element: Element | null): void => {
    if (typeof value !== "object" || value === null) {
      if (node.slot !== -1) record(node.slot, value, element);
    } else if (Array.isArray(value)) visitArray(value as readonly Json[], node, element);
    else if (node.names.length > 0) visitObject(value as JsonObject, node, element);
  };

  const visitArray = (items: readonly Json[], node: PathTree, element: Element | null): void => {
    const array = arrays++;
    for (let index = 0; index < items.length; index++) {
      const item = items[index] as Json;
      const isNested = typeof item === "object" && item !== null;
      if (isNested) hasElements = true;
      visit(item, node, isNested ? { array, index, parent: element } : element);
    }
  };

  const visitObject = (object: JsonObject, node: PathTree, element: Element | null): void => {
    const { names, nodes } = node;
    if (!node.isLong && names.length <= node.memberCount * SEARCH_RATIO && ++node.searches % WALK_EVERY !== 0) {
      for (let at = 0; at < names.length; at++) {
        const name = names[at] as string;
        const value = object[name];
        // Of other names that `JSON.parse` gives an object, there is nothing to inherit.
        if (value === undefined || (node.isInheritable && !Object.hasOwn(object, name))) continue;
        visit(value, nodes[at] as PathTree, element);
      }
      return;
    }
    const members = Object.keys(object);
    node.memberCount = members.length;
    for (let at = 0; at < members.length; at++) {
      const name = members[at] as string;
      const child = memberAt(node, name);
      if (child !== undefined) visit(object[name] as Json, child, element);
    }
  };

  const forgetFrom = (first: number): void => {
    for (let at = first; at < foundCount; at++) {
      const slot = found[at] as number;
      single[slot] = undefined;
      several[slot] = undefined;
    }
    foundCount = first;
  };

  const walkAll = (): void => {
    arrays = 0;
    visit(event, (whole ??= treeOf(() => true)), null);
    isAllRead = true;
  };

  /** Walks some of the paths; should values in elements come to light, all of them: one walk has to number the arrays. */
  const walk = (part: PathTree): void => {
    const first = foundCount;
    arrays = 0;
    hasElements = false;
    visit(event, part, null);
    isAllRead = isLate || part === whole;
    if (!hasElements || part === whole) return;
    forgetFrom(first);
    walkAll();
  };

  const forget = (): void => {
    forgetFrom(0);
    event = NOTHING;
  };

  return {
    single,
    several,
    found,
    foundCount: () => foundCount,
    read: (view) => {
      forget();
      needs = isNeeded ? Math.min(NEEDS_MAX, needs + 1) : Math.max(0, needs - 1);
      isNeeded = false;
      event = view;
      isLate = false;
      if (2 * needs > NEEDS_MAX) walkAll();
      else walk(atOnce);
      isLate = true;
    },
    need: () => {
      isNeeded = true;
      if (!isAllRead) walk((waiting ??= treeOf((slot) => isAtOnce[slot] === 0)));
    },
    forget,
  };
}

/** The values of one event at each of the paths, in the order of the paths; for many events, keep a reader. */
export function readLeaves(reader: LeafReader, view: JsonObject): readonly (readonly Leaf[])[] {
  reader.read(view);
  const leaves = reader.single.map((value, slot) =>
    value === undefined ? (reader.several[slot] ?? []) : [{ value, element: null }],
  );
  reader.forget();
  return leaves;
}
