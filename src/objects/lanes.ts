/**
 * The lanes of a partition, in memory, made anew from the rows of `work` at every start; and how far each numbered lane has
 * come, which is kept in the table `lanes` because no open row tells it. What a lane must do is decided in `core/lane.ts`.
 */
import type { OpenLane } from "../bus/ports.ts";
import type { Delivery } from "../core/delivery.ts";
import { isOpen } from "../core/delivery.ts";
import { createDueHeap } from "../core/due-heap.ts";
import type { LaneArrangement, LaneChange, LaneMember, LaneState } from "../core/lane.ts";
import { arrangeLane, compareMembers } from "../core/lane.ts";
import { LOG_WINDOW_MS } from "../core/windows.ts";
import { deleteMeta, readMeta, writeMeta } from "./schema.ts";
import type { Sql } from "./sql.ts";

/** Rows of `lanes` that one call of `retain` looks at. */
export const RETAIN_ROWS_MAX = 10_000;
/** Gaps whose time is over that one call of `arrange` ends; the alarm rings again at once for the rest. */
export const GAPS_ENDED_MAX = 200;
/** In `meta`: the last lane that `retain` has looked at, while there are more. */
const RETAINED_TO = "lanes-retained-to";

export interface Lanes {
  readonly follow: (
    seq: number,
    before: readonly Delivery[] | undefined,
    after: readonly Delivery[] | undefined,
    now: number,
  ) => void;
  /**
   * What must change now in the lanes that something has happened to, waits for gaps that are over among it. Carrying it out is
   * followed like any change.
   */
  readonly arrange: (now: number, gapsEndedMax?: number) => readonly LaneChange[];
  /** Finds the gaps again that lanes wait for, once all rows have been followed after a start. */
  readonly recallGaps: () => void;
  /** When the first gap is no longer waited for. */
  readonly nextAt: () => number | null;
  /** Those of these lanes that have open deliveries, and the first of each. */
  readonly open: (ids: readonly string[]) => readonly OpenLane[];
  /** Of this lane nothing with this number or a higher one goes on here; undefined lets it. */
  readonly holdFrom: (id: string, seq: number | undefined) => void;
  /** Whether what is next in the lane may not go on because of that. */
  readonly isHeld: (id: string) => boolean;
  readonly anyHeld: () => boolean;
  /** Forgets, a slice at a time, how far lanes had come that nothing has been heard of for as long as the log goes back. */
  readonly retain: (now: number) => void;
}

interface Lane {
  readonly members: LaneMember[];
  active: LaneMember[];
  latestCount: number;
  /** The highest number that has ended; null before it was read. */
  passed: number | undefined | null;
  parkNext: boolean;
}

