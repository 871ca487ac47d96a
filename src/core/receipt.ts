/**
 * Names: partitions, gates, receipts, deliveries, lanes. A receipt tells the partition and the event's sequence number in it,
 * so that one lookup finds the event; to everyone else it is opaque.
 */
import type { Sha256 } from "./event.ts";

/** How objects are laid out. A change of the number of partitions, or of what an object's name means, makes a new layout. */
const LAYOUT = "v1";
export const PARTITIONS_MAX = 1_024;
const RECEIPT_PREFIX = "evt_";
const RECEIPT_LENGTH_MAX = 200;

export function partitionName(bus: string, partitions: number, index: number): string {
  return `${LAYOUT}/${bus}/${partitions}/${index}`;
}

/** The object that a target's gate is. */
export function gateName(target: string): string {
  return `${LAYOUT}/${target}`;
}

/** The partition of a key: the same key always meets the same object. */
export function partitionOf(bus: string, key: string, partitions: number, sha256: Sha256): string {
  const hash = sha256(key);
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return partitionName(bus, partitions, view.getUint32(0) % partitions);
}

export interface ReceiptParts {
  readonly partition: string;
  readonly seq: number;
}

export function formatReceipt({ partition, seq }: ReceiptParts): string {
  return RECEIPT_PREFIX + toBase64Url(`${partition}:${seq.toString(36)}`);
}

/** The parts of a receipt that this layout could have issued, or null. */
export function parseReceipt(receipt: string): ReceiptParts | null {
  if (!receipt.startsWith(RECEIPT_PREFIX) || receipt.length > RECEIPT_LENGTH_MAX) return null;
  const text = fromBase64Url(receipt.slice(RECEIPT_PREFIX.length));
  const parts = /^(v1\/[a-z0-9][a-z0-9-]{0,62}\/(\d{1,4})\/(\d{1,4})):([0-9a-z]{1,11})$/.exec(text ?? "");
  const [, partition, partitions, index, seq] = parts ?? [];
  if (partition === undefined || partitions === undefined || index === undefined || seq === undefined) return null;
  if (Number(partitions) > PARTITIONS_MAX || Number(index) >= Number(partitions)) return null;
  const number = Number.parseInt(seq, 36);
  return Number.isSafeInteger(number) ? { partition, seq: number } : null;
}

/**
 * A delivery's id: sent as `webhook-id` on every attempt, so it must not hold a "." (Standard Webhooks 1.0). A replay raises
 * the generation and so gets a new id; a re-drive keeps it.
 */
export function deliveryId(identity: string, rule: string, target: string, generation: number, sha256: Sha256): string {
  const hash = sha256([identity, rule, target, String(generation)].join("\0"));
  let binary = "";
  for (const byte of hash.subarray(0, 18)) binary += String.fromCharCode(byte);
  return `dlv_${toBase64Url(binary)}`;
}

/** Names the deliveries of one (rule, target, key) within a partition. */
export function laneId(rule: string, target: string, orderKey: string, sha256: Sha256): string {
  const hash = sha256([rule, target, orderKey].join("\0"));
  return toBase64Url(String.fromCharCode(...hash.subarray(0, 12)));
}

function toBase64Url(binary: string): string {
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64Url(text: string): string | null {
  try {
    return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return null;
  }
}

/**
 * Sequence numbers of a partition: milliseconds of acceptance times 1,024, plus one for each further event of the same
 * millisecond. They only rise, are never used twice even after the log is gone, and tell the time of acceptance.
 */
const SEQ_PER_MS = 1_024;

export function nextSeq(last: number, now: number): number {
  return Math.max(last + 1, now * SEQ_PER_MS);
}

export function seqTimeMs(seq: number): number {
  return Math.floor(seq / SEQ_PER_MS);
}

/** The first sequence number that an event accepted at this time can have. */
export function seqAtMs(timeMs: number): number {
  return timeMs * SEQ_PER_MS;
}
