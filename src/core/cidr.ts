/**
 * IP addresses in their textual forms, and blocks of them (RFC 4632, RFC 4291 section 2.2). The mixed form of IPv6 that
 * ends in a dotted quad is no address here, as in EventBridge: `::ffff:10.0.0.1` belongs to neither family.
 */

/** An address as 16-bit groups: two for IPv4, eight for IPv6. The number of groups is the family. */
export type Address = readonly number[];

export interface Cidr {
  readonly network: Address;
  /** How many leading bits an address has to share with the network: 0 to 32, or 0 to 128. */
  readonly prefixBits: number;
}

/** As far as an expression can say it: the characters, not what they come to. */
export const CIDR_SCHEMA = {
  type: "string",
  pattern: "^[0-9A-Fa-f:.]+/[0-9]{1,3}$",
  patternErrorMessage: "Expected a block of addresses such as 10.0.0.0/8.",
  examples: ["10.0.0.0/8", "2001:db8::/32"],
} as const;

/** The longest text of an address: eight groups of four digits. Anything longer is not looked at. */
const ADDRESS_LENGTH_MAX = 39;

export const GROUP_BITS = 16;
export const IPV4_GROUPS = 2;
export const IPV6_GROUPS = 8;

/** A block such as `10.0.0.0/8` or `2001:db8::/32`; host bits may be set. Null when the text is not one. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf("/");
  if (slash === -1) return null;
  const network = parseAddress(text.slice(0, slash));
  const mask = text.slice(slash + 1);
  if (network === null || !/^(?:0|[1-9][0-9]{0,2})$/.test(mask)) return null;
  const prefixBits = Number(mask);
  return prefixBits <= network.length * GROUP_BITS ? { network, prefixBits } : null;
}

/** Null when the text is not an address: leading zeros in an octet, zone ids and masks are not part of one. */
export function parseAddress(text: string): Address | null {
  const groups = new Uint16Array(IPV6_GROUPS);
  const count = readAddress(text, groups);
  return count === 0 ? null : [...groups.subarray(0, count)];
}

/** Reads an address into `groups`, which has room for eight, and answers how many it has: 0 when the text is not one. */
export function readAddress(text: string, groups: Uint16Array): 0 | typeof IPV4_GROUPS | typeof IPV6_GROUPS {
  if (text.length > ADDRESS_LENGTH_MAX) return 0;
  // Of an address, one of the first five characters is no digit.
  for (let at = 0; at < 5; at++) {
    const unit = text.charCodeAt(at);
    if (unit === COLON) return readIpv6(text, groups) ? IPV6_GROUPS : 0;
    if (unit === DOT) return readIpv4(text, groups) ? IPV4_GROUPS : 0;
    if (hexDigit(unit) === -1) return 0;
  }
  return 0;
}

const DOT = 0x2e;
const COLON = 0x3a;

function readIpv4(text: string, groups: Uint16Array): boolean {
  let at = 0;
  for (let octet = 0; octet < 4; octet++) {
    if (octet > 0 && text.charCodeAt(at++) !== DOT) return false;
    const start = at;
    let value = 0;
    for (; at < text.length && at < start + 3; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === start || value > 255 || (at > start + 1 && text.charCodeAt(start) === 0x30)) return false;
    const group = octet >> 1;
    groups[group] = octet % 2 === 0 ? value << 8 : (groups[group] as number) | value;
  }
  return at === text.length;
}

function readIpv6(text: string, groups: Uint16Array): boolean {
  let count = 0;
  /** How many groups stand before the "::", or -1 while there is none. */
  let gap = -1;
  let at = 0;
  if (text.startsWith("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    const start = at;
    let value = 0;
    for (; at < text.length && at < start + 4; at++) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit === -1) break;
      value = value * 16 + digit;
    }
    if (at === start || count === IPV6_GROUPS) return false;
    groups[count++] = value;
    if (at === text.length) break;
    if (text.charCodeAt(at++) !== COLON || at === text.length) return false;
    if (text.charCodeAt(at) !== COLON) continue;
    if (gap !== -1) return false;
    gap = count;
    at++;
  }
  // "::" stands for at least one group; without it all eight are written.
  if (gap === -1) return count === IPV6_GROUPS;
  if (count === IPV6_GROUPS) return false;
  const missing = IPV6_GROUPS - count;
  groups.copyWithin(gap + missing, gap, count);
  groups.fill(0, gap, gap + missing);
  return true;
}

/** What a UTF-16 unit is worth as a hexadecimal digit, or -1. */
function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 && unit < 0x80 ? letter - 0x57 : -1;
}

export function cidrContains(cidr: Cidr, address: Address): boolean {
  if (address.length !== cidr.network.length) return false;
  for (const [index, group] of cidr.network.entries()) {
    const bits = cidr.prefixBits - index * GROUP_BITS;
    if (bits <= 0) return true;
    const shift = Math.max(0, GROUP_BITS - bits);
    if (group >> shift !== (address[index] ?? 0) >> shift) return false;
  }
  return true;
}
