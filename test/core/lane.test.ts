import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LaneChange, LaneMember, LaneState } from "../../src/core/lane.ts";
import { arrangeLane, compareMembers } from "../../src/core/lane.ts";

const NOW = 1_000;

function member(seq: number, kind: LaneMember["kind"], changes: Partial<LaneMember> = {}): LaneMember {
  return { seq, deliveryId: `d${seq}`, kind, dueAt: 0, latest: false, attempted: false, ...changes };
}

function laneOf(members: readonly LaneMember[], more: Partial<LaneState> = {}): LaneState {
  const sorted = members.toSorted(compareMembers);
  return {
    members: sorted,
    active: sorted.filter(({ kind }) => kind !== "queued"),
    hasLatest: sorted.some(({ latest }) => latest),
    passed: undefined,
    parkNext: false,
    ...more,
  };
}

/** The changes in short: `1 waiting@1000`, `2 superseded`. */
function arranged(members: readonly LaneMember[], more: Partial<LaneState> = {}) {
  const { changes, gapUntil } = arrangeLane(laneOf(members, more), NOW);
  const short = changes.map((change) => {
    const note = "note" in change ? `: ${change.note}` : "";
    return `${change.member.seq} ${change.to}${"dueAt" in change ? `@${change.dueAt}` : ""}${note}`;
  });
  return gapUntil === undefined ? short : [...short, `gap until ${gapUntil}`];
}

describe("the order of a lane", () => {
  it("is that of acceptance, or of numbers, with those that have none first", () => {
    const mixed = [member(4, "queued", { sequence: 1 }), member(3, "queued", { sequence: 2 }), member(5, "queued")];
    expect([...mixed, member(2, "queued")].toSorted(compareMembers).map(({ seq }) => seq)).toEqual([2, 5, 4, 3]);
    const same = [member(9, "queued", { sequence: 0 }), member(8, "queued", { sequence: 0 }), member(10, "queued")];
    expect(same.toSorted(compareMembers).map(({ seq }) => seq)).toEqual([10, 8, 9]);
  });
});

describe("a lane by the order of acceptance", () => {
  const situations: readonly [string, readonly LaneMember[], readonly string[], Partial<LaneState>?][] = [
    ["is empty", [], []],
    ["has one that is new: it may go", [member(1, "queued")], ["1 waiting@1000"]],
    ["keeps a due time that is to come", [member(1, "queued", { dueAt: 5_000 })], ["1 waiting@5000"]],
    ["has several: only the first may go", [member(1, "queued"), member(2, "queued")], ["1 waiting@1000"]],
    ["waits for the one that waits", [member(1, "waiting"), member(2, "queued")], []],
    ["waits for the one that is lent", [member(1, "leased"), member(2, "queued")], []],
    ["waits for the one that is parked", [member(1, "parked"), member(2, "queued")], []],
    [
      "has one opened again before the one that waits: it goes first",
      [member(1, "waiting"), member(2, "waiting", { dueAt: 7_000 }), member(3, "queued")],
      ["2 queued@7000"],
    ],
    [
      "has one opened again before the one that is lent, which nobody takes back",
      [member(1, "waiting", { dueAt: 900 }), member(2, "leased"), member(3, "queued")],
      ["1 queued@900"],
    ],
    [
      "has one put back before the one that waits: it goes first",
      [member(1, "queued"), member(2, "waiting", { dueAt: 7_000 })],
      ["2 queued@7000", "1 waiting@1000"],
    ],
    [
      "has one opened again before the parked one: it goes first",
      [member(1, "waiting"), member(2, "parked"), member(3, "queued")],
      ["2 queued@0"],
    ],
    [
      "has one opened again behind the parked one: it waits",
      [member(1, "parked"), member(2, "waiting", { dueAt: 900 })],
      ["2 queued@900"],
    ],
    ["has a parked one: what stands before it waits too", [member(1, "queued"), member(2, "parked")], []],
    [
      "has lost its parked one of age: the next is parked",
      [member(2, "queued"), member(3, "queued")],
      ["2 parked"],
      { parkNext: true },
    ],
    [
      "has lost its parked one of age, and one was opened again: that one goes",
      [member(1, "waiting"), member(2, "queued")],
      [],
      { parkNext: true },
    ],
  ];

  it.each(situations)("%s", (_, members, expected, more) => {
    expect(arranged(members, more)).toEqual(expected);
  });
});

