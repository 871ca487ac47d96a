/**
 * Parts of a JSON document that somebody reads, as a tree of names. Names are split at their dots on both sides, so that a name
 * with dots in it and objects in one another are the same path, as they are to patterns; arrays leave no trace.
 */

export interface WantedPath {
  /** From the document's root; empty names the root itself. */
  readonly names: readonly string[];
  /** `values`: strings, numbers and literals that stand there or in arrays there. `all`: objects below too. */
  readonly depth: "values" | "all";
}

export interface WantedNode {
  readonly depth: "names" | "values" | "all";
  readonly children: ReadonlyMap<string, WantedNode>;
  /** Bytes of UTF-8 that a name of a child may have when it is written without escapes; a name with a dot may have others. */
  readonly nameBytes: ReadonlySet<number>;
  /** Bytes of a name, escapes and quotes included, that may lead to a wanted part; a longer one leads to none. */
  readonly nameBytesMax: number;
}

const UTF8 = new TextEncoder();
/** `\u0061` for one byte. */
const ESCAPED_BYTES_MAX = 6;

interface OpenNode {
  depth: WantedNode["depth"];
  readonly children: Map<string, OpenNode>;
}

export function buildWantedTree(paths: readonly WantedPath[]): WantedNode {
  const root: OpenNode = { depth: "names", children: new Map() };
  for (const { names, depth } of paths) {
    let node = root;
    for (const name of names.flatMap((each) => each.split("."))) {
      const child: OpenNode = node.children.get(name) ?? { depth: "names", children: new Map() };
      node.children.set(name, child);
      node = child;
    }
    if (node.depth !== "all") node.depth = depth;
  }
  return finishNode(root);
}

function finishNode({ depth, children }: OpenNode): WantedNode {
  const finished = new Map([...children].map(([name, child]) => [name, finishNode(child)]));
  const lengths = [...finished.keys()].map((name) => UTF8.encode(name).length);
  // The quotes come once, and a dot between two names: two bytes a name are enough for both.
  const longest = [...finished].map(([, child], at) => ESCAPED_BYTES_MAX * (lengths[at] ?? 0) + child.nameBytesMax + 6);
  return { depth, children: finished, nameBytes: new Set(lengths), nameBytesMax: Math.max(2, ...longest) };
}

/** The node that a name of the document leads to, if any part of what it names is wanted. */
export function wantedMember(node: WantedNode, name: string): WantedNode | undefined {
  let at: WantedNode | undefined = node;
  for (const part of name.split(".")) {
    at = at.children.get(part);
    if (at === undefined) return undefined;
  }
  return at;
}
