/**
 * Events as they were accepted, many in a row: what one commit accepts is one row of `pack_<n>`, and what it changes of their
 * deliveries later is one row of `changes_<n>`. Rows written are most of what an event costs, and most of the time of a commit.
 * Nothing in these rows is ever changed; they go with their segment. Read docs/storage.md for their shape.
 *
 * A pack tells an event's content; its deliveries are those of the newest change after it, unless a row of `work`, `log_<n>` or
 * `dead_<n>` speaks of the event.
 */
import type { Delivery } from "../core/delivery.ts";
import { isOpen } from "../core/delivery.ts";
import { utf8Length } from "../core/template.ts";
import type { Deflating } from "./deflating.ts";
import type { PackedEvent, Place } from "./packed-lines.ts";
import { formatChange, inRows, joinBodies, lineOf, linesOf, parseChange, parseLine } from "./packed-lines.ts";
import type { Sql } from "./sql.ts";
import { formatDeliveries } from "./stored-event.ts";

/** Bodies and heads of one row, unless one event alone has more: a row of the platform has 2 MB at most. */
export const PACK_BYTES_MAX = 1_048_576;
/** Changes of one row, in characters, unless one event alone has more. */
export const CHANGES_CHARS_MAX = 262_144;
/**
 * Bodies are stored deflated where a commit accepts no more events than this: storage is most of what an event by itself costs
 * after its rows, and an object that has many to accept has no time for it.
 */
export const DEFLATE_EVENTS_MAX = 4;
export const DEFLATE_BYTES_MIN = 512;
export const DEFLATE_BYTES_MAX = 65_536;
const DEFLATE_WORTH = 0.9;
/** Rows of changes in memory at a time. */
const CHUNK_ROWS = 16;

/** The segments that have packs, and the one that rows go to now. */
export interface PackSegments {
  readonly newestFirst: () => readonly { readonly n: number; readonly firstSeq: number }[];
  readonly current: (now: number, seq: number) => number;
}

export interface Packs {
  /** Takes in an event that this commit accepts; `headText` is its head as JSON. */
  readonly add: (event: Omit<PackedEvent, "place">, headText: string, body: Uint8Array | null) => Place;
  /**
   * What has become of an event's deliveries, as many as they were; null when a row of its own tells from now on. Answers how
   * long the text is that tells of this commit's changes of the event.
   */
  readonly change: (event: Pick<PackedEvent, "seq" | "deliveries">, deliveries: readonly Delivery[] | null) => number;
  /** Writes what this commit has added and changed. `lastSeq` is the newest event's number, `openFrom` the oldest that may change. */
  readonly flush: (lastSeq: number, openFrom: number, now: number) => void;
  /** With its deliveries as they are now. */
  readonly find: (seq: number) => PackedEvent | undefined;
  readonly body: (place: Place) => Uint8Array | null;
  /** Events with a lower number, newest first, whatever other rows say of them. */
  readonly before: (seq: number, rowsMax: number) => readonly PackedEvent[];
  /** The highest number in a segment's packs. */
  readonly lastSeq: (segment: number) => number;
  /** The events that may still change here: all that have an open delivery, by the changes, and no row of their own. */
  readonly open: () => readonly PackedEvent[];
}

/** Accepted by this commit, and not written yet. */
interface Added {
  readonly event: PackedEvent;
  readonly headText: string;
  readonly deliveriesText: string;
  readonly body: Uint8Array | null;
}

type PackRow = { first_seq: number; heads: string };
type ChangesRow = { n: number; entries: string };

