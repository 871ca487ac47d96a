/**
 * Reads objects that people write by hand. Every member is named here or is a mistake; all mistakes are collected, each with
 * its path and, for a misspelt name, the nearest valid one.
 */
import { withSchema } from "./reader-schema.ts";
import type { Json, JsonObject, Mistake, PathStep } from "./result.ts";
import { isJsonObject } from "./result.ts";

/** Reads one member's value; pushes what is wrong with it and then returns undefined. */
export interface Reader<Value> {
  (value: Json, path: readonly PathStep[], mistakes: Mistake[]): Value | undefined;
  /** What it accepts, for editors; absent where the reader is no member of a file. */
  readonly schema?: JsonObject;
}

export type Readers = Readonly<Record<string, Reader<unknown>>>;

export type ReadMembers<Members extends Readers> = {
  readonly [Name in keyof Members]?: Members[Name] extends Reader<infer Value> ? Value : never;
};

/** Reads the members of an object with one reader each; a member without a reader is a mistake at its key. */
export function readMembers<Members extends Readers>(
  object: JsonObject,
  path: readonly PathStep[],
  readers: Members,
  mistakes: Mistake[],
): ReadMembers<Members> {
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(object)) {
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (reader === undefined) {
      mistakes.push({ path: [...path, name], at: "key", message: unknownName("key", name, Object.keys(readers)) });
      continue;
    }
    const value = reader(object[name] as Json, [...path, name], mistakes);
    if (value !== undefined) result[name] = value;
  }
  return result as ReadMembers<Members>;
}

// Marked as pure, here and below: a Worker, which reads no entries, is built without them.
export const readString: Reader<string> = /* @__PURE__ */ withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && value !== "") return value;
    mistakes.push({ path, message: `expected a non-empty string, found ${describe(value)}` });
    return undefined;
  },
  { type: "string", minLength: 1 },
);

export function readOneOf<const Choices extends readonly string[]>(choices: Choices): Reader<Choices[number]> {
  const read: Reader<Choices[number]> = (value, path, mistakes) => {
    if (typeof value === "string" && choices.includes(value)) return value;
    const found =
      typeof value === "string"
        ? unknownName("value", value, choices)
        : `expected one of ${choices.join(", ")}, found ${describe(value)}`;
    mistakes.push({ path, message: found });
    return undefined;
  };
  return withSchema(read, { enum: choices });
}

export function readList<Value>(reader: Reader<Value>, itemsMax: number): Reader<readonly Value[]> {
  const read: Reader<readonly Value[]> = (value, path, mistakes) => {
    if (!Array.isArray(value) || value.length === 0) {
      mistakes.push({ path, message: `expected a non-empty list, found ${describe(value)}` });
      return undefined;
    }
    if (value.length > itemsMax) {
      mistakes.push({ path, message: `expected at most ${itemsMax} items, found ${value.length}` });
      return undefined;
    }
    const items: Value[] = [];
    for (const [index, each] of (value as readonly Json[]).entries()) {
      const item = reader(each, [...path, index], mistakes);
      if (item !== undefined) items.push(item);
    }
    return items;
  };
  return withSchema(read, { type: "array", items: reader.schema ?? {}, minItems: 1, maxItems: itemsMax });
}

/** A whole number within bounds, both included. */
export function readInteger(min: number, max: number): Reader<number> {
  const read: Reader<number> = (value, path, mistakes) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    mistakes.push({ path, message: `expected a whole number from ${min} to ${max}, found ${describe(value)}` });
    return undefined;
  };
  return withSchema(read, { type: "integer", minimum: min, maximum: max });
}

/** Whether one of the members is this one misspelt, which then was told already: that it is missing is no news. */
export function isMisspelt(name: string, object: JsonObject, known: readonly string[]): boolean {
  return Object.keys(object).some((key) => !known.includes(key) && nearestName(key, known) === name);
}

const BINDING_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** Secrets as they are given out that could be names: by their beginning, hexadecimal, or long and without a pause. */
const SECRET_VALUE =
  /^(?:gh[opusr]_|github_pat_|wh(?:sec|sk)_|(?:sk|pk|rk)_(?:live|test)_|AKIA[A-Z0-9]{16}$|eyJ|(?=.*\d)[0-9a-f]{16,}$|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9]{20,}$)/;

/** The name of a secret or binding: what wrangler accepts as one and a shell can export. */
export const readBindingName: Reader<string> = /* @__PURE__ */ bindingNameReader();

function bindingNameReader(): Reader<string> {
  const read: Reader<string> = (value, path, mistakes) => {
    if (typeof value === "string" && BINDING_NAME.test(value) && !SECRET_VALUE.test(value)) return value;
    mistakes.push({
      path,
      // Never echoes what stands there: someone may have pasted the secret itself.
      message:
        "expected the name of a secret or binding (letters, digits and _, such as CI_SIGNING_SECRET); its value never stands in rule files",
    });
    return undefined;
  };
  return withSchema(read, {
    type: "string",
    pattern: BINDING_NAME.source,
    patternErrorMessage: "Expected a name, such as CI_SECRET.",
  });
}

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const DURATION = /^(\d{1,9})(ms|s|min|m|h|d)$/;

/** A duration such as `15s`, `5m`, `2h` or `3d`, in milliseconds. */
export function readDurationMs(minMs: number, maxMs: number): Reader<number> {
  const read: Reader<number> = (value, path, mistakes) => {
    const parts = typeof value === "string" ? DURATION.exec(value) : null;
    const ms = parts === null ? Number.NaN : Number(parts[1]) * (DURATION_UNITS_MS[parts[2] ?? ""] ?? Number.NaN);
    if (Number.isNaN(ms)) {
      mistakes.push({ path, message: `expected a duration such as 15s, 5m, 2h or 3d, found ${describe(value)}` });
      return undefined;
    }
    if (ms < minMs || ms > maxMs) {
      mistakes.push({
        path,
        message: `expected a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}, found ${String(value)}`,
      });
      return undefined;
    }
    return ms;
  };
  return withSchema(read, {
    type: "string",
    pattern: DURATION.source,
    patternErrorMessage: "Expected a duration such as 15s, 5m, 2h or 3d.",
  });
}

export function formatDuration(ms: number): string {
  for (const [unit, unitMs] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ] as const) {
    if (ms >= unitMs && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${ms}ms`;
}

/** Names a value in a message, short enough for one line. */
export function describe(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (isJsonObject(value)) return "an object";
  if (typeof value === "string")
    return value.length > 40
      ? `the string ${JSON.stringify(`${value.slice(0, 40)}…`)}`
      : `the string ${JSON.stringify(value)}`;
  return typeof value === "number" ? `the number ${value}` : String(value);
}

/** "unknown key "targts"; did you mean "targets"? (known: …)" */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
  const list =
    known.length === 0 ? "there are none" : `known: ${known.slice(0, 20).join(", ")}${known.length > 20 ? ", …" : ""}`;
  return `unknown ${what} ${JSON.stringify(name.slice(0, 80))}${hint} (${list})`;
}

/** The known name closest to a misspelt one: at most a third of its letters apart. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor(name.length / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase().slice(0, 80), candidate.toLowerCase().slice(0, 80));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Letters added, left out, replaced, or two neighbours swapped, each of which counts as one. */
function editDistance(a: string, b: string): number {
  let [before, row] = [[] as readonly number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(substitute, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
