import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { AdminPartitionPort, ListedEvent, ListReply, ListRequest } from "../../src/bus/ports.ts";
import { formatReceipt, partitionName, seqAtMs } from "../../src/core/receipt.ts";
import type { AdminLogPorts } from "../../src/http/admin-log.ts";
import { LOG_PAGE_EVENTS_MAX, logRoutes } from "../../src/http/admin-log.ts";
import { storedEvent } from "../support/accept-requests.ts";

const START = Date.UTC(2026, 0, 1);
const PARTITION = partitionName("default", 1, 0);

function listed(id: string, body: string | Uint8Array | null, datacontenttype = "application/json"): ListedEvent {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const event = storedEvent(id, { body: bytes });
  const attributes = { ...event.attributes, datacontenttype };
  return {
    seq: seqAtMs(START),
    acceptedAt: START,
    status: "delivered",
    deliveries: [],
    event: { ...event, attributes },
  };
}

async function ask(query: string, reply: ListReply) {
  const asked: ListRequest[] = [];
  const list = async (request: ListRequest) => {
    asked.push(request);
    return reply;
  };
  const ports: AdminLogPorts = {
    allPartitions: () => [PARTITION],
    adminPartition: () => ({ list }) as Partial<AdminPartitionPort> as AdminPartitionPort,
  };
  const app = new Hono<{ Variables: { ports: AdminLogPorts } }>();
  app.use(async (c, next) => {
    c.set("ports", ports);
    await next();
  });
  app.route("/log", logRoutes());
  const response = await app.request(`/log${query}`);
  return { response, text: await response.text(), asked };
}

describe("the log", () => {
  it("has events whole, their data as it was received", async () => {
    const data = '{\n  "n": 1.50, "id": 12345678901234567890,\r\n "b": 1, "a": 2 }';
    const { response, text } = await ask("", { events: [listed("e1", data)], scannedTo: null });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(text).toContain(`"data":${data}`);
    expect(JSON.parse(text)).toEqual({
      events: [
        {
          id: formatReceipt({ partition: PARTITION, seq: seqAtMs(START) }),
          acceptedAt: "2026-01-01T00:00:00.000Z",
          bus: "default",
          from: "events",
          rules: ["default/all"],
          event: {
            ...storedEvent("e1").attributes,
            data: { n: 1.5, id: Number("12345678901234567890"), b: 1, a: 2 },
          },
        },
      ],
      next: null,
    });
  });

  it("has text, bytes and nothing as the JSON format has them", async () => {
    const events = [
      listed("text", 'a "b"\n', "text/plain"),
      listed("bytes", Uint8Array.of(255, 0), "application/octet-stream"),
      listed("none", null),
    ];
    const { text } = await ask("", { events, scannedTo: null });
    const shown = (JSON.parse(text) as { events: { event: Record<string, unknown> }[] }).events;
    expect(shown.map(({ event }) => event["data"] ?? event["data_base64"] ?? null)).toEqual(['a "b"\n', "/wA=", null]);
  });

  it("is empty where there is nothing, and says where it goes on", async () => {
    expect(JSON.parse((await ask("", { events: [], scannedTo: null })).text)).toEqual({ events: [], next: null });
    const { text } = await ask("", { events: [], scannedTo: 7 });
    expect(JSON.parse(text)).toEqual({ events: [], next: "7.1" });
  });

  it(`takes the parameters of a search, and a limit up to ${LOG_PAGE_EVENTS_MAX} (LOG_PAGE_EVENTS_MAX)`, async () => {
    const none: ListReply = { events: [], scannedTo: null };
    const { asked } = await ask(`?limit=${LOG_PAGE_EVENTS_MAX}&type=com.github.*&since=2026-01-01T00:00:00Z`, none);
    expect(asked).toEqual([
      {
        before: Number.MAX_SAFE_INTEGER,
        limit: LOG_PAGE_EVENTS_MAX,
        which: "all",
        filter: { type: "com.github.*", sinceMs: START },
        withBodies: true,
      },
    ]);
    for (const query of [`?limit=${LOG_PAGE_EVENTS_MAX + 1}`, "?limit=0", "?typ=a", "?since=x"]) {
      const { response, text, asked: nothing } = await ask(query, none);
      expect(response.status).toBe(400);
      expect(text).toContain("urn:sluice:problem:invalid-query");
      expect(nothing).toEqual([]);
    }
  });
});
