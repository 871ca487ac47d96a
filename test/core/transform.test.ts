import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject, Mistake } from "../../src/core/result.ts";
import { formatPath } from "../../src/core/result.ts";
import { OUTPUT_BYTES_MAX, TEMPLATE_BYTES_MAX } from "../../src/core/template.ts";
import { PATHS_MAX } from "../../src/core/named-path.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import { parseTransform } from "../../src/core/read-transform.ts";
import { applyTransform } from "../../src/core/transform.ts";

const view: JsonObject = {
  id: "1",
  type: "com.github.push",
  data: { ref: "refs/heads/main", size: 3, forced: false, none: null, tags: ["a", "b"], owner: { login: 'O"Neil' } },
};

async function apply(transform: Json, event: JsonObject = view) {
  const parsed = parseTransform(transform, jsonataEngine);
  if (!parsed.ok)
    throw new Error(parsed.error.map(({ path, message }) => `${formatPath(path)}: ${message}`).join("\n"));
  return applyTransform(parsed.value, event, { acceptedAt: 0, seed: "" });
}

async function textOf(transform: Json, event?: JsonObject): Promise<string> {
  const applied = await apply(transform, event);
  if (!applied.ok) throw new Error(applied.error.detail);
  if (applied.value.kind === "event") throw new Error("expected a body, found an event");
  return applied.value.text;
}

function mistakesOf(transform: Json): readonly Mistake[] {
  const parsed = parseTransform(transform, jsonataEngine);
  return parsed.ok ? [] : parsed.error;
}

const paths = {
  ref: "$.data.ref",
  size: "$.data.size",
  forced: "$.data.forced",
  none: "$.data.none",
  tags: "$.data.tags",
  owner: "$.data.owner",
  login: "$.data.owner.login",
  absent: "$.data.absent",
};
const template = (body: Json, more: JsonObject = {}): Json => ({ template: { paths, body, ...more } });

describe("constant", () => {
  it.each([null, 0, false, "", [], { a: { b: 1 } }])("sends %j whatever the event says", async (value) =>
    expect(await textOf({ constant: value })).toBe(JSON.stringify(value)),
  );
  it("has a bounded size", () => {
    expect(mistakesOf({ constant: "x".repeat(TEMPLATE_BYTES_MAX - 2) })).toEqual([]);
    expect(mistakesOf({ constant: "x".repeat(TEMPLATE_BYTES_MAX - 1) })).toHaveLength(1);
  });
});

describe("path", () => {
  it("sends what stands there, with its type", async () => {
    expect(await textOf({ path: "$.data.ref" })).toBe('"refs/heads/main"');
    expect(await textOf({ path: "$.data.tags" })).toBe('["a","b"]');
    expect(await textOf({ path: "$.data.none", required: true })).toBe("null");
  });
  it("sends null for a path that finds nothing, or fails when it is required", async () => {
    expect(await textOf({ path: "$.data.absent" })).toBe("null");
    expect(await apply({ path: "$.data.absent", required: true })).toEqual({
      ok: false,
      error: { reason: "transform-failed", detail: "the event has nothing at the required path $.data.absent" },
    });
  });
  it("points at a path that is wrong", () => {
    expect(mistakesOf({ path: "$..x" })).toMatchObject([
      { path: ["path"], message: expect.stringContaining("character 2") },
    ]);
  });
});

describe("a template that is a structure", () => {
  it("inserts values with their type where a placeholder stands alone", async () => {
    const body = { ref: "<ref>", size: "<size>", list: ["<forced>", "<none>", "<tags>"], owner: "<owner>", fixed: 1 };
    expect(await textOf(template(body))).toBe(
      '{"ref":"refs/heads/main","size":3,"list":[false,null,["a","b"]],"owner":{"login":"O\\"Neil"},"fixed":1}',
    );
  });
  it("inserts text inside strings, escaped for JSON", async () => {
    expect(await textOf(template({ text: "<login> set <size>/<forced>/<none>/<tags> on <ref>" }))).toBe(
      JSON.stringify({ text: 'O"Neil set 3/false/null/["a","b"] on refs/heads/main' }),
    );
  });
  it("writes a missing value as null on its own and as nothing inside a string", async () => {
    expect(await textOf(template({ alone: "<absent>", inside: "[<absent>]" }))).toBe('{"alone":null,"inside":"[]"}');
  });
  it("may be one string", async () => {
    expect(await textOf(template("<size>"))).toBe("3");
    expect(await textOf(template("size <size>"))).toBe('"size 3"');
  });
  it("leaves alone what is no placeholder, and what is escaped", async () => {
    for (const text of ["a < b > c", "<>", "< ref>", "</b>", "<https://x|y>", "<1st>", "a\\b", "\\"]) {
      expect(await textOf(template({ text }))).toBe(JSON.stringify({ text }));
    }
    expect(await textOf(template({ text: "\\<ref> \\\\<size> \\\\\\<ref>" }))).toBe(
      JSON.stringify({ text: "<ref> \\3 \\<ref>" }),
    );
    expect(await textOf(template({ "\\<ref>": 1 }))).toBe('{"<ref>":1}');
  });
  it("refuses placeholders that have no path, pointing at the string", () => {
    expect(mistakesOf(template({ a: ["x <rev>"] }))).toMatchObject([
      {
        path: ["template", "body", "a", 0],
        message: expect.stringMatching(/unknown placeholder "rev".*"ref".*\\<rev>/),
      },
    ]);
  });
  it("refuses placeholders in names", () => {
    expect(mistakesOf(template({ "<ref>": 1 }))).toMatchObject([{ path: ["template", "body", "<ref>"], at: "key" }]);
  });
  it("keeps members with the names that objects inherit harmless", async () => {
    const body = JSON.parse('{"__proto__":"<size>","constructor":1}') as Json;
    expect(await textOf(template(body))).toBe('{"__proto__":3,"constructor":1}');
    expect(({} as Record<string, unknown>)["size"]).toBeUndefined();
  });
  it("writes empty lists and objects", async () =>
    expect(await textOf(template({ a: [], b: {} }))).toBe('{"a":[],"b":{}}'));
});

