import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSameJson } from "../../src/core/same-json.ts";
import { updateOutputs } from "../../bin/test-update.ts";
import { readRuleText } from "../../scripts/rule-text.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";

function outputOf(text: string, index: number, isJson = false): Json | undefined {
  const file = readRuleText(text, isJson).value as { readonly cases: readonly JsonObject[] };
  return file.cases[index]?.["output"];
}

const FILE = `# Cases of the build rule.
cases:
  # The usual one.
  - name: a push   # to main
    event: { github: push, with: { ref: 'refs/heads/main' } }
    match: true # sure
    output: # what CI gets
      text: "acme/shop is at 1a" # quoted
      list:
        - 1 # one
        - { id: 2,  name: two }
      # below the list

  # The bare one.
  - event: ./events/push.json
    name: "b"
    match: true # yes

  - { name: c, event: { type: t }, match: true, output: {a: 1} }
`;

describe("updating the outputs of a test file", () => {
  it("changes the values that differ, and not a character besides", () => {
    const value = { text: "acme/shop is at 2b", list: [1, { id: 3, name: "two" }] };
    expect(updateOutputs(FILE, false, [{ index: 0, value }])).toBe(
      FILE.replace('"acme/shop is at 1a"', "acme/shop is at 2b").replace("{ id: 2, ", "{ id: 3, "),
    );
  });

  it("adds an output behind a case's last member, and in braces", () => {
    const made = updateOutputs(FILE, false, [
      { index: 1, value: { commit: "1a", empty: [] } },
      { index: 2, value: { a: "x y", "b c": [true, null, "true"] } },
    ]);
    expect(made).toBe(
      FILE.replace(
        "match: true # yes\n",
        "match: true # yes\n    output:\n      commit: 1a\n      empty: []\n",
      ).replace("{a: 1}", '{ a: x y, b c: [true, null, "true"] }'),
    );
  });

  it("replaces an output whose members are others as a whole, and leaves what stands around it", () => {
    const made = updateOutputs(FILE, false, [{ index: 0, value: ["a", { b: "two\nlines\n" }] }]) ?? "";
    expect(outputOf(made, 0)).toEqual(["a", { b: "two\nlines\n" }]);
    for (const kept of [
      "# Cases of the build rule.\n",
      "  # The usual one.\n",
      "match: true # sure\n",
      "  # The bare one.\n",
    ]) {
      expect(made).toContain(kept);
    }
  });

  it("writes into a file without a last line feed, and into an output without a value", () => {
    const text = "cases:\n- name: a\n  event: x.json\n  match: true";
    expect(updateOutputs(text, false, [{ index: 0, value: 5 }])).toBe(`${text}\n  output: 5`);
    const empty = "cases:\n- name: a\n  output:\n  match: true\n";
    expect(updateOutputs(empty, false, [{ index: 0, value: { a: 1 } }])).toBe(
      "cases:\n- name: a\n  output:\n    a: 1\n  match: true\n",
    );
  });

  it("keeps a JSON file JSON, with its layout", () => {
    const text =
      '{\n  "cases": [\n    {\n      "name": "a",\n      "match": true\n    },\n    { "name": "b", "output": [1] }\n  ]\n}\n';
    expect(
      updateOutputs(text, true, [
        { index: 0, value: { a: [1] } },
        { index: 1, value: [2] },
      ]),
    ).toBe(
      '{\n  "cases": [\n    {\n      "name": "a",\n      "match": true,\n      "output": {\n        "a": [\n          1\n        ]\n      }\n    },\n    { "name": "b", "output": [2] }\n  ]\n}\n',
    );
  });

  it("gives up where an anchor or an alias would carry the change elsewhere", () => {
    const alias = "cases:\n  - &a { name: a, output: 1 }\n  - *a\n";
    expect(updateOutputs(alias, false, [{ index: 1, value: 2 }])).toBeUndefined();
    const anchor = "cases:\n  - name: a\n    output: &o { a: 1 }\n  - name: b\n    output: *o\n";
    expect(updateOutputs(anchor, false, [{ index: 0, value: { a: 2 } }])).toBeUndefined();
    expect(outputOf(updateOutputs(anchor, false, [{ index: 1, value: { a: 2 } }]) ?? "", 0)).toEqual({ a: 1 });
  });

  it("writes any JSON so that it is read back, wherever it stands", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, 2), (given, index) => {
        const value = JSON.parse(JSON.stringify(given)) as Json;
        const made = updateOutputs(FILE, false, [{ index, value }]);
        expect(made).toBeDefined();
        expect(isSameJson(outputOf(made ?? "", index) ?? null, value)).toBe(true);
        expect(
          made?.startsWith("# Cases of the build rule.\ncases:\n  # The usual one.\n  - name: a push   # to main\n"),
        ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
