/** What the indexes of texts hash, so that texts that fold to the same (case-folding.ts) have the same hash. */

const KELVIN_SIGN = 0x21_2a;
const LONG_S = 0x01_7f;
/** Stands for every unit that may have another case. */
const LETTER = 128;

const HASH_PRIME = 0x01_00_01_93;

/** Equal for units that fold to the same. Of ASCII some more are equal, as `@` and the backtick: that costs less than a table. */
export function hashedUnit(unit: number): number {
  return unit < 128 ? unit | 0x20 : otherUnit(unit);
}

function otherUnit(unit: number): number {
  if (unit === KELVIN_SIGN) return 0x6b;
  if (unit === LONG_S) return 0x73;
  // Chinese, Japanese and Korean have no cases, so that their texts need not share a hash.
  const isCaseless = (unit >= 0x2e_80 && unit < 0xa6_40) || (unit >= 0xac_00 && unit < 0xd8_00);
  return isCaseless ? unit : LETTER;
}

/** The hash of one unit more. */
export function mixUnit(hash: number, unit: number): number {
  return (Math.imul(hash ^ unit, HASH_PRIME) + 0x9e_37) | 0;
}

/** What a table has the hash as: never 0, and its last bits depend on all of the hash's. */
export function hashKey(hash: number): number {
  const key = hash ^ (hash >>> 15);
  return key === 0 ? 1 : key;
}
