import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkedTransform } from "../../src/core/checked-transform.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import { parseTransform } from "../../src/core/read-transform.ts";
import type { Json } from "../../src/core/result.ts";
import { rules } from "../../src/generated/rules.ts";

const RUNS = 2_000;

const step = fc.constantFrom(".a", ".data", ".é_-9", "['a b']", '["x\\\\"y"]', "['it\\\\'s']", "[0]", "[12]", "[*]");
const path = fc.array(step, { maxLength: 5 }).map((steps) => `$${steps.join("")}`);
const piece = fc.constantFrom(
  "<a>",
  "<b>",
  "\\",
  "\\\\",
  "text",
  '"',
  "{",
  "[",
  "]",
  "}",
  ":",
  ",",
  " ",
  "<",
  "<c>",
  "1",
);
const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
const jsonText = fc.constantFrom(
  '{"a": <a>, "b": "x <b> y"}',
  '[<a>, "\\\\<b>", "\\\\\\\\<b>"]',
  '"<a> and <b>"',
  ' {"k": {"l": [1, <b>]}}',
);
const body: fc.Arbitrary<Json> = fc.oneof(
  text,
  jsonText,
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
  fc.dictionary(text, fc.oneof(text, fc.array(text, { maxLength: 3 })), { maxKeys: 3 }),
);
const entry = fc.oneof(path, fc.record({ path, required: fc.boolean() }, { requiredKeys: ["path"] }));
const required = fc.record({ required: fc.boolean() }, { requiredKeys: [] });
const template = fc
  .tuple(fc.record({ paths: fc.record({ a: entry, b: entry }), body }), required)
  .map(([whole, more]) => ({ ...whole, ...more }));
const transform: fc.Arbitrary<Json> = fc
  .oneof(
    fc.record({ constant: fc.jsonValue({ maxDepth: 2 }) }),
    fc.tuple(fc.record({ path }), required).map(([one, more]) => ({ ...one, ...more })),
    fc.tuple(fc.record({ template }), required).map(([one, more]) => ({ ...one, ...more })),
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as Json);

describe("a transform that was checked before", () => {
  it("reads as parseTransform does: those of the project's rules", () => {
    const transforms = rules.rules.flatMap((rule) => (rule.transform === undefined ? [] : [rule.transform]));
    expect(transforms.length).toBeGreaterThan(10);
    for (const each of transforms) {
      const checked = checkedTransform(each, jsonataEngine);
      const parsed = parseTransform(each, jsonataEngine);
      // Compiled expressions are functions.
      if (checked.kind === "jsonata") expect(parsed).toMatchObject({ ok: true, value: { kind: "jsonata" } });
      else expect({ ok: true, value: checked }).toEqual(parsed);
    }
  });

  it("reads as parseTransform does, whatever is right", () => {
    const right = { constant: 0, path: 0, template: 0, jsonata: 0 };
    fc.assert(
      fc.property(transform, (json) => {
        const parsed = parseTransform(json, undefined);
        if (!parsed.ok) return;
        right[parsed.value.kind] += 1;
        expect(checkedTransform(json, undefined)).toEqual(parsed.value);
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(right.constant, right.path, right.template)).toBeGreaterThan(RUNS / 20);
  });

  it("throws where it can't be right", () => {
    for (const wrong of [{}, null, [], "x", { jsonata: "a" }, { jsonata: 1 }]) {
      expect(() => checkedTransform(wrong, undefined)).toThrow("expected constant, path, template or jsonata");
    }
    expect(() => checkedTransform({ jsonata: "a +" }, jsonataEngine)).toThrow("expected constant");
  });
});
