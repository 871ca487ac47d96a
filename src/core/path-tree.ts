/** Paths to read, as a tree of names: what of an event's objects leads to a path that somebody wants. */

/**
 * Names of one path up to which every way to write several of them as one, with dots, is kept at each node; a path of more has
 * its names taken apart as they come.
 */
export const JOINED_NAMES_MAX = 16;

export interface PathTree {
  /** The path's place among the paths, or -1 when no path ends here. */
  readonly slot: number;
  /**
   * The names of members that lead to a wanted path, and to which node: the children's, and those with dots in them that lead
   * further at once. A path of more than JOINED_NAMES_MAX names has none of the latter.
   */
  readonly names: readonly string[];
  readonly nodes: readonly PathTree[];
  readonly byName: ReadonlyMap<string, PathTree>;
  /** Whether a path of more than JOINED_NAMES_MAX names leads through. */
  readonly isLong: boolean;
  /** Whether every object has one of the names, in that it inherits it. */
  readonly isInheritable: boolean;
  /** How many members the last object had that was walked here. */
  memberCount: number;
  /** How many objects were searched here without being walked. */
  searches: number;
}

interface OpenTree extends PathTree {
  slot: number;
  readonly names: string[];
  readonly nodes: OpenTree[];
  readonly byName: Map<string, OpenTree>;
  isLong: boolean;
  isInheritable: boolean;
}

/** Of those paths that are wanted, by their places among all: each ends at the node that has its place as `slot`. */
export function buildPathTree(paths: readonly string[], isWanted: (slot: number) => boolean): PathTree {
  const root = openTree();
  for (const [slot, path] of paths.entries()) {
    if (!isWanted(slot)) continue;
    const names = path.split(".");
    const nodes = [root];
    for (const name of names) {
      const node = nodes.at(-1) as OpenTree;
      const child = node.byName.get(name) ?? openTree();
      addMember(node, name, child);
      nodes.push(child);
    }
    (nodes.at(-1) as OpenTree).slot = slot;
    if (names.length > JOINED_NAMES_MAX) {
      for (const node of nodes) node.isLong = true;
      continue;
    }
    for (let from = 0; from < names.length; from++) {
      for (let to = from + 2; to <= names.length; to++) {
        addMember(nodes[from] as OpenTree, names.slice(from, to).join("."), nodes[to] as OpenTree);
      }
    }
  }
  return root;
}

function openTree(): OpenTree {
  const lists = { names: [], nodes: [], byName: new Map<string, OpenTree>() };
  return { slot: -1, ...lists, isLong: false, isInheritable: false, memberCount: 0, searches: 0 };
}

function addMember(node: OpenTree, name: string, child: OpenTree): void {
  if (node.byName.has(name)) return;
  node.byName.set(name, child);
  node.names.push(name);
  node.nodes.push(child);
  // Two objects without anything of their own: what either has is inherited.
  node.isInheritable ||= name in {};
}

/** Where a member of this name leads, if any wanted path goes on there. */
export function memberAt(node: PathTree, name: string): PathTree | undefined {
  const known = node.byName.get(name);
  if (known !== undefined || !node.isLong || !name.includes(".")) return known;
  let at: PathTree | undefined = node;
  for (const part of name.split(".")) {
    at = at.byName.get(part);
    if (at === undefined) return undefined;
  }
  return at;
}
