/**
 * The values of an event at the paths that patterns name, read in one walk. Names are joined by "." on both sides, so a
 * name with dots in it and objects in one another are the same path; arrays leave no trace in a path, but every value
 * remembers which elements it was found in.
 */
import type { Scalar } from "./alternative.ts";
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

/** The paths to read, as a tree of names. */
export interface PathTree {
  /** The path's place in the answer, or null when no path ends here. */
  slot: number | null;
  readonly children: Map<string, PathTree>;
}

/** The answer of `readLeaves` has a list of leaves for each path, in the order of the paths. */
export function buildPathTree(paths: readonly string[]): PathTree {
  const root: PathTree = { slot: null, children: new Map() };
  for (const [slot, path] of paths.entries()) {
    let node = root;
    for (const name of path.split(".")) {
      const child: PathTree = node.children.get(name) ?? { slot: null, children: new Map() };
      node.children.set(name, child);
      node = child;
    }
    node.slot = slot;
  }
  return root;
}

interface Pending {
  readonly value: Json;
  readonly node: PathTree;
  readonly element: Element | null;
}

/** The order of the leaves of one path is not fixed. */
export function readLeaves(view: JsonObject, paths: PathTree, pathCount: number): readonly (readonly Leaf[])[] {
  const leaves: Leaf[][] = Array.from({ length: pathCount }, () => []);
  const pending: Pending[] = [{ value: view, node: paths, element: null }];
  let arrays = 0;
  const visit = (value: Json, node: PathTree, element: Element | null): void => {
    if (typeof value === "object" && value !== null) pending.push({ value, node, element });
    else if (node.slot !== null) leaves[node.slot]?.push({ value, element });
  };
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, node, element } = next;
    if (Array.isArray(value)) {
      const array = arrays++;
      for (const [index, item] of (value as readonly Json[]).entries()) {
        const isNested = typeof item === "object" && item !== null;
        visit(item, node, isNested ? { array, index, parent: element } : element);
      }
    } else if (node.children.size > 0) {
      const object = value as JsonObject;
      for (const name of Object.keys(object)) {
        const child = descend(node, name);
        if (child !== undefined) visit(object[name] as Json, child, element);
      }
    }
  }
  return leaves;
}

function descend(node: PathTree, name: string): PathTree | undefined {
  if (!name.includes(".")) return node.children.get(name);
  let at: PathTree | undefined = node;
  for (const part of name.split(".")) {
    at = at.children.get(part);
    if (at === undefined) return undefined;
  }
  return at;
}
