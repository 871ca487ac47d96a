import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/core/seeded-random.ts";

const drawn = (seed: string, count: number): readonly number[] => {
  const draw = seededRandom(seed);
  return Array.from({ length: count }, draw);
};

describe("numbers drawn from a seed", () => {
  it("are the same for the same seed, and others for another", () => {
    expect(drawn("msg_1", 20)).toEqual(drawn("msg_1", 20));
    expect(new Set(["", "msg_1", "msg_2", "msg_12"].map((seed) => drawn(seed, 1)[0])).size).toBe(4);
  });
  it("stay the ones they have been, so that retries across releases send the same bytes", () => {
    expect(drawn("msg_1", 2)).toEqual([0.24159325216896832, 0.969485207926482]);
  });
  it("lie from 0 to below 1, evenly", () => {
    const all = drawn("even", 20_000);
    expect(all.every((value) => value >= 0 && value < 1)).toBe(true);
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = all.filter((value) => Math.floor(value * 10) === tenth).length / all.length;
      expect(share).toBeGreaterThan(0.09);
      expect(share).toBeLessThan(0.11);
    }
  });
});
