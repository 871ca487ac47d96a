/**
 * Runs what docs/patterns.md says. A fenced `json` block is a pattern; the lines `- matches` and `- does not match` after it
 * each hold an event. A line `- refused:` holds a pattern of its own.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import { ALTERNATIVES_PER_FIELD_MAX } from "../../src/core/alternative.ts";
import { PATTERN_COST_MAX } from "../../scripts/analysis/pattern-cost.ts";
import { CHOICES_MAX } from "../../src/core/array-consistency.ts";
import { matchesPattern } from "../../src/core/matcher.ts";
import { OR_BRANCHES_MAX, PATTERN_DEPTH_MAX, parsePatternText } from "../../src/core/pattern.ts";
import { WILDCARDS_PER_VALUE_MAX } from "../../src/core/wildcard.ts";

const PAGE = readFileSync(`${import.meta.dirname}/../../docs/patterns.md`, "utf8");

interface Example {
  readonly line: number;
  readonly says: "matches" | "does not match" | "refused:";
  readonly pattern: string;
  readonly event: string;
}

function examplesOf(page: string): readonly Example[] {
  const examples: Example[] = [];
  let pattern = "";
  let isInside = false;
  for (const [index, line] of page.split("\n").entries()) {
    if (line.startsWith("```")) {
      isInside = line === "```json";
      if (isInside) pattern = "";
    } else if (isInside) pattern += line;
    const [, says, text = ""] = /^- (matches|does not match|refused:) `(.*?)`(?:$| \()/.exec(line) ?? [];
    if (says === "refused:") examples.push({ line: index + 1, says, pattern: text, event: "{}" });
    else if (says === "matches" || says === "does not match") {
      examples.push({ line: index + 1, says, pattern, event: text });
    }
  }
  return examples;
}

function outcome({ pattern, event }: Example): Example["says"] {
  const parsed = parsePatternText(pattern);
  if (!parsed.ok) return "refused:";
  return matchesPattern(parsed.value, JSON.parse(event) as JsonObject) ? "matches" : "does not match";
}

describe("docs/patterns.md", () => {
  const examples = examplesOf(PAGE);

  test("no example goes by unread", () => {
    const bullets = PAGE.split("\n").filter((line) => /^- (?:matches|does not match|refused)\b/.test(line));
    expect(examples).toHaveLength(bullets.length);
    expect(examples.length).toBeGreaterThan(100);
  });

  test.each(examples)("line $line: $pattern $says $event", (example) => {
    expect(outcome(example)).toBe(example.says);
  });

  test.each(
    Object.entries({
      PATTERN_DEPTH_MAX,
      ALTERNATIVES_PER_FIELD_MAX,
      OR_BRANCHES_MAX,
      WILDCARDS_PER_VALUE_MAX,
      CHOICES_MAX,
      PATTERN_COST_MAX,
    }),
  )("its table says what %s is", (name, number) => {
    const row = PAGE.split("\n").find((line) => line.includes(`\`${name}\` |`));
    expect(row?.split("|").at(-2)?.trim()).toBe(number.toLocaleString("en"));
  });

  test("its links within the page lead somewhere", () => {
    const anchors = [...PAGE.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    );
    const links = [...PAGE.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !anchors.includes(link ?? ""))).toEqual([]);
  });
});
