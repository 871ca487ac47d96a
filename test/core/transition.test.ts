import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Delivery, DeliveryState } from "../../src/core/delivery.ts";
import { LEASE_MARGIN_MS, isOpen, leaseDelivery, newDelivery, wakesAt } from "../../src/core/delivery.ts";
import type { LaneMember } from "../../src/core/lane.ts";
import type { Step } from "../../src/core/step.ts";
import {
  ATTEMPTS_KEPT_MAX,
  advanceDelivery,
  moveInLane,
  redeliver,
  redriveDelivery,
  settleDelivery,
} from "../../src/core/transition.ts";
import { PLANNED, attemptWith, deliveryWith, plannedFor, settlementFor } from "../support/deliveries.ts";

const DELIVERED: Step = { kind: "delivered" };
const RETRY: Step = { kind: "retry", delayMs: 5_000 };
const DEAD: Step = { kind: "dead", reason: "status", detail: "404" };
const CANCELLED: Step = { kind: "cancelled", reason: "rule-off" };
const RELEASE: Step = { kind: "release", delayMs: 7 };
const PARK: Step = { kind: "park", reason: "status", detail: "404" };
const PARKED: DeliveryState = { kind: "parked", at: 5, reason: "status", detail: "404" };
const QUEUED: DeliveryState = { kind: "queued", dueAt: 77, gapUntil: 99 };
const LANE = { id: "lane" };

function settled(delivery: Delivery, token: string, step: Step, now = 1_000): Delivery {
  return settleDelivery(delivery, settlementFor({ seq: 1, deliveryId: delivery.id, token }, step), now);
}

function leased(changes: Partial<Delivery> = {}): Delivery {
  return leaseDelivery(deliveryWith(changes), "mine", 0);
}

describe("the holder of the lease", () => {
  it("delivers", () => {
    const after = settled(leased({ lostLeases: 2 }), "mine", DELIVERED);
    expect(after).toMatchObject({ state: { kind: "delivered", at: 1_000 }, attemptCount: 1, lostLeases: 0 });
    expect(after.attempts).toMatchObject([{ token: "mine", outcome: "delivered" }]);
  });

  it("retries: one more failure, waiting for the delay, no lost leases any more", () => {
    expect(settled(leased({ failures: 1, lostLeases: 2 }), "mine", RETRY)).toMatchObject({
      state: { kind: "waiting", dueAt: 6_000 },
      failures: 2,
      attemptCount: 1,
      lostLeases: 0,
    });
  });

  it("releases: due after the delay, its place in the retry schedule kept, and no attempt", () => {
    expect(settled(leased({ failures: 1, attemptCount: 1 }), "mine", RELEASE)).toMatchObject({
      state: { kind: "waiting", dueAt: 1_007 },
      failures: 1,
      attemptCount: 1,
      attempts: [],
    });
  });

  it("takes the target's new timeout over, from the holder only", () => {
    const settlement = {
      ...settlementFor({ seq: 1, deliveryId: PLANNED.id, token: "mine" }, RELEASE),
      timeoutMs: 25_000,
    };
    expect(settleDelivery(leased(), settlement, 1_000).timeoutMs).toBe(25_000);
    expect(settleDelivery(leased(), { ...settlement, token: "stale" }, 1_000).timeoutMs).toBe(PLANNED.timeoutMs);
  });

  it("breaks a row of lost leases by a release too: it lived to tell", () => {
    expect(settled(leased({ lostLeases: 4 }), "mine", RELEASE).lostLeases).toBe(0);
  });

  it("ends it dead or cancelled, with the reason", () => {
    expect(settled(leased(), "mine", DEAD).state).toEqual({ kind: "dead", at: 1_000, reason: "status", detail: "404" });
    expect(settled(leased(), "mine", CANCELLED).state).toEqual({ kind: "cancelled", at: 1_000, reason: "rule-off" });
  });

  it("stops a lane with it, keeping its failures; what is in no lane is dead instead", () => {
    const parked = settled(leased({ lane: LANE, failures: 2 }), "mine", PARK);
    expect(parked).toMatchObject({
      state: { kind: "parked", at: 1_000, reason: "status", detail: "404" },
      failures: 2,
      attemptCount: 1,
    });
    expect(isOpen(parked)).toBe(true);
    expect(settled(leased(), "mine", PARK).state).toEqual({ kind: "dead", at: 1_000, reason: "status", detail: "404" });
  });

  it("ends a delivery of a lane dead where that is what its rule wants", () => {
    const skip: Step = { kind: "dead", reason: "skipped", detail: "failed 3 times" };
    expect(settled(leased({ lane: LANE }), "mine", skip).state).toMatchObject({ kind: "dead", reason: "skipped" });
  });

  it("still moves the delivery when its time is over and nobody else has taken it", () => {
    const late = PLANNED.timeoutMs + LEASE_MARGIN_MS + 60_000;
    expect(settled(leased(), "mine", RETRY, late).state).toEqual({ kind: "waiting", dueAt: late + 5_000 });
  });
});

