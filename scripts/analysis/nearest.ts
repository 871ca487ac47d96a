/** The known name that a misspelt one was meant to be. */
import { nearestName } from "../../src/core/read-object.ts";

/** As `nearestName`, and also short names with two letters the wrong way round. */
export function nearestSpelling(name: string, known: readonly string[]): string | undefined {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return nearest;
  const letters = lettersOf(name);
  return known.find((candidate) => candidate.length === name.length && lettersOf(candidate) === letters);
}

function lettersOf(name: string): string {
  return [...name.toLowerCase()].toSorted().join("");
}
