import { describe, expect, it } from "vitest";
import { createLeafReader, readLeaves } from "../../src/core/leaves.ts";
import { JOINED_NAMES_MAX } from "../../src/core/path-tree.ts";
import type { JsonObject } from "../../src/core/result.ts";

function valuesAt(path: string, view: JsonObject): readonly unknown[] {
  return readLeaves(createLeafReader(["other", path]), view)[1]?.map(({ value }) => value) ?? [];
}

/** An object of many members that nobody names. */
const wide = (members: JsonObject): JsonObject => ({
  ...Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`m${at}`, at])),
  ...members,
});

describe("a reader of leaves", () => {
  it("finds names with dots in objects that are searched and in those that are walked", () => {
    const paths = ["a.b.c", "a.b", "d"];
    const reader = createLeafReader(paths);
    for (const view of [{ "a.b": { c: 1 } }, { "a.b.c": 1 }, { a: { "b.c": 1 } }, { a: { b: { c: 1 } } }]) {
      // The first time an object is walked; from then on, it is searched where it has many members.
      for (const members of [view, wide(view), wide(view), wide(view), view]) {
        expect(readLeaves(reader, members)).toEqual([[{ value: 1, element: null }], [], []]);
      }
    }
  });

  it("of a path of as many names as are joined, and of one more, finds all of them in one name or many", () => {
    for (const count of [JOINED_NAMES_MAX, JOINED_NAMES_MAX + 1]) {
      const names = Array.from({ length: count }, (_, at) => `n${at}`);
      const path = names.join(".");
      const nested = names.reduceRight<unknown>((value, name) => ({ [name]: value }), 1) as JsonObject;
      expect(valuesAt(path, { [path]: 1 })).toEqual([1]);
      expect(valuesAt(path, nested)).toEqual([1]);
      expect(valuesAt(path, wide({ [names.slice(0, 3).join(".")]: { [names.slice(3).join(".")]: 1 } }))).toEqual([1]);
    }
  });

  it("takes own members only, from objects that are searched too", () => {
    const reader = createLeafReader(["constructor.name", "__proto__.x", "toString"]);
    const own = JSON.parse('{"__proto__":{"x":1},"constructor":{"name":"n"},"toString":"t"}') as JsonObject;
    for (const _ of [1, 2, 3]) {
      expect(readLeaves(reader, wide({})).flat()).toEqual([]);
      expect(readLeaves(reader, own).map(([leaf]) => leaf?.value)).toEqual(["n", 1, "t"]);
    }
  });

  it("sees that objects have become narrow again, and wide", () => {
    const reader = createLeafReader(["a", "b"]);
    for (let turn = 0; turn < 1_000; turn++) {
      const members = turn % 3 === 0 ? { a: turn } : wide({ b: turn });
      expect(
        readLeaves(reader, members)
          .flat()
          .map(({ value }) => value),
      ).toEqual([turn]);
    }
  });

  it("leaves paths that may wait until they are needed, and then has the same of them", () => {
    const paths = ["a.b", "a.c", "d"];
    const reader = createLeafReader(paths, [false, true, true]);
    const all = createLeafReader(paths);
    const read = (view: JsonObject) => {
      reader.read(view);
      return paths.map((_, slot) => reader.single[slot] ?? reader.several[slot]);
    };
    for (const view of [
      { a: { b: 1, c: 2 }, d: 3 },
      { "a.b": 1, "a.c": [2, 4] },
      { a: { b: 1 }, d: [[{}, 3]] },
    ]) {
      const early = read(view);
      expect(early).toEqual([1, undefined, undefined]);
      reader.need();
      all.read(view);
      expect([reader.single, reader.several]).toEqual([all.single, all.several]);
    }
  });

  it("reads all at once when a value stands in an element, with one number for each array", () => {
    const reader = createLeafReader(["a.b", "a.c", "d.e"], [false, true, true]);
    const elementOf = (slot: number) => reader.several[slot]?.[0]?.element;
    reader.read({ d: [{ e: 1 }], a: [{ b: 1, c: 2 }] });
    expect(elementOf(0)).toEqual(elementOf(1));
    expect(elementOf(2)?.array).not.toBe(elementOf(0)?.array);
    // Here it is a path that has waited: what was read before stays.
    reader.read({ a: { b: 1, c: [{}, { "": 0 }] }, d: [{ e: 1 }, { e: 2 }] });
    expect([reader.single[0], reader.several[2]]).toEqual([1, undefined]);
    reader.need();
    expect([reader.single[0], reader.several[2]?.map(({ value }) => value)]).toEqual([1, [1, 2]]);
    expect(reader.foundCount()).toBe(2);
  });

  it("reads at once what event after event needs, and leaves it again when it isn't needed", () => {
    const reader = createLeafReader(["a", "b"], [false, true]);
    const isAtOnce = (): boolean => {
      reader.read({ a: 1, b: 2 });
      return reader.single[1] === 2;
    };
    for (let turn = 0; turn < 30; turn++) {
      isAtOnce();
      reader.need();
    }
    expect(isAtOnce()).toBe(true);
    for (let turn = 0; turn < 30; turn++) isAtOnce();
    expect(isAtOnce()).toBe(false);
  });

  it("remembers nothing of the event before", () => {
    const reader = createLeafReader(["a"]);
    expect(readLeaves(reader, { a: [1, { a: 2 }] })[0]).toHaveLength(1);
    expect(readLeaves(reader, { b: 1 })[0]).toEqual([]);
    reader.read({ a: [1, 2] });
    reader.read({ a: 3 });
    expect([reader.single, reader.several, reader.foundCount()]).toEqual([[3], [undefined], 1]);
  });
});
