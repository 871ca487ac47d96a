import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Delivery, DeliveryState } from "../../src/core/delivery.ts";
import { LEASE_MARGIN_MS } from "../../src/core/delivery.ts";
import type { Schedule } from "../../src/objects/schedule.ts";
import { createSchedule } from "../../src/objects/schedule.ts";
import { deliveryWith, plannedFor } from "../support/deliveries.ts";

const EVER = Number.POSITIVE_INFINITY;
const anyRoom = () => EVER;
const free = (now: number) => () => now;

function to(target: string, state: DeliveryState, changes: Partial<Delivery> = {}): Delivery {
  return { ...deliveryWith(plannedFor(target)), state, expiresAt: 1_000_000, ...changes };
}
const waiting = (dueAt: number): DeliveryState => ({ kind: "waiting", dueAt });
const leased = (deadlineAt: number): DeliveryState => ({ kind: "leased", token: "t", deadlineAt });
const ended: DeliveryState = { kind: "delivered", at: 0 };

function pickAll(
  schedule: Schedule,
  now: number,
  withinMs = EVER,
  room: (target: string) => number = anyRoom,
): string[] {
  const picked: string[] = [];
  for (let next = schedule.pick(now, withinMs, room); next !== undefined; next = schedule.pick(now, withinMs, room)) {
    picked.push(`${next.seq}/${next.index}`);
  }
  return picked;
}

describe("what can be lent", () => {
  it("is what waits and is due, the earliest first, of equals the event that was accepted first", () => {
    const schedule = createSchedule();
    schedule.follow(2, [to("a", waiting(10)), to("b", waiting(5))]);
    schedule.follow(1, [to("b", waiting(10)), to("a", waiting(11))]);
    schedule.follow(3, [to("a", leased(5)), to("a", { kind: "queued", dueAt: 0 }), to("a", ended)]);
    expect(pickAll(schedule, 10)).toEqual(["2/1", "1/0", "2/0"]);
    expect(pickAll(schedule, 10)).toEqual([]);
    expect(pickAll(schedule, 11)).toEqual(["1/1"]);
  });

  it("is not of a target without room, which keeps no other waiting", () => {
    const schedule = createSchedule();
    schedule.follow(1, [to("full", waiting(1)), to("b", waiting(2))]);
    expect(pickAll(schedule, 10, EVER, (target) => (target === "full" ? 0 : 1))).toEqual(["1/1"]);
    expect(pickAll(schedule, 10)).toEqual(["1/0"]);
  });

  it("fits the span to the millisecond, and one that does not keeps no other of its target waiting", () => {
    const schedule = createSchedule();
    schedule.follow(1, [to("a", waiting(1), { timeoutMs: 20_000 })]);
    schedule.follow(2, [to("a", waiting(2), { timeoutMs: 10_000 })]);
    expect(pickAll(schedule, 10, 10_000 + LEASE_MARGIN_MS - 1)).toEqual([]);
    expect(pickAll(schedule, 10, 10_000 + LEASE_MARGIN_MS)).toEqual(["2/0"]);
    expect(pickAll(schedule, 10, 20_000 + LEASE_MARGIN_MS)).toEqual(["1/0"]);
  });

  it("is never too old: that is only overdue", () => {
    const schedule = createSchedule();
    schedule.follow(1, [to("a", waiting(1), { expiresAt: 50 })]);
    schedule.follow(2, [to("a", waiting(2))]);
    expect(pickAll(schedule, 50)).toEqual(["2/0"]);
    expect(schedule.overdue(50)).toBe(1);
    expect(schedule.nextAt(free(50))).toBe(50);
  });

  it("is what a row has become, not what it was", () => {
    const schedule = createSchedule();
    schedule.follow(1, [to("a", waiting(1)), to("b", waiting(1))]);
    expect(schedule.pick(1, EVER, anyRoom)).toMatchObject({ seq: 1, index: 0 });
    schedule.follow(1, [to("a", leased(500)), to("b", waiting(9), { timeoutMs: 1_000 })]);
    expect(pickAll(schedule, 8)).toEqual([]);
    expect(pickAll(schedule, 9)).toEqual(["1/1"]);
    schedule.follow(1, [to("a", ended), to("b", ended)]);
    expect(pickAll(schedule, 1_000)).toEqual([]);
    expect(schedule.nextAt(free(1_000))).toBeNull();
  });
});

