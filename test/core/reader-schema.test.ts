import { describe, expect, it } from "vitest";
import { readBindingName, readInteger, readList, readMembers, readOneOf } from "../../src/core/read-object.ts";
import { described, exclusive, membersSchema, mergeMembers, withSchema } from "../../src/core/reader-schema.ts";
import type { Mistake } from "../../src/core/result.ts";

describe("a reader with a schema", () => {
  it("reads as it did, and leaves the reader that it was made of alone", () => {
    const plain = readInteger(1, 3);
    const known = described(plain, "How many.", { default: 2 });
    const mistakes: Mistake[] = [];
    expect([known(3, [], mistakes), known(4, ["n"], mistakes)]).toEqual([3, undefined]);
    expect(mistakes).toEqual([{ path: ["n"], message: "expected a whole number from 1 to 3, found the number 4" }]);
    expect(known.schema).toEqual({ type: "integer", minimum: 1, maximum: 3, description: "How many.", default: 2 });
    expect(plain.schema).toEqual({ type: "integer", minimum: 1, maximum: 3 });
  });
  it("hands its schema on to the list of what it reads", () => {
    expect(readList(readOneOf(["a", "b"]), 2).schema).toEqual({
      type: "array",
      items: { enum: ["a", "b"] },
      minItems: 1,
      maxItems: 2,
    });
  });
});

describe("the schema of an object", () => {
  const readers = { name: described(readBindingName, "A name."), any: withSchema((value) => ({ value }), {}) };
  it("has the members that the same readers read, and no others", () => {
    const { properties, ...others } = membersSchema(readers, { required: ["name"] });
    expect(Object.keys(properties as object)).toEqual(Object.keys(readMembers({ name: "A", any: 1 }, [], readers, [])));
    expect(others).toEqual({ type: "object", additionalProperties: false, required: ["name"] });
  });
  it("takes in the members of another", () => {
    const merged = mergeMembers(membersSchema(readers, { required: ["name"] }), { properties: { more: {} } });
    expect(Object.keys(merged["properties"] as object)).toEqual(["name", "any", "more"]);
    expect(merged["required"]).toEqual(["name"]);
  });
  it("says which members don't go together", () => {
    expect(exclusive(["a", "b"], { c: { enum: [1] } })).toEqual({
      a: { properties: { b: false, c: { enum: [1] } } },
      b: { properties: { a: false, c: { enum: [1] } } },
    });
  });
});
