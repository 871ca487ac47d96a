import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { BATCH_EVENTS_MAX } from "../../src/core/json-format.ts";
import type { Received } from "../../src/core/source.ts";
import asana from "../../src/sources/asana.ts";
import { contextWith, requestOf, textOf } from "./_context.ts";

const SECRET = "asana-secret";
const EVENT = '{"action": "added", "resource": {"gid": "1", "resource_type": "task"}}';

function receive(body: string): Received {
  const parsed = asana.parse({ secrets: ["SECRET"] });
  if (!parsed.ok) throw new Error("the entry is right");
  const headers = { "x-hook-signature": createHmac("sha256", SECRET).update(body).digest("hex") };
  const request = requestOf({ "content-type": "application/json", ...headers }, body);
  const received = asana.receive(request, parsed.value, "asana", contextWith({ SECRET }));
  if (!received.ok) throw new Error(received.error.reason);
  return received.value;
}

describe("events in a member of the payload", () => {
  it("are each an event, with the bytes that stand there", () => {
    const { events, batch } = receive(
      `{"events": [ ${EVENT},${EVENT.replace('"1"', "12345678901234567890")} ], "more": 1}`,
    );
    expect(batch).toBe(true);
    expect(events.map(({ event }) => textOf(event.body))).toEqual([
      EVENT,
      EVENT.replace('"1"', "12345678901234567890"),
    ]);
    expect(events.map(({ event }) => event.attributes.type)).toEqual(["com.asana.task.added", "com.asana.task.added"]);
  });

  it("stay together as one event when there are more than a batch may hold", () => {
    const list = (length: number) => `{"events":[${Array.from({ length }, () => EVENT).join(",")}]}`;
    expect(receive(list(BATCH_EVENTS_MAX)).events).toHaveLength(BATCH_EVENTS_MAX);
    const { events } = receive(list(BATCH_EVENTS_MAX + 1));
    expect(events.map(({ event }) => event.attributes.type)).toEqual(["com.asana.webhook"]);
    expect(textOf(events[0]?.event.body)).toBe(list(BATCH_EVENTS_MAX + 1));
  });

  it("are those of the last list, as for the parser, when the payload names it twice", () => {
    const { events } = receive(`{"events": [1, 2], "events": [${EVENT}]}`);
    expect(events.map(({ event }) => textOf(event.body))).toEqual([EVENT]);
  });

  it("stay one event when they are no objects, or no list", () => {
    for (const body of ['{"events": [1]}', '{"events": {"a": 1}}', "{}"]) {
      expect(receive(body).events.map(({ event }) => textOf(event.body))).toEqual([body]);
    }
  });

  it("are none in an empty list or none at all", () => {
    for (const body of ['{"events": []}', '{"events": null}']) expect(receive(body).events).toEqual([]);
  });
});
