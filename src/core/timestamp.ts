/**
 * Timestamps of RFC 3339, the form of CloudEvents times (1.0.2, section 3.2).
 */
import { daysInMonth, daysSinceEpoch } from "./http-date.ts";

/** Room for a date, nanoseconds and more, and an offset. */
export const TIMESTAMP_CHARACTERS_MAX = 64;

const TIMESTAMP =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[Tt](?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.(?<fraction>\d+))?(?:[Zz]|(?<sign>[+-])(?<offsetHour>\d\d):(?<offsetMinute>\d\d))$/;

const DAY_MINUTES = 24 * 60;

/**
 * Whether the text is a date-time of RFC 3339, section 5.6, within the ranges of section 5.7: days that the month has, and
 * second 60 only where a leap second can be, at the end of a month in UTC.
 */
export function isTimestamp(text: string): boolean {
  if (text.length > TIMESTAMP_CHARACTERS_MAX) return false;
  const parts = TIMESTAMP.exec(text)?.groups;
  if (parts === undefined) return false;
  const part = (name: string): number => Number(parts[name] ?? 0);
  const [year, month, day] = [part("year"), part("month"), part("day")];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return false;
  if (part("hour") > 23 || part("minute") > 59 || part("second") > 60) return false;
  if (part("offsetHour") > 23 || part("offsetMinute") > 59) return false;
  if (part("second") < 60) return true;
  const offsetMinutes = (part("offsetHour") * 60 + part("offsetMinute")) * (parts["sign"] === "-" ? -1 : 1);
  // The minute that follows, in UTC, counted from the start of the local day: it has to be the first one of a month.
  const nextMinute = part("hour") * 60 + part("minute") + 1 - offsetMinutes;
  if (nextMinute === 0) return day === 1;
  return nextMinute === DAY_MINUTES && day === daysInMonth(year, month);
}

/** Milliseconds since the epoch, less what is smaller; undefined for what is no timestamp. A leap second is the next minute's first. */
export function parseTimestampMs(text: string): number | undefined {
  if (!isTimestamp(text)) return undefined;
  const parts = TIMESTAMP.exec(text)?.groups ?? {};
  const part = (name: string): number => Number(parts[name] ?? 0);
  const offsetMinutes = (part("offsetHour") * 60 + part("offsetMinute")) * (parts["sign"] === "-" ? -1 : 1);
  const minutes = (daysSinceEpoch(part("year"), part("month"), part("day")) * 24 + part("hour")) * 60 + part("minute");
  const seconds = (minutes - offsetMinutes) * 60 + part("second");
  return seconds * 1_000 + Number((parts["fraction"] ?? "").slice(0, 3).padEnd(3, "0"));
}
