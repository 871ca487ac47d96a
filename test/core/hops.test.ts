import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventFingerprint, isConflict } from "../../src/core/event.ts";
import { HOPS_ATTRIBUTE, HOPS_MAX, hopsOf, hopsProblem, withHop } from "../../src/core/hops.ts";
import { hashing } from "../../src/hashing.ts";
import { eventWith } from "../support/target-io.ts";

function attributesWith(hops?: string | number | boolean) {
  const { attributes } = eventWith("{}");
  return hops === undefined ? attributes : { ...attributes, [HOPS_ATTRIBUTE]: hops };
}

const COUNTS: readonly (readonly [value: string | number | undefined, hops: number])[] = [
  [undefined, 0],
  [0, 0],
  [8, 8],
  ["8", 8],
  ["008", 8],
  ["9".repeat(400), Infinity],
];

const UNREADABLE: readonly (string | number | boolean)[] = [
  -1,
  1.5,
  Number.NaN,
  true,
  false,
  "",
  " 1",
  "-1",
  "1.0",
  "1e1",
  "０",
  "one",
];

describe("the count of hops", () => {
  it.each(COUNTS)("reads %j as %d", (value, hops) => expect(hopsOf(attributesWith(value))).toBe(hops));

  it.each(UNREADABLE)("is unreadable as %j, and then the event is not sent", (value) => {
    expect(hopsOf(attributesWith(value))).toBeNull();
    expect(hopsProblem(attributesWith(value))).toContain("not a whole number from 0");
    expect(withHop(eventWith("{}"), attributesWith(value), "x").ok).toBe(false);
  });

  it("lets an event be sent at the limit and not above it", () => {
    for (const hops of [undefined, 0, HOPS_MAX, String(HOPS_MAX)])
      expect(hopsProblem(attributesWith(hops))).toBeUndefined();
    for (const hops of [HOPS_MAX + 1, String(HOPS_MAX + 1), "9".repeat(400)]) {
      expect(hopsProblem(attributesWith(hops))).toContain("more than 8 times: it is a loop");
    }
  });
});

describe("one hop more", () => {
  it("is counted from the event that was delivered, whatever the new one says of itself", () => {
    for (const own of [undefined, 0, 8, 1_000, "x"]) {
      const event = { ...eventWith("{}"), attributes: attributesWith(own) };
      const hopped = withHop(event, attributesWith("3"), "x");
      expect(hopped).toEqual({ ok: true, value: { ...event, attributes: { ...event.attributes, sluicehops: 4 } } });
    }
  });

  it("ends after the limit, from any event and whichever way it goes", () => {
    let { attributes } = eventWith("{}");
    for (let passes = 1; passes <= HOPS_MAX; passes++) {
      const hopped = withHop(eventWith("{}"), attributes, "x");
      if (!hopped.ok) throw new Error(hopped.error);
      attributes = hopped.value.attributes;
    }
    expect(withHop(eventWith("{}"), attributes, "rule a/b -> target c")).toEqual({
      ok: false,
      error: "this event has passed through Sluice 8 times; rule a/b -> target c would be the 9th: it is a loop",
    });
  });

  it("never lowers a count, and never passes the limit", () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.double(), fc.string(), fc.boolean()), (before) => {
        const hopped = withHop(eventWith("{}"), attributesWith(before), "x");
        if (!hopped.ok) return;
        const hops = hopsOf(hopped.value.attributes) ?? -1;
        expect(hops).toBe((hopsOf(attributesWith(before)) ?? -1) + 1);
        expect(hops).toBeLessThanOrEqual(HOPS_MAX);
      }),
    );
  });

  it("is no other content: an event that comes back is a duplicate, not a conflict", () => {
    const first = eventFingerprint(eventWith("{}"), hashing.sha256);
    const again = eventFingerprint({ ...eventWith("{}"), attributes: attributesWith(4) }, hashing.sha256);
    expect(isConflict(first, again)).toBe(false);
  });
});