describe("a row that must be looked at", () => {
  it("has a lease that has run out, or one that is too old, and no sooner", () => {
    const schedule = createSchedule();
    schedule.follow(1, [to("a", leased(30), { expiresAt: 10 })]);
    schedule.follow(2, [to("a", { kind: "queued", dueAt: 0 }, { expiresAt: 40 })]);
    schedule.follow(3, [
      to("a", { kind: "parked", at: 0, reason: "status", detail: "" }, { expiresAt: 50 }),
      to("a", ended),
    ]);
    schedule.follow(4, [to("a", waiting(90), { expiresAt: 60 })]);
    expect([29, 30, 39].map((now) => schedule.overdue(now))).toEqual([undefined, 1, 1]);
    schedule.follow(1, [to("a", ended)]);
    expect([39, 40].map((now) => schedule.overdue(now))).toEqual([undefined, 2]);
    schedule.follow(2, [to("a", ended)]);
    expect([49, 50].map((now) => schedule.overdue(now))).toEqual([undefined, 3]);
    schedule.follow(3, [to("a", ended)]);
    expect([59, 60].map((now) => schedule.overdue(now))).toEqual([undefined, 4]);
  });
});

describe("when somebody must look", () => {
  it("is at the first due time, end of a lease or end of age; never for nothing", () => {
    const schedule = createSchedule();
    expect(schedule.nextAt(free(0))).toBeNull();
    schedule.follow(1, [to("a", leased(30))]);
    expect(schedule.nextAt(free(0))).toBe(30);
    schedule.follow(2, [to("a", waiting(20)), to("b", waiting(25))]);
    expect(schedule.nextAt(free(0))).toBe(20);
    schedule.follow(3, [to("b", { kind: "queued", dueAt: 0 }, { expiresAt: 15 })]);
    expect(schedule.nextAt(free(0))).toBe(15);
  });

  it("is not before a target is free, and of one that nobody knows about only the end of age", () => {
    const schedule = createSchedule();
    schedule.follow(1, [to("held", waiting(20)), to("b", waiting(25))]);
    expect(schedule.nextAt((target) => (target === "held" ? 400 : 0))).toBe(25);
    expect(schedule.nextAt(() => 400)).toBe(400);
    expect(schedule.nextAt(() => null)).toBe(1_000_000);
  });
});

describe("whatever happens to rows", () => {
  const state = fc.oneof(
    fc.nat(60).map(waiting),
    fc.nat(60).map(leased),
    fc.constant<DeliveryState>({ kind: "queued", dueAt: 0 }),
    fc.constant(ended),
  );
  const delivery = fc
    .record({
      target: fc.constantFrom("a", "b"),
      state,
      expiresAt: fc.nat(80),
      timeoutMs: fc.constantFrom(1_000, 2_000),
    })
    .map(({ target, ...changes }) => to(target, changes.state, changes));
  const move = fc.record({ seq: fc.nat(6), deliveries: fc.array(delivery, { maxLength: 3 }) });

  it("the schedule says what a look at all of them says", () => {
    fc.assert(
      fc.property(
        fc.array(move, { maxLength: 40, size: "max" }),
        fc.nat(80),
        fc.constantFrom(1_000, 2_000),
        (moves, now, fits) => {
          const schedule = createSchedule();
          const rows = new Map<number, readonly Delivery[]>();
          for (const { seq, deliveries } of moves) {
            schedule.follow(seq, deliveries);
            rows.set(seq, deliveries);
          }
          const all = [...rows].flatMap(([seq, deliveries]) =>
            deliveries.map((each, index) => ({ ...each, seq, index })),
          );
          const times = all.flatMap(({ state: { kind, ...at }, expiresAt }) => {
            if (kind === "leased" && "deadlineAt" in at) return [at.deadlineAt];
            if (kind === "waiting" && "dueAt" in at) return [Math.min(Math.max(at.dueAt, now), expiresAt)];
            return kind === "queued" ? [expiresAt] : [];
          });
          expect(schedule.nextAt(free(now))).toBe(times.length === 0 ? null : Math.min(...times));
          const due = all.filter(
            ({ state: is, expiresAt, timeoutMs }) =>
              is.kind === "waiting" && is.dueAt <= now && expiresAt > now && timeoutMs <= fits,
          );
          const picked = pickAll(schedule, now, fits + LEASE_MARGIN_MS);
          expect(picked.toSorted()).toEqual(due.map(({ seq, index }) => `${seq}/${index}`).toSorted());
          const places = picked.map((name) => {
            const one = due.find(({ seq, index }) => `${seq}/${index}` === name);
            return one?.state.kind === "waiting" ? one.state.dueAt * 100 + one.seq : -1;
          });
          expect(places).toEqual(places.toSorted((a, b) => a - b));
        },
      ),
    );
  });
});