describe("a holder of a lease that is over", () => {
  const others: readonly [string, Delivery][] = [
    ["waiting", deliveryWith({ state: { kind: "waiting", dueAt: 77 } })],
    ["queued", deliveryWith({ lane: LANE, state: QUEUED })],
    ["parked", deliveryWith({ lane: LANE, state: PARKED })],
    ["leased to another", deliveryWith({ state: { kind: "leased", token: "other", deadlineAt: 99 } })],
    ["delivered", deliveryWith({ state: { kind: "delivered", at: 5 } })],
    ["dead", deliveryWith({ state: { kind: "dead", at: 5, reason: "status", detail: "404" } })],
    ["cancelled", deliveryWith({ state: { kind: "cancelled", at: 5, reason: "rule-off" } })],
  ];

  it.each(others)("changes nothing by a failure, but its attempt is recorded: %s", (_, delivery) => {
    for (const step of [RETRY, DEAD, PARK]) {
      const after = settled(delivery, "mine", step);
      expect(after.attempts).toHaveLength(1);
      expect(after.attemptCount).toBe(1);
      expect({ ...after, attempts: [], attemptCount: 0 }).toEqual(delivery);
    }
  });

  it.each(others)("changes nothing at all when it sent nothing: %s", (_, delivery) => {
    expect(settled(delivery, "mine", RELEASE)).toBe(delivery);
    expect(settled(delivery, "mine", CANCELLED)).toBe(delivery);
  });

  it.each(others.filter(([, delivery]) => isOpen(delivery)))(
    "ends by a late success what is open: %s",
    (_, delivery) => {
      expect(settled(delivery, "mine", DELIVERED).state).toEqual({ kind: "delivered", at: 1_000 });
    },
  );

  it.each(others.filter(([, delivery]) => !isOpen(delivery)))(
    "only adds a late success to the record of what has ended: %s",
    (_, delivery) => {
      const after = settled(delivery, "mine", DELIVERED);
      expect(after.state).toEqual(delivery.state);
      expect(after.attempts).toMatchObject([{ outcome: "delivered" }]);
    },
  );
});

describe("a settle that is reported twice", () => {
  it.each([DELIVERED, RETRY, DEAD, PARK])("is one attempt: $kind", (step) => {
    const once = settled(leased({ lane: LANE }), "mine", step);
    expect(settled(once, "mine", step, 2_000)).toEqual(once);
  });
});

describe("a lease that ran out", () => {
  const deadline = PLANNED.timeoutMs + LEASE_MARGIN_MS;

  it("is left alone until its deadline", () => {
    const delivery = leased();
    expect(advanceDelivery(delivery, deadline - 1)).toBe(delivery);
  });

  it("is due at once the first time, recorded as lost, and no failure of the target", () => {
    const after = advanceDelivery(leased(), deadline);
    expect(after).toMatchObject({
      state: { kind: "waiting", dueAt: deadline },
      lostLeases: 1,
      failures: 0,
      attemptCount: 1,
      attempts: [{ token: "mine", startedAt: 0, durationMs: deadline, outcome: "lost" }],
    });
  });

  it("waits longer each time from the second on: 1 s doubling to 5 min", () => {
    const delays = Array.from({ length: 12 }, (_, lostLeases) => {
      const { state } = advanceDelivery(leased({ lostLeases }), deadline);
      return state.kind === "waiting" ? state.dueAt - deadline : state;
    });
    expect(delays).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]);
  });

  it("gives its record of a loss up for what is reported later", () => {
    const lost = advanceDelivery(leased(), deadline);
    const told = settled(lost, "mine", RETRY, deadline + 5);
    expect(told.attempts).toMatchObject([{ token: "mine", outcome: "retryable", detail: "503" }]);
    expect(told.attemptCount).toBe(1);
    expect(told.state).toEqual(lost.state);
    expect(settled(lost, "mine", DELIVERED, deadline + 5)).toMatchObject({
      state: { kind: "delivered" },
      attempts: [{ outcome: "delivered" }],
      attemptCount: 1,
    });
  });
});

