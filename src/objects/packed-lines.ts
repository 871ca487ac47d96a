/** Rows that hold many events: a line for each, a JSON array that begins with the event's number. */
import type { StoredEvent } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { formatDeliveries } from "./stored-event.ts";

/** An event less its body. */
export type EventHead = Omit<StoredEvent, "body">;

/** Where an event's body stands, once its commit has written it; `bytes` is null when it has none. */
export interface Place {
  segment: number;
  firstSeq: number;
  from: number;
  bytes: number | null;
  /** Where the body is stored deflated: how long it is without that. */
  plainBytes?: number;
}

export interface PackedEvent {
  readonly seq: number;
  readonly head: EventHead;
  readonly deliveries: readonly Delivery[];
  readonly place: Place;
}

type HeadLine = readonly [number, number, number | null, readonly Delivery[], EventHead, number?];
type ChangeLine = readonly [number, readonly number[] | null, (readonly Delivery[])?];

/** The lines of a row with their numbers. JSON has no line feed in it. */
export function linesOf(text: string): readonly (readonly [seq: number, line: string])[] {
  return text.split("\n").map((line) => [Number(line.slice(1, line.indexOf(","))), line]);
}

export function lineOf(text: string, seq: number): string | undefined {
  const start = text.startsWith(`[${seq},`) ? 0 : text.indexOf(`\n[${seq},`) + 1;
  if (start === 0 && !text.startsWith(`[${seq},`)) return undefined;
  const end = text.indexOf("\n", start);
  return end === -1 ? text.slice(start) : text.slice(start, end);
}

/** Cut so that no row is larger than `sizeMax`, unless one item alone is. */
export function inRows<Item>(
  items: readonly Item[],
  sizeMax: number,
  sizeOf: (item: Item) => number,
): readonly Item[][] {
  const rows: Item[][] = [];
  let size = 0;
  for (const item of items) {
    size += sizeOf(item);
    const row = rows.at(-1);
    if (row !== undefined && size <= sizeMax) {
      row.push(item);
      continue;
    }
    rows.push([item]);
    size = sizeOf(item);
  }
  return rows;
}

export function parseLine(line: string, segment: number, firstSeq: number): PackedEvent {
  const [seq, from, bytes, deliveries, head, plainBytes] = JSON.parse(line) as HeadLine;
  const place = { segment, firstSeq, from, bytes, ...(plainBytes === undefined ? {} : { plainBytes }) };
  return { seq, head, deliveries, place };
}

/** `changed`: deliveries by their places among the event's; null when a row of its own tells of it from now on. */
export function formatChange(seq: number, changed: ReadonlyMap<number, Delivery> | null): string {
  if (changed === null) return `[${seq},null]`;
  return `[${seq},[${[...changed.keys()].join()}],${formatDeliveries([...changed.values()])}]`;
}

/** The event after a change, or null when a row of its own tells of it. */
export function parseChange(line: string, event: PackedEvent): PackedEvent | null {
  const [, places, changed = []] = JSON.parse(line) as ChangeLine;
  if (places === null) return null;
  const deliveries = [...event.deliveries];
  for (const [index, delivery] of changed.entries()) deliveries[places[index] ?? 0] = delivery;
  return { ...event, deliveries };
}

/** The bodies of a row, one after the other, as stored: `bytes` in all. */
export function joinBodies(stored: readonly (Uint8Array | null)[], bytes: number): Uint8Array {
  const only = stored.length === 1 ? stored[0] : undefined;
  if (only !== undefined && only !== null) return only;
  const bodies = new Uint8Array(bytes);
  let at = 0;
  for (const body of stored) {
    if (body === null) continue;
    bodies.set(body, at);
    at += body.length;
  }
  return bodies;
}
