import { describe, expect, it } from "vitest";
import type { Delivery, DeliveryState, PlannedLane } from "../../src/core/delivery.ts";
import {
  LEASE_MARGIN_MS,
  describeLease,
  eventStatus,
  isOpen,
  leaseDelivery,
  newDelivery,
  wakesAt,
} from "../../src/core/delivery.ts";
import { PLANNED, deliveryWith } from "../support/deliveries.ts";

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

  it("is queued when it is in a lane, and with a number waits for a gap as long as its rule says", () => {
    const lane: PlannedLane = { id: "lane" };
    expect(newDelivery({ ...PLANNED, lane }, 50).state).toEqual({ kind: "queued", dueAt: 50 });
    expect(newDelivery({ ...PLANNED, lane: { ...lane, sequence: 7, gapWaitMs: 1_000 } }, 50).state).toEqual({
      kind: "queued",
      dueAt: 50,
      gapUntil: 1_050,
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
    expect(describeLease(delivery, 9, { token: "mine", now: 600_000, gated: false })).toEqual({
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

  it("tells its holder when the gate must be asked, and counts an age after a re-drive from there", () => {
    const asked = { token: "mine", now: 10, gated: true };
    expect(describeLease(deliveryWith(), 9, asked)).toMatchObject({ gated: true, ageMs: 10 });
    expect(describeLease(deliveryWith({ expiresAt: 60 + PLANNED.maxAgeMs }), 9, asked).ageMs).toBe(0);
  });
});

const STATES: Readonly<Record<DeliveryState["kind"], DeliveryState>> = {
  waiting: { kind: "waiting", dueAt: 5 },
  queued: { kind: "queued", dueAt: 5, gapUntil: 6 },
  leased: { kind: "leased", token: "t", deadlineAt: 7 },
  parked: { kind: "parked", at: 5, reason: "status", detail: "404" },
  delivered: { kind: "delivered", at: 5 },
  dead: { kind: "dead", at: 5, reason: "status", detail: "404" },
  cancelled: { kind: "cancelled", at: 5, reason: "rule-off" },
};
const inState = (kind: DeliveryState["kind"]): Delivery => deliveryWith({ state: STATES[kind] });
const all = Object.keys(STATES) as readonly DeliveryState["kind"][];

describe("an open delivery", () => {
  it("is one that has not ended, held up or not", () => {
    expect(all.filter((kind) => isOpen(inState(kind)))).toEqual(["waiting", "queued", "leased", "parked"]);
  });
});

describe("when a delivery wakes its partition", () => {
  it("is its due time, but not past its expiry, the end of its lease, or never", () => {
    expect(wakesAt(deliveryWith({ state: { kind: "waiting", dueAt: 5 } }))).toBe(5);
    expect(wakesAt(deliveryWith({ state: { kind: "waiting", dueAt: 5 }, expiresAt: 4 }))).toBe(4);
    expect(wakesAt(inState("leased"))).toBe(7);
    expect(wakesAt({ ...inState("leased"), expiresAt: 6 })).toBe(7);
    for (const kind of ["delivered", "dead", "cancelled"] as const) expect(wakesAt(inState(kind))).toBeNull();
  });

  it("is its expiry when its lane holds it, whatever its due time", () => {
    for (const kind of ["queued", "parked"] as const) expect(wakesAt(inState(kind))).toBe(PLANNED.maxAgeMs);
  });
});

describe("an event's status", () => {
  it("comes from its deliveries: open first, then dead, then delivered", () => {
    const statusOf = (...kinds: readonly DeliveryState["kind"][]) => eventStatus(kinds.map(inState));
    expect(statusOf()).toBe("unmatched");
    expect(statusOf("dead", "waiting", "delivered")).toBe("pending");
    expect(statusOf("leased", "dead")).toBe("pending");
    expect(statusOf("queued", "dead")).toBe("pending");
    expect(statusOf("delivered", "parked", "dead")).toBe("pending");
    expect(statusOf("delivered", "dead", "cancelled")).toBe("dead");
    expect(statusOf("delivered", "cancelled")).toBe("delivered");
    expect(statusOf("cancelled", "cancelled")).toBe("cancelled");
  });
});
