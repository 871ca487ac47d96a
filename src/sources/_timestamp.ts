/**
 * Timestamps of RFC 3339, the form of CloudEvents times (1.0.2, section 3.2).
 */

/** Room for a date, nanoseconds and more, and an offset. */
export const TIMESTAMP_CHARACTERS_MAX = 64;

const TIMESTAMP =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[Tt](?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.\d+)?(?:[Zz]|(?<sign>[+-])(?<offsetHour>\d\d):(?<offsetMinute>\d\d))$/;

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
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false;
  if (part("hour") > 23 || part("minute") > 59 || part("second") > 60) return false;
  if (part("offsetHour") > 23 || part("offsetMinute") > 59) return false;
  if (part("second") < 60) return true;
  const offsetMinutes = (part("offsetHour") * 60 + part("offsetMinute")) * (parts["sign"] === "-" ? -1 : 1);
  return isMonthStart(Date.UTC(year, month - 1, day, part("hour"), part("minute") + 1 - offsetMinutes));
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isMonthStart(timeMs: number): boolean {
  const time = new Date(timeMs);
  return time.getUTCDate() === 1 && time.getUTCHours() === 0 && time.getUTCMinutes() === 0;
}

/** Milliseconds since the epoch as a timestamp in UTC; null beyond the years that RFC 3339 can write. */
export function formatTimestamp(timeMs: number): string | null {
  if (!(timeMs >= 0 && timeMs < 253_402_300_800_000)) return null;
  return new Date(timeMs).toISOString();
}
