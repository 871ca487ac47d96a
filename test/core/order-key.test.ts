import { describe, expect, it } from "vitest";
import { orderKeyOf, sequenceOf } from "../../src/core/order-key.ts";

const event = { specversion: "1.0", id: "1", source: "/s", type: "t" } as const;

describe("the order key of a CloudEvent", () => {
  it("is its partitionkey, else its subject, within its source", () => {
    expect(orderKeyOf({ ...event, subject: "a", partitionkey: "b" })).toBe("/s\nb");
    expect(orderKeyOf({ ...event, subject: "a" })).toBe("/s\na");
    expect(orderKeyOf(event)).toBe("/s\n");
  });

  it("is never the same for two sources", () => {
    expect(orderKeyOf({ ...event, source: "/s", subject: "x/y" })).not.toBe(
      orderKeyOf({ ...event, source: "/s/x", subject: "y" }),
    );
  });
});

describe("the number of a CloudEvent", () => {
  it("is counted up to fifteen digits, which are exact, and is a text beyond", () => {
    expect(sequenceOf({ ...event, sequence: "999999999999999" })).toBe(999_999_999_999_999);
    expect(sequenceOf({ ...event, sequence: "1000000000000000" })).toBeUndefined();
    expect(sequenceOf({ ...event, sequence: "000000000000007" })).toBe(7);
  });

  it("is none where it is not made of digits", () => {
    for (const sequence of ["", "-1", "1.5", "1e3", "a", " 1"]) {
      expect(sequenceOf({ ...event, sequence })).toBeUndefined();
    }
    expect(sequenceOf(event)).toBeUndefined();
  });
});
