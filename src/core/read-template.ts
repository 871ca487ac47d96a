/** Reads and checks the body of a template. A deployed Worker has rules that were checked: checked-template.ts. */
import { findJsonMistake } from "./json-mistake.ts";
import { JSON_DEPTH_MAX, findDuplicateMember, jsonDepth } from "./json.ts";
import { unknownName } from "./read-object.ts";
import { err, formatPath, isJsonObject, ok } from "./result.ts";
import type { Json, Mistake, PathStep, Result } from "./result.ts";
import {
  PLACEHOLDER_NAME,
  TEMPLATE_BYTES_MAX,
  TEXT_TOKEN,
  WHOLE_PLACEHOLDER,
  escapeText,
  joinStrings,
  splitText,
  utf8Length,
} from "./template.ts";
import type { Template, TemplatePart } from "./template.ts";

const WHOLE_NAME = new RegExp(`^${PLACEHOLDER_NAME}$`);

export const PLACEHOLDER_SCHEMA = { type: "string", pattern: WHOLE_NAME.source } as const;

export function isPlaceholderName(name: string): boolean {
  return WHOLE_NAME.test(name);
}

/**
 * Compiles a template's body. A string that begins with `{`, `[` or `"` is JSON text with placeholders; everything else is
 * a structure in which a string that is one placeholder alone inserts the value. `names` are the placeholders there are.
 */
