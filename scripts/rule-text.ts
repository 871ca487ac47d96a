/**
 * The text of one rule file as JSON, with the place of every part of it. YAML has more than JSON has: what JSON can't say
 * (other keys than strings, NaN, tags) is a problem here, and aliases are resolved within bounds.
 */
import type { Document, Node, Scalar, YAMLError } from "yaml";
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import { findJsonMistake } from "../src/core/json-mistake.ts";
import { JSON_DEPTH_MAX } from "../src/core/json.ts";
import type { Json, Mistake, PathStep } from "../src/core/result.ts";

/** Looking an alias up walks the document, so their number is bounded, and so is what they grow to. */
export const ALIASES_MAX = 100;
export const NODES_MAX = 50_000;

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
export function readRuleText(text: string, isJson: boolean): RuleText {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    // An empty text has no line to point into.
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2" });
  const locate: RuleText["locate"] = ({ path, at }) => placeAt(offsetOf(document, path, at === "key"));

  const jsonMistake = isJson ? findJsonMistake(text) : null;
  if (jsonMistake !== null) {
    const message = `a .json file holds strict JSON: expected ${jsonMistake.expected}`;
    return { value: undefined, problems: [{ ...placeAt(jsonMistake.position), message }], locate };
  }
  // After its first stumble the parser reads the rest in a state of its own making: what it says then is about nothing that
  // stands there. Duplicate keys leave it on its feet.
  const syntax = [...document.errors, ...document.warnings];
  const first = syntax.find(({ code }) => code !== "DUPLICATE_KEY");
  const kept = syntax.filter((error) => error === first || error.code === "DUPLICATE_KEY");
  const problems = kept.map((error) => ({ ...placeAt(error.pos[0]), message: syntaxMessage(error) }));
  if (problems.length > 0) return { value: undefined, problems, locate };

  const reading: Reading = { document, problems: [], placeAt, nodes: 0, aliases: 0 };
  const value = document.contents === null ? null : toJson(document.contents, 1, reading);
  if (reading.problems.length > 0) return { value: undefined, problems: reading.problems, locate };
  return { value, problems: [], locate };
}

/** The parser's own words, but where they would leave the writer of `on_failure: skip-after: 3` at a loss. */
function syntaxMessage({ message }: Pick<YAMLError, "message">): string {
  if (message !== "Nested mappings are not allowed in compact mappings") return message;
  return 'a second ": " in a line: put keys in braces, as in on_failure: { skip-after: 3 }, and text in quotes';
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
  if (isScalar(key) && typeof key.value === "string" && key.tag === undefined) return key.value;
  const source = isScalar(key) ? (key as Scalar).source : undefined;
  const hint = source === undefined || source === "" ? "" : `; write it in quotes: ${JSON.stringify(source)}`;
  reading.problems.push({ ...reading.placeAt(offsetIn(key)), message: `a key must be a string${hint}` });
  return undefined;
}

function offsetOf(document: Document, path: readonly PathStep[], wantsKey: boolean): number {
  let node: unknown = document.contents;
  let offset = offsetIn(node);
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
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
