import { describe, expect, it } from "vitest";
import {
  SHOWN_MAX,
  SHOWN_TEXT_CHARS_MAX,
  describeAlternative,
  describeValue,
  listWords,
} from "../../src/core/explain-words.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { Json } from "../../src/core/result.ts";

function inWords(alternative: Json): string {
  const parsed = parsePattern({ x: [alternative] });
  const read = parsed.ok ? parsed.value.branches[0]?.[0]?.alternatives[0] : undefined;
  if (read === undefined) throw new Error(JSON.stringify(parsed));
  return describeAlternative(read);
}

describe("an alternative in words", () => {
  it.each<[Json, string]>([
    ["refs/heads/main", '"refs/heads/main"'],
    [5, "5"],
    [null, "null"],
    [true, "true"],
    [{ exactly: "a" }, '"a"'],
    [{ "equals-ignore-case": "MAIN" }, '"main" in any case'],
    [{ prefix: "refs/" }, 'starts with "refs/"'],
    [{ prefix: { "equals-ignore-case": "Refs/" } }, 'starts with "refs/" in any case'],
    [{ suffix: ".png" }, 'ends with ".png"'],
    [{ suffix: { "equals-ignore-case": ".PNG" } }, 'ends with ".png" in any case'],
    [{ wildcard: "a*\\*\\\\b" }, String.raw`like "a*\\*\\\\b"`],
    [{ numeric: ["=", 5] }, "the number 5"],
    [{ numeric: [">=", 5] }, "a number >= 5"],
    [{ numeric: ["<", 0.5] }, "a number < 0.5"],
    [{ numeric: [">", 0, "<=", 10] }, "a number > 0 and <= 10"],
    [{ cidr: "10.1.0.0/16" }, "an address in 10.1.0.0/16"],
    [{ cidr: "2001:db8::/32" }, "an address in 2001:db8::/32"],
    [{ cidr: "::/0" }, "an address in 0::/0"],
    [{ cidr: "1:2:3:4:5:6:7:8/128" }, "an address in 1:2:3:4:5:6:7:8/128"],
    [{ exists: true }, "any value"],
    [{ exists: false }, "no such field"],
    [{ "anything-but": "a" }, 'anything but "a"'],
    [{ "anything-but": ["a", "b"] }, 'anything but "a" and "b"'],
    [{ "anything-but": { prefix: ["a", "b"] } }, 'anything but starts with "a" and starts with "b"'],
  ])("%j is %s", (alternative, words) => {
    expect(inWords(alternative)).toBe(words);
  });
});

describe("what is long", () => {
  it("is cut: a text", () => {
    expect(describeValue("x".repeat(SHOWN_TEXT_CHARS_MAX))).toBe(`"${"x".repeat(SHOWN_TEXT_CHARS_MAX)}"`);
    expect(describeValue("x".repeat(SHOWN_TEXT_CHARS_MAX + 1))).toBe(`"${"x".repeat(SHOWN_TEXT_CHARS_MAX)}…"`);
  });

  it("is cut: a list", () => {
    const words = Array.from({ length: SHOWN_MAX + 2 }, (_, index) => `w${index}`);
    expect(listWords(words.slice(0, SHOWN_MAX), "or")).toBe("w0, w1, w2, w3 or w4");
    expect(listWords(words, "or")).toBe("w0, w1, w2, w3 and 3 more");
    expect([listWords([], "or"), listWords(["a"], "or"), listWords(["a", "b"], "and")]).toEqual(["", "a", "a and b"]);
  });
});