export function parseTemplate(
  body: Json,
  names: readonly string[],
  path: readonly PathStep[],
): Result<Template, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const parts: TemplatePart[] = [];
  const compiler: Compiler = { names, mistakes, parts };
  if (typeof body === "string" && /^\s*[{["]/.test(body)) {
    if (checkSize(body, path, mistakes)) compileText(body, path, compiler);
  } else {
    compileStructure(body, path, 1, compiler);
    if (mistakes.length === 0) checkSize(JSON.stringify(body), path, mistakes);
  }
  return mistakes.length > 0 ? err(mistakes) : ok(joinStrings(parts));
}

interface Compiler {
  readonly names: readonly string[];
  readonly mistakes: Mistake[];
  readonly parts: TemplatePart[];
}

function checkSize(text: string, path: readonly PathStep[], mistakes: Mistake[]): boolean {
  if (utf8Length(text) <= TEMPLATE_BYTES_MAX) return true;
  mistakes.push({ path, message: `a template has at most ${TEMPLATE_BYTES_MAX} bytes` });
  return false;
}

function checkName(name: string, path: readonly PathStep[], { names, mistakes }: Compiler): void {
  if (names.includes(name)) return;
  mistakes.push({
    path,
    message: `${unknownName("placeholder", name, names)}; the text itself is written \\<${name}>`,
  });
}

function keyMistake(name: string): string {
  return `a member's name can't hold the placeholder <${name}>; the text itself is written \\<${name}>`;
}

function compileStructure(value: Json, path: readonly PathStep[], depth: number, compiler: Compiler): void {
  const { parts, mistakes } = compiler;
  if (typeof value === "string") return compileString(value, path, compiler);
  if (typeof value !== "object" || value === null) {
    parts.push(JSON.stringify(value));
    return;
  }
  if (depth > JSON_DEPTH_MAX) {
    mistakes.push({ path, message: `a template nests at most ${JSON_DEPTH_MAX} levels` });
    return;
  }
  if (!isJsonObject(value)) {
    for (const [index, item] of value.entries()) {
      parts.push(index === 0 ? "[" : ",");
      compileStructure(item, [...path, index], depth + 1, compiler);
    }
    parts.push(value.length === 0 ? "[]" : "]");
    return;
  }
  for (const [index, [name, member]] of Object.entries(value).entries()) {
    const pieces = splitText(name);
    const placeholder = pieces.find((piece) => typeof piece !== "string");
    if (placeholder !== undefined) {
      mistakes.push({ path: [...path, name], at: "key", message: keyMistake(placeholder.name) });
    }
    parts.push(index === 0 ? "{" : ",", JSON.stringify(pieces.join("")), ":");
    compileStructure(member, [...path, name], depth + 1, compiler);
  }
  parts.push(Object.keys(value).length === 0 ? "{}" : "}");
}

function compileString(text: string, path: readonly PathStep[], compiler: Compiler): void {
  const alone = WHOLE_PLACEHOLDER.exec(text)?.[1];
  if (alone !== undefined) {
    checkName(alone, path, compiler);
    compiler.parts.push({ name: alone, as: "value" });
    return;
  }
  compiler.parts.push('"');
  for (const piece of splitText(text)) {
    if (typeof piece === "string") compiler.parts.push(escapeText(piece));
    else {
      checkName(piece.name, path, compiler);
      compiler.parts.push({ name: piece.name, as: "text" });
    }
  }
  compiler.parts.push('"');
}

function compileText(text: string, path: readonly PathStep[], compiler: Compiler): void {
  const { parts, mistakes } = compiler;
  // The same text with placeholders replaced by JSON of the same length, so that the parser's positions are the writer's.
  let masked = "";
  for (const { 0: token, index } of text.matchAll(TEXT_TOKEN)) {
    const alone = WHOLE_PLACEHOLDER.exec(token)?.[1];
    if (alone !== undefined) {
      checkName(alone, path, compiler);
      parts.push({ name: alone, as: "value" });
      // An empty list can't join what stands beside it, as a number would, and can't be a member's name, as a string could.
      masked += "[]".padEnd(token.length);
    } else if (token.startsWith('"')) {
      const isKey = /^\s*:/.test(text.slice(index + token.length, index + token.length + 64));
      masked += compileTextString(token, isKey, path, compiler);
    } else {
      parts.push(token);
      masked += token;
    }
  }
  const wrong = findJsonMistake(masked);
  if (wrong !== null) {
    const found = wrong.position === text.length ? "its end" : JSON.stringify(text[wrong.position]);
    mistakes.push({
      path,
      message:
        `a body that begins with {, [ or " is JSON text with placeholders: expected ${wrong.expected}` +
        ` at ${placeOf(text, wrong.position)}, found ${found}` +
        `; text that only begins like JSON needs quotes of its own, as in '"[<level>] <text>"'`,
    });
    return;
  }
  if (jsonDepth(masked) > JSON_DEPTH_MAX) {
    mistakes.push({ path, message: `a template nests at most ${JSON_DEPTH_MAX} levels` });
    return;
  }
  const twice = findDuplicateMember(masked);
  if (twice !== null) mistakes.push({ path, message: `the JSON text names ${formatPath(twice)} twice` });
}

function placeOf(text: string, position: number): string {
  const before = text.slice(0, position).split("\n");
  const character = (before.at(-1) ?? "").length + 1;
  return before.length === 1 ? `character ${character}` : `line ${before.length}, character ${character} of the body`;
}

/** Compiles a string of a JSON text template, quotes included, and gives it masked. */
function compileTextString(token: string, isKey: boolean, path: readonly PathStep[], compiler: Compiler): string {
  for (const piece of splitText(token, true)) {
    if (typeof piece === "string") {
      compiler.parts.push(piece);
      continue;
    }
    if (isKey) compiler.mistakes.push({ path, message: keyMistake(piece.name) });
    else checkName(piece.name, path, compiler);
    compiler.parts.push({ name: piece.name, as: "text" });
  }
  // `\<` is no JSON escape: the escaping backslash goes, and the space keeps the length.
  return token.replace(new RegExp(`(?<!\\\\)(\\\\*)(<${PLACEHOLDER_NAME}>)`, "g"), (_, slashes: string, rest: string) =>
    slashes.length % 2 === 1 ? ` ${slashes.slice(1)}${rest}` : slashes + rest,
  );
}
