/** A mistake that a kind of source or target found in its part of an entry, told where the whole entry stands. */
import { nearestName, unknownName } from "../src/core/read-object.ts";
import type { Mistake, PathStep } from "../src/core/result.ts";

/**
 * A kind knows its own keys only: a misspelt `timeout` would be told of the kind's keys, so the keys that all entries share
 * speak first.
 */
export function placedMistake(mistake: Mistake, path: readonly PathStep[], sharedKeys: readonly string[]): Mistake {
  const whole = { ...mistake, path: [...path, ...mistake.path] };
  const [key] = mistake.path;
  if (mistake.at !== "key" || mistake.path.length !== 1 || typeof key !== "string") return whole;
  if (nearestName(key, sharedKeys) === undefined || mistake.message.includes("did you mean")) return whole;
  return { ...whole, message: unknownName("key", key, sharedKeys) };
}