describe("a template that is JSON text", async () => {
  it("inserts values outside strings and text inside them", async () => {
    const body = ' {"n": <size>, "s": "<login> is <size>", "l": [<tags>,<absent>], "q": "<size>"}';
    expect(await textOf(template(body))).toBe(' {"n": 3, "s": "O\\"Neil is 3", "l": [["a","b"],null], "q": "3"}');
  });
  it("may be one string or one list", async () => {
    expect(await textOf(template('"<ref>"'))).toBe('"refs/heads/main"');
    expect(await textOf(template("[<size>]"))).toBe("[3]");
  });
  it("knows the escape in both spellings of a backslash", async () => {
    expect(JSON.parse(await textOf(template('{"a": "\\<ref>", "b": "\\\\<size>", "c": "\\\\\\<ref>"}')))).toEqual({
      a: "<ref>",
      b: "\\3",
      c: "\\<ref>",
    });
  });
  it.each([
    ['{"a": <size>', "a comma or } at character 13, found its end"],
    ['{"a": <size>,}', 'a name in double quotes at character 14, found "}"'],
    ['{"a": <size><size>}', "a comma or } at character 13"],
    ['{"a": 1<size>}', "character 8"],
    ['{"a": -<size>}', "a value at character 7"],
    ["{<ref>: 1}", "a name in double quotes or } at character 2"],
    ['{"a": "<ref>}', "a value at character 7"],
    ["[<size>] lines", "nothing more at character 10"],
    ['{\n  "a": \\<ref>\n}', "a value at line 2, character 8 of the body"],
  ])("refuses %s and says where", (body, detail) => {
    expect(mistakesOf(template(body))).toMatchObject([
      { path: ["template", "body"], message: expect.stringContaining(detail) },
    ]);
  });
  it("refuses placeholders in names, unknown ones and names given twice", () => {
    expect(mistakesOf(template('{"<ref>" : 1}'))).toMatchObject([
      { message: expect.stringContaining("member's name") },
    ]);
    expect(mistakesOf(template('{"a": <rev>, "b": "<rev>"}'))).toHaveLength(2);
    expect(mistakesOf(template('{"a": 1, "a": 2}'))).toMatchObject([{ message: "the JSON text names a twice" }]);
  });
});

describe("what an event can do to a template", () => {
  it("is never more than fill its places: the result is JSON of the template's shape", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.string({ unit: "binary" }), async (value, text) => {
        const event = { data: { value, text } } as unknown as JsonObject;
        const both = { value: "$.data.value", text: "$.data.text" };
        const json = JSON.parse(JSON.stringify({ value, text })) as { value: Json; text: string };
        const inside = `:${json.text}: ${typeof json.value === "string" ? json.value : JSON.stringify(json.value)}`;
        const expected = { a: json.value, b: inside };
        const structure = { template: { paths: both, body: { a: "<value>", b: ":<text>: <value>" } } };
        const jsonText = { template: { paths: both, body: '{"a": <value>, "b": ":<text>: <value>"}' } };
        expect(JSON.parse(await textOf(structure, event))).toEqual(expected);
        expect(JSON.parse(await textOf(jsonText, event))).toEqual(expected);
      }),
    );
  });
  it("is not to have its values read as placeholders", async () => {
    expect(await textOf(template({ t: "<ref> <size>" }), { data: { ref: "<size>", size: "\\<ref>" } })).toBe(
      JSON.stringify({ t: "<size> \\<ref>" }),
    );
  });
});

