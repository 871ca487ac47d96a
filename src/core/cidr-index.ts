/** Blocks of addresses, found by hash: an address is looked up once for each length of mask that a block has. */
import type { Cidr } from "./cidr.ts";
import { GROUP_BITS, IPV4_GROUPS, IPV6_GROUPS, readAddress } from "./cidr.ts";
import type { FiledCondition, Hit } from "./filed-condition.ts";
import { hitAll } from "./filed-condition.ts";
import { hitList, packTargets } from "./target-lists.ts";

export interface CidrIndex {
  readonly ofIpv4: readonly Ipv4Table[];
  readonly ofIpv6: readonly Ipv6Table[];
  /** Where an address is read into. */
  readonly address: Uint16Array;
}

/** Open addressing: a network stands at its hash's row, or the next that was empty. */
interface Ipv4Table {
  readonly prefixBits: number;
  /** The leading bits of a network, and 1 more than the place of its targets; 0 where there is none. */
  readonly rows: Int32Array;
  readonly lists: Int32Array;
}

interface Ipv6Table {
  readonly prefixBits: number;
  readonly networks: ReadonlyMap<string, readonly FiledCidr[]>;
}

interface FiledCidr {
  readonly cidr: Cidr;
  readonly filed: FiledCondition;
}

const ROWS_PER_NETWORK = 2;

export function buildCidrIndex(cidrs: readonly FiledCidr[]): CidrIndex {
  const ofFamily = (groups: number): readonly (readonly FiledCidr[])[] => {
    const members = cidrs.filter(({ cidr }) => cidr.network.length === groups);
    return [...Map.groupBy(members, ({ cidr }) => cidr.prefixBits).values()];
  };
  return {
    ofIpv4: ofFamily(IPV4_GROUPS).map(buildIpv4Table),
    ofIpv6: ofFamily(IPV6_GROUPS).map(buildIpv6Table),
    address: new Uint16Array(IPV6_GROUPS),
  };
}

/** Hits for each block that the text is an address in. */
export function findBlocks({ ofIpv4, ofIpv6, address }: CidrIndex, text: string, hit: Hit): void {
  const count = readAddress(text, address);
  if (count === IPV4_GROUPS) {
    for (let at = 0; at < ofIpv4.length; at++) findIpv4(ofIpv4[at] as Ipv4Table, address, hit);
  } else if (count !== 0) {
    for (const { prefixBits, networks } of ofIpv6) {
      for (const { filed } of networks.get(ipv6Key(address, prefixBits)) ?? []) hitAll(filed.targets, hit);
    }
  }
}

function findIpv4({ prefixBits, rows, lists }: Ipv4Table, address: Uint16Array, hit: Hit): void {
  const key = ipv4Key(address, prefixBits);
  const lastRow = (rows.length >> 1) - 1;
  let row = ipv4Hash(key) & lastRow;
  while (rows[2 * row] !== key && rows[2 * row + 1] !== 0) row = (row + 1) & lastRow;
  const next = rows[2 * row + 1] as number;
  if (next !== 0) hitList(lists, next - 1, hit);
}

function buildIpv4Table(cidrs: readonly FiledCidr[]): Ipv4Table {
  const { prefixBits } = (cidrs[0] as FiledCidr).cidr;
  const networks = Map.groupBy(cidrs, ({ cidr }) => ipv4Key(cidr.network, prefixBits));
  const { lists, starts } = packTargets([...networks.values()].map((members) => members.map(({ filed }) => filed)));
  const count = 2 ** Math.ceil(Math.log2(ROWS_PER_NETWORK * networks.size));
  const rows = new Int32Array(2 * count);
  for (const [number, key] of [...networks.keys()].entries()) {
    let row = ipv4Hash(key) & (count - 1);
    while (rows[2 * row + 1] !== 0) row = (row + 1) & (count - 1);
    rows[2 * row] = key;
    rows[2 * row + 1] = (starts[number] as number) + 1;
  }
  return { prefixBits, rows, lists };
}

function buildIpv6Table(cidrs: readonly FiledCidr[]): Ipv6Table {
  const { prefixBits } = (cidrs[0] as FiledCidr).cidr;
  return { prefixBits, networks: Map.groupBy(cidrs, ({ cidr }) => ipv6Key(cidr.network, prefixBits)) };
}

/** The leading bits as a number. */
function ipv4Key(groups: ArrayLike<number>, prefixBits: number): number {
  if (prefixBits === 0) return 0;
  return (((groups[0] as number) << GROUP_BITS) | (groups[1] as number)) >> (2 * GROUP_BITS - prefixBits);
}

function ipv4Hash(key: number): number {
  return Math.imul(key, 0x9e_37_79_b1) >>> 16;
}

/** The leading bits as text of one UTF-16 unit for each group that has some. */
function ipv6Key(groups: ArrayLike<number>, prefixBits: number): string {
  let key = "";
  for (let index = 0, bits = prefixBits; bits > 0; index++, bits -= GROUP_BITS) {
    const kept = Math.min(bits, GROUP_BITS);
    key += String.fromCharCode((groups[index] as number) & (0xff_ff << (GROUP_BITS - kept)));
  }
  return key;
}
