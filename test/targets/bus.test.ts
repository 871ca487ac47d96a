import { describe, expect, it } from "vitest";
import { err, ok } from "../../src/core/result.ts";
import type { PipedEvent, TargetIo } from "../../src/core/target.ts";
import bus from "../../src/targets/bus.ts";
import { eventWith, shipmentOf, targetIo } from "../support/target-io.ts";

const DELIVERY_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";

function sendThrough(publish: TargetIo["publish"], timeoutMs = 1_000) {
  return bus.send(shipmentOf(eventWith('{"a":1}')), { bus: "audit" }, timeoutMs, targetIo({ publish }));
}

describe("a bus target", () => {
  it("publishes the event on its bus, as the delivery that it is", async () => {
    const published: PipedEvent[] = [];
    const outcome = await sendThrough((piped) => {
      published.push(piped);
      return Promise.resolve(ok(null));
    });
    expect(outcome).toEqual({ kind: "delivered" });
    expect(published).toEqual([{ bus: "audit", deliveryId: DELIVERY_ID, event: eventWith('{"a":1}') }]);
  });

  it("is tried again when the bus stored nothing, and not before the bus asks for it", async () => {
    const detail = "the bus audit did not store it (backlog-full)";
    expect(
      await sendThrough(() => Promise.resolve(err({ reason: "not-stored", detail, retryAfterMs: 30_000 }))),
    ).toEqual({
      kind: "retryable",
      reason: "bus",
      detail,
      retryAfterMs: 30_000,
    });
    expect(await sendThrough(() => Promise.resolve(err({ reason: "not-stored", detail })))).toEqual({
      kind: "retryable",
      reason: "bus",
      detail,
    });
  });

  it("is not tried again for an event in a loop", async () => {
    const detail = "it is a loop";
    expect(await sendThrough(() => Promise.resolve(err({ reason: "hop-limit", detail })))).toEqual({
      kind: "permanent",
      reason: "hop-limit",
      detail,
    });
  });

  it("ends where its payload stands in the body store, and nothing is published", async () => {
    const io = targetIo({ publish: () => Promise.reject(new Error("nothing to publish")) });
    const shipment = shipmentOf(eventWith(null), { large: { key: "bodies/k", bytes: 2_000_000 } });
    expect(await bus.send(shipment, { bus: "audit" }, 1_000, io)).toMatchObject({
      kind: "permanent",
      reason: "too-large",
      detail: expect.stringContaining("2000000 bytes"),
    });
  });

  it("is tried again after its timeout, and after a failure that it knows nothing of", async () => {
    expect(await sendThrough(() => new Promise(() => {}), 20)).toEqual({
      kind: "retryable",
      reason: "timeout",
      detail: "the bus audit did not store the event within 20ms",
    });
    expect(await sendThrough(() => Promise.reject(new Error("no such object")))).toEqual({
      kind: "retryable",
      reason: "bus",
      detail: "publishing on the bus audit failed: no such object",
    });
  });
});

describe("the entry of a bus target", () => {
  it("names the bus and nothing else", () => {
    expect(bus.parse({ bus: "audit" })).toEqual({ ok: true, value: { bus: "audit" } });
    for (const entry of [{}, { bus: "" }, { bus: ["audit"] }, { bus: "audit", format: "raw" }]) {
      expect(bus.parse(entry).ok).toBe(false);
    }
  });
});
