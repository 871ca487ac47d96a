/**
 * Lanes that have open deliveries in a partition of another layout too. Of one lane, what was accepted first goes first, in
 * whichever partition it is: before a delivery goes on here, the other partition is asked for the number of its first. The
 * table `lanes_elsewhere` keeps whom to ask, since no row of `work` tells.
 */
import type { OpenLane } from "../bus/ports.ts";
import type { Lanes } from "./lanes.ts";
import type { Sql } from "./sql.ts";

/** How often the other partitions are asked about what waits for them. */
export const ASK_AGAIN_MS = 2_000;
/** Lanes asked about in one call. */
export const ASK_LANES_MAX = 500;
/** Partitions asked at one go. */
export const ASK_PARTITIONS_MAX = 32;
/** Rows that one call of `retain` deletes at most. */
export const RETAIN_LANES_MAX = 1_000;

export interface OpenElsewhere {
  readonly partition: string;
  readonly lanes: readonly string[];
}

export interface Question extends OpenElsewhere {
  /** Which time of asking this is: what is heard of a lane after it was asked about is newer than the answer. */
  readonly round: number;
}

export interface LanesElsewhere {
  /** Another partition has open deliveries of these lanes: nothing more of them goes on here before it was asked. */
  readonly wait: (elsewhere: readonly OpenElsewhere[]) => void;
  /** Whom to ask now, about which lanes; those that were not asked about for longest come first. */
  readonly questions: (now: number) => readonly Question[];
  /** What a partition has answered: which of the lanes are open there, and the first of each. */
  readonly answer: (asked: Question, open: readonly OpenLane[]) => void;
  /** When to ask next, or null. */
  readonly nextAt: () => number | null;
  /** Forgets, a slice at a time, lanes without open deliveries here: who brings the next one asks before. */
  readonly retain: () => void;
}

interface Elsewhere {
  readonly id: string;
  readonly partition: string;
  /** Nothing with a lower number is open there. */
  clearTo: number;
  /** The time of asking after which it was last heard that the lane is open there. */
  heardIn: number;
}

// Never starts again: an answer to what was asked before memory was made anew is older than what has been heard since.
let round = 0;

export function openLanesElsewhere(sql: Sql, lanes: Lanes): LanesElsewhere {
  // Bounded by the lanes of open deliveries, times the layouts before. The one asked about last is at the end.
  const entries = new Map<string, Elsewhere>();
  const ofLane = new Map<string, Set<Elsewhere>>();
  let askAt = 0;
  const keyOf = (id: string, partition: string) => `${id} ${partition}`;

  function tellLane(id: string): void {
    const its = [...(ofLane.get(id) ?? [])];
    lanes.holdFrom(id, its.length === 0 ? undefined : Math.min(...its.map(({ clearTo }) => clearTo)));
  }

  function add(id: string, partition: string): void {
    const entry = { id, partition, clearTo: 0, heardIn: round };
    entries.set(keyOf(id, partition), entry);
    ofLane.set(id, (ofLane.get(id) ?? new Set()).add(entry));
    tellLane(id);
  }

  function remove(entry: Elsewhere): void {
    const { id, partition } = entry;
    entries.delete(keyOf(id, partition));
    const others = ofLane.get(id);
    others?.delete(entry);
    if (others?.size === 0) ofLane.delete(id);
    sql.run("DELETE FROM lanes_elsewhere WHERE id = ? AND partition = ?", id, partition);
    tellLane(id);
  }

  for (const { id, partition } of sql.all<{ id: string; partition: string }>(
    "SELECT id, partition FROM lanes_elsewhere",
  )) {
    add(id, partition);
  }

  return {
    wait(elsewhere) {
      for (const { partition, lanes: ids } of elsewhere) {
        for (const id of ids) {
          const known = entries.get(keyOf(id, partition));
          if (known === undefined) {
            sql.run("INSERT INTO lanes_elsewhere (id, partition) VALUES (?, ?)", id, partition);
            add(id, partition);
            askAt = 0;
            continue;
          }
          known.heardIn = round;
          // Nothing goes on as it is, and it is asked about every now and then.
          if (known.clearTo === 0) continue;
          known.clearTo = 0;
          tellLane(id);
          askAt = 0;
        }
      }
    },

    questions(now) {
      if (entries.size === 0 || now < askAt) return [];
      askAt = now + ASK_AGAIN_MS;
      round += 1;
      const asked = new Map<string, string[]>();
      const line = [...entries];
      for (const [key, entry] of line) {
        if (!lanes.isHeld(entry.id)) continue;
        if (!asked.has(entry.partition) && asked.size < ASK_PARTITIONS_MAX) asked.set(entry.partition, []);
        const ids = asked.get(entry.partition);
        if (ids === undefined || ids.length >= ASK_LANES_MAX) continue;
        ids.push(entry.id);
        // To the end of the line: the others must not wait for those that stay open for long.
        entries.delete(key);
        entries.set(key, entry);
      }
      return [...asked].map(([partition, ids]) => ({ partition, lanes: ids, round }));
    },

    answer({ partition, lanes: ids, round: askedIn }, open) {
      const firstOf = new Map(open.map(({ id, firstSeq }) => [id, firstSeq]));
      for (const id of ids) {
        const entry = entries.get(keyOf(id, partition));
        if (entry === undefined || entry.heardIn >= askedIn) continue;
        const first = firstOf.get(id);
        if (first === undefined) {
          remove(entry);
          continue;
        }
        entry.clearTo = first;
        tellLane(id);
      }
    },

    nextAt: () => (lanes.anyHeld() ? askAt : null),

    retain() {
      const idle = [...entries.values()].filter(({ id }) => lanes.open([id]).length === 0);
      for (const entry of idle.slice(0, RETAIN_LANES_MAX)) remove(entry);
    },
  };
}