describe("a lane where only the newest is wanted", () => {
  const latest = { latest: true };
  const situations: readonly [string, readonly LaneMember[], readonly string[]][] = [
    ["has one: it may go", [member(1, "queued", latest)], ["1 waiting@1000"]],
    [
      "gives those up that wait for their turn or their retry",
      [member(1, "waiting", latest), member(2, "queued", latest), member(3, "queued", latest)],
      ["1 superseded", "2 superseded", "3 waiting@1000"],
    ],
    ["does not take back what is lent", [member(1, "leased", latest), member(2, "queued", latest)], []],
    [
      "gives up what waits behind the lent one",
      [member(1, "leased", latest), member(2, "queued", latest), member(3, "queued", latest)],
      ["2 superseded"],
    ],
    ["gives up a parked one", [member(1, "parked"), member(2, "queued", latest)], ["1 superseded", "2 waiting@1000"]],
    [
      "gives up those from before the rule wanted only the newest, not those after it has ceased to",
      [member(1, "waiting"), member(2, "queued", latest), member(3, "queued")],
      ["1 superseded", "2 waiting@1000"],
    ],
    [
      "gives up one that is opened again when a newer one is there",
      [member(1, "waiting", latest), member(2, "waiting", latest)],
      ["1 superseded"],
    ],
  ];

  it.each(situations)("%s", (_, members, expected) => {
    expect(arranged(members)).toEqual(expected);
  });
});

describe("a lane by number", () => {
  const numbered = (seq: number, sequence: number, kind: LaneMember["kind"] = "queued", more = {}) =>
    member(seq, kind, { sequence, ...(kind === "queued" ? { gapUntil: 6_000 } : {}), ...more });
  const late = (number: number, passed: number) => `late: number ${number} came after ${passed} had gone on`;
  const situations: readonly [string, readonly LaneMember[], readonly string[], Partial<LaneState>?][] = [
    ["begins at 0", [numbered(1, 0)], ["1 waiting@1000"]],
    ["begins at 1", [numbered(1, 1)], ["1 waiting@1000"]],
    ["waits for the first when it begins later", [numbered(1, 2)], ["gap until 6000"]],
    ["goes on with the next", [numbered(1, 8)], ["1 waiting@1000"], { passed: 7 }],
    ["waits for a missing number", [numbered(1, 9)], ["gap until 6000"], { passed: 7 }],
    ["waits with all behind the gap", [numbered(1, 10), numbered(2, 9)], ["gap until 6000"], { passed: 7 }],
    [
      "goes on at the end of the wait, and says what is missing",
      [numbered(1, 9, "queued", { gapUntil: NOW })],
      ["1 waiting@1000: went on without number 8, which did not come in time"],
      { passed: 7 },
    ],
    ["waits until the end and no shorter", [numbered(1, 9, "queued", { gapUntil: NOW + 1 })], ["gap until 1001"]],
    [
      "says from where to where it has gone on without",
      [numbered(1, 12, "queued", { gapUntil: 0 })],
      ["1 waiting@1000: went on without numbers 8 to 11, which did not come in time"],
      { passed: 7 },
    ],
    [
      "does not wait where there is no time to",
      [member(1, "queued", { sequence: 3 })],
      ["1 waiting@1000: went on without numbers 1 to 2, which did not come in time"],
    ],
    ["sends a late number at once", [numbered(1, 3), numbered(2, 9)], [`1 waiting@1000: ${late(3, 7)}`], { passed: 7 }],
    ["takes a number that has passed for late", [numbered(1, 7)], [`1 waiting@1000: ${late(7, 7)}`], { passed: 7 }],
    [
      "does not say of one that was tried that it is late",
      [numbered(1, 3, "queued", { attempted: true })],
      ["1 waiting@1000"],
      { passed: 7 },
    ],
    ["lets those without a number go first", [numbered(1, 9), member(2, "queued")], ["2 waiting@1000"], { passed: 7 }],
    [
      "lets a lower number that comes in time go before the one that waits",
      [numbered(1, 9, "waiting", { dueAt: 4_000 }), numbered(2, 8)],
      ["1 queued@4000", "2 waiting@1000"],
      { passed: 7 },
    ],
    [
      "does not wait for a gap that a higher number has gone past, and lets the lower one go first",
      [numbered(1, 9, "waiting"), numbered(2, 4)],
      ["1 queued@0", "2 waiting@1000: went on without numbers 1 to 3, which did not come in time"],
    ],
    [
      "does not take back what is lent for a lower number",
      [numbered(1, 9, "leased"), numbered(2, 8)],
      [],
      { passed: 7 },
    ],
    [
      "has stopped for lower numbers too when it is parked",
      [numbered(1, 9, "parked"), numbered(2, 8)],
      [],
      { passed: 7 },
    ],
    ["parks the next though a gap is before it", [numbered(1, 9)], ["1 parked"], { passed: 7, parkNext: true }],
  ];

  it.each(situations)("%s", (_, members, expected, more) => {
    expect(arranged(members, more)).toEqual(expected);
  });
});

