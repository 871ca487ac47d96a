import { describe, expect, it } from "vitest";
import type { CodeUnits } from "../../src/core/code-units.ts";
import { hasUnit, ignoringCase, otherUnits, unitsOf } from "../../src/core/code-units.ts";
import { isIn, unitSet } from "../../src/core/unit-set.ts";

const LAST_UNIT = 0xffff;

/** The units of a set, by one way to ask for each. */
function membersBy(isMember: (unit: number) => boolean): string {
  return Array.from({ length: LAST_UNIT + 1 }, (_, unit) => (isMember(unit) ? "1" : "0")).join("");
}

const SETS: readonly (readonly [written: string, units: CodeUnits])[] = [
  ["k", unitsOf([0x6b, 0x6b])],
  ["X-c", unitsOf([0x58, 0x63])],
  ["\\x00-\\x7f", unitsOf([0x00, 0x7f])],
  ["\\x80-\\uffff", unitsOf([0x80, LAST_UNIT])],
  ["a-z\\x80-\\uffff", unitsOf([0x61, 0x7a], [0x80, LAST_UNIT])],
  ["à-öſ", unitsOf([0xe0, 0xf6], [0x17f, 0x17f])],
  ["z-á", unitsOf([0x7a, 0xe1])],
  ["\\u212a", unitsOf([0x212a, 0x212a])],
  ["\\ud800-\\udfff", unitsOf([0xd800, 0xdfff])],
  ["", []],
];

describe.each(SETS)("the set of [%s]", (written, units) => {
  it("has the units that JavaScript finds, with and without the flag i", () => {
    const native = new RegExp(`[${written}]`);
    const nativeIgnoring = new RegExp(`[${written}]`, "i");
    const ignoring = ignoringCase(units);
    expect(membersBy((unit) => hasUnit(units, unit))).toBe(membersBy((unit) => native.test(String.fromCharCode(unit))));
    expect(membersBy((unit) => hasUnit(ignoring, unit))).toBe(
      membersBy((unit) => nativeIgnoring.test(String.fromCharCode(unit))),
    );
  });

  it("is the same when it is asked quickly, and so are the others", () => {
    for (const each of [units, otherUnits(units), ignoringCase(units)]) {
      const quick = unitSet(each);
      expect(membersBy((unit) => isIn(quick, unit))).toBe(membersBy((unit) => hasUnit(each, unit)));
    }
  });
});
