import { describe, expect, it } from "vitest";
import type { CloudEvent } from "../../src/core/event.ts";
import type { QueueBinding } from "../../src/core/target.ts";
import queue, { QUEUE_MESSAGE_BYTES_MAX, QUEUE_METADATA_BYTES } from "../../src/targets/queue.ts";
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

  it("fills a message to the platform's limit in bytes, not characters, and refuses one more", async () => {
    const empty = await messageOf(eventWith("", { datacontenttype: "text/plain" }));
    const overhead = new TextEncoder().encode(empty.sent[0]?.message ?? "").length;
    const room = QUEUE_MESSAGE_BYTES_MAX - QUEUE_METADATA_BYTES - overhead;
    const filled = (bytes: number) =>
      eventWith("é".repeat(Math.floor(bytes / 2)) + "a".repeat(bytes % 2), { datacontenttype: "text/plain" });
    expect((await messageOf(filled(room))).outcome).toEqual({ kind: "delivered" });
    const { outcome, sent } = await messageOf(filled(room + 1));
    expect(sent).toEqual([]);
    expect(outcome).toEqual({
      kind: "permanent",
      reason: "too-large",
      detail: "the message has 128001 bytes with its metadata, a queue takes 128000",
    });
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
    ["Queue send failed: Too Many Requests", { kind: "retryable", reason: "queue", retryAfterMs: 1_000 }],
    ["Queue is overloaded. Please back off.", { kind: "retryable", reason: "queue", retryAfterMs: 1_000 }],
    ["internal error; reference = 41341353 413", { kind: "retryable", reason: "queue" }],
    ["Queue send failed: Internal Server Error", { kind: "retryable", reason: "queue" }],
  ])("told %j knows what to do", async (message, expected) => {
    expect(await sendThrough(() => Promise.reject(new Error(message)))).toMatchObject(expected);
  });

  it("waits for a confirmation no longer than its timeout", async () => {
    expect(await sendThrough(() => new Promise(() => {}), eventWith("{}"), 20)).toEqual({
      kind: "retryable",
      reason: "timeout",
      detail: "the queue did not confirm within 20ms",
    });
  });

  it("needs its binding in wrangler.toml, nothing else", () => {
    expect(queue.parse({ queue: "AUDIT" })).toEqual({ ok: true, value: { binding: "AUDIT" } });
    expect(queue.queueBindings({ binding: "AUDIT" })).toEqual(["AUDIT"]);
    expect(queue.secretNames({ binding: "AUDIT" })).toEqual([]);
    expect(queue.parse({ queue: "audit queue" }).ok).toBe(false);
    expect(queue.parse({ queue: "AUDIT", format: "raw" })).toMatchObject({ ok: false, error: [{ path: ["format"] }] });
  });
});