export function openLanes(sql: Sql): Lanes {
  const lanes = new Map<string, Lane>();
  const changed = new Set<string>();
  // From which number on a lane may not go on, and those of them whose next delivery is held by that.
  const holds = new Map<string, number>();
  const held = new Set<string>();
  const gaps = createDueHeap<string>();

  function laneOf(id: string): Lane {
    let lane = lanes.get(id);
    if (lane === undefined) {
      lane = { members: [], active: [], latestCount: 0, passed: null, parkNext: false };
      lanes.set(id, lane);
    }
    return lane;
  }

  /** Read when a number first comes up: most lanes have none. */
  function passedOf(id: string, lane: Lane): number | undefined {
    if (lane.passed === null) {
      lane.passed = sql.all<{ passed: number }>("SELECT passed FROM lanes WHERE id = ?", id)[0]?.passed;
    }
    return lane.passed;
  }

  function remove(lane: Lane, member: LaneMember): void {
    const at = place(lane.members, member);
    if (lane.members[at]?.seq !== member.seq) throw new Error("a lane has lost one of its deliveries");
    lane.members.splice(at, 1);
    if (member.kind !== "queued") lane.active = lane.active.filter(({ seq }) => seq !== member.seq);
    if (member.latest) lane.latestCount -= 1;
  }

  function add(lane: Lane, member: LaneMember): void {
    lane.members.splice(place(lane.members, member), 0, member);
    if (member.kind !== "queued") lane.active = [...lane.active, member].toSorted(compareMembers);
    if (member.latest) lane.latestCount += 1;
  }

  function followOne(seq: number, before: Delivery | undefined, after: Delivery | undefined, now: number): void {
    const id = (after ?? before)?.lane?.id;
    if (id === undefined) return;
    const lane = laneOf(id);
    const was = before === undefined ? undefined : memberOf(seq, before);
    const is = after === undefined ? undefined : memberOf(seq, after);
    if (was !== undefined) remove(lane, was);
    if (is !== undefined) add(lane, is);
    if (was !== undefined && is === undefined && after !== undefined) {
      if (before?.state.kind === "parked" && after.state.kind === "dead") lane.parkNext = true;
      const sequence = after.lane?.sequence;
      if (sequence !== undefined && sequence > (passedOf(id, lane) ?? -1)) {
        lane.passed = sequence;
        sql.run("INSERT OR REPLACE INTO lanes (id, passed, at) VALUES (?, ?, ?)", id, sequence, now);
      }
    }
    changed.add(id);
  }

  function arrangeOne(id: string, now: number): readonly LaneChange[] {
    const lane = lanes.get(id);
    if (lane === undefined) return [];
    gaps.delete(id);
    held.delete(id);
    if (lane.members.length === 0) {
      lanes.delete(id);
      return [];
    }
    const { members, active, parkNext } = lane;
    // Those with numbers stand last.
    const passed = members.at(-1)?.sequence === undefined ? undefined : passedOf(id, lane);
    lane.parkNext = false;
    const state = { members, active, hasLatest: lane.latestCount > 0, passed, parkNext };
    const all = arrangeLane(state, now);
    const from = holds.get(id) ?? Number.POSITIVE_INFINITY;
    if (all.changes.some(({ to, member }) => to === "waiting" && member.seq >= from)) held.add(id);
    const arranged = held.has(id) ? arrangeBefore(from, state, all, now) : all;
    if (arranged.gapUntil !== undefined) gaps.set(id, arranged.gapUntil);
    return arranged.changes;
  }

  /**
   * What is next by its number may not go on, since it was accepted after something that is open elsewhere. What was accepted
   * before that goes on all the same: the other partition waits for it.
   */
  function arrangeBefore(from: number, state: LaneState, all: LaneArrangement, now: number): LaneArrangement {
    const replaced = new Set(all.changes.flatMap(({ to, member }) => (to === "superseded" ? [member] : [])));
    const isBefore = (member: LaneMember) => member.seq < from && !replaced.has(member);
    const { changes, gapUntil } = arrangeLane(
      { ...state, members: state.members.filter(isBefore), active: state.active.filter(isBefore) },
      now,
    );
    const others = all.changes.filter(({ to, member }) => to !== "waiting" && !isBefore(member));
    return { changes: [...others, ...changes], ...(gapUntil === undefined ? {} : { gapUntil }) };
  }

  return {
    follow(seq, before, after, now) {
      const count = Math.max(before?.length ?? 0, after?.length ?? 0);
      for (let index = 0; index < count; index++) {
        const [was, is] = [before?.[index], after?.[index]];
        if (was !== is) followOne(seq, was, is, now);
      }
    },

    arrange(now, gapsEndedMax = GAPS_ENDED_MAX) {
      for (let ended = 0; ended < gapsEndedMax; ended++) {
        const first = gaps.peek();
        if (first === undefined || first.at > now) break;
        gaps.delete(first.key);
        changed.add(first.key);
      }
      if (changed.size === 0) return [];
      const ids = [...changed];
      changed.clear();
      return ids.flatMap((id) => arrangeOne(id, now));
    },

    // Rows are written with their lanes at rest, so at no time but a gap's end is there anything to change.
    recallGaps() {
      for (const id of lanes.keys()) arrangeOne(id, Number.NEGATIVE_INFINITY);
    },

    nextAt: () => gaps.peek()?.at ?? null,
    open: (ids) =>
      ids.flatMap((id) => {
        const members = lanes.get(id)?.members ?? [];
        const firstSeq = members.reduce((first, { seq }) => Math.min(first, seq), Number.POSITIVE_INFINITY);
        return members.length === 0 ? [] : [{ id, firstSeq }];
      }),
    holdFrom(id, seq) {
      if (seq === undefined) holds.delete(id);
      else holds.set(id, seq);
      if (lanes.has(id)) changed.add(id);
    },
    isHeld: (id) => held.has(id),
    anyHeld: () => held.size > 0,

    retain(now) {
      const rows = sql.all<{ id: string; at: number }>(
        "SELECT id, at FROM lanes WHERE id > ? ORDER BY id LIMIT ?",
        readMeta(sql, RETAINED_TO) ?? "",
        RETAIN_ROWS_MAX,
      );
      // Kept in the table: memory rarely lives from one call to the next, and would begin with the same rows each time.
      if (rows.length === RETAIN_ROWS_MAX) writeMeta(sql, RETAINED_TO, rows.at(-1)?.id ?? "");
      else if (readMeta(sql, RETAINED_TO) !== undefined) deleteMeta(sql, RETAINED_TO);
      for (const { id, at } of rows) {
        if (at + LOG_WINDOW_MS > now || lanes.has(id)) continue;
        sql.run("DELETE FROM lanes WHERE id = ?", id);
      }
    },
  };
}

function memberOf(seq: number, delivery: Delivery): LaneMember | undefined {
  const { state, lane, id, attemptCount } = delivery;
  if (!isOpen(delivery) || lane === undefined) return undefined;
  const kind = state.kind as LaneMember["kind"];
  const gapUntil = state.kind === "queued" ? state.gapUntil : undefined;
  return {
    seq,
    deliveryId: id,
    kind,
    dueAt: "dueAt" in state ? state.dueAt : 0,
    latest: lane.latest === true,
    attempted: attemptCount > 0,
    ...(lane.sequence === undefined ? {} : { sequence: lane.sequence }),
    ...(gapUntil === undefined ? {} : { gapUntil }),
  };
}

/** The first place whose member does not stand before this one. */
function place(members: readonly LaneMember[], member: LaneMember): number {
  let [low, high] = [0, members.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareMembers(members[middle] as LaneMember, member) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