describe("the maximum age", () => {
  it("ends a waiting delivery as expired, at the instant and not before", () => {
    const delivery = deliveryWith({ attempts: [attemptWith("a", { detail: "503 busy" })], attemptCount: 1 });
    expect(advanceDelivery(delivery, delivery.expiresAt - 1)).toBe(delivery);
    expect(advanceDelivery(delivery, delivery.expiresAt).state).toEqual({
      kind: "dead",
      at: delivery.expiresAt,
      reason: "expired",
      detail: "last: 503 busy",
    });
  });

  it("says so when there was no attempt", () => {
    expect(advanceDelivery(deliveryWith(), 1e9).state).toMatchObject({ detail: "never attempted" });
  });

  it("does not take a lease away, and ends the delivery when the lease runs out past it", () => {
    const late = leaseDelivery(deliveryWith(), "mine", PLANNED.maxAgeMs - 1);
    expect(advanceDelivery(late, PLANNED.maxAgeMs + 1)).toBe(late);
    expect(advanceDelivery(late, PLANNED.maxAgeMs + 30_000).state).toMatchObject({
      kind: "dead",
      reason: "expired",
    });
  });

  it("ends what its lane holds up, and says what it waited for", () => {
    const last = { attempts: [attemptWith("a", { detail: "503 busy" })], attemptCount: 1 };
    const expired = (state: DeliveryState, more: Partial<Delivery> = {}) =>
      advanceDelivery(deliveryWith({ lane: LANE, state, ...more }), PLANNED.maxAgeMs).state;
    expect(expired(QUEUED)).toEqual({
      kind: "dead",
      at: PLANNED.maxAgeMs,
      reason: "expired-while-held",
      detail: "it waited behind others of its lane; never attempted",
    });
    expect(expired(PARKED, last)).toMatchObject({
      reason: "expired-while-held",
      detail: "its lane was parked: 404; last: 503 busy",
    });
    for (const state of [QUEUED, PARKED]) {
      const early = deliveryWith({ lane: LANE, state });
      expect(advanceDelivery(early, PLANNED.maxAgeMs - 1)).toBe(early);
    }
  });

  it("ends what waits for a target that is held, and says why it was held", () => {
    expect(advanceDelivery(deliveryWith(), PLANNED.maxAgeMs, "paused").state).toMatchObject({
      reason: "expired-while-held",
      detail: "its target was held: paused; never attempted",
    });
    const lent = leaseDelivery(deliveryWith(), "mine", PLANNED.maxAgeMs - 1);
    expect(advanceDelivery(lent, PLANNED.maxAgeMs + 30_000, "breaker").state).toMatchObject({
      reason: "expired-while-held",
    });
  });

  it("leaves ended deliveries as they are", () => {
    for (const step of [DELIVERED, DEAD, CANCELLED]) {
      const ended = settled(leased(), "mine", step);
      expect(advanceDelivery(ended, 1e12)).toBe(ended);
    }
  });
});

