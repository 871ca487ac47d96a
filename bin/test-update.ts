/**
 * Writes expected outputs into the text of a test file. Only what changes is replaced in the text, so that comments, quotes
 * and layout of everything else stay as they were written; what comes out is read again before anybody trusts it.
 */
import type { Document, Node, Pair, YAMLMap } from "yaml";
import { isMap, isScalar, isSeq, parseDocument, stringify } from "yaml";
import type { Json, JsonObject } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";
import { isSameJson } from "../src/core/same-json.ts";
import { readRuleText } from "../scripts/rule-text.ts";

/** A value that is written in braces stays in them while its line is no longer than this. */
const FLOW_CHARS_MAX = 100;

export interface OutputUpdate {
  /** Of the case in the file's list. */
  readonly index: number;
  readonly value: Json;
}

/** How values are written; without `blocks`, text of several lines stands in quotes. */
interface Style {
  readonly isJson: boolean;
  readonly blocks: boolean;
}

interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The file's text with the outputs in it; undefined when they can't be put there without touching something else. */
export function updateOutputs(text: string, isJson: boolean, updates: readonly OutputUpdate[]): string | undefined {
  const before = readRuleText(text, isJson).value;
  if (before === undefined) return undefined;
  const wanted = withOutputs(before, updates);
  const document = parseDocument(text, { version: "1.2", uniqueKeys: false });
  for (const blocks of [true, false]) {
    const made = tryUpdate(text, document, updates, { isJson, blocks });
    const after = made === undefined ? undefined : readRuleText(made, isJson).value;
    if (after !== undefined && isSameJson(after, wanted)) return made;
  }
  return undefined;
}

function withOutputs(file: Json, updates: readonly OutputUpdate[]): Json {
  const cases = isJsonObject(file) && Array.isArray(file["cases"]) ? (file["cases"] as readonly JsonObject[]) : [];
  const byIndex = new Map(updates.map(({ index, value }) => [index, value]));
  return {
    ...(file as JsonObject),
    cases: cases.map((each, index) => (byIndex.has(index) ? { ...each, output: byIndex.get(index) ?? null } : each)),
  };
}

function tryUpdate(
  text: string,
  document: Document,
  updates: readonly OutputUpdate[],
  style: Style,
): string | undefined {
  const splices: Splice[] = [];
  for (const { index, value } of updates) {
    const node = document.getIn(["cases", index], true);
    // The case stands elsewhere and has an alias here: who else would get its output?
    if (!isMap(node)) return undefined;
    const pair = node.items.find(({ key }) => isScalar(key) && key.value === "output");
    if (pair === undefined) splices.push(inserted(text, node, value, style));
    else splices.push(...replaced(text, node, pair, value, style));
  }
  let made = text;
  const lineEnd = /\r?\n/.exec(text)?.[0] ?? "\n";
  for (const { start, end, text: piece } of splices.toSorted((a, b) => b.start - a.start)) {
    made = made.slice(0, start) + piece.replaceAll("\n", lineEnd) + made.slice(end);
  }
  return made;
}

/** Replaces a member's value; where only parts of an object or a list have changed, only those. */
function replaced(text: string, map: YAMLMap, pair: Pair, value: Json, style: Style): readonly Splice[] {
  const { value: node, key } = pair;
  const within = node === null ? undefined : replacedWithin(text, node, value, style);
  if (within !== undefined) return within;
  const keyStart = startOf(key);
  const name = String((key as { readonly value: unknown }).value);
  const isInline = map.flow === true || style.isJson;
  const isFlow = isInline || ((isMap(node) || isSeq(node)) && node.flow === true);
  if (isFlow && node !== null) {
    const inline = style.isJson ? jsonText(value, text, keyStart) : flowText(value);
    if (isInline || columnOf(text, keyStart) + name.length + 2 + inline.length <= FLOW_CHARS_MAX) {
      return [{ start: startOf(node), end: endOf(text, node), text: inline }];
    }
  }
  return [
    {
      start: keyStart,
      end: endOfPair(text, pair),
      text: blockText({ [name]: value }, columnOf(text, keyStart), style),
    },
  ];
}

