/** Sets of UTF-16 code units, as JavaScript's regular expressions (without the flag u) see text. */

/** Ascending, apart from one another; both ends belong to a range. */
export type CodeUnits = readonly (readonly [first: number, last: number])[];

const LAST_ASCII = 0x7f;
const LAST_UNIT = 0xffff;

export function unitsOf(...ranges: (readonly [number, number])[]): CodeUnits {
  const units: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = units.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else units.push([first, last]);
  }
  return units;
}

export function unitsOfText(text: string): CodeUnits {
  return unitsOf(...Array.from({ length: text.length }, (_, at) => oneUnit(text.charCodeAt(at))));
}

function oneUnit(unit: number): readonly [number, number] {
  return [unit, unit];
}

export function otherUnits(units: CodeUnits): CodeUnits {
  const others: [number, number][] = [];
  let next = 0;
  for (const [first, last] of units) {
    if (first > next) others.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST_UNIT) others.push([next, LAST_UNIT]);
  return others;
}

export function hasUnit(units: CodeUnits, unit: number): boolean {
  return units.some(([first, last]) => first <= unit && unit <= last);
}

export const LINE_ENDS = unitsOfText("\n\r\u2028\u2029");
export const DIGITS = unitsOf([0x30, 0x39]);
export const WORD = unitsOf([0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a], oneUnit(0x5f));
/** WhiteSpace and LineTerminator of ECMA-262. */
export const SPACE = unitsOf(
  [0x09, 0x0d],
  oneUnit(0x20),
  oneUnit(0xa0),
  oneUnit(0x1680),
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  oneUnit(0x202f),
  oneUnit(0x205f),
  oneUnit(0x3000),
  oneUnit(0xfeff),
);

/** ECMA-262, Canonicalize, without the flag u: upper case, one unit for one unit, and never from beyond ASCII into it. */
function canonical(unit: number): number {
  const upper = String.fromCharCode(unit).toUpperCase();
  if (upper.length !== 1) return unit;
  const code = upper.charCodeAt(0);
  return unit >= 0x80 && code < 0x80 ? unit : code;
}

let kinds: readonly (readonly number[])[] | undefined;

/** Units beyond ASCII that the flag i takes for one another, where there are several. Made when first needed, in about 10 ms. */
function kindsOfCase(): readonly (readonly number[])[] {
  if (kinds !== undefined) return kinds;
  const byCanonical = new Map<number, number[]>();
  for (let unit = LAST_ASCII + 1; unit <= LAST_UNIT; unit++) {
    const key = canonical(unit);
    const members = byCanonical.get(key);
    if (members === undefined) byCanonical.set(key, [unit]);
    else members.push(unit);
  }
  kinds = [...byCanonical.values()].filter((members) => members.length > 1);
  return kinds;
}

/** The other cases of the letters of ASCII: no unit beyond them is taken for one of them, nor the other way round. */
function otherAsciiCase(units: CodeUnits): CodeUnits {
  const moved = (first: number, last: number, by: number): CodeUnits =>
    units
      .filter((range) => range[0] <= last && range[1] >= first)
      .map((range) => [Math.max(range[0], first) + by, Math.min(range[1], last) + by]);
  return [...moved(0x41, 0x5a, 0x20), ...moved(0x61, 0x7a, -0x20)];
}

/** The units that the flag i takes for one of these. */
export function ignoringCase(units: CodeUnits): CodeUnits {
  const more = [...otherAsciiCase(units)];
  // All there is beyond ASCII, as in \W, is complete as it is.
  if (units.some(([first, last]) => last > LAST_ASCII && (first > LAST_ASCII + 1 || last < LAST_UNIT))) {
    for (const members of kindsOfCase()) {
      if (members.some((unit) => hasUnit(units, unit))) more.push(...members.map(oneUnit));
    }
  }
  return unitsOf(...units, ...more);
}
