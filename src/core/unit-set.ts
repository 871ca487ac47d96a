/** Whether a code unit is one of a set, quickly: each character of a text is asked for. */
import type { CodeUnits } from "./code-units.ts";

export interface UnitSet {
  /** The one unit of a set that has no other, or -1. */
  readonly only: number;
  /** 1 at each unit of ASCII that belongs to it. */
  readonly ascii: Uint8Array;
  /** First and last unit of each range, in order, of those that go beyond ASCII. */
  readonly beyond: readonly number[];
}

const ASCII_UNITS = 128;
const NO_ASCII = new Uint8Array(ASCII_UNITS);

export function unitSet(units: CodeUnits): UnitSet {
  const [range] = units;
  if (units.length === 1 && range !== undefined && range[0] === range[1])
    return { only: range[0], ascii: NO_ASCII, beyond: [] };
  const ascii = new Uint8Array(ASCII_UNITS);
  for (const [first, last] of units) ascii.fill(1, first, last + 1);
  return { only: -1, ascii, beyond: units.filter(([, last]) => last >= ASCII_UNITS).flat() };
}

export function isIn({ only, ascii, beyond }: UnitSet, unit: number): boolean {
  if (only >= 0) return unit === only;
  if (unit < ASCII_UNITS) return ascii[unit] === 1;
  let low = 0;
  let high = beyond.length >>> 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((beyond[2 * middle + 1] as number) < unit) low = middle + 1;
    else high = middle;
  }
  return low < beyond.length >>> 1 && (beyond[2 * low] as number) <= unit;
}
