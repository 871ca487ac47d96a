/**
 * The text of one rule file as JSON, with the place of every part of it. YAML has more than JSON has: what JSON can't say
 * (other keys than strings, NaN, tags) is a problem here, and aliases are resolved within bounds.
 */
import type { Document, Node, Pair, Scalar, YAMLError, YAMLMap } from "yaml";
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import { findJsonMistake } from "../src/core/json-mistake.ts";
import { JSON_DEPTH_MAX } from "../src/core/json.ts";
import type { Json, Mistake, PathStep } from "../src/core/result.ts";

/** Looking an alias up walks the document, so their number is bounded, and so is what they grow to. */
export const ALIASES_MAX = 100;
export const NODES_MAX = 50_000;
/** Duplicate keys that are shown; a file has few or is a mistake as a whole. */
export const DUPLICATES_SHOWN_MAX = 20;

export interface Place {
  readonly line: number;
  readonly column: number;
}

export type TextProblem = Place & { readonly message: string };

export interface RuleText {
  /** Undefined when the text has problems that leave no value. */
  readonly value: Json | undefined;
  readonly problems: readonly TextProblem[];
  /** Where a mistake's part of the document stands; the nearest part around it when there is no such part. */
  readonly locate: (mistake: Pick<Mistake, "path" | "at">) => Place;
}

/** Reads YAML 1.2 (core schema), or strict JSON when `isJson`. An empty document is null. */
export function readRuleText(file: string, isJson: boolean): RuleText {
  // A byte order mark is no part of the text, and editors don't count it.
  const text = file.replace(/^\uFEFF/, "");
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    // An empty text has no line to point into.
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2", uniqueKeys: false });
  const pairs: PairsByMap = new WeakMap();
  const locate: RuleText["locate"] = ({ path, at }) => placeAt(offsetOf(document, path, at === "key", pairs));

  const jsonMistake = isJson ? findJsonMistake(text) : null;
  if (jsonMistake !== null) {
    const message = `a .json file holds strict JSON: expected ${jsonMistake.expected}`;
    return { value: undefined, problems: [{ ...placeAt(jsonMistake.position), message }], locate };
  }
  // After its first stumble the parser reads the rest in a state of its own making: what it says then is about nothing that
  // stands there. Duplicate keys leave it on its feet.
  const [first] = [...document.errors, ...document.warnings];
  const problems = [
    ...(first === undefined ? [] : [{ ...placeAt(shownOffset(text, first.pos[0])), message: syntaxMessage(first) }]),
    ...duplicateKeys(document).map((key) => ({ ...placeAt(offsetIn(key)), message: "keys must be unique" })),
  ];
  if (problems.length > 0) return { value: undefined, problems, locate };

  const reading: Reading = { document, problems: [], placeAt, nodes: 0, aliases: 0 };
  const value = document.contents === null ? null : toJson(document.contents, 1, reading);
  if (reading.problems.length > 0) return { value: undefined, problems: reading.problems, locate };
  return { value, problems: [], locate };
}

/** The parser's own words, but where they would leave the writer of `on_failure: skip-after: 3` at a loss. */
function syntaxMessage({ message }: Pick<YAMLError, "message">): string {
  if (message === "Maximum call stack size exceeded") return `a file nests at most ${2 * JSON_DEPTH_MAX} levels`;
  if (message.startsWith("Source contains multiple documents")) {
    return "a file holds one document: take out the line --- and what follows it, or put that in a file of its own";
  }
  if (message !== "Nested mappings are not allowed in compact mappings") return message;
  return 'a second ": " in a line: put keys in braces, as in on_failure: { skip-after: 3 }, and text in quotes';
}