describe("a re-drive", () => {
  it("opens a dead delivery under its id, from the start of its schedule and age, with its attempts kept", () => {
    const dead = settled(leased({ failures: 5, attemptCount: 5, lostLeases: 1 }), "mine", DEAD);
    expect(redriveDelivery(dead, 1e9)).toEqual({
      ...dead,
      state: { kind: "waiting", dueAt: 1e9 },
      expiresAt: 1e9 + PLANNED.maxAgeMs,
      failures: 0,
      lostLeases: 0,
    });
  });

  it("opens a parked delivery again, which then goes by its schedule from the start", () => {
    const parked = deliveryWith({ lane: LANE, state: PARKED, failures: 3, note: "late" });
    expect(redriveDelivery(parked, 900)).toEqual({
      ...parked,
      state: { kind: "waiting", dueAt: 900 },
      expiresAt: 900 + PLANNED.maxAgeMs,
      failures: 0,
    });
  });

  it("leaves everything else alone", () => {
    for (const other of [
      deliveryWith(),
      deliveryWith({ lane: LANE, state: QUEUED }),
      leased(),
      settled(leased(), "mine", DELIVERED),
      settled(leased(), "mine", CANCELLED),
    ]) {
      expect(redriveDelivery(other, 1e9)).toBe(other);
    }
  });
});

describe("a redelivery by the sender", () => {
  const now = 1e9;
  const planned = plannedFor("ci", { id: PLANNED.id, timeoutMs: 20_000, maxAgeMs: 60_000 });
  const cancelled = (reason: "rule-off" | "rule-removed" | "target-removed" | "superseded") =>
    deliveryWith({ state: { kind: "cancelled", at: 5, reason }, failures: 4, lostLeases: 1 });

  it("opens what was cancelled, as the rules want it now", () => {
    for (const reason of ["rule-off", "rule-removed", "target-removed"] as const) {
      expect(redeliver(cancelled(reason), planned, now)).toMatchObject({
        id: PLANNED.id,
        state: { kind: "waiting", dueAt: now },
        timeoutMs: 20_000,
        expiresAt: now + 60_000,
        failures: 0,
        lostLeases: 0,
      });
    }
  });

  it("leaves alone what a newer event has replaced, and what is open or delivered", () => {
    for (const other of [
      cancelled("superseded"),
      deliveryWith(),
      leased(),
      deliveryWith({ lane: LANE, state: QUEUED }),
      settled(leased(), "mine", DELIVERED),
    ]) {
      expect(redeliver(other, planned, now)).toBe(other);
    }
  });

  it("opens parked ones as a re-drive does, where they are", () => {
    const parked = deliveryWith({ lane: LANE, state: PARKED });
    expect(redeliver(parked, planned, now)).toEqual(redriveDelivery(parked, now));
  });

  it("opens dead ones as they are planned now: timeout, age and lane", () => {
    const dead = deliveryWith({ lane: LANE, state: { kind: "dead", at: 5, reason: "expired", detail: "" } });
    const { lane: _none, ...reopened } = redriveDelivery({ ...dead, timeoutMs: 1_000, maxAgeMs: 2_000 }, now);
    const changed = { ...planned, timeoutMs: 1_000, maxAgeMs: 2_000 };
    expect(redeliver(dead, changed, now)).toEqual(reopened);
    const other = { id: "other" };
    expect(redeliver(dead, { ...changed, lane: other }, now)).toEqual({ ...reopened, lane: other });
  });
});

describe("a place in a lane", () => {
  const queued = newDelivery({ ...PLANNED, lane: LANE }, 0);
  const member = { seq: 1, deliveryId: PLANNED.id } as LaneMember;

  it("is given without a change to anything but the state", () => {
    const { state: _state, ...rest } = queued;
    const moved = (change: Parameters<typeof moveInLane>[1]) => moveInLane(queued, change, 40);
    expect(moved({ member, to: "waiting", dueAt: 50 })).toEqual({ ...rest, state: { kind: "waiting", dueAt: 50 } });
    expect(moved({ member, to: "queued", dueAt: 50 })).toEqual({ ...rest, state: { kind: "queued", dueAt: 50 } });
    expect(moved({ member, to: "superseded" })).toEqual({
      ...rest,
      state: { kind: "cancelled", at: 40, reason: "superseded" },
    });
    expect(moved({ member, to: "parked" })).toEqual({
      ...rest,
      state: {
        kind: "parked",
        at: 40,
        reason: "lane-parked",
        detail: "the one before it had stopped the lane, and grew too old",
      },
    });
  });

  it("comes with a note where its number was not the next, and keeps one that it was sent with", () => {
    const noted = moveInLane(queued, { member, to: "waiting", dueAt: 50, note: "late" }, 40);
    expect(noted.note).toBe("late");
    expect(moveInLane(noted, { member, to: "queued", dueAt: 50 }, 41).note).toBe("late");
    expect(moveInLane({ ...noted, attemptCount: 1 }, { member, to: "waiting", dueAt: 50 }, 42).note).toBe("late");
    expect(moveInLane(noted, { member, to: "waiting", dueAt: 50 }, 42)).not.toHaveProperty("note");
  });
});

