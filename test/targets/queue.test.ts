import { describe, expect, it } from "vitest";
import type { CloudEvent } from "../../src/core/event.ts";
import { QUEUE_METADATA_BYTES } from "../../src/core/queue-message.ts";
import { err, ok } from "../../src/core/result.ts";
import { nextStep } from "../../src/core/step.ts";
import type { Claim, QueueBinding, Shipment, TargetIo } from "../../src/core/target.ts";
import queue, { DATAREF_SHOWN, QUEUE_MESSAGE_BYTES_MAX } from "../../src/targets/queue.ts";
import { eventWith, shipmentOf, targetIo } from "../support/target-io.ts";

const DELIVERY_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";

async function sendThrough(send: QueueBinding["send"], event: CloudEvent = eventWith('{"a":1}'), timeoutMs = 1_000) {
  const io = targetIo({ queue: (name) => (name === "AUDIT" ? { send } : undefined) });
  return queue.send(shipmentOf(event), { binding: "AUDIT" }, timeoutMs, io);
}

async function messageOf(event: CloudEvent) {
  const sent: { message: string; contentType: string }[] = [];
  const outcome = await sendThrough((message, { contentType }) => {
    sent.push({ message, contentType });
    return Promise.resolve();
  }, event);
  return { outcome, sent };
}

describe("a queue target", () => {
  it("sends one text message: the structured event with its data untouched and the delivery's id", async () => {
    const { outcome, sent } = await messageOf(eventWith('{ "n": 12345678901234567890 }'));
    expect(outcome).toEqual({ kind: "delivered" });
    expect(sent).toEqual([
      {
        contentType: "text",
        message:
          '{"specversion":"1.0","id":"72d3162e-cc78-11e3-81ab-4c9367dc0958","source":"https://github.com/octocat/hello",' +
          `"type":"com.github.push","datacontenttype":"application/json","deliveryid":"${DELIVERY_ID}",` +
          '"data":{ "n": 12345678901234567890 }}',
      },
    ]);
  });

  it("takes the place of a deliveryid that the event brought along", async () => {
    const { sent } = await messageOf(eventWith(null, { deliveryid: "theirs" }));
    expect(JSON.parse(sent[0]?.message ?? "")).toMatchObject({ deliveryid: DELIVERY_ID });
  });

  it("fills a message to the platform's limit in bytes, not characters", async () => {
    const { outcome, sent } = await messageOf(filled(await roomForData()));
    expect(outcome).toEqual({ kind: "delivered" });
    expect(sent).toHaveLength(1);
    expect(JSON.parse(sent[0]?.message ?? "")).not.toHaveProperty("dataref");
  });

  it("without its binding is misconfigured", async () => {
    const outcome = await queue.send(shipmentOf(eventWith("{}")), { binding: "AUDIT" }, 1_000, targetIo());
    expect(outcome).toMatchObject({ kind: "permanent", reason: "configuration" });
    expect(JSON.stringify(outcome)).toContain("AUDIT");
  });

  it.each([
    ["Queue send failed: Payload Too Large", { kind: "permanent", reason: "too-large" }],
    ["message size of 128001 bytes exceeds limit of 128000 bytes", { kind: "permanent", reason: "too-large" }],
    ["Queue send failed: 413", { kind: "permanent", reason: "too-large" }],
    ["message size of 128001 bytes exceeds limit of 128000 bytes (10204)", { kind: "permanent", reason: "too-large" }],
    ["Queue send failed: Too Many Requests", { kind: "retryable", reason: "queue", answer: { status: 429 } }],
    ["Queue sendBatch failed: Queue is overloaded. Please back off.", { kind: "retryable", answer: { status: 429 } }],
    ["Queue send failed: Free tier limit exceeded (10253)", { kind: "retryable", answer: { status: 429 } }],
    ["internal error; reference = 41341353 413", { kind: "retryable", reason: "queue" }],
    ["Queue send failed: Internal Server Error", { kind: "retryable", reason: "queue" }],
  ])("told %j knows what to do", async (message, expected) => {
    expect(await sendThrough(() => Promise.reject(new Error(message)))).toMatchObject(expected);
  });

  it("that is too busy gets the time that a 429 asks for", async () => {
    const outcome = await sendThrough(() => Promise.reject(new Error("Queue send failed: Too Many Requests")));
    const lease = { failures: 0, expiresInMs: 3_600_000, ageMs: 0 };
    expect(nextStep(outcome, lease, { retryDelaysMs: [5_000] }, () => 0)).toEqual({ kind: "retry", delayMs: 60_000 });
  });

  it("waits for a confirmation no longer than its timeout", async () => {
    expect(await sendThrough(() => new Promise(() => {}), eventWith("{}"), 20)).toEqual({
      kind: "retryable",
      reason: "timeout",
      detail: "the queue did not confirm within 20ms",
    });
  });

  it("tells the queue's batches how long it waits", async () => {
    const given: (AbortSignal | undefined)[] = [];
    await sendThrough(
      (_, { signal }) => {
        given.push(signal);
        return new Promise(() => {});
      },
      eventWith("{}"),
      20,
    );
    expect(given.map((signal) => signal?.aborted)).toEqual([true]);
  });

  it("shares its slot with all that send to the same queue", () => {
    expect(queue.sharesSlot?.({ binding: "AUDIT" })).toBe("AUDIT");
  });

  it("needs its binding in wrangler.toml, nothing else", () => {
    expect(queue.parse({ queue: "AUDIT" })).toEqual({ ok: true, value: { binding: "AUDIT" } });
    expect(queue.queueBindings({ binding: "AUDIT" })).toEqual(["AUDIT"]);
    expect(queue.secretNames({ binding: "AUDIT" })).toEqual([]);
    expect(queue.parse({ queue: "audit queue" }).ok).toBe(false);
    expect(queue.parse({ queue: "AUDIT", format: "raw" })).toMatchObject({ ok: false, error: [{ path: ["format"] }] });
  });
});

