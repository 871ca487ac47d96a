/** Whether a JSON value has the parts that another one names. The order of members never counts. */
import type { Json } from "../src/core/result.ts";
import { isJsonObject } from "../src/core/result.ts";

/** Objects have at least these members, lists as many elements, each of which includes its like; scalars are equal. */
export function includesJson(part: Json, whole: Json): boolean {
  if (Array.isArray(part) && Array.isArray(whole)) {
    return part.length === whole.length && isEachPair(part, whole, includesJson);
  }
  if (!isJsonObject(part) || !isJsonObject(whole)) return part === whole;
  return Object.keys(part).every((name) => {
    return Object.hasOwn(whole, name) && includesJson(part[name] as Json, whole[name] as Json);
  });
}

/** What of a value `includesJson` looks at: the rest would only stand in a diff's way. */
export function reduceJson(part: Json, whole: Json): Json {
  if (Array.isArray(part) && Array.isArray(whole)) {
    const parts = part as readonly Json[];
    return (whole as readonly Json[]).map((item, index) =>
      index < parts.length ? reduceJson(parts[index] as Json, item) : item,
    );
  }
  if (!isJsonObject(part) || !isJsonObject(whole)) return whole;
  const names = Object.keys(part).filter((name) => Object.hasOwn(whole, name));
  return Object.fromEntries(names.map((name) => [name, reduceJson(part[name] as Json, whole[name] as Json)]));
}

function isEachPair(a: readonly Json[], b: readonly Json[], test: (a: Json, b: Json) => boolean): boolean {
  return a.every((item, index) => test(item, b[index] as Json));
}