describe("the record of attempts", () => {
  it("keeps the newest, and goes on counting", () => {
    let delivery = deliveryWith();
    for (let n = 1; n <= ATTEMPTS_KEPT_MAX + 5; n++) {
      delivery = settled(leaseDelivery(delivery, `t${n}`, 0), `t${n}`, RETRY);
      expect(delivery.attempts).toHaveLength(Math.min(n, ATTEMPTS_KEPT_MAX));
      expect(delivery.attemptCount).toBe(n);
    }
    expect(delivery.attempts.map(({ token }) => token)).toEqual(
      Array.from({ length: ATTEMPTS_KEPT_MAX }, (_, index) => `t${index + 6}`),
    );
  });

  it("keeps the text of the newest answer only, and the status of all", () => {
    let delivery = deliveryWith();
    for (const token of ["a", "b"]) {
      const attempt = attemptWith(token, { answer: { status: 503, body: `busy ${token}` } });
      delivery = settleDelivery(
        leaseDelivery(delivery, token, 0),
        { seq: 1, deliveryId: delivery.id, token, step: RETRY, attempt },
        0,
      );
    }
    expect(delivery.attempts.map(({ answer }) => answer)).toEqual([{ status: 503 }, { status: 503, body: "busy b" }]);
  });
});

describe("whatever happens to a delivery in whatever order", () => {
  type Move =
    | { readonly kind: "take" | "pass" | "redrive" }
    | { readonly kind: "report"; readonly step: Step; readonly whose: number };
  const move: fc.Arbitrary<Move> = fc.oneof(
    fc.record({ kind: fc.constantFrom("take" as const, "pass" as const, "redrive" as const) }),
    fc.record({
      kind: fc.constant("report" as const),
      step: fc.constantFrom(DELIVERED, RETRY, DEAD, CANCELLED, RELEASE, PARK),
      whose: fc.nat(5),
    }),
  );

  it("delivered and cancelled are final, the counts only rise, and every open delivery has a time to wake", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40, size: "max" }), fc.infiniteStream(fc.nat(40_000)), (moves, spans) => {
        let now = 0;
        let delivery = deliveryWith({ lane: LANE });
        const tokens: string[] = [];
        for (const each of moves) {
          const before = delivery;
          if (each.kind === "take" && delivery.state.kind === "waiting" && delivery.state.dueAt <= now) {
            tokens.push(`t${tokens.length}`);
            delivery = leaseDelivery(delivery, tokens.at(-1) ?? "", now);
          } else if (each.kind === "pass") {
            now += spans.next().value ?? 0;
            delivery = advanceDelivery(delivery, now);
          } else if (each.kind === "redrive") delivery = redriveDelivery(delivery, now);
          else if (each.kind === "report" && tokens.length > 0) {
            delivery = settled(delivery, tokens[each.whose % tokens.length] ?? "", each.step, now);
          }
          if (before.state.kind === "delivered" || before.state.kind === "cancelled") {
            expect(delivery.state).toEqual(before.state);
          }
          if (before.state.kind === "dead" && each.kind !== "redrive") expect(delivery.state).toEqual(before.state);
          expect(delivery.id).toBe(before.id);
          expect(delivery.attemptCount).toBeGreaterThanOrEqual(before.attemptCount);
          expect(delivery.attemptCount).toBeLessThanOrEqual(tokens.length);
          expect(new Set(delivery.attempts.map(({ token }) => token)).size).toBe(delivery.attempts.length);
          expect(wakesAt(delivery) !== null).toBe(isOpen(delivery));
        }
      }),
    );
  });
});
