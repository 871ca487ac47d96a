import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/core/delivery.ts";
import {
  ATTEMPTS_KEPT_MAX,
  LEASE_MARGIN_MS,
  advanceDelivery,
  describeLease,
  eventStatus,
  isOpen,
  leaseDelivery,
  newDelivery,
  redriveDelivery,
  settleDelivery,
  wakesAt,
} from "../../src/core/delivery.ts";
import type { Step } from "../../src/core/step.ts";
import { PLANNED, attemptWith, deliveryWith, settlementFor } from "../support/deliveries.ts";

const DELIVERED: Step = { kind: "delivered" };
const RETRY: Step = { kind: "retry", delayMs: 5_000 };
const DEAD: Step = { kind: "dead", reason: "status", detail: "404" };
const CANCELLED: Step = { kind: "cancelled", reason: "rule-off" };
const RELEASE: Step = { kind: "release", delayMs: 7 };

function settled(delivery: Delivery, token: string, step: Step, now = 1_000): Delivery {
  return settleDelivery(delivery, settlementFor({ seq: 1, deliveryId: delivery.id, token }, step), now);
}

function leased(changes: Partial<Delivery> = {}): Delivery {
  return leaseDelivery(deliveryWith(changes), "mine", 0);
}

describe("a new delivery", () => {
  it("is due at once and expires at its maximum age", () => {
    expect(newDelivery(PLANNED, 50)).toMatchObject({
      id: PLANNED.id,
      state: { kind: "waiting", dueAt: 50 },
      expiresAt: 50 + PLANNED.maxAgeMs,
      attemptCount: 0,
      failures: 0,
      attempts: [],
    });
  });
});

describe("a lease", () => {
  it("lasts the target's timeout and a margin", () => {
    expect(leaseDelivery(deliveryWith(), "mine", 1_000).state).toEqual({
      kind: "leased",
      token: "mine",
      deadlineAt: 1_000 + PLANNED.timeoutMs + LEASE_MARGIN_MS,
    });
  });

  it("tells its holder spans of time and which attempt this is", () => {
    const delivery = deliveryWith({ attemptCount: 4, failures: 3 });
    expect(describeLease(delivery, 9, "mine", 600_000)).toEqual({
      seq: 9,
      deliveryId: PLANNED.id,
      rule: PLANNED.rule,
      target: PLANNED.target,
      token: "mine",
      attempt: 5,
      failures: 3,
      timeoutMs: PLANNED.timeoutMs,
      leaseMs: PLANNED.timeoutMs + LEASE_MARGIN_MS,
      expiresInMs: 3_000_000,
      ageMs: 600_000,
    });
  });
});

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

  it("still moves the delivery when its time is over and nobody else has taken it", () => {
    const late = PLANNED.timeoutMs + LEASE_MARGIN_MS + 60_000;
    expect(settled(leased(), "mine", RETRY, late).state).toEqual({ kind: "waiting", dueAt: late + 5_000 });
  });
});

describe("a holder of a lease that is over", () => {
  const others: readonly [string, Delivery][] = [
    ["waiting", deliveryWith({ state: { kind: "waiting", dueAt: 77 } })],
    ["leased to another", deliveryWith({ state: { kind: "leased", token: "other", deadlineAt: 99 } })],
    ["delivered", deliveryWith({ state: { kind: "delivered", at: 5 } })],
    ["dead", deliveryWith({ state: { kind: "dead", at: 5, reason: "status", detail: "404" } })],
    ["cancelled", deliveryWith({ state: { kind: "cancelled", at: 5, reason: "rule-off" } })],
  ];

  it.each(others)("changes nothing by a failure, but its attempt is recorded: %s", (_, delivery) => {
    for (const step of [RETRY, DEAD]) {
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
  it.each([DELIVERED, RETRY, DEAD])("is one attempt: $kind", (step) => {
    const once = settled(leased(), "mine", step);
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

  it("leaves everything else alone", () => {
    for (const other of [
      deliveryWith(),
      leased(),
      settled(leased(), "mine", DELIVERED),
      settled(leased(), "mine", CANCELLED),
    ]) {
      expect(redriveDelivery(other, 1e9)).toBe(other);
    }
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

describe("when a delivery wakes its partition", () => {
  it("is its due time, but not past its expiry, the end of its lease, or never", () => {
    expect(wakesAt(deliveryWith({ state: { kind: "waiting", dueAt: 5 } }))).toBe(5);
    expect(wakesAt(deliveryWith({ state: { kind: "waiting", dueAt: 5 }, expiresAt: 4 }))).toBe(4);
    expect(wakesAt(leased())).toBe(PLANNED.timeoutMs + LEASE_MARGIN_MS);
    for (const step of [DELIVERED, DEAD, CANCELLED]) expect(wakesAt(settled(leased(), "mine", step))).toBeNull();
  });
});

describe("an event's status", () => {
  const open = deliveryWith();
  const delivered = settled(leased(), "mine", DELIVERED);
  const dead = settled(leased(), "mine", DEAD);
  const cancelled = settled(leased(), "mine", CANCELLED);

  it("comes from its deliveries: open first, then dead, then delivered", () => {
    expect(eventStatus([])).toBe("unmatched");
    expect(eventStatus([dead, open, delivered])).toBe("pending");
    expect(eventStatus([leased(), dead])).toBe("pending");
    expect(eventStatus([delivered, dead, cancelled])).toBe("dead");
    expect(eventStatus([delivered, cancelled])).toBe("delivered");
    expect(eventStatus([cancelled, cancelled])).toBe("cancelled");
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
      step: fc.constantFrom(DELIVERED, RETRY, DEAD, CANCELLED, RELEASE),
      whose: fc.nat(5),
    }),
  );

  it("delivered and cancelled are final, the counts only rise, and every open delivery has a time to wake", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), fc.infiniteStream(fc.nat(40_000)), (moves, spans) => {
        let now = 0;
        let delivery = deliveryWith();
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
