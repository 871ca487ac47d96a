/**
 * Signed contents that the partition has accepted, so that one that comes again under a new id is recognised. Row by row that
 * would cost a row for each event; so keys are written in blocks, and those of the newest events, not yet in a block, are read
 * again from the events themselves.
 */
import type { StoredEventWithDeliveries } from "../bus/ports.ts";
import type { Sql } from "./sql.ts";

/** Events accepted between two blocks, and so the events that a start reads again at most. */
export const BLOCK_EVENTS = 256;
/** Contents remembered; the oldest give way. Some 10 MB of memory. */
export const CONTENTS_MAX = 200_000;
/** Blocks that one call of `retain` deletes at most. */
export const RETAIN_BLOCKS_MAX = 100;
/** The same when a block is written: more than one, so that there are never many more blocks than contents remembered need. */
const WRITE_RETAIN_BLOCKS_MAX = 2;
/** Blocks read at a time at the start. */
const CHUNK_BLOCKS = 100;
const ENTRY_BYTES = 16;

/** 52 bits of the content's hash: exact as a number, and among CONTENTS_MAX two are the same once in 10^5 partitions. */
export type ContentKey = number;

export function contentKey(hash: Uint8Array): ContentKey {
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return (view.getUint32(0) & 0xfffff) * 2 ** 32 + view.getUint32(4);
}

export interface ReplayGuard {
  /** The first event with this content whose number is `sinceSeq` or higher. */
  readonly find: (key: ContentKey, sinceSeq: number) => number | undefined;
  /** After every acceptance, with a key or without. */
  readonly accepted: (seq: number, key: ContentKey | undefined) => void;
  /** Before events are dropped that are in no block yet: writes that block. */
  readonly flush: () => void;
  /** Forgets what was accepted before this number, a slice of the blocks at a time. */
  readonly retain: (beforeSeq: number) => void;
  readonly size: () => number;
}

/** Events read at a time at the start: a row's deliveries may have half a megabyte. */
const CHUNK_ROWS = 32;

/** An event as far as it matters here. */
export interface KeyedEvent {
  readonly seq: number;
  readonly key: ContentKey | undefined;
}

/** `newest` gives so many of the newest events of the partition, in any order. */
export function openReplayGuard(sql: Sql, newest: (count: number) => readonly KeyedEvent[]): ReplayGuard {
  // In the order of acceptance, as a Map keeps it.
  const seqs = new Map<ContentKey, number>();
  let pending: { readonly seq: number; readonly key: ContentKey }[] = [];
  let sinceBlock = 0;

  /** The newest event counts: an older one with the same content was too old when that was accepted. */
  function remember(seq: number, key: ContentKey): void {
    seqs.delete(key);
    seqs.set(key, seq);
    for (const oldest of seqs.keys()) {
      if (seqs.size <= CONTENTS_MAX) break;
      seqs.delete(oldest);
    }
  }

  const blocks = readNewestBlocks(sql);
  for (const { entries } of blocks) {
    const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
    for (let at = 0; at < entries.length; at += ENTRY_BYTES) remember(view.getFloat64(at + 8), view.getFloat64(at));
  }
  const writtenTo = blocks.at(-1)?.last_seq ?? -1;
  let lastSeq = writtenTo;
  for (const { seq, key } of newest(BLOCK_EVENTS).toSorted((a, b) => a.seq - b.seq)) {
    if (seq <= writtenTo) continue;
    sinceBlock += 1;
    lastSeq = seq;
    if (key === undefined) continue;
    remember(seq, key);
    pending.push({ seq, key });
  }

  function deleteBlocks(beforeSeq: number, blocksMax: number): void {
    sql.run(
      "DELETE FROM replays WHERE last_seq IN (SELECT last_seq FROM replays WHERE last_seq < ? ORDER BY last_seq LIMIT ?)",
      beforeSeq,
      blocksMax,
    );
  }

  function writeBlock(): void {
    sinceBlock = 0;
    if (pending.length === 0) return;
    const entries = new Uint8Array(pending.length * ENTRY_BYTES);
    const view = new DataView(entries.buffer);
    for (const [index, entry] of pending.entries()) {
      view.setFloat64(index * ENTRY_BYTES, entry.key);
      view.setFloat64(index * ENTRY_BYTES + 8, entry.seq);
    }
    sql.run("INSERT INTO replays (last_seq, entries) VALUES (?, ?)", lastSeq, entries);
    pending = [];
    const [oldest] = seqs.values();
    if (oldest !== undefined) deleteBlocks(oldest, WRITE_RETAIN_BLOCKS_MAX);
  }

  return {
    find(key, sinceSeq) {
      const seq = seqs.get(key);
      return seq === undefined || seq < sinceSeq ? undefined : seq;
    },

    accepted(seq, key) {
      sinceBlock += 1;
      lastSeq = seq;
      if (key !== undefined) {
        remember(seq, key);
        pending.push({ seq, key });
      }
      if (sinceBlock >= BLOCK_EVENTS) writeBlock();
    },

    flush: writeBlock,

    retain(beforeSeq) {
      for (const [key, seq] of seqs) {
        if (seq >= beforeSeq) break;
        seqs.delete(key);
      }
      deleteBlocks(beforeSeq, RETAIN_BLOCKS_MAX);
    },

    size: () => seqs.size,
  };
}

type Block = { last_seq: number; entries: Uint8Array };

/** The newest blocks that together hold all contents to be remembered, oldest first. */
function readNewestBlocks(sql: Sql): readonly Block[] {
  const blocks: Block[] = [];
  let contents = 0;
  while (contents < CONTENTS_MAX) {
    const chunk = sql.all<Block>(
      "SELECT last_seq, entries FROM replays WHERE last_seq < ? ORDER BY last_seq DESC LIMIT ?",
      blocks.at(-1)?.last_seq ?? Number.MAX_SAFE_INTEGER,
      CHUNK_BLOCKS,
    );
    blocks.push(...chunk);
    contents = blocks.reduce((sum, { entries }) => sum + entries.length / ENTRY_BYTES, 0);
    if (chunk.length < CHUNK_BLOCKS) break;
  }
  return blocks.toReversed();
}

/** The newest events, some rows at a time: a row's deliveries may have half a megabyte. */
export function newestContents(
  newest: (rowsMax: number, before: number) => readonly StoredEventWithDeliveries[],
  count: number,
): readonly KeyedEvent[] {
  const found: KeyedEvent[] = [];
  while (found.length < count) {
    const rows = newest(CHUNK_ROWS, found.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER);
    found.push(
      ...rows.map(({ seq, event }) => ({ seq, key: event.replayOf === undefined ? event.contentKey : undefined })),
    );
    if (rows.length < CHUNK_ROWS) break;
  }
  return found.slice(0, count);
}
