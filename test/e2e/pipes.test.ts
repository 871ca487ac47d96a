/** Events piped from bus to bus and replies, through the whole router as its users run it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, SECRETS, waitFor } from "../support/router-process.ts";

interface ShownEvent {
  readonly id: string;
  readonly status: string;
  readonly from: string;
  readonly bus: string;
  readonly event: { readonly id: string; readonly type: string; readonly sluicehops?: number };
  readonly deliveries: readonly { readonly state: string; readonly reason?: string; readonly detail?: string }[];
}

let workspace: Workspace;
let router: RouterProcess;
let sink: TestServer;

beforeAll(async () => {
  sink = await startServer((response) => response.writeHead(204).end());
  workspace = await createWorkspace();
  await workspace.writeRules({
    "sources.yaml": "events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] }, bus: a }\n",
    "targets.yaml": `sink: { http: "${sink.url}" }\nto-a: { bus: a }\nto-b: { bus: b }\n`,
    // With the transform no check can be sure that this is a circle, or it would not start.
    "a/loop.yaml": "pattern: { type: [loop], data: { inner: { n: [{ exists: true }] } } }\ntargets: [to-b]\n",
    "b/loop.yaml": "pattern: { type: [loop] }\ntargets: [to-a]\ntransform: { path: $.data }\n",
    "a/pipe.yaml": "pattern: { type: [pipe] }\ntargets: [to-b]\ntransform: { path: $.data.inner }\n",
    "a/pipe-too.yaml": "pattern: { type: [pipe] }\ntargets: [to-b]\n",
    "b/pipe.yaml": "pattern: { type: [pipe] }\ntargets: [sink]\n",
  });
  router = await workspace.start();
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await sink.close();
});

async function sendEvent(type: string, id: string): Promise<void> {
  const headers = {
    authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": id,
    "ce-source": "/tests",
    "ce-type": type,
  };
  const body = '{"inner": {"n": 12345678901234567890}}';
  expect((await fetch(`${router.url}/events`, { method: "POST", headers, body })).status).toBe(202);
}

/** Every event with this id, the newest first, in full. */
async function eventsOfId(id: string): Promise<readonly ShownEvent[]> {
  const { events } = await admin<{ events: readonly ShownEvent[] }>(router.url, `events?id=${id}`);
  return Promise.all(events.map((event) => admin<ShownEvent>(router.url, `events/${event.id}`)));
}

describe("a pipe", () => {
  it("publishes on the other bus once for each rule that pipes, transformed where the rule says so", async () => {
    await sendEvent("pipe", "piped-1");
    const events = await waitFor("three delivered events", async () => {
      const found = await eventsOfId("piped-1");
      return found.length === 3 && found.every(({ status }) => status === "delivered") ? found : undefined;
    });
    const places = events.map(({ bus, from, event }) => `${bus} from ${from}, ${event.sluicehops ?? 0} hops`);
    expect(places.toSorted()).toEqual([
      "a from events, 0 hops",
      "b from target:to-b, 1 hops",
      "b from target:to-b, 1 hops",
    ]);
    expect(sink.requests.map(({ body }) => String(body)).toSorted()).toEqual([
      '{"inner": {"n": 12345678901234567890}}',
      expect.stringMatching(/^\{"n":\s?1234567890123456\d+\}$/),
    ]);
    expect(new Set(sink.requests.map(({ headers }) => headers["ce-sluicehops"]))).toEqual(new Set(["1"]));
  });

  it("from a to b to a ends as a loop", async () => {
    await sendEvent("loop", "loop-1");
    const [dead, ...others] = await waitFor("the loop's end", async () => {
      const found = await eventsOfId("loop-1");
      return found.some(({ status }) => status === "dead") && found.every(({ status }) => status !== "pending")
        ? found.toSorted((one, other) => (other.event.sluicehops ?? 0) - (one.event.sluicehops ?? 0))
        : undefined;
    });
    expect(dead).toMatchObject({
      bus: "a",
      event: { sluicehops: 8 },
      deliveries: [
        {
          state: "dead",
          reason: "hop-limit",
          detail:
            "this event has passed through Sluice 8 times; rule a/loop -> target to-b would be the 9th: it is a loop",
        },
      ],
    });
    expect(others.map(({ event, status }) => [event.sluicehops ?? 0, status])).toEqual(
      [7, 6, 5, 4, 3, 2, 1, 0].map((hops) => [hops, "delivered"]),
    );
  });
});
