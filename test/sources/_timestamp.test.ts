import { expect, it } from "vitest";
import { formatTimestamp } from "../../src/sources/_timestamp.ts";

it("writes times in UTC, up to the last that has four digits in its year", () => {
  expect(formatTimestamp(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(formatTimestamp(253_402_300_799_999)).toBe("9999-12-31T23:59:59.999Z");
  for (const timeMs of [253_402_300_800_000, -1, Number.NaN, Infinity]) expect(formatTimestamp(timeMs)).toBeNull();
});