describe("required", async () => {
  const one = { a: { path: "$.data.absent", required: true }, b: "$.data.ref" };
  it("fails when its path finds nothing, used or not", async () => {
    for (const body of ["<a>", "<b>"]) {
      expect(await apply({ template: { paths: one, body } })).toMatchObject({
        ok: false,
        error: { reason: "transform-failed" },
      });
    }
  });
  it("may be said for the whole template, in it or beside it", async () => {
    expect((await apply(template("<ref>", { required: true }))).ok).toBe(false);
    expect((await apply({ ...(template("<ref>") as JsonObject), required: true })).ok).toBe(false);
    expect((await apply({ template: { paths: { none: "$.data.none" }, body: "<none>", required: true } })).ok).toBe(
      true,
    );
    expect((await apply(template("<ref>"))).ok).toBe(true);
  });
});

describe("a transform that is wrong", async () => {
  it.each([
    ["$.data", [], "write path: $.data"],
    [{}, [], "expected one of"],
    [{ constant: 1, path: "$" }, ["path"], "constant and path"],
    [{ jsonata: " " }, ["jsonata"], "expected an expression in JSONata"],
    [{ jsonata: "data.(ref" }, ["jsonata"], 'Expected ")" before end of expression (S0203) at line 1, column 9'],
    [
      { jsonata: "(\n  $uppercas(type)\n)" },
      ["jsonata"],
      "there is no function $uppercas at line 2, column 11; did you mean $uppercase?",
    ],
    [{ jsonata: "data", required: true }, ["required"], "in JSONata, write $assert"],
    [{ templat: {} }, ["templat"], 'did you mean "template"'],
    [{ constant: 1, required: true }, ["required"], "constant reads nothing"],
    [{ path: "$", required: "yes" }, ["required"], "true or false"],
    [{ template: "x" }, ["template"], "expected paths and a body"],
    [{ template: { paths: {} } }, ["template"], "body"],
    [{ template: { paths: [], body: "<x>" } }, ["template", "paths"], "names with a path each"],
    [{ template: { paths: { "a b": "$" }, body: 1 } }, ["template", "paths", "a b"], "begins with a letter"],
    [{ template: { paths: { a: "b" }, body: "<a>" } }, ["template", "paths", "a"], "expected $"],
    [{ template: { paths: { a: { required: true } }, body: "<a>" } }, ["template", "paths", "a"], "member path"],
    [
      { template: { paths: { a: { pth: "$", path: "$" } }, body: "<a>" } },
      ["template", "paths", "a", "pth"],
      "did you mean",
    ],
  ])("%j is one mistake, at its place", (transform, path, message) =>
    expect(mistakesOf(transform as Json)).toMatchObject([
      { path, message: expect.stringContaining(message as string) },
    ]),
  );
  it("has all its mistakes reported at once", () => {
    expect(mistakesOf({ template: { paths: { a: "b", c: "d" }, body: ["<e>", "<f>"], extra: 1 } })).toHaveLength(5);
  });
});

describe("limits", () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, "$.id"]));
  it("a template names a bounded number of paths", () => {
    expect(mistakesOf({ template: { paths: many(PATHS_MAX), body: "<p0>" } })).toEqual([]);
    expect(mistakesOf({ template: { paths: many(PATHS_MAX + 1), body: "<p0>" } })).toHaveLength(1);
  });
  it("a body has a bounded size, in both forms", () => {
    const size = TEMPLATE_BYTES_MAX - 2;
    expect(mistakesOf(template("x".repeat(size)))).toEqual([]);
    expect(mistakesOf(template("x".repeat(size + 1)))).toHaveLength(1);
    expect(mistakesOf(template(`"${"x".repeat(size)}"`))).toEqual([]);
    expect(mistakesOf(template(`"${"x".repeat(size + 1)}"`))).toHaveLength(1);
  });
  it("a structure and a JSON text nest a bounded number of levels", () => {
    const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as Json;
    expect(mistakesOf(template(nested(64)))).toEqual([]);
    expect(mistakesOf(template(nested(65)))).toHaveLength(1);
    expect(mistakesOf(template(JSON.stringify(nested(65))))).toHaveLength(1);
  });
  it("a result has a bounded size, counted in bytes", async () => {
    const event = (length: number, character = "x"): JsonObject => ({ data: { ref: character.repeat(length) } });
    const fits = OUTPUT_BYTES_MAX - 2;
    for (const transform of [template("<ref>"), { path: "$.data.ref" }]) {
      expect(await textOf(transform, event(fits))).toHaveLength(OUTPUT_BYTES_MAX);
      expect(await apply(transform, event(fits + 1))).toMatchObject({
        ok: false,
        error: { reason: "transform-failed" },
      });
      expect((await apply(transform, event(fits / 2, "é"))).ok).toBe(true);
      expect((await apply(transform, event(fits / 2 + 1, "é"))).ok).toBe(false);
    }
  });
  it("a value that is inserted thousands of times stops at the bound", async () => {
    const body = Array.from({ length: 5000 }, () => "<ref>");
    expect((await apply(template(body), { data: { ref: "x".repeat(500_000) } })).ok).toBe(false);
  });
});