/** What misses its end is noticed at the end of the file, or at the next line, where nothing of it is to be seen. */
function shownOffset(text: string, offset: number): number {
  const rest = text.slice(offset);
  if (!/^(?:[ \t\r\n]|#.*)*$/.test(rest)) return offset;
  const lines = text.slice(0, offset).split("\n");
  while (lines.length > 1 && /^\s*(?:#.*)?$/.test(lines.at(-1) ?? "")) lines.pop();
  return lines.join("\n").trimEnd().length;
}

/** The keys that their map has already, the first few of them. The parser's own search compares each key with each other one. */
function duplicateKeys(document: Document): readonly Scalar[] {
  const duplicates: Scalar[] = [];
  const open: unknown[] = [document.contents];
  while (open.length > 0 && duplicates.length < DUPLICATES_SHOWN_MAX) {
    const node = open.pop();
    if (isSeq(node)) for (const item of node.items) open.push(item);
    if (!isMap(node)) continue;
    const seen = new Set<unknown>();
    for (const { key, value } of node.items) {
      if (isScalar(key) && seen.has(key.value)) duplicates.push(key);
      if (isScalar(key)) seen.add(key.value);
      open.push(value);
    }
  }
  return duplicates.slice(0, DUPLICATES_SHOWN_MAX).toSorted((a, b) => offsetIn(a) - offsetIn(b));
}

interface Reading {
  readonly document: Document;
  readonly problems: TextProblem[];
  readonly placeAt: (offset: number) => Place;
  nodes: number;
  aliases: number;
}

function offsetIn(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

function toJson(node: unknown, depth: number, reading: Reading): Json {
  const refuse = (message: string): Json => {
    reading.problems.push({ ...reading.placeAt(offsetIn(node)), message });
    return null;
  };
  if (++reading.nodes > NODES_MAX) {
    return reading.nodes === NODES_MAX + 1 ? refuse(`a file has at most ${NODES_MAX} values, aliases resolved`) : null;
  }
  if (depth > 2 * JSON_DEPTH_MAX) return refuse(`a file nests at most ${2 * JSON_DEPTH_MAX} levels`);
  if (isAlias(node)) {
    if (++reading.aliases > ALIASES_MAX) {
      return reading.aliases === ALIASES_MAX + 1 ? refuse(`a file has at most ${ALIASES_MAX} aliases`) : null;
    }
    const named = node.resolve(reading.document);
    return named === undefined ? refuse(`there is no &${node.source} before it`) : toJson(named, depth + 1, reading);
  }
  if ((isScalar(node) || isMap(node) || isSeq(node)) && node.tag !== undefined) {
    return refuse(`tags are not supported: found ${node.tag}`);
  }
  if (isSeq(node)) return node.items.map((item) => toJson(item, depth + 1, reading));
  if (isMap(node)) {
    const object: Record<string, Json> = {};
    for (const { key, value } of node.items) {
      const name = keyOf(key, reading);
      // Not an assignment: `__proto__` is a name like any other.
      if (name !== undefined) {
        const member = value === null ? null : toJson(value, depth + 1, reading);
        Object.defineProperty(object, name, { value: member, enumerable: true, writable: true, configurable: true });
      }
    }
    return object;
  }
  const value = isScalar(node) ? node.value : null;
  if (typeof value === "number" && !Number.isFinite(value)) return refuse(`${value} is no JSON number`);
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  return refuse("expected what JSON can say: a string, a number, true, false, null, a list or an object");
}

function keyOf(key: unknown, reading: Reading): string | undefined {
  if (isScalar(key) && key.value === "<<" && key.type === "PLAIN") {
    const message = "merge keys (<<) are not supported: write out what they stand for, or put << in quotes";
    reading.problems.push({ ...reading.placeAt(offsetIn(key)), message });
    return undefined;
  }
  if (isScalar(key) && typeof key.value === "string" && key.tag === undefined) return key.value;
  const source = isScalar(key) ? (key as Scalar).source : undefined;
  const hint = source === undefined || source === "" ? "" : `; write it in quotes: ${JSON.stringify(source)}`;
  reading.problems.push({ ...reading.placeAt(offsetIn(key)), message: `a key must be a string${hint}` });
  return undefined;
}

type PairsByMap = WeakMap<YAMLMap, ReadonlyMap<unknown, Pair>>;

/** The pairs of a map by their keys, indexed once: as many mistakes as a map has keys are looked up one by one. */
function pairsOf(map: YAMLMap, known: PairsByMap): ReadonlyMap<unknown, Pair> {
  const indexed =
    known.get(map) ?? new Map(map.items.map((pair) => [isScalar(pair.key) ? pair.key.value : pair, pair]));
  known.set(map, indexed);
  return indexed;
}

function offsetOf(document: Document, path: readonly PathStep[], wantsKey: boolean, pairs: PairsByMap): number {
  let node: unknown = document.contents;
  let offset = offsetIn(node);
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = pairsOf(node, pairs).get(step);
      if (pair === undefined) return offset;
      const isKey = pair.value === null || (wantsKey && index === path.length - 1);
      offset = offsetIn(isKey ? pair.key : pair.value);
      node = pair.value;
    } else if (isSeq(node) && typeof step === "number" && node.items[step] !== undefined) {
      node = node.items[step];
      offset = offsetIn(node);
    } else return offset;
  }
  return offset;
}
