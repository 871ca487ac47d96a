/**
 * Reads TypeScript files as syntax trees (vitest's own parser) and says what they import, which globals they use and which
 * constructs stand in them. Comments and strings are no code to a parser, so neither can hide or fake a finding.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { parseAst } from "vitest/node";

export interface SourceFile {
  /** Relative to the root of the project, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly line: number;
  /** What stands between the quotes; null when it is computed. */
  readonly specifier: string | null;
}

export interface Finding {
  readonly line: number;
  readonly name: string;
}

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** All `.ts` files under the folders, in the order of their paths. */
export async function readSourceFiles(root: string, folders: readonly string[]): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
      const file = join(entry.parentPath, entry.name);
      files.push({ path: relative(root, file).split(sep).join("/"), text: await readFile(file, "utf8") });
    }
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

export function parseFile({ path, text }: SourceFile): SyntaxNode {
  return parseAst(
    text,
    { lang: path.endsWith(".d.ts") ? "dts" : "ts", sourceType: "module" },
    path,
  ) as unknown as SyntaxNode;
}

export function lineOf({ text }: SourceFile, node: SyntaxNode): number {
  return text.slice(0, node.start).split("\n").length;
}

/** Calls `visit` for every node, parents first; a node for which it returns false is not entered. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode, parent: SyntaxNode | null) => boolean | void): void {
  const enter = (current: SyntaxNode, parent: SyntaxNode | null): void => {
    if (visit(current, parent) === false) return;
    for (const child of Object.values(current)) {
      for (const item of Array.isArray(child) ? (child as readonly unknown[]) : [child]) {
        if (isNode(item)) enter(item, current);
      }
    }
  };
  enter(node, null);
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** Static, dynamic, re-exporting and type-only imports, `import("…").Type` and `require("…")`. */
export function importsOf(file: SourceFile): readonly Import[] {
  const imports: Import[] = [];
  walk(parseFile(file), (node) => {
    const source = importedBy(node);
    if (source !== undefined) imports.push({ line: lineOf(file, node), specifier: literalText(source) });
  });
  return imports;
}

function importedBy(node: SyntaxNode): unknown {
  switch (node.type) {
    case "ImportDeclaration":
    case "ImportExpression":
    case "ExportAllDeclaration":
    case "TSImportType":
    case "TSExternalModuleReference":
      return node["source"] ?? node["expression"];
    case "ExportNamedDeclaration":
      return node["source"] ?? undefined;
    case "CallExpression":
      return nameOf(node["callee"]) === "require" ? ((node["arguments"] as readonly unknown[])[0] ?? null) : undefined;
    default:
      return undefined;
  }
}

function literalText(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === "TSLiteralType") return literalText(node["literal"]);
  return node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : null;
}

/** Of package.json: the readers of rule files, in the place of which a deployed Worker has core/no-entry.ts. */
const ENTRIES = "#entry/";

/** Whether a specifier names a file of this project. */
export function isOwnFile(specifier: string): boolean {
  return specifier.startsWith(".") || specifier.startsWith(ENTRIES);
}

/** The file of this project that a specifier names, relative to the root. */
export function resolveImport(path: string, specifier: string): string {
  if (specifier.startsWith(ENTRIES)) return `src/${specifier.slice(ENTRIES.length)}`;
  return posix.normalize(posix.join(posix.dirname(path), specifier));
}

/** `hono` of `hono/cors`, `@scope/name` of `@scope/name/part`; `node:…` and `cloudflare:…` stay whole. */
export function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Parts of a tree that exist for the type checker only; a type named like a global is no use of it. */
const TYPE_KEYS = ["typeAnnotation", "typeParameters", "typeArguments", "returnType", "superTypeArguments"];
const TYPE_NODES = ["TSInterfaceDeclaration", "TSTypeAliasDeclaration"];

/**
 * Where the globals are used. A name is `fetch`; or `Math.random` for one member, `Math.[…]` for a computed one and
 * `bare Math` for the object itself; or `new Date()` for the call without arguments. There is no analysis of scopes: a local
 * with the name of a forbidden global counts as its use.
 */
export function globalsUsedIn(file: SourceFile, names: readonly string[]): readonly Finding[] {
  const found: Finding[] = [];
  walk(parseFile(file), (node, parent) => {
    if (TYPE_NODES.includes(node.type)) return false;
    if (parent !== null && TYPE_KEYS.some((key) => parent[key] === node)) return false;
    const used = usesOf(node, parent).find((use) => names.includes(use));
    if (used !== undefined) found.push({ line: lineOf(file, node), name: used });
    return true;
  });
  return found;
}

const LABELS = ["ImportSpecifier", "ImportDefaultSpecifier", "ImportNamespaceSpecifier"];

/** The names that the use of an identifier goes by; none for the name of a property or of a member. */
function usesOf(node: SyntaxNode, parent: SyntaxNode | null): readonly string[] {
  const name = nameOf(node);
  if (name === undefined || parent === null) return [];
  const isKey = parent["key"] === node && parent["computed"] !== true;
  const isMember = parent.type === "MemberExpression" && parent["property"] === node && parent["computed"] !== true;
  const isLabel = LABELS.includes(parent.type) || (parent.type === "ExportSpecifier" && parent["exported"] === node);
  if (isKey || isMember || isLabel) return [];
  if (parent.type === "NewExpression" && parent["callee"] === node) {
    return (parent["arguments"] as readonly unknown[]).length === 0 ? [name, `new ${name}()`] : [name];
  }
  if (parent.type !== "MemberExpression" || parent["object"] !== node) return [name, `bare ${name}`];
  const property = parent["computed"] === true ? literalText(parent["property"]) : nameOf(parent["property"]);
  return [name, `${name}.${property ?? "[…]"}`];
}

export function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === "Identifier" ? (node["name"] as string) : undefined;
}
