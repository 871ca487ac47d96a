import { describe, expect, it } from "vitest";
import { orderKeyOf } from "../../src/core/order-key.ts";

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
