/** House rules that no linter here knows, each as a function from a file to what is wrong with it. */
import type { SourceFile, SyntaxNode } from "./import-graph.ts";
import { isNode, lineOf, nameOf, parseFile, walk } from "./import-graph.ts";

export const SOURCE_LINES_MAX = 300;

/** Only the platform's own base classes are worth a class. */
const CLASS_FILES = ["src/objects/gate.ts", "src/objects/partition.ts", "src/index.ts"];
const TEST_FUNCTIONS = ["it", "test", "describe", "bench", "suite"];
const TEST_MARKS = ["only", "skip", "todo", "fails", "skipIf", "runIf"];

export function houseViolations(file: SourceFile): readonly string[] {
  const isSource = file.path.startsWith("src/");
  return [
    ...fileNameMistakes(file.path),
    ...syntaxMistakes(file),
    ...(isSource && !file.path.startsWith("src/generated/") ? lengthMistakes(file) : []),
  ];
}

function fileNameMistakes(path: string): readonly string[] {
  const parts = path.split("/");
  const name = parts.at(-1) ?? "";
  const mistakes: string[] = [];
  if (!/^_?[a-z0-9]+(-[a-z0-9]+)*(\.(test|d|config))?\.ts$/.test(name)) mistakes.push(`${path}: not in kebab-case`);
  if (parts.slice(0, -1).some((part) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))) {
    mistakes.push(`${path}: a folder not in kebab-case`);
  }
  if (parts.some((part) => /^_?(utils?|helpers?|misc|common)(\.ts)?$/.test(part))) {
    mistakes.push(`${path}: named after nothing; a file is named after its noun`);
  }
  if (name === "index.ts" && path !== "src/index.ts") mistakes.push(`${path}: only src/ has an index.ts`);
  return mistakes;
}

function lengthMistakes({ path, text }: SourceFile): readonly string[] {
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return lines > SOURCE_LINES_MAX ? [`${path}: ${lines} lines, of at most ${SOURCE_LINES_MAX}`] : [];
}

function syntaxMistakes(file: SourceFile): readonly string[] {
  const program = parseFile(file);
  const mistakes: string[] = [];
  const report = (node: SyntaxNode, text: string) => mistakes.push(`${file.path}:${lineOf(file, node)}: ${text}`);
  if (isBarrel(program)) mistakes.push(`${file.path}: only hands on the exports of other files`);
  walk(program, (node) => {
    if (node.type === "TSEnumDeclaration") report(node, "an enum; use a union of strings");
    const isClass = node.type === "ClassDeclaration" || node.type === "ClassExpression";
    if (isClass && file.path.startsWith("src/") && !CLASS_FILES.includes(file.path)) {
      report(node, "a class; use functions and object literals");
    }
    const mark = testMark(node);
    if (mark !== undefined && !hasReason(file, node))
      report(node, `a test marked .${mark} without a comment that says why`);
  });
  return mistakes;
}

function isBarrel(program: SyntaxNode): boolean {
  const statements = program["body"] as readonly SyntaxNode[];
  return (
    statements.length > 0 &&
    statements.every(
      ({ type, source }) =>
        type === "ExportAllDeclaration" ||
        (type === "ExportNamedDeclaration" && source !== null && source !== undefined),
    )
  );
}

/** `skip` of `it.skip` and of `describe.each(…).skip`, whatever stands between. */
function testMark(node: SyntaxNode): string | undefined {
  if (node.type !== "MemberExpression") return undefined;
  const mark = nameOf(node["property"]);
  if (mark === undefined || !TEST_MARKS.includes(mark)) return undefined;
  let root: unknown = node["object"];
  while (isNode(root) && nameOf(root) === undefined) root = root["object"] ?? root["callee"];
  return TEST_FUNCTIONS.includes(nameOf(root) ?? "") ? mark : undefined;
}

/** A comment on the line of the mark or on the line above it. */
function hasReason(file: SourceFile, node: SyntaxNode): boolean {
  const lines = file.text.split("\n");
  const line = lineOf(file, node);
  const above = lines[line - 2]?.trim() ?? "";
  return (
    /\/\/ *\S/.test(lines[line - 1] ?? "") || /^\/\/ *\S/.test(above) || (above.length > 2 && above.endsWith("*/"))
  );
}
