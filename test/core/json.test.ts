import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  JSON_DEPTH_MAX,
  elementSpans,
  findDuplicateMember,
  jsonDepth,
  memberSpans,
  parseJson,
} from "../../src/core/json.ts";
import { err, ok } from "../../src/core/result.ts";

const spaces = fc.constantFrom("", " ", "\n", "\t\r\n ");
/** JSON text with white space in odd places and strings that look like structure. */
const jsonText = fc
  .tuple(fc.json({ stringUnit: fc.constantFrom("a", '"', "\\", "{", "}", "[", "]", ",", ":", "é", " ") }), spaces)
  .map(([text, space]) => JSON.stringify(JSON.parse(text), null, space.replaceAll(/[^ \t]/g, " ")));

describe("parsing", () => {
  it("takes what JSON.parse takes", () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        expect(parseJson(text)).toEqual(ok(JSON.parse(text)));
      }),
    );
  });

  it("takes 64 levels and not one more, without parsing them", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(parseJson(nested(JSON_DEPTH_MAX)).ok).toBe(true);
    expect(parseJson(nested(JSON_DEPTH_MAX + 1))).toEqual(err({ reason: "json-too-deep", depthMax: JSON_DEPTH_MAX }));
    expect(parseJson("[".repeat(3_000_000))).toEqual(err({ reason: "json-too-deep", depthMax: JSON_DEPTH_MAX }));
  });

  it("tells where the mistake is and nothing of what stands there", () => {
    expect(parseJson('{"password" "hunter2"}')).toEqual(
      err({ reason: "invalid-json", detail: "unexpected character at position 12" }),
    );
    expect(parseJson('{"password": hunter2}')).toEqual(err({ reason: "invalid-json", detail: "it is not JSON" }));
    expect(parseJson('{"a":')).toEqual(err({ reason: "invalid-json", detail: "the text ends too early" }));
    expect(parseJson("")).toMatchObject({ ok: false });
  });
});

describe("depth", () => {
  it("counts objects and arrays, not brackets in strings", () => {
    expect(jsonDepth("1")).toBe(0);
    expect(jsonDepth('{"a":[{}]}')).toBe(3);
    expect(jsonDepth('["[[[[{{", "\\"[[", "\\\\", [1]]')).toBe(2);
    expect(jsonDepth('["never closed [[[')).toBe(1);
  });

  it("is that of the parsed value", () => {
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(jsonText, (text) => {
        expect(jsonDepth(text)).toBe(depthOf(JSON.parse(text)));
      }),
    );
  });
});

describe("the places of members and elements", () => {
  it("are those of the values as they were written", () => {
    const text = ' { "a" : 1.0 ,"b\\"}":[ {"c":"]"} ], "a":"x" } ';
    expect(memberSpans(text).map(({ name, start, end }) => [name, text.slice(start, end)])).toEqual([
      ["a", "1.0"],
      ['b"}', '[ {"c":"]"} ]'],
      ["a", '"x"'],
    ]);
    const list = '[ 1 , "," ,[2,3], {"a":[]} ,null]';
    expect(elementSpans(list).map(({ start, end }) => list.slice(start, end))).toEqual([
      "1",
      '","',
      "[2,3]",
      '{"a":[]}',
      "null",
    ]);
    expect([...memberSpans(" { } "), ...elementSpans("[ ]")]).toEqual([]);
  });

  it("hold what JSON.parse finds there, in any object or array", () => {
    fc.assert(
      fc.property(jsonText, spaces, (inner, space) => {
        const value: unknown = JSON.parse(inner);
        const object = `${space}{${space}"x":${space}${inner}${space},"\\u0079":[]${space}}`;
        expect(memberSpans(object).map(({ name, start, end }) => [name, JSON.parse(object.slice(start, end))])).toEqual(
          [
            ["x", value],
            ["y", []],
          ],
        );
        const array = `[${space}${inner}${space},${space}${inner}]`;
        expect(elementSpans(array).map(({ start, end }) => JSON.parse(array.slice(start, end)) as unknown)).toEqual([
          value,
          value,
        ]);
      }),
    );
  });
});

describe("a member named twice", () => {
  it("is found at its path, escapes read", () => {
    expect(findDuplicateMember('{"a":1,"\\u0061":2}')).toEqual(["a"]);
    expect(findDuplicateMember('[0,{"b":[{"c":1,"d":{},"c":2}]}]')).toEqual([1, "b", 0, "c"]);
    expect(findDuplicateMember('{"a":{"a":{"a":["a","a"]}}}')).toBeNull();
    expect(findDuplicateMember('"a"')).toBeNull();
  });

  it("is in no text that JSON.stringify writes", () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        expect(findDuplicateMember(text)).toBeNull();
      }),
    );
  });
});