/** Undefined when the whole node has to be replaced. */
function replacedWithin(text: string, node: unknown, value: Json, style: Style): readonly Splice[] | undefined {
  if (isMap(node) && isJsonObject(value)) {
    const members = new Map(node.items.map((pair) => [isScalar(pair.key) ? pair.key.value : undefined, pair]));
    const names = Object.keys(value);
    if (names.length !== node.items.length || !names.every((name) => members.has(name))) return undefined;
    return names.flatMap((name) => {
      const pair = members.get(name) as Pair;
      return isSameNode(pair.value, value[name] as Json) ? [] : replaced(text, node, pair, value[name] as Json, style);
    });
  }
  if (isSeq(node) && Array.isArray(value) && value.length === node.items.length) {
    const items = value as readonly Json[];
    return node.items.flatMap((item, index): readonly Splice[] => {
      const wanted = items[index] as Json;
      if (isSameNode(item, wanted)) return [];
      const within = replacedWithin(text, item, wanted, style);
      if (within !== undefined) return within;
      const start = startOf(item);
      const isInline = node.flow === true || style.isJson;
      const inline = style.isJson ? jsonText(wanted, text, start) : flowText(wanted);
      const piece = isInline ? inline : blockText(wanted, columnOf(text, start), style);
      return [{ start, end: endOf(text, item), text: piece }];
    });
  }
  return undefined;
}

/** Whether a node says a value; an alias never does, so that what it stands for is left alone. */
function isSameNode(node: unknown, value: Json): boolean {
  if (isScalar(node)) return node.value === value;
  if (isSeq(node) && Array.isArray(value)) {
    return node.items.length === value.length && node.items.every((item, at) => isSameNode(item, value[at] as Json));
  }
  if (!isMap(node) || !isJsonObject(value) || node.items.length !== Object.keys(value).length) return false;
  return node.items.every(({ key, value: member }) => {
    const name = isScalar(key) && typeof key.value === "string" ? key.value : undefined;
    return name !== undefined && Object.hasOwn(value, name) && isSameNode(member, value[name] as Json);
  });
}

/** Adds the output behind the case's last member. */
function inserted(text: string, map: YAMLMap, value: Json, style: Style): Splice {
  const last = map.items.at(-1) as Pair;
  const keyStart = startOf(last.key);
  const column = columnOf(text, keyStart);
  const end = endOfPair(text, last);
  if (map.flow === true || style.isJson) {
    const isOnOwnLine = text.slice(keyStart - column, keyStart).trim() === "";
    const gap = isOnOwnLine ? `\n${" ".repeat(column)}` : " ";
    const piece = style.isJson ? `"output": ${jsonText(value, text, keyStart)}` : `output: ${flowText(value)}`;
    return { start: end, end, text: `,${gap}${piece}` };
  }
  const lineEnd = text.slice(end).search(/\r?\n/);
  const start = lineEnd === -1 ? text.length : end + lineEnd;
  return { start, end: start, text: `\n${" ".repeat(column)}${blockText({ output: value }, column, style)}` };
}

function blockText(value: Json, column: number, { blocks }: Style): string {
  const text = stringify(value, { lineWidth: 0, blockQuote: blocks ? "literal" : false }).replace(/\n$/, "");
  return text.replaceAll(/\n(?!\n|$)/g, `\n${" ".repeat(column)}`);
}

/** Indented like the line that it begins in. */
function jsonText(value: Json, text: string, at: number): string {
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  const indent = /^[ \t]*/.exec(text.slice(lineStart, at))?.[0] ?? "";
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${indent}`);
}

/** `{ text: hello, list: [1, 2] }` */
function flowText(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(flowText).join(", ")}]`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).map(([name, member]) => `${flowText(name)}: ${flowText(member)}`);
    return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
  }
  const isPlain = typeof value === "string" && /^[A-Za-z](?:[\w ./-]*\w)?$/.test(value);
  return isPlain && !/^(?:true|false|null)$/i.test(value) ? value : JSON.stringify(value);
}

function startOf(node: unknown): number {
  return (node as Node).range?.[0] ?? 0;
}

/** Where the text of a node ends; comments and empty lines below it are nobody's. */
function endOf(text: string, node: unknown): number {
  if (isMap(node) && node.flow !== true && node.items.length > 0) return endOfPair(text, node.items.at(-1) as Pair);
  if (isSeq(node) && node.flow !== true && node.items.length > 0) return endOf(text, node.items.at(-1));
  const end = (node as Node).range?.[1] ?? 0;
  // The line feed behind a block of text belongs to it.
  return isScalar(node) && text[end - 1] === "\n" ? text.slice(0, end).trimEnd().length : end;
}

function endOfPair(text: string, { key, value }: Pair): number {
  return value === null ? ((key as Node).range?.[1] ?? 0) : endOf(text, value);
}

function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf("\n", at - 1) + 1);
}
