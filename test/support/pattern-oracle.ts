/**
 * What it means that an event meets a pattern, written down as directly as possible and with no regard to cost: choose one
 * value or absence for each field in every possible way, and look whether some choice is allowed.
 */
import type { Json, JsonObject } from "../../src/core/result.ts";
import { isJsonObject } from "../../src/core/result.ts";

interface Found {
  readonly path: string;
  readonly value: Json;
  /** For each array around the value in which it is nested in an element: the element's index, by the array's own path. */
  readonly elements: ReadonlyMap<string, number>;
}

function valuesIn(value: Json, names: readonly string[], at: string, elements: ReadonlyMap<string, number>): Found[] {
  if (Array.isArray(value)) {
    return (value as readonly Json[]).flatMap((item, index) => {
      const isNested = typeof item === "object" && item !== null;
      return valuesIn(item, names, `${at}[${index}]`, isNested ? new Map([...elements, [at, index]]) : elements);
    });
  }
  if (isJsonObject(value)) {
    return Object.keys(value).flatMap((name) =>
      valuesIn(value[name] as Json, [...names, name], `${at}<${name}>`, elements),
    );
  }
  return [{ path: names.join("."), value, elements }];
}

function agree(a: Found, b: Found): boolean {
  return [...a.elements].every(([array, index]) => (b.elements.get(array) ?? index) === index);
}

type Conditions = readonly { readonly path: string; readonly alternatives: readonly Json[] }[];

function waysOf(pattern: JsonObject, prefix: string): readonly Conditions[] {
  let ways: readonly Conditions[] = [[]];
  for (const [name, value] of Object.entries(pattern)) {
    const path = prefix + name;
    const more =
      name === "$or"
        ? (value as readonly JsonObject[]).flatMap((choice) => waysOf(choice, prefix))
        : isJsonObject(value)
          ? waysOf(value, `${path}.`)
          : [[{ path, alternatives: value as readonly Json[] }]];
    ways = ways.flatMap((way) => more.map((conditions) => [...way, ...conditions]));
  }
  return ways;
}

/** Knows values, `prefix`, `numeric` with one ">" bound, `anything-but` of strings and `exists`. */
function meets(value: Json, alternative: Json): boolean {
  if (!isJsonObject(alternative)) return value === alternative;
  if ("exists" in alternative) return alternative["exists"] === true;
  if ("prefix" in alternative) return typeof value === "string" && value.startsWith(alternative["prefix"] as string);
  if ("numeric" in alternative)
    return typeof value === "number" && value > ((alternative["numeric"] as Json[])[1] as number);
  return !(alternative["anything-but"] as readonly Json[]).includes(value);
}

function canComplete(
  rest: Conditions,
  chosen: readonly Found[],
  absent: readonly string[],
  all: readonly Found[],
): boolean {
  const [condition, ...others] = rest;
  if (condition === undefined) {
    return !all.some((found) => absent.includes(found.path) && chosen.every((one) => agree(one, found)));
  }
  const { path, alternatives } = condition;
  const mayBeAbsent = alternatives.some((alternative) => isJsonObject(alternative) && alternative["exists"] === false);
  if (mayBeAbsent && canComplete(others, chosen, [...absent, path], all)) return true;
  return all.some(
    (found) =>
      found.path === path &&
      alternatives.some((alternative) => meets(found.value, alternative)) &&
      chosen.every((one) => agree(one, found)) &&
      canComplete(others, [...chosen, found], absent, all),
  );
}

export function matchesByDefinition(pattern: JsonObject, event: JsonObject): boolean {
  const all = valuesIn(event, [], "", new Map());
  return waysOf(pattern, "").some((conditions) => canComplete(conditions, [], [], all));
}
