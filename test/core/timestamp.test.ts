import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TIMESTAMP_CHARACTERS_MAX, isTimestamp, parseTimestampMs } from "../../src/core/timestamp.ts";

const VALID = [
  "2018-04-05T17:31:00Z",
  "2018-04-05t17:31:00z",
  "1985-04-12T23:20:50.52Z",
  "1996-12-19T16:39:57-08:00",
  "1937-01-01T12:00:27.87+00:20",
  "2021-04-28T22:32:50.000-04:00",
  "2018-04-05T17:31:00-00:00",
  "2018-04-05T17:31:00+23:59",
  "0000-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "2000-02-29T00:00:00Z",
  "2024-02-29T00:00:00Z",
  "1990-12-31T23:59:60Z",
  "2016-12-31T23:59:60.5Z",
  "1990-12-31T15:59:60-08:00",
  "2015-07-01T02:29:60+02:30",
  "2015-07-01T23:58:60+23:59",
  "2015-06-30T00:00:60-23:59",
];

const INVALID = [
  "",
  "2018-04-05",
  "2018-04-05T17:31:00",
  "2018-04-05 17:31:00Z",
  "2018-04-05T17:31Z",
  "2018-04-05T17:31:00.Z",
  "2018-04-05T17:31:00,5Z",
  "2018-4-5T17:31:00Z",
  "18-04-05T17:31:00Z",
  "+02018-04-05T17:31:00Z",
  "2018-00-05T17:31:00Z",
  "2018-13-05T17:31:00Z",
  "2018-04-00T17:31:00Z",
  "2018-04-31T17:31:00Z",
  "2019-02-29T00:00:00Z",
  "1900-02-29T00:00:00Z",
  "2018-04-05T24:00:00Z",
  "2018-04-05T17:60:00Z",
  "2018-04-05T17:31:61Z",
  "2018-04-05T17:31:00+24:00",
  "2018-04-05T17:31:00+01:60",
  "2018-04-05T17:31:00+0100",
  "2018-04-05T17:31:00+01",
  "2018-04-05T17:31:60Z",
  "2018-04-05T23:59:60Z",
  "1990-12-31T23:59:60-08:00",
  "1990-12-31T23:58:60Z",
  "2015-07-02T02:29:60+02:30",
  "2015-06-29T15:59:60-08:00",
  "2018-04-05T17:31:00Z\n",
  " 2018-04-05T17:31:00Z",
  "２０18-04-05T17:31:00Z",
  "Thu, 05 Apr 2018 17:31:00 GMT",
  "1522949460",
];

describe("timestamps of RFC 3339", () => {
  it.each(VALID)("accepts %s", (text) => expect(isTimestamp(text)).toBe(true));
  it.each(INVALID)("refuses %j", (text) => expect(isTimestamp(text)).toBe(false));

  it("bounds the fraction by the length of the whole", () => {
    const withLength = (length: number): string => `2018-04-05T17:31:00.${"0".repeat(length - 21)}Z`;
    expect(isTimestamp(withLength(TIMESTAMP_CHARACTERS_MAX))).toBe(true);
    expect(isTimestamp(withLength(TIMESTAMP_CHARACTERS_MAX + 1))).toBe(false);
  });
});

describe("a timestamp in milliseconds", () => {
  it("is what the platform says of any time, at any offset", () => {
    const years = { min: new Date("0001-01-02T00:00:00Z"), max: new Date("9998-12-30T00:00:00Z"), noInvalidDate: true };
    fc.assert(
      fc.property(fc.date(years), fc.integer({ min: -23 * 60, max: 23 * 60 }), (date, offset) => {
        const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
        const zone = `${offset < 0 ? "-" : "+"}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
        expect(parseTimestampMs(date.toISOString())).toBe(date.getTime());
        const local = date.toISOString().replace("Z", zone);
        expect(parseTimestampMs(local)).toBe(date.getTime() - offset * 60_000);
      }),
    );
  });

  it.each([
    ["1985-04-12T23:20:50.5Z", "1985-04-12T23:20:50.500Z"],
    ["1985-04-12T23:20:50.123999Z", "1985-04-12T23:20:50.123Z"],
    ["1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000Z"],
  ])("of %s is that of %s", (text, same) => expect(parseTimestampMs(text)).toBe(Date.parse(same)));

  it.each(INVALID)("is none of %j", (text) => expect(parseTimestampMs(text)).toBeUndefined());
});
