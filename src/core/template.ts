/**
 * Templates: JSON with `<name>` placeholders, after EventBridge's input transformer
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html). A placeholder that stands alone
 * inserts a JSON value with its type, one inside a string inserts text. Everything that came from an event is written by
 * `JSON.stringify`, so no value can break out of its place.
 */
import { findJsonMistake } from "./json-mistake.ts";
import { JSON_DEPTH_MAX, findDuplicateMember, jsonDepth } from "./json.ts";
import { unknownName } from "./read-object.ts";
import type { Json, Mistake, PathStep, Result } from "./result.ts";
import { err, formatPath, isJsonObject, ok } from "./result.ts";

/** The size of a template, as the JSON text that it is. */
export const TEMPLATE_BYTES_MAX = 64 * 1024;
/** The size of what a template makes of an event: what the largest webhook may have, inline. */
export const OUTPUT_BYTES_MAX = 1024 * 1024;

/** A compiled template: JSON text with holes. */
export type Template = readonly TemplatePart[];
export type TemplatePart =
  | string
  /** `value` writes the JSON value; `text` stands inside a JSON string. */
  | { readonly name: string; readonly as: "value" | "text" };

const PLACEHOLDER_NAME = "[A-Za-z_][A-Za-z0-9_-]{0,63}";
const WHOLE_NAME = new RegExp(`^${PLACEHOLDER_NAME}$`);
const WHOLE_PLACEHOLDER = new RegExp(`^<(${PLACEHOLDER_NAME})>$`);

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

/** A piece of text: what stands there literally, or a placeholder's name. */
type Piece = string | { readonly name: string };

/**
 * Splits text at its placeholders. Backslashes before one are read as a shell reads them: `\<name>` is the literal text
 * `<name>`, `\\<name>` a backslash and then the placeholder. Anything else with a `<` is literal. In JSON text the two
 * backslashes that stand for one are JSON's own escape, so they stay as they are.
 */
function splitText(text: string, isJsonText = false): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  // From the first backslash of a run only: looked for anew from each one, a long run would take the square of its time.
  for (const found of text.matchAll(new RegExp(`(?<!\\\\)(\\\\*)<(${PLACEHOLDER_NAME})>`, "g"))) {
    const [whole, slashes = "", name = ""] = found;
    const pairs = Math.floor(slashes.length / 2);
    pieces.push(text.slice(end, found.index) + "\\".repeat(isJsonText ? pairs * 2 : pairs));
    pieces.push(slashes.length % 2 === 1 ? `<${name}>` : { name });
    end = found.index + whole.length;
  }
  pieces.push(text.slice(end));
  return pieces.filter((piece) => piece !== "");
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

/** One token of a JSON text template: a string (the last one may lack its end), a placeholder, or what stands between. */
const TEXT_TOKEN = new RegExp(`"(?:[^"\\\\]|\\\\[^])*"|<${PLACEHOLDER_NAME}>|[^"<]+|"[^]*|<`, "g");

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

function joinStrings(parts: readonly TemplatePart[]): Template {
  const joined: TemplatePart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === "string" && typeof last === "string") joined[joined.length - 1] = last + part;
    else joined.push(part);
  }
  return joined;
}

/**
 * Fills a template: JSON text, or null when it grows over OUTPUT_BYTES_MAX. A value that is missing is `null` on its own and
 * empty inside a string; inside a string, a value that is no string stands as its JSON text.
 */
export function fillTemplate(template: Template, valueOf: (name: string) => Json | undefined): string | null {
  const written = new Map<string, string>();
  let output = "";
  for (const part of template) {
    if (typeof part === "string") output += part;
    else {
      const key = `${part.as} ${part.name}`;
      let text = written.get(key);
      if (text === undefined) {
        const value = valueOf(part.name);
        text = part.as === "value" ? JSON.stringify(value ?? null) : escapeText(textOf(value));
        written.set(key, text);
      }
      output += text;
    }
    // A character has at least one byte, so this stops a runaway early; the exact size is taken once at the end.
    if (output.length > OUTPUT_BYTES_MAX) return null;
  }
  return utf8Length(output) > OUTPUT_BYTES_MAX ? null : output;
}

function textOf(value: Json | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Text as it stands inside a JSON string. */
function escapeText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const UTF8 = new TextEncoder();

export function utf8Length(text: string): number {
  return UTF8.encode(text).length;
}
