import { describe, expect, it } from "vitest";
import { median, percentile } from "./percentile.ts";

describe("a percentile", () => {
  it("is the smallest value that the share does not exceed", () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile(values, 0)).toBe(1);
  });

  it("of nothing is not a number", () => {
    expect(percentile([], 0.5)).toBeNaN();
    expect(median([])).toBeNaN();
  });
});

describe("a median", () => {
  it("is the middle, or between the two in the middle, in whatever order they come", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});
