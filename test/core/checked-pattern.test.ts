import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkedPattern } from "../../src/core/checked-pattern.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { Json } from "../../src/core/result.ts";
import { rules } from "../../src/generated/rules.ts";

const RUNS = 1_000;
const LEVELS = 2;
const VECTORS = fileURLToPath(new URL("../conformance/patterns/observed.ndjson", import.meta.url).href);

const text = fc.string({ maxLength: 6 });
const wildcard = fc
  .array(fc.constantFrom("a", "b/", "*", "\\*", "\\\\", ".", "é", "\n", "🚀"), { maxLength: 6 })
  .map((parts) => parts.join("").replaceAll(/\*{2,}/g, "*"));
const folded = fc.record({ "equals-ignore-case": text });
const affix = fc.oneof(text, folded);
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const range = fc.oneof(
  fc.tuple(fc.constantFrom("=", "<", "<=", ">", ">="), number),
  fc.tuple(fc.constantFrom(">", ">="), fc.integer({ max: 0 }), fc.constantFrom("<", "<="), fc.integer({ min: 1 })),
);
const nested = fc.oneof(
  ...["prefix", "suffix", "equals-ignore-case"].map((name) =>
    fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })).map((value) => ({ [name]: value })),
  ),
  fc.oneof(wildcard, fc.array(wildcard, { minLength: 1, maxLength: 3 })).map((value) => ({ wildcard: value })),
);
const matcher: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ exactly: text }),
  fc.record({ prefix: affix }),
  fc.record({ suffix: affix }),
  folded,
  fc.record({ wildcard }),
  fc.record({ numeric: range }) as fc.Arbitrary<Json>,
  fc.record({ cidr: fc.constantFrom("10.0.0.0/8", "2001:db8::/32", "::1/128", "1.2.3.4/0") }),
  fc.record({ exists: fc.boolean() }),
  fc.record({
    "anything-but": fc.oneof(
      text,
      number,
      fc.array(text, { minLength: 1, maxLength: 3 }),
      fc.array(number, { minLength: 1, maxLength: 3 }),
      nested,
    ),
  }),
);
const scalar: fc.Arbitrary<Json> = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const field = fc.array(fc.oneof(scalar, matcher), { minLength: 1, maxLength: 3 });
/** Names that no other level has, so that no field is named twice. */
function objectOf(level: number): fc.Arbitrary<Json> {
  const name = fc.constantFrom(...["a", "b", "__proto__", "é", ""].map((text) => `${text}${level === 0 ? "" : level}`));
  const value = level === LEVELS ? field : fc.oneof(field, objectOf(level + 1));
  const members = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, minLength: 1, maxLength: 3 });
  const choices =
    level === LEVELS ? fc.constant(null) : fc.option(fc.array(objectOf(level + 1), { minLength: 2, maxLength: 3 }));
  return fc.tuple(members, choices).map(([named, or]): Json => {
    const entries: readonly (readonly [string, Json])[] = or === null ? named : [...named, ["$or", or]];
    const text = entries.map(([key, member]) => `${JSON.stringify(key)}:${JSON.stringify(member)}`);
    // As it would be read: a member of the name __proto__ is one like any other.
    return JSON.parse(`{${text.join(",")}}`) as Json;
  });
}

describe("a pattern that was checked before", () => {
  it("reads as parsePattern does: those of EventBridge's vectors", () => {
    const lines = readFileSync(VECTORS, "utf8").trimEnd().split("\n");
    const patterns = new Set(lines.map((line) => (JSON.parse(line) as { readonly pattern: string }).pattern));
    let right = 0;
    for (const each of patterns) {
      let json: Json;
      try {
        json = JSON.parse(each) as Json;
      } catch {
        continue;
      }
      const parsed = parsePattern(json);
      if (!parsed.ok) continue;
      right += 1;
      expect(checkedPattern(json)).toEqual(parsed.value);
    }
    expect(right).toBeGreaterThan(80);
  });

  it("reads as parsePattern does: those of the project's rules", () => {
    expect(rules.rules.length).toBeGreaterThan(10);
    for (const rule of rules.rules) {
      expect({ ok: true, value: checkedPattern(rule.pattern) }).toEqual(parsePattern(rule.pattern));
    }
  });

  it("reads as parsePattern does, whatever is right", () => {
    let right = 0;
    fc.assert(
      fc.property(objectOf(0), (json) => {
        const parsed = parsePattern(json);
        if (!parsed.ok) return;
        right += 1;
        expect(checkedPattern(json)).toEqual(parsed.value);
      }),
      { numRuns: RUNS },
    );
    expect(right).toBeGreaterThan(RUNS / 3);
  });

  it("throws where it can't be right", () => {
    for (const wrong of [{ a: "b" }, { a: [{ near: "x" }] }, { a: [{}] }, { a: [{ cidr: "10" }] }, null, []]) {
      expect(() => checkedPattern(wrong as Json)).toThrow();
    }
  });
});