function filled(bytes: number): CloudEvent {
  return eventWith("é".repeat(Math.floor(bytes / 2)) + "a".repeat(bytes % 2), { datacontenttype: "text/plain" });
}

/** Bytes of text that fill the largest message. */
async function roomForData(): Promise<number> {
  const empty = await messageOf(eventWith("", { datacontenttype: "text/plain" }));
  const overhead = new TextEncoder().encode(empty.sent[0]?.message ?? "").length;
  return QUEUE_MESSAGE_BYTES_MAX - QUEUE_METADATA_BYTES - overhead;
}

async function claimThrough(shipment: Shipment, claim: TargetIo["claim"]) {
  const sent: string[] = [];
  const claims: Claim[] = [];
  const io = targetIo({
    queue: () => ({ send: async (message) => void sent.push(message) }),
    claim: (wanted) => {
      claims.push(wanted);
      return claim(wanted);
    },
  });
  const outcome = await queue.send(shipment, { binding: "AUDIT" }, 1_000, io);
  return { outcome, sent, claims };
}

const CLAIMED = "https://sluice.example/data/token";
const accepting: TargetIo["claim"] = () => Promise.resolve(ok(CLAIMED));

describe("an event that is too large for a queue", () => {
  it("leaves its data in the body store and refers to it", async () => {
    const event = filled((await roomForData()) + 1);
    const { outcome, sent, claims } = await claimThrough(shipmentOf(event), accepting);
    expect(outcome).toEqual({ kind: "delivered" });
    expect(claims).toEqual([{ deliveryId: DELIVERY_ID, contentType: "text/plain", body: event.body }]);
    expect(JSON.parse(sent[0] ?? "")).toEqual({
      ...event.attributes,
      deliveryid: DELIVERY_ID,
      dataref: CLAIMED,
    });
  });

  it("refers to the body that stands in the store already, whatever its size", async () => {
    const large = { key: "bodies/1", bytes: 10 };
    const shipment = shipmentOf(eventWith(null, { datacontenttype: "application/json" }), { large });
    const { sent, claims } = await claimThrough(shipment, accepting);
    expect(claims).toEqual([{ large }]);
    expect(JSON.parse(sent[0] ?? "")).toMatchObject({ dataref: CLAIMED, datacontenttype: "application/json" });
  });

  it("takes the place of a dataref that the event brought along, whose data it no longer is", async () => {
    const event = filled((await roomForData()) + 1);
    const attributes = { ...event.attributes, dataref: "https://elsewhere.example/" };
    const { sent } = await claimThrough(shipmentOf({ ...event, attributes }), accepting);
    expect(JSON.parse(sent[0] ?? "")).toMatchObject({ dataref: CLAIMED });
  });

  it("is dead while the store is not set up, and says what is missing", async () => {
    const detail = "the variable PUBLIC_URL is not set";
    const refusing: TargetIo["claim"] = () => Promise.resolve(err({ reason: "configuration", detail }));
    const { outcome, sent } = await claimThrough(shipmentOf(filled((await roomForData()) + 1)), refusing);
    expect(sent).toEqual([]);
    expect(outcome).toEqual({
      kind: "permanent",
      reason: "configuration",
      detail: `the message has 128001 bytes with its metadata, a queue takes 128000, and ${detail}`,
    });
  });

  it("is not sent once its time is over, however late the store answers", async () => {
    const late = Promise.withResolvers<Awaited<ReturnType<TargetIo["claim"]>>>();
    const sent: string[] = [];
    const io = targetIo({
      queue: () => ({ send: async (message) => void sent.push(message) }),
      claim: () => late.promise,
    });
    const event = filled((await roomForData()) + 1);
    const outcome = await queue.send(shipmentOf(event), { binding: "AUDIT" }, 20, io);
    expect(outcome).toMatchObject({ kind: "retryable", reason: "timeout" });
    late.resolve(ok(CLAIMED));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sent).toEqual([]);
  });

  it("is tried again while the store is out of reach", async () => {
    const failing: TargetIo["claim"] = () => Promise.resolve(err({ reason: "unavailable", detail: "no answer" }));
    const { outcome } = await claimThrough(shipmentOf(filled((await roomForData()) + 1)), failing);
    expect(outcome).toEqual({ kind: "retryable", reason: "queue", detail: "no answer" });
  });

  it("waits for the store no longer than its timeout", async () => {
    const shipment = shipmentOf(filled((await roomForData()) + 1));
    const io = targetIo({ queue: () => ({ send: () => Promise.resolve() }), claim: () => new Promise(() => {}) });
    expect(await queue.send(shipment, { binding: "AUDIT" }, 20, io)).toMatchObject({ reason: "timeout" });
  });

  it("is dead when even its attributes are too large", async () => {
    const shipment = shipmentOf(eventWith("x", { subject: "s".repeat(QUEUE_MESSAGE_BYTES_MAX) }));
    const { outcome, sent } = await claimThrough(shipment, accepting);
    expect(sent).toEqual([]);
    expect(outcome).toMatchObject({ kind: "permanent", reason: "too-large" });
  });

  it("is previewed as the message that refers", async () => {
    const { body, problem } = queue.preview(
      shipmentOf(filled((await roomForData()) + 1)),
      { binding: "AUDIT" },
      {
        local: undefined,
      },
    );
    expect(JSON.parse(new TextDecoder().decode(body ?? undefined))).toMatchObject({ dataref: DATAREF_SHOWN });
    expect(problem).toBeUndefined();
  });
});
