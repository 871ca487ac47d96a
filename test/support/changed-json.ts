/** JSON that is nearly right: a right value with some changes at random places. */
import fc from "fast-check";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { isJsonObject } from "../../src/core/result.ts";

interface Change {
  /** Which of the value's places, counted around. */
  readonly place: number;
  readonly kind: "replace" | "remove" | "rename" | "add" | "copy" | "wrap" | "edit";
  readonly part: Json;
  readonly from: number;
}

const KINDS = ["replace", "remove", "rename", "add", "copy", "wrap", "edit"] as const;

/** `parts` are names and values that belong to the language: they are put where others stand. */
export function changedJson(start: fc.Arbitrary<Json>, parts: readonly Json[]): fc.Arbitrary<Json> {
  const part: fc.Arbitrary<Json> = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...parts) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json> },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Json>("", " ", "é", "__proto__", "a\n", "*", "\\", 0, -1, 1e300, [], {}, true),
    },
  );
  const change = fc.record({ place: fc.nat(1_000), kind: fc.constantFrom(...KINDS), part, from: fc.nat(1_000) });
  return fc
    .tuple(start, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([value, changes]) => changes.reduce(changed, value));
}

function changed(value: Json, change: Change): Json {
  const paths = pathsOf(value, []);
  const path = paths[change.place % paths.length] ?? [];
  const donor = paths[change.from % paths.length] ?? [];
  return changeAt(value, path, change, valueAt(value, donor));
}

type Path = readonly (string | number)[];

function pathsOf(value: Json, path: Path): readonly Path[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item, at) => pathsOf(item as Json, [...path, at]))];
  if (!isJsonObject(value)) return [path];
  return [path, ...Object.keys(value).flatMap((name) => pathsOf(value[name] as Json, [...path, name]))];
}

function valueAt(value: Json, path: Path): Json {
  return path.reduce<Json>((at, step) => (at as Readonly<Record<string | number, Json>>)[step] as Json, value);
}

function changeAt(value: Json, path: Path, change: Change, donor: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return changedHere(value, change, donor);
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    if (rest.length === 0 && change.kind === "remove") return items.filter((_, at) => at !== step);
    return items.map((item, at) => (at === step ? changeAt(item, rest, change, donor) : item));
  }
  const members = Object.entries(value as JsonObject).flatMap(([name, member]): readonly [string, Json][] => {
    if (name !== step) return [[name, member]];
    if (rest.length > 0 || (change.kind !== "remove" && change.kind !== "rename")) {
      return [[name, changeAt(member, rest, change, donor)]];
    }
    return change.kind === "remove" ? [] : [[textOf(change.part), member]];
  });
  return Object.fromEntries(members);
}

function changedHere(value: Json, { kind, part, from }: Change, donor: Json): Json {
  if (kind === "copy") return donor;
  if (kind === "wrap") return [value];
  if (kind === "add" && Array.isArray(value)) return [...(value as readonly Json[]), part];
  if (kind === "add" && isJsonObject(value))
    return Object.fromEntries([...Object.entries(value), [textOf(part), donor]]);
  if (kind === "edit" && typeof value === "string") {
    const at = from % (value.length + 1);
    return value.slice(0, at) + textOf(part).slice(0, 1) + value.slice(at + (from % 2));
  }
  return part;
}

/** Not `String`: an object may have a `toString` of its own. */
function textOf(part: Json): string {
  return typeof part === "string" ? part : JSON.stringify(part);
}
