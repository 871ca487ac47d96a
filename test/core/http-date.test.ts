import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseHttpDate } from "../../src/core/http-date.ts";

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);

describe("HTTP dates", () => {
  it("reads the three forms of RFC 9110 as the same instant", () => {
    const instant = Date.UTC(1994, 10, 6, 8, 49, 37);
    expect(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", NOW)).toBe(instant);
    expect(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", NOW)).toBe(instant);
    expect(parseHttpDate("Sun Nov  6 08:49:37 1994", NOW)).toBe(instant);
  });

  it("agrees with the runtime on every second from 1970 to 2200", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) / 1_000 }), (seconds) => {
        expect(parseHttpDate(new Date(seconds * 1_000).toUTCString(), NOW)).toBe(seconds * 1_000);
      }),
    );
  });

  it("knows the leap days of 2000, 2024 and the missing one of 2100", () => {
    expect(parseHttpDate("Tue, 29 Feb 2000 00:00:00 GMT", NOW)).toBe(Date.UTC(2000, 1, 29));
    expect(parseHttpDate("Thu, 29 Feb 2024 00:00:00 GMT", NOW)).toBe(Date.UTC(2024, 1, 29));
    expect(parseHttpDate("Mon, 29 Feb 2100 00:00:00 GMT", NOW)).toBeUndefined();
  });

  it("takes a two-digit year as past when it would be more than 50 years ahead", () => {
    expect(parseHttpDate("Sunday, 01-Jan-76 00:00:00 GMT", NOW)).toBe(Date.UTC(2076, 0, 1));
    expect(parseHttpDate("Sunday, 01-Jan-77 00:00:00 GMT", NOW)).toBe(Date.UTC(1977, 0, 1));
  });

  it.each([
    "",
    "tomorrow",
    "1994-11-06T08:49:37Z",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 06 Nvo 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    `Sun, 06 Nov 1994 08:49:37 GMT${" ".repeat(100)}`,
  ])("refuses %j", (text) => {
    expect(parseHttpDate(text, NOW)).toBeUndefined();
  });
});
