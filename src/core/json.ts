/**
 * What `JSON.parse` can't tell: how deep a text nests, where in the text a member's value stands, and whether an object
 * names a member twice. `JSON.parse` stays the judge of validity; the functions here that take "valid" text rely on it.
 */
import type { Json, PathStep, Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** GitHub's deepest published payload nests 9 levels; patterns and views walk recursively, so depth has a bound. */
export const JSON_DEPTH_MAX = 64;

export type JsonProblem =
  | { readonly reason: "invalid-json"; readonly detail: string }
  | { readonly reason: "json-too-deep"; readonly depthMax: number };

/** Parses JSON text of bounded depth. The depth is measured first, so hostile nesting never reaches the parser's stack. */
export function parseJson(text: string, depthMax: number = JSON_DEPTH_MAX): Result<Json, JsonProblem> {
  // Text with so few brackets, those in strings included, is no deeper: most need no closer look.
  if (hasMoreBrackets(text, depthMax) && jsonDepth(text) > depthMax) return err({ reason: "json-too-deep", depthMax });
  try {
    return ok(JSON.parse(text) as Json);
  } catch (error) {
    return err({ reason: "invalid-json", detail: describeSyntaxError(error) });
  }
}

/** The parser's own message quotes the text around the mistake; only the kind and the position leave here. */
function describeSyntaxError(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  const position = /at position (\d+)/.exec(message)?.[1];
  if (/end of JSON input|Unterminated/i.test(message)) return "the text ends too early";
  return position === undefined ? "it is not JSON" : `unexpected character at position ${position}`;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function hasMoreBrackets(text: string, countMax: number): boolean {
  let count = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++count > countMax) return true;
    }
  }
  return false;
}

/** How many objects and arrays stand in one another at the deepest point; also answers for text that is not JSON. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}

/** The index after the string that opens at `at`; the text's end when it never closes. */
function endOfString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (end !== -1) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function skipSpace(text: string, at: number): number {
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at++;
  }
}

/** The index after the value that starts at `at`, in valid JSON text. */
function endOfValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return endOfString(text, at);
  if (first !== 0x7b && first !== 0x5b) {
    while (at < text.length && !/[\s,\]}]/.test(text.charAt(at))) at++;
    return at;
  }
  let depth = 0;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (code === 0x7b || code === 0x5b) depth++;
    else if ((code === 0x7d || code === 0x5d) && --depth === 0) return at + 1;
  }
  return at;
}

/** Where a value stands in the text: `text.slice(start, end)` is the value as it was written. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The members of the object that valid JSON text holds, in order, duplicates included. */
export function memberSpans(text: string, start = 0): readonly (Span & { readonly name: string })[] {
  const members: (Span & { name: string })[] = [];
  let at = skipSpace(text, skipSpace(text, start) + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const nameEnd = endOfString(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    members.push({ name, start: valueStart, end: valueEnd });
    at = skipSpace(text, skipSpace(text, valueEnd) + 1);
  }
  return members;
}

/** The elements of the array that valid JSON text holds, in order. */
export function elementSpans(text: string, start = 0): readonly Span[] {
  const elements: Span[] = [];
  let at = skipSpace(text, skipSpace(text, start) + 1);
  while (at < text.length && text.charCodeAt(at) !== 0x5d) {
    const end = endOfValue(text, at);
    elements.push({ start: at, end });
    const next = skipSpace(text, end);
    if (text.charCodeAt(next) !== 0x2c) break;
    at = skipSpace(text, next + 1);
  }
  return elements;
}

/** The path of the first member that its object names a second time, or null. The text is valid JSON of bounded depth. */
export function findDuplicateMember(
  text: string,
  start = 0,
  path: readonly PathStep[] = [],
): readonly PathStep[] | null {
  const first = text.charCodeAt(skipSpace(text, start));
  if (first === 0x5b) {
    for (const [index, element] of elementSpans(text, start).entries()) {
      const found = findDuplicateMember(text, element.start, [...path, index]);
      if (found !== null) return found;
    }
  }
  if (first !== 0x7b) return null;
  const seen = new Set<string>();
  for (const member of memberSpans(text, start)) {
    if (seen.has(member.name)) return [...path, member.name];
    seen.add(member.name);
    const found = findDuplicateMember(text, member.start, [...path, member.name]);
    if (found !== null) return found;
  }
  return null;
}