describe("whatever happens to a lane", () => {
  type Kind = LaneMember["kind"];
  interface Model {
    members: LaneMember[];
    passed: number | undefined;
    now: number;
    seq: number;
  }
  type Move = {
    readonly kind: "add" | "lend" | "fail" | "park" | "end" | "age" | "reopen" | "pass";
    readonly n: number;
  };
  const move = fc.record<Move>({
    kind: fc.constantFrom("add", "add", "lend", "lend", "fail", "park", "end", "end", "age", "reopen", "pass"),
    n: fc.nat(1_000),
  });

  const set = (model: Model, changed: LaneMember): void => {
    model.members = model.members.map((each) => (each.seq === changed.seq ? changed : each)).toSorted(compareMembers);
  };
  const end = (model: Model, ended: LaneMember): void => {
    model.members = model.members.filter(({ seq }) => seq !== ended.seq);
    if (ended.sequence !== undefined) model.passed = Math.max(model.passed ?? -1, ended.sequence);
  };

  function carryOut(model: Model, change: LaneChange): void {
    const { gapUntil: _gone, ...rest } = change.member;
    if (change.to === "superseded") end(model, change.member);
    else if (change.to === "parked") set(model, { ...rest, kind: "parked", dueAt: 0 });
    else set(model, { ...rest, kind: change.to, dueAt: change.dueAt });
  }

  /** Arranges until nothing changes; answers when a gap ends, if one is waited for. */
  function rest(model: Model, parkNext: boolean): number | undefined {
    for (let round = 0; round < 3; round++) {
      const arrangement = arrangeLane(
        laneOf(model.members, { passed: model.passed, parkNext: parkNext && round === 0 }),
        model.now,
      );
      for (const change of arrangement.changes) carryOut(model, change);
      if (arrangement.changes.length === 0) return arrangement.gapUntil;
    }
    throw new Error("the lane does not come to rest");
  }

  const policies = ["order", "latest", "sequence"] as const;

  /** What a move does to the model; answers whether a parked one has ended of age. */
  function apply(model: Model, { kind, n }: Move, policy: (typeof policies)[number], gone: LaneMember[]): boolean {
    const active = model.members.find((each) => each.kind !== "queued");
    const isActive = (wanted: Kind) => active?.kind === wanted;
    if (kind === "add") {
      model.seq += 1;
      const number = n % 3 === 0 ? {} : { sequence: n % 9, gapUntil: model.now + 50 };
      const more = policy === "sequence" ? number : { latest: policy === "latest" };
      model.members = [...model.members, member(model.seq, "queued", { dueAt: model.now, ...more })].toSorted(
        compareMembers,
      );
    } else if (kind === "lend" && active !== undefined && isActive("waiting") && active.dueAt <= model.now) {
      set(model, { ...active, kind: "leased", attempted: true });
    } else if (kind === "fail" && active !== undefined && isActive("leased")) {
      set(model, { ...active, kind: "waiting", dueAt: model.now + (n % 40) });
    } else if (kind === "park" && active !== undefined && isActive("leased")) {
      set(model, { ...active, kind: "parked" });
    } else if (kind === "end" && active !== undefined && isActive("leased")) {
      end(model, active);
      gone.push(active);
    } else if (kind === "age") {
      const aged = model.members[n % Math.max(1, model.members.length)];
      if (aged === undefined || aged.kind === "leased") return false;
      end(model, aged);
      gone.push(aged);
      return aged.kind === "parked";
    } else if (kind === "reopen" && isActive("parked") && active !== undefined && n % 2 === 0) {
      set(model, { ...active, kind: "waiting", dueAt: model.now });
    } else if (kind === "reopen" && gone.length > 0) {
      const [again] = gone.splice(n % gone.length, 1);
      if (again === undefined) return false;
      const { gapUntil: _gone, ...kept } = again;
      model.members = [...model.members, { ...kept, kind: "waiting" as const, dueAt: model.now }].toSorted(
        compareMembers,
      );
    } else if (kind === "pass") model.now += n % 60;
    return false;
  }

  it.each(policies)("one at a time, nobody before its turn, and nobody left behind: %s", (policy) => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60, size: "max" }), (moves) => {
        const model: Model = { members: [], passed: undefined, now: 0, seq: 0 };
        const gone: LaneMember[] = [];
        for (const each of moves) {
          const passedBefore = model.passed;
          const parkedBefore = model.members.find(({ kind }) => kind === "parked");
          const leasedBefore = model.members.filter(({ kind }) => kind === "leased");
          const parkedAged = apply(model, each, policy, gone);
          const gapUntil = rest(model, parkedAged);

          const actives = model.members.filter(({ kind }) => kind !== "queued");
          expect(actives.length).toBeLessThanOrEqual(1);
          const [active] = actives;
          const head = model.members[0];
          // What is lent stays lent until its holder reports.
          if (["add", "age", "reopen", "pass"].includes(each.kind)) {
            for (const { seq } of leasedBefore) expect(active).toMatchObject({ seq, kind: "leased" });
          }
          // The first is up, or waits for a gap whose end is known, or for one that was up or parked when it came.
          if (head !== undefined && (active === undefined || (active !== head && active.kind === "waiting"))) {
            expect(gapUntil).toBe(head.gapUntil);
            expect(gapUntil).toBeGreaterThan(model.now);
            expect(head.sequence).toBeGreaterThan((model.passed ?? 0) + 1);
          } else expect(gapUntil).toBeUndefined();
          if (policy !== "sequence" && active?.kind === "waiting") expect(active).toBe(head);
          if (parkedBefore !== undefined && ["add", "pass", "lend", "fail", "park", "end"].includes(each.kind)) {
            expect(
              active === undefined || (policy === "latest" && each.kind === "add") || active.kind === "parked",
            ).toBe(true);
          }
          if (parkedAged && head !== undefined && policy !== "latest")
            expect(active).toMatchObject({ kind: "parked", seq: head.seq });
          if (policy === "latest")
            expect(model.members.filter(({ kind }) => kind !== "leased").length).toBeLessThanOrEqual(1);
          if (passedBefore !== undefined) expect(model.passed).toBeGreaterThanOrEqual(passedBefore);
        }
        // With a target that takes everything, all of them end, in their order.
        const ended: LaneMember[] = [];
        for (let n = 0; model.members.length > 0; n++) {
          if (n > 400) throw new Error("somebody starves");
          const gapUntil = rest(model, false);
          const active = model.members.find(({ kind }) => kind !== "queued");
          if (active === undefined) model.now = Math.max(model.now, gapUntil ?? Number.NaN);
          else {
            end(model, active);
            ended.push(active);
          }
        }
        const inOrder = ended
          .slice(1)
          .toSorted(compareMembers)
          .map(({ seq }) => seq);
        expect(ended.slice(1).map(({ seq }) => seq)).toEqual(inOrder);
      }),
      { numRuns: 300 },
    );
  });
});
