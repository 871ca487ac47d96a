/** Replies in the real runtime, under the sample rules: what a target answers with goes round by the partitions' own alarms. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AcceptRequest } from "../../src/bus/ports.ts";
import { HOPS_MAX } from "../../src/core/hops.ts";
import type { SentRequest, ShownEvent } from "./router.ts";
import {
  admin,
  answerTargets,
  eventWithStatus,
  partition,
  receiptOf,
  send,
  sendWith,
  structuredCall,
  eventOf,
} from "./router.ts";

const EVENTS = "/events";

beforeEach(() => void vi.spyOn(console, "log").mockImplementation(() => undefined));
afterEach(() => void vi.restoreAllMocks());

/** A reply that one of the sample rules wants. */
function replyWith(id: string, attributes: Readonly<Record<string, unknown>> = {}): Response {
  const body = JSON.stringify(eventOf({ id, source: "/replies", ...attributes, data: { id } }));
  return new Response(body, { headers: { "content-type": "application/cloudevents+json" } });
}

const idOf = (request: SentRequest): string => String(request.headers.get("ce-id"));

async function eventsOfId(id: string): Promise<readonly { readonly id: string }[]> {
  return (await admin<{ events: readonly { readonly id: string }[] }>(`/events?id=${id}`)).events;
}

/** The one event with this id, once it has this status. */
async function storedReply(id: string, status: string): Promise<ShownEvent> {
  const [found] = await vi.waitFor(
    async () => {
      const events = await eventsOfId(id);
      expect(events).toHaveLength(1);
      return events;
    },
    { timeout: 5_000, interval: 25 },
  );
  return eventWithStatus(found?.id ?? "", status);
}

describe("a reply", () => {
  it("is stored when the delivery is delivered, and delivered to the rules that want it", async () => {
    const sent = answerTargets((request) =>
      idOf(request) === "asked-1" ? replyWith("answered-1") : new Response("ok"),
    );
    const receipt = receiptOf(await send(EVENTS, structuredCall(eventOf({ id: "asked-1" }))));
    await eventWithStatus(receipt.id, "delivered");
    expect(await eventsOfId("answered-1")).toHaveLength(1);

    const reply = await storedReply("answered-1", "delivered");
    expect(reply).toMatchObject({
      from: "target:printer",
      bus: "default",
      rules: ["default/order-placed"],
      event: { id: "answered-1", source: "/replies", sluicehops: 1, data: { id: "answered-1" } },
    });
    expect(sent.map(idOf)).toEqual(["asked-1", "answered-1"]);
    expect(sent[1]?.headers.get("ce-sluicehops")).toBe("1");
    expect(sent[1]?.body).toBe('{"id":"answered-1"}');
  });

  it("that is malformed is not published, and the attempt says why", async () => {
    answerTargets(() => replyWith("malformed", { time: "yesterday" }));
    const receipt = receiptOf(await send(EVENTS, structuredCall(eventOf({ id: "asked-2" }))));
    const { deliveries } = await eventWithStatus(receipt.id, "delivered");
    expect(deliveries[0]?.attempts).toMatchObject([
      {
        outcome: "delivered",
        detail: expect.stringContaining("was not published: its attribute time"),
        answer: { status: 200 },
      },
    ]);
    expect(await eventsOfId("malformed")).toEqual([]);
  });

  it("to each reply ends as a loop", async () => {
    let replies = 0;
    const sent = answerTargets((request) =>
      idOf(request).startsWith("loop-") ? replyWith(`loop-${++replies}`) : new Response("ok"),
    );
    receiptOf(await send(EVENTS, structuredCall(eventOf({ id: "loop-0" }))));
    const last = await storedReply(`loop-${HOPS_MAX}`, "dead");
    expect(last.deliveries).toMatchObject([
      {
        state: "dead",
        reason: "hop-limit",
        attemptCount: 1,
        detail: expect.stringMatching(/the target took the event.*passed through Sluice 8 times.*would be the 9th/),
      },
    ]);
    expect(sent).toHaveLength(HOPS_MAX + 1);
    expect(await eventsOfId(`loop-${HOPS_MAX + 1}`)).toEqual([]);
  });

  it("that could not be stored is asked for again, with the same webhook-id", async () => {
    const sent = answerTargets((request) =>
      idOf(request) === "asked-3" ? replyWith("answered-3") : new Response("ok"),
    );
    const refused: string[] = [];
    const get = (name: string) => ({
      accept: async (request: AcceptRequest) => {
        const from = request.items[0]?.event.source ?? "";
        if (from === "events") return partition(name).accept(request);
        refused.push(from);
        throw new Error("no storage");
      },
      settle: (request: Parameters<ReturnType<typeof partition>["settle"]>[0]) => partition(name).settle(request),
    });
    const bindings = { PARTITION: { idFromName: (name: string) => name, get } };
    const receipt = receiptOf(await sendWith(bindings, EVENTS, structuredCall(eventOf({ id: "asked-3" }))));
    expect(refused).toEqual(["target:printer"]);
    const pending = await eventWithStatus(receipt.id, "pending");
    expect(pending.deliveries[0]?.attempts).toMatchObject([
      {
        outcome: "retryable",
        reason: "reply",
        detail: expect.stringContaining("storage-unavailable"),
        answer: { status: 200 },
      },
    ]);
    expect(await eventsOfId("answered-3")).toEqual([]);

    // The second attempt comes 4 to 6 s later, by the alarm, which reaches the real partitions.
    await vi.waitFor(() => expect(sent.filter((request) => idOf(request) === "asked-3")).toHaveLength(2), {
      timeout: 10_000,
      interval: 100,
    });
    await storedReply("answered-3", "delivered");
    await eventWithStatus(receipt.id, "delivered");
    const webhookIds = sent
      .filter((request) => idOf(request) === "asked-3")
      .map(({ headers }) => headers.get("webhook-id"));
    expect(webhookIds[0]).toMatch(/^dlv_/);
    expect(new Set(webhookIds).size).toBe(1);
  }, 20_000);
});

describe("an event that says it has passed through Sluice too often", () => {
  it.each([
    ["more often than it may", HOPS_MAX + 1],
    ["in no number", "often"],
  ])("is accepted, and dead without being sent: %s", async (_what, sluicehops) => {
    const sent = answerTargets(() => new Response("ok"));
    const receipt = receiptOf(await send(EVENTS, structuredCall(eventOf({ id: `hops-${sluicehops}`, sluicehops }))));
    const { deliveries } = await eventWithStatus(receipt.id, "dead");
    expect(deliveries).toMatchObject([
      { state: "dead", reason: "hop-limit", detail: expect.stringContaining("sluicehops") },
    ]);
    expect(sent).toEqual([]);
  });
});
