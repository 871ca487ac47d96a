import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PATH_CHARS_MAX, PATH_STEPS_MAX, parseJsonPath, readJsonPath } from "../../src/core/json-path.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";

function read(path: string, view: JsonObject): Json | undefined {
  const parsed = parseJsonPath(path);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return readJsonPath(parsed.value, view);
}

function positionOf(path: string): number {
  const parsed = parseJsonPath(path);
  if (parsed.ok) throw new Error(`${path} was accepted`);
  return parsed.error.position;
}

const view: JsonObject = {
  type: "com.example.order",
  data: {
    "full name": "Ada",
    "a.b": 1,
    "it's": "quoted",
    größe: 3,
    empty: null,
    labels: [{ name: "bug", tags: ["x", "y"] }, { colour: "red" }, { name: "ui", tags: ["z"] }, 4],
    grid: [
      [1, 2],
      [3, [4]],
    ],
  },
};

describe("reading a path", () => {
  it("answers the whole document for $", () => expect(read("$", view)).toBe(view));
  it("follows names with dots", () => expect(read("$.data.größe", view)).toBe(3));
  it("follows names in both quotes", () => {
    expect(read("$['data']['full name']", view)).toBe("Ada");
    expect(read('$.data["a.b"]', view)).toBe(1);
    expect(read("$.data['it\\'s']", view)).toBe("quoted");
  });
  it("takes an element by its index", () => expect(read("$.data.labels[2].name", view)).toBe("ui"));
  it("tells null from nothing", () => {
    expect(read("$.data.empty", view)).toBeNull();
    expect(read("$.data.empty.more", view)).toBeUndefined();
    expect(read("$.data.absent", view)).toBeUndefined();
    expect(read("$.data.labels[9]", view)).toBeUndefined();
  });
  it("lists what the elements hold, leaving out those that hold nothing", () => {
    expect(read("$.data.labels[*].name", view)).toEqual(["bug", "ui"]);
    expect(read("$.data.labels[*].tags[*]", view)).toEqual(["x", "y", "z"]);
    expect(read("$.data.labels[*].absent", view)).toEqual([]);
  });
  it("keeps an element that is a list itself in one piece", () => {
    expect(read("$.data.grid[*]", view)).toEqual([
      [1, 2],
      [3, [4]],
    ]);
    expect(read("$.data.grid[*][1]", view)).toEqual([2, [4]]);
    expect(read("$.data.grid[*][*]", view)).toEqual([1, 2, 3, [4]]);
  });
  it("finds nothing where [*] meets no list", () => {
    expect(read("$.data[*]", view)).toBeUndefined();
    expect(read("$.type[*]", view)).toBeUndefined();
  });
  it("reads own members only, never what every object inherits", () => {
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      expect(read(`$.data.${name}`, view)).toBeUndefined();
    }
    expect(read("$.data.labels.length", view)).toBeUndefined();
    expect(read("$.type.length", view)).toBeUndefined();
    expect(read("$.__proto__.x", JSON.parse('{"__proto__":{"x":1}}') as JsonObject)).toBe(1);
  });
  it("finds every member by its quoted name", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer(), (name, value) => {
        const quoted = name.replace(/['\\]/g, "\\$&");
        expect(read(`$['${quoted}']`, { [name]: value })).toBe(value);
      }),
      {
        examples: [
          ["'", 1],
          ["\\", 1],
          ["]", 1],
        ],
      },
    );
  });
});

describe("a path that is wrong", () => {
  it.each([
    ["data.x", 0],
    ["", 0],
    ["$data", 1],
    ["$.", 2],
    ["$..x", 1],
    ["$.a b", 3],
    ["$.a[", 4],
    ["$.a[-1]", 4],
    ["$.a[?(@.x)]", 4],
    ["$.a[1:2]", 5],
    ["$.a[01]", 4],
    ["$.a['x]", 4],
    ["$.a[*", 5],
    ["$.a.*", 4],
  ])("%s is refused at position %i", (path, position) => expect(positionOf(path)).toBe(position));

  it("says which subset there is", () => {
    const parsed = parseJsonPath("$..x");
    expect(parsed.ok ? "" : parsed.error.message).toMatch(/recursion.*at character 2; paths are made of \$, \.name/);
  });
  it("has a bounded length and number of steps", () => {
    expect(parseJsonPath(`$.${"a".repeat(PATH_CHARS_MAX - 2)}`).ok).toBe(true);
    expect(parseJsonPath(`$.${"a".repeat(PATH_CHARS_MAX - 1)}`).ok).toBe(false);
    expect(parseJsonPath(`$${"[0]".repeat(PATH_STEPS_MAX)}`).ok).toBe(true);
    expect(parseJsonPath(`$${"[0]".repeat(PATH_STEPS_MAX + 1)}`).ok).toBe(false);
  });
});
