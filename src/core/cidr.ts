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

const GROUP_BITS = 16;

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
  if (text.length > ADDRESS_LENGTH_MAX) return null;
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Address | null {
  const octets: number[] = [];
  for (const part of text.split(".")) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return null;
    octets.push(Number(part));
  }
  const [a, b, c, d] = octets;
  if (octets.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined) return null;
  return [a * 256 + b, c * 256 + d];
}

function parseIpv6(text: string): Address | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? "");
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "") : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group; without it all eight are written.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function parseGroups(text: string): readonly number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  for (const part of text.split(":")) {
    if (!/^[0-9A-Fa-f]{1,4}$/.test(part)) return null;
    groups.push(Number.parseInt(part, 16));
  }
  return groups;
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
