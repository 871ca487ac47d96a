/**
 * The paths that transforms read events with: `$.data.repository["full_name"]`. A small subset of JSONPath (RFC 9535)
 * without recursion, slices and filters, so that reading one costs no more than the document it reads.
 */
import type { Json, JsonObject, Result } from "./result.ts";
import { err, isJsonObject, ok, ownMember } from "./result.ts";

/** Paths are short things that people write; both bounds are far above any real one. */
export const PATH_CHARS_MAX = 1024;
export const PATH_STEPS_MAX = 32;

export type JsonPath = readonly JsonPathStep[];
export type JsonPathStep =
  | { readonly kind: "member"; readonly name: string }
  | { readonly kind: "element"; readonly index: number }
  | { readonly kind: "every" };

export interface JsonPathProblem {
  /** Characters before the place of the mistake. */
  readonly position: number;
  readonly message: string;
}

const SUBSET = "paths are made of $, .name, ['name'], [0] and [*]";

const DOT_NAME = /[\p{L}\p{N}_-]+/uy;
const QUOTED_NAME = /'(?:[^'\\]|\\['"\\])*'|"(?:[^"\\]|\\['"\\])*"/y;
const INDEX = /(?:0|[1-9]\d{0,8})(?!\d)/y;

/** All but the number of steps. */
export const JSON_PATH_SCHEMA: JsonObject = /* @__PURE__ */ pathSchema();

function pathSchema(): JsonObject {
  return {
    type: "string",
    maxLength: PATH_CHARS_MAX,
    pattern: `^\\$(?:\\.${DOT_NAME.source}|\\[(?:\\*|${QUOTED_NAME.source}|${INDEX.source})\\])*$`,
    patternErrorMessage: `Expected a path such as $.data.ref: ${SUBSET}.`,
    examples: ["$.data"],
  };
}

/** Compiles a path. The problem's message ends with its position, counted from 1. */
export function parseJsonPath(text: string): Result<JsonPath, JsonPathProblem> {
  const fail = (position: number, expected: string): Result<JsonPath, JsonPathProblem> =>
    err({ position, message: `${expected} at character ${position + 1}; ${SUBSET}` });

  if (text.length > PATH_CHARS_MAX) {
    return err({ position: PATH_CHARS_MAX, message: `a path has at most ${PATH_CHARS_MAX} characters` });
  }
  if (!text.startsWith("$")) return fail(0, "a path begins with $: expected $");
  const steps: JsonPathStep[] = [];
  let at = 1;
  while (at < text.length) {
    if (steps.length === PATH_STEPS_MAX) {
      return err({ position: at, message: `a path has at most ${PATH_STEPS_MAX} steps` });
    }
    if (text[at] === ".") {
      if (text[at + 1] === ".") return fail(at, "recursion (..) is not supported: expected a name after the first dot");
      const name = matchAt(DOT_NAME, text, at + 1);
      if (name === null) return fail(at + 1, "expected a name");
      steps.push({ kind: "member", name });
      at += 1 + name.length;
      continue;
    }
    if (text[at] !== "[") return fail(at, "expected . or [");
    const inside = readBracket(text, at + 1);
    if (typeof inside === "string") return fail(at + 1, inside);
    if (text[inside.end] !== "]") return fail(inside.end, "expected ]");
    steps.push(inside.step);
    at = inside.end + 1;
  }
  return ok(steps);
}

function readBracket(text: string, at: number): { readonly step: JsonPathStep; readonly end: number } | string {
  if (text[at] === "*") return { step: { kind: "every" }, end: at + 1 };
  if (text[at] === "?") return "filters are not supported: expected a name in quotes, an index or *";
  if (text[at] === "-") return "indices count from the start: expected 0 or more";
  const quoted = matchAt(QUOTED_NAME, text, at);
  if (quoted !== null) {
    const name = quoted.slice(1, -1).replace(/\\(.)/g, "$1");
    return { step: { kind: "member", name }, end: at + quoted.length };
  }
  const index = matchAt(INDEX, text, at);
  if (index !== null) return { step: { kind: "element", index: Number(index) }, end: at + index.length };
  return "expected a name in quotes, an index or *";
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/**
 * What stands at the path, or undefined when nothing does. From the first `[*]` on, the answer is the list of what the rest
 * of the path finds in each element, in order and flat; it is undefined only where that first `[*]` meets no array.
 */
export function readJsonPath(path: JsonPath, view: JsonObject): Json | undefined {
  const everyAt = path.findIndex((step) => step.kind === "every");
  if (everyAt === -1) return follow(path, view);
  const list = follow(path.slice(0, everyAt), view);
  if (!Array.isArray(list)) return undefined;
  let found: readonly Json[] = list as readonly Json[];
  for (const step of path.slice(everyAt + 1)) {
    found = found.flatMap((value): readonly Json[] => {
      // Wrapped in a list, because flatMap would open a value that is a list itself.
      if (step.kind !== "every") return listOf(takeStep(step, value));
      return Array.isArray(value) ? (value as readonly Json[]) : [];
    });
  }
  return found;
}

function listOf(value: Json | undefined): readonly Json[] {
  return value === undefined ? [] : [value];
}

function follow(path: JsonPath, start: Json): Json | undefined {
  let value: Json | undefined = start;
  for (const step of path) {
    if (value === undefined) return undefined;
    value = takeStep(step, value);
  }
  return value;
}

function takeStep(step: JsonPathStep, value: Json): Json | undefined {
  if (step.kind === "member") return isJsonObject(value) ? ownMember(value, step.name) : undefined;
  if (step.kind === "element") return Array.isArray(value) ? (value as readonly Json[])[step.index] : undefined;
  return undefined;
}
