/**
 * What Amazon EventBridge and its open matcher were observed to do, case by case, less the oddities that docs/patterns.md
 * lists. The cases are texts, so that parsing is part of what is tested.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import { matchesPattern } from "../../src/core/matcher.ts";
import { parsePatternText } from "../../src/core/pattern.ts";

interface Observed {
  readonly id: string;
  readonly pattern: string;
  readonly event: string;
  readonly expect: "match" | "no-match" | "invalid";
}

const OBSERVED = readFileSync(`${import.meta.dirname}/patterns/observed.ndjson`, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Observed);

function outcome({ pattern, event }: Observed): Observed["expect"] {
  const parsed = parsePatternText(pattern);
  if (!parsed.ok) return "invalid";
  return matchesPattern(parsed.value, JSON.parse(event) as JsonObject) ? "match" : "no-match";
}

describe("patterns as observed", () => {
  test("all 1,074 cases are there, and each outcome occurs", () => {
    expect(OBSERVED).toHaveLength(1_074);
    expect(new Set(OBSERVED.map((observed) => observed.expect)).size).toBe(3);
  });

  const kinds = Map.groupBy(OBSERVED, ({ id }) => id.slice(0, id.indexOf("#")));
  test.each([...kinds.keys()])("%s agrees with every case", (kind) => {
    const wrong = (kinds.get(kind) ?? []).filter((observed) => outcome(observed) !== observed.expect);
    expect(wrong).toEqual([]);
  });
});
