import { describe, expect, it } from "vitest";
import { LAYOUTS_BEFORE_MAX, partitionNames, readLayouts } from "../../src/bus/layout.ts";
import { PARTITIONS_MAX } from "../../src/core/receipt.ts";

describe("the layouts of wrangler.toml", () => {
  it("are the one in force, and those before it when they are named", () => {
    expect(readLayouts("4", undefined)).toEqual({ partitions: 4, partitionsBefore: [] });
    expect(readLayouts("4", "")).toEqual({ partitions: 4, partitionsBefore: [] });
    expect(readLayouts("8", "4")).toEqual({ partitions: 8, partitionsBefore: [4] });
    expect(readLayouts("8", "4, 2,1")).toEqual({ partitions: 8, partitionsBefore: [4, 2, 1] });
    expect(readLayouts(String(PARTITIONS_MAX), undefined).partitions).toBe(PARTITIONS_MAX);
  });

  it("are counts from 1 to the limit", () => {
    for (const wrong of ["0", "-1", "1.5", "many", "", undefined, String(PARTITIONS_MAX + 1)]) {
      expect(() => readLayouts(wrong, undefined)).toThrow(`PARTITIONS in wrangler.toml must be a whole number`);
    }
    for (const wrong of ["0", "4,", "x"]) expect(() => readLayouts("8", wrong)).toThrow("PARTITIONS_BEFORE");
  });

  it("are different ones, and not too many", () => {
    expect(() => readLayouts("4", "4")).toThrow("twice, or the one in force");
    expect(() => readLayouts("8", "4,4")).toThrow("twice, or the one in force");
    expect(LAYOUTS_BEFORE_MAX).toBe(3);
    expect(readLayouts("8", "4,3,2").partitionsBefore).toHaveLength(3);
    expect(() => readLayouts("8", "4,3,2,1")).toThrow("names 4 layouts, at most 3");
  });

  it("name their partitions, those in force first", () => {
    expect(partitionNames("default", { partitions: 2, partitionsBefore: [1] })).toEqual([
      "v1/default/2/0",
      "v1/default/2/1",
      "v1/default/1/0",
    ]);
  });
});
