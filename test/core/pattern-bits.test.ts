import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPatternBits } from "../../src/core/pattern-bits.ts";

describe("a set of patterns", () => {
  it("gives those that were added, ascending and once each, and is empty after that", () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 2_999 }));
    const bits = createPatternBits(3_000);
    fc.assert(
      fc.property(numbers, (added) => {
        for (const number of added) bits.add(number);
        expect(added.every(bits.has)).toBe(true);
        expect(bits.take()).toEqual([...new Set(added)].toSorted((a, b) => a - b));
        expect(added.some(bits.has)).toBe(false);
        expect(bits.take()).toEqual([]);
      }),
    );
  });

  it("takes words of them, the last bits included", () => {
    const bits = createPatternBits(128);
    bits.add(32);
    bits.addWords(Uint32Array.of(0x80_00_00_01, 0, 0x80_00_00_00), 1);
    expect(bits.take()).toEqual([32, 63, 127]);
  });
});
