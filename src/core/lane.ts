/**
 * A lane: the open deliveries of one (rule, target, key) in a partition. One of them is active: waiting for its attempt, lent
 * out, or parked; the others are queued behind it. `arrangeLane` says what must change for that to hold again after any change.
 *
 * The order is that of acceptance; with numbers (`order: sequence`) that of the numbers, and those without one first.
 */

/** What a lane must know of one of its deliveries; the rest stays in its row. */
export interface LaneMember {
  readonly seq: number;
  readonly deliveryId: string;
  readonly kind: "waiting" | "queued" | "leased" | "parked";
  readonly dueAt: number;
  readonly latest: boolean;
  readonly sequence?: number;
  readonly gapUntil?: number;
  readonly attempted: boolean;
}

export type LaneChange = { readonly member: LaneMember } & (
  | { readonly to: "waiting"; readonly dueAt: number; readonly note?: string }
  | { readonly to: "queued"; readonly dueAt: number }
  | { readonly to: "parked" }
  | { readonly to: "superseded" }
);

export interface LaneArrangement {
  readonly changes: readonly LaneChange[];
  /** The first of the lane waits for a gap to close: when that ends. */
  readonly gapUntil?: number;
}

/** All of a lane, kept so that a change costs the same however many wait. */
export interface LaneState {
  /** All members in their order. */
  readonly members: readonly LaneMember[];
  /** Those that are not queued, in their order: one, but for what has just changed. */
  readonly active: readonly LaneMember[];
  /** Whether any member replaces those before it. */
  readonly hasLatest: boolean;
  /** The highest number that has ended in this lane, if any. */
  readonly passed: number | undefined;
  /** The parked one has ended of age, and what comes up next stays parked in its place. */
  readonly parkNext: boolean;
}

/** Where a member stands among the others: lower goes first. */
export function compareMembers(a: LaneMember, b: LaneMember): number {
  const [first, second] = [a.sequence ?? -1, b.sequence ?? -1];
  return first === second ? a.seq - b.seq : first - second;
}

export function arrangeLane(
  { members, active: actives, hasLatest, passed: passedBefore, parkNext }: LaneState,
  now: number,
): LaneArrangement {
  const newest = hasLatest ? members.findLastIndex(({ latest }) => latest) : -1;
  const superseded = new Set(members.slice(0, Math.max(0, newest)).filter(({ kind }) => kind !== "leased"));
  const changes: LaneChange[] = [...superseded].map((member) => ({ member, to: "superseded" }));

  const stays = actives.filter((member) => !superseded.has(member));
  const active = stays.find(({ kind }) => kind === "leased") ?? stays[0];
  for (const member of stays) {
    if (member !== active && member.kind !== "leased") changes.push({ member, to: "queued", dueAt: member.dueAt });
  }
  const head = superseded.size === 0 ? members[0] : members.find((member) => !superseded.has(member));
  if (head === undefined || active === head || active?.kind === "leased" || active?.kind === "parked") {
    return { changes };
  }
  if (active === undefined && parkNext) return { changes: [...changes, { member: head, to: "parked" }] };

  // Those that give way have ended with this, and the last of them has the highest number.
  const givenWay = [...superseded].at(-1)?.sequence;
  const passed = givenWay !== undefined && givenWay > (passedBefore ?? -1) ? givenWay : passedBefore;
  const next = (passed ?? 0) + 1;
  const isAhead = head.sequence !== undefined && head.sequence > next;
  // While one with a higher number is under way already, the lane has gone past the gap.
  if (isAhead && active === undefined && head.gapUntil !== undefined && head.gapUntil > now) {
    return { changes, gapUntil: head.gapUntil };
  }
  if (active !== undefined) changes.push({ member: active, to: "queued", dueAt: active.dueAt });
  const note = noteOf(head, passed, next);
  const dueAt = Math.max(head.dueAt, now);
  return { changes: [...changes, { member: head, to: "waiting", dueAt, ...(note === undefined ? {} : { note }) }] };
}

function noteOf({ sequence, attempted }: LaneMember, passed: number | undefined, next: number): string | undefined {
  if (sequence === undefined || attempted) return undefined;
  if (passed !== undefined && sequence <= passed) return `late: number ${sequence} came after ${passed} had gone on`;
  if (sequence <= next) return undefined;
  const missing = sequence - 1 === next ? `number ${next}` : `numbers ${next} to ${sequence - 1}`;
  return `went on without ${missing}, which did not come in time`;
}
