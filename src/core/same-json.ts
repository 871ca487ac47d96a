/** Whether JSON values are equal. The order of members never counts. */
import type { Json } from "./result.ts";
import { isJsonObject } from "./result.ts";

export function isSameJson(a: Json, b: Json): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    const [left, right] = [a as readonly Json[], b as readonly Json[]];
    return left.length === right.length && left.every((item, index) => isSameJson(item, right[index] as Json));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return a === b;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && isSameJson(a[name] as Json, b[name] as Json));
}
