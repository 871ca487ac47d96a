/**
 * HTTP dates without the clock: the three forms that a recipient must accept (RFC 9110, section 5.6.7), in milliseconds
 * since the epoch.
 */

/** The longest form, `Wednesday, 06-Nov-94 08:49:37 GMT`, has 33 characters. */
const HTTP_DATE_CHARS_MAX = 40;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const CLOCK = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;
const FORMS = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(String.raw`^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) ${CLOCK} GMT$`),
  // Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(String.raw`^[A-Z][a-z]{5,8}, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) ${CLOCK} GMT$`),
  // Sun Nov  6 08:49:37 1994
  new RegExp(String.raw`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) ${CLOCK} (?<year>\d{4})$`),
];

/**
 * An HTTP date in milliseconds since the epoch, or undefined when the text is none. `now` (milliseconds since the epoch)
 * decides the century of a two-digit year: one that looks more than 50 years ahead lies in the past. The name of the
 * weekday is not checked against the date.
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  if (text.length > HTTP_DATE_CHARS_MAX) return undefined;
  const parts = FORMS.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return undefined;
  const number = (name: string): number => Number(parts[name]);
  const month = MONTHS.indexOf(parts["month"] ?? "") + 1;
  const [day, hour, minute, second] = [number("day"), number("hour"), number("minute"), number("second")];
  const year = parts["year"]?.length === 2 ? fullYear(number("year"), now) : number("year");
  if (month === 0 || day < 1 || day > daysInMonth(year, month)) return undefined;
  // 60 is a leap second.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  return (((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1_000;
}

const YEAR_MS = 365.2425 * 86_400_000;

function fullYear(twoDigits: number, now: number): number {
  const thisYear = 1970 + Math.floor(now / YEAR_MS);
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01 in the Gregorian calendar; years start in March here, so that the leap day is a year's last. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  // 719,468 days lie between 0000-03-01 and 1970-01-01.
  return marchYear * 365 + leapDays + dayOfYear - 719_468;
}
