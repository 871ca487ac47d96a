/** What differs between two JSON values, as lines for people: pretty-printed, compared line by line, with a little around it. */
import { diffArrays } from "diff";
import type { Json } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";
import type { Terminal } from "./terminal.ts";
import { printable } from "./terminal.ts";

export const CONTEXT_LINES = 3;
/** Lines of one diff; what is longer is cut, and the last line says by how much. */
export const DIFF_LINES_MAX = 200;
/** Lines of one side that are compared; larger values are cut before. */
export const COMPARED_LINES_MAX = 20_000;
/** Differing lines that are looked for one by one; two values that differ more are shown one after the other. */
const EDITS_MAX = 1_000;

interface Line {
  readonly sign: "-" | "+" | " ";
  readonly text: string;
}

/**
 * The lines of a diff, none when the values are equal. `-` is expected and not there, `+` is there and not expected. The order of members
 * doesn't count: those of `actual` are shown in the order of `expected`.
 */
export function jsonDiff(expected: Json, actual: Json, paint: Terminal["paint"]): readonly string[] {
  const [before, after] = [linesOf(expected), linesOf(inOrderOf(expected, actual))];
  const lines = compare(before, after);
  if (lines.every(({ sign }) => sign === " ")) {
    if (before.length < COMPARED_LINES_MAX || JSON.stringify(expected) === JSON.stringify(inOrderOf(expected, actual)))
      return [];
    return [paint("dim", `… the first ${COMPARED_LINES_MAX} lines are equal; what differs stands behind them`)];
  }
  const shown = withoutFarContext(lines).map(({ sign, text }) => {
    const line = `${sign} ${printable(text)}`;
    return sign === " " ? paint("dim", line) : paint(sign === "-" ? "red" : "green", line);
  });
  if (shown.length <= DIFF_LINES_MAX) return shown;
  const left = shown.length - DIFF_LINES_MAX;
  return [...shown.slice(0, DIFF_LINES_MAX), paint("dim", `… and ${left} more ${left === 1 ? "line" : "lines"}`)];
}

function linesOf(value: Json): readonly string[] {
  return JSON.stringify(value, null, 2).split("\n").slice(0, COMPARED_LINES_MAX);
}

function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  // A comma at a line's end says only that something follows it.
  const isSame = (a: string, b: string): boolean => withoutComma(a) === withoutComma(b);
  const parts = diffArrays([...before], [...after], { comparator: isSame, maxEditLength: EDITS_MAX });
  if (parts === undefined) {
    return [...before.map((text): Line => ({ sign: "-", text })), ...after.map((text): Line => ({ sign: "+", text }))];
  }
  return parts.flatMap(({ added, removed, value }) =>
    value.map((text): Line => ({ sign: removed ? "-" : added ? "+" : " ", text })),
  );
}

function withoutComma(line: string): string {
  return line.endsWith(",") ? line.slice(0, -1) : line;
}

/** Leaves equal lines out that stand far from any difference, with a `…` in their place. */
function withoutFarContext(lines: readonly Line[]): readonly Line[] {
  const isNear = new Set<number>();
  for (const [index, { sign }] of lines.entries()) {
    if (sign === " ") continue;
    for (let near = index - CONTEXT_LINES; near <= index + CONTEXT_LINES; near++) isNear.add(near);
  }
  const shown: Line[] = [];
  let isGap = false;
  for (const [index, line] of lines.entries()) {
    if (isNear.has(index)) shown.push(line);
    else if (!isGap) shown.push({ sign: " ", text: "…" });
    isGap = !isNear.has(index);
  }
  return shown;
}

/** The value with the members of its objects in another value's order, where that one has them; others follow. */
function inOrderOf(model: Json, value: Json): Json {
  if (Array.isArray(model) && Array.isArray(value)) {
    const items = model as readonly Json[];
    return (value as readonly Json[]).map((item, index) => inOrderOf(items[index] ?? null, item));
  }
  if (!isJsonObject(model) || !isJsonObject(value)) return value;
  const common = Object.keys(model).filter((name) => Object.hasOwn(value, name));
  const others = Object.keys(value).filter((name) => !Object.hasOwn(model, name));
  const members = [...common, ...others].map((name): readonly [string, Json] => {
    return [name, inOrderOf(Object.hasOwn(model, name) ? (model[name] as Json) : null, value[name] as Json)];
  });
  return Object.fromEntries(members);
}