/** Without `deflating` bodies are stored as they came. */
export function openPacks(sql: Sql, segments: PackSegments, deflating?: Deflating): Packs {
  let lastChange = lastOf("changes", "n");
  const added = new Map<number, Added>();
  const bodies = new Map<Place, Uint8Array | null>();
  /** Those that this commit has changed, by their places among the event's. */
  const changed = new Map<number, Map<number, Delivery> | null>();

  /** The highest value of a column that rises with its table's key. */
  function lastOf(table: "pack" | "changes", column: "n" | "last_seq" | "open_from"): number {
    const key = table === "pack" ? "first_seq" : "n";
    for (const { n } of segments.newestFirst()) {
      const row = sql.all<{ last: number }>(
        `SELECT ${column} AS last FROM ${table}_${n} ORDER BY ${key} DESC LIMIT 1`,
      )[0];
      if (row !== undefined) return row.last;
    }
    return 0;
  }

  function addRow(rows: readonly Added[], openFrom: number, now: number): void {
    const [first, last] = [rows[0]?.event.seq, rows.at(-1)?.event.seq];
    if (first === undefined || last === undefined) return;
    const segment = segments.current(now, first);
    let from = 0;
    const stored = rows.map(({ body }) => (rows.length > DEFLATE_EVENTS_MAX ? body : deflated(body)));
    const lines = rows.map(({ event, headText, deliveriesText, body }, index) => {
      const { seq, place } = event;
      const bytes = stored[index]?.length ?? null;
      const isDeflated = stored[index] !== body;
      Object.assign(place, { segment, firstSeq: first, from, bytes }, isDeflated ? { plainBytes: body?.length } : {});
      const line = `[${seq},${from},${bytes},${deliveriesText},${headText}${isDeflated ? `,${body?.length}` : ""}]`;
      from += bytes ?? 0;
      return line;
    });
    sql.run(
      `INSERT INTO pack_${segment} (first_seq, last_seq, open_from, heads, bodies) VALUES (?, ?, ?, ?, ?)`,
      first,
      last,
      openFrom,
      lines.join("\n"),
      joinBodies(stored, from),
    );
  }

  /** The body deflated, or as it is where that is not worth it. */
  function deflated(body: Uint8Array | null): Uint8Array | null {
    if (deflating === undefined || body === null) return body;
    if (body.length < DEFLATE_BYTES_MIN || body.length > DEFLATE_BYTES_MAX) return body;
    const small = deflating.deflate(body);
    return small.length <= body.length * DEFLATE_WORTH ? small : body;
  }

  function addChanges(lines: readonly string[], lastSeq: number, openFrom: number, now: number): void {
    // Past every event that it speaks of, so that an event's changes are found from its own number on.
    lastChange = Math.max(lastChange, lastSeq) + 1;
    sql.run(
      `INSERT INTO changes_${segments.current(now, lastChange)} (n, open_from, entries) VALUES (?, ?, ?)`,
      lastChange,
      openFrom,
      lines.join("\n"),
    );
  }

  function changesAfter(segment: number, n: number): readonly ChangesRow[] {
    return sql.all<ChangesRow>(
      `SELECT n, entries FROM changes_${segment} WHERE n > ? ORDER BY n LIMIT ?`,
      n,
      CHUNK_ROWS,
    );
  }

  /** Gives events their deliveries as they are now; those that have a row of their own are left out. */
  function withChanges(events: readonly PackedEvent[]): readonly PackedEvent[] {
    const found = new Map(events.map((event) => [event.seq, event]));
    const waiting = new Set(events.filter(({ deliveries }) => deliveries.some(isOpen)).map(({ seq }) => seq));
    const firstSeq = Math.min(...waiting);
    for (const { n: segment } of segments.newestFirst().toReversed()) {
      for (let after = firstSeq, rows = CHUNK_ROWS; rows === CHUNK_ROWS && waiting.size > 0;) {
        const chunk = changesAfter(segment, after);
        rows = chunk.length;
        for (const { n, entries } of chunk) {
          after = n;
          for (const [seq, line] of linesOf(entries)) {
            const event = waiting.has(seq) ? found.get(seq) : undefined;
            if (event === undefined) continue;
            const changedNow = parseChange(line, event);
            if (changedNow === null) found.delete(seq);
            else found.set(seq, changedNow);
            if (changedNow === null || !changedNow.deliveries.some(isOpen)) waiting.delete(seq);
          }
        }
      }
    }
    return events.flatMap(({ seq }) => found.get(seq) ?? []);
  }

  return {
    add(event, headText, body) {
      const place: Place = { segment: 0, firstSeq: 0, from: 0, bytes: body?.length ?? null };
      const deliveriesText = formatDeliveries(event.deliveries);
      added.set(event.seq, { event: { ...event, place }, headText, deliveriesText, body });
      bodies.set(place, body);
      return place;
    },

    change({ seq, deliveries: before }, deliveries) {
      if (deliveries === null) {
        changed.set(seq, null);
        return 0;
      }
      const accepted = added.get(seq);
      if (accepted !== undefined) {
        const deliveriesText = formatDeliveries(deliveries);
        added.set(seq, { ...accepted, event: { ...accepted.event, deliveries }, deliveriesText });
        return deliveriesText.length;
      }
      const mine = changed.get(seq) ?? new Map<number, Delivery>();
      for (const [index, delivery] of deliveries.entries()) if (delivery !== before[index]) mine.set(index, delivery);
      changed.set(seq, mine);
      return mine.size === 0 ? 0 : formatDeliveries([...mine.values()]).length;
    },

    flush(lastSeq, openFrom, now) {
      for (const row of inRows([...added.values()], PACK_BYTES_MAX, bytesOf)) addRow(row, openFrom, now);
      added.clear();
      bodies.clear();
      // Where a row opens a segment and an old one is dropped, the open events of that one are changes too.
      while (changed.size > 0) {
        const lines = [...changed].map(([seq, deliveries]) => formatChange(seq, deliveries));
        changed.clear();
        for (const row of inRows(lines, CHANGES_CHARS_MAX, ({ length }) => length)) {
          addChanges(row, lastSeq, openFrom, now);
        }
      }
    },

    find(seq) {
      const accepted = added.get(seq);
      if (accepted !== undefined) return changed.get(seq) === null ? undefined : accepted.event;
      const segment = segments.newestFirst().find(({ firstSeq }) => firstSeq <= seq);
      if (segment === undefined) return undefined;
      const row = sql.all<PackRow>(
        `SELECT first_seq, heads FROM pack_${segment.n} WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1`,
        seq,
      )[0];
      const line = row === undefined ? undefined : lineOf(row.heads, seq);
      if (row === undefined || line === undefined) return undefined;
      const event = withChanges([parseLine(line, segment.n, row.first_seq)])[0];
      const mine = changed.get(seq);
      if (event === undefined || mine === undefined) return event;
      return mine === null
        ? undefined
        : { ...event, deliveries: event.deliveries.map((each, n) => mine.get(n) ?? each) };
    },

    body(place) {
      const { segment, firstSeq, from, bytes, plainBytes } = place;
      if (bytes === null) return null;
      const unwritten = bodies.get(place);
      if (unwritten !== undefined) return unwritten;
      const row = sql.all<{ body: Uint8Array }>(
        `SELECT substr(bodies, ?, ?) AS body FROM pack_${segment} WHERE first_seq = ?`,
        from + 1,
        bytes,
        firstSeq,
      )[0];
      if (row === undefined) throw new Error("a pack that was there is gone");
      if (plainBytes === undefined) return row.body;
      if (deflating === undefined) throw new Error("a body was deflated, and nothing here can inflate it");
      return deflating.inflate(row.body, plainBytes);
    },

    before(seq, rowsMax) {
      const events: PackedEvent[] = [];
      for (const { n } of segments.newestFirst()) {
        let below = seq;
        while (events.length < rowsMax) {
          const row = sql.all<PackRow>(
            `SELECT first_seq, heads FROM pack_${n} WHERE first_seq < ? ORDER BY first_seq DESC LIMIT 1`,
            below,
          )[0];
          if (row === undefined) break;
          below = row.first_seq;
          const mine = linesOf(row.heads).filter(([each]) => each < seq);
          const wanted = mine.slice(-(rowsMax - events.length)).toReversed();
          events.push(...wanted.map(([, line]) => parseLine(line, n, row.first_seq)));
        }
      }
      return withChanges(events);
    },

    lastSeq: (segment) => {
      return (
        sql.all<{ last: number }>(`SELECT last_seq AS last FROM pack_${segment} ORDER BY first_seq DESC LIMIT 1`)[0]
          ?.last ?? 0
      );
    },

    open() {
      const openFrom = Math.max(lastOf("pack", "open_from"), lastOf("changes", "open_from"));
      const events = segments
        .newestFirst()
        .toReversed()
        .flatMap(({ n }) =>
          sql
            .all<PackRow>(`SELECT first_seq, heads FROM pack_${n} WHERE last_seq >= ? ORDER BY first_seq`, openFrom)
            .flatMap(({ first_seq: firstSeq, heads }) =>
              linesOf(heads).map(([, line]) => parseLine(line, n, firstSeq)),
            ),
        )
        .filter(({ seq, deliveries }) => seq >= openFrom && deliveries.length > 0);
      return withChanges(events).filter(({ deliveries }) => deliveries.some(isOpen));
    },
  };
}

function bytesOf({ headText, deliveriesText, body }: Added): number {
  return utf8Length(headText) + utf8Length(deliveriesText) + (body?.length ?? 0);
}
