/** Queue targets against the local queue broker, with a consumer that hands on what it gets. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HTTP } from "cloudevents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Router, RouterOptions } from "../../bin/local/router.ts";
import { startRouter } from "../../bin/local/router.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import { githubExamples } from "../support/github-examples.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { SECRETS, sendGithub, waitFor } from "../support/router-process.ts";

const CONSUMER = `export default {
  async queue(batch, env) {
    for (const message of batch.messages) {
      await fetch(env.PRINT_URL, { method: "POST", body: message.body });
      message.ack();
    }
  },
};`;

const document: RulesDocument = {
  version: "test",
  sources: [{ name: "github", kind: "github", bus: "default", entry: { secrets: ["GITHUB_WEBHOOK_SECRET"] } }],
  targets: [
    {
      name: "audit",
      kind: "queue",
      entry: { queue: "AUDIT" },
      timeoutMs: 15_000,
      retryDelaysMs: [1_000],
      maxAgeMs: 60_000,
    },
  ],
  rules: [
    { path: "default/audit", bus: "default", pattern: { source: [{ prefix: "" }] }, targets: ["audit"], mode: "live" },
  ],
};

let stateDir: string;
let consumed: TestServer;
let router: Router;

function options(): RouterOptions {
  return {
    document,
    port: 0,
    host: "127.0.0.1",
    stateDir,
    secrets: SECRETS,
    queues: ["AUDIT"],
    printUrl: consumed.url,
    consumer: { module: CONSUMER },
    onLog: () => {},
  };
}

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "sluice-queue-"));
  consumed = await startServer((response) => response.writeHead(204).end());
  router = await startRouter(options());
}, 60_000);

afterAll(async () => {
  await router.close();
  await consumed.close();
  await rm(stateDir, { recursive: true, force: true });
});

it("brings all of GitHub's published examples to the consumer as structured CloudEvents", async () => {
  const examples = githubExamples();
  for (const [index, example] of examples.entries()) {
    const response = await sendGithub(router.url, { ...example, id: `queued-${index}` });
    expect(response.status).toBe(202);
    await response.arrayBuffer();
  }
  await waitFor("all messages", () => (consumed.requests.length >= examples.length ? true : undefined), 30_000);
  const bodies = new Map(
    consumed.requests.map(({ body }) => {
      const text = body.toString();
      const event = HTTP.toEvent({ headers: { "content-type": "application/cloudevents+json" }, body: text });
      return [Array.isArray(event) ? "" : event.id, { text, event }] as const;
    }),
  );
  for (const [index, example] of examples.entries()) {
    const message = bodies.get(`queued-${index}`);
    // The payload's text stands in the message as it was received.
    expect(message?.text.includes(`"data":${example.body}`), example.event).toBe(true);
    expect(message?.event).toHaveProperty("deliveryid");
  }
}, 90_000);

describe("an event that is too large for a message", () => {
  const body = `{"ref":"refs/heads/main",  "text":"${"é".repeat(100_000)}"}`;
  let dataref = "";

  it("arrives as the same event without its data, which can be fetched byte for byte", async () => {
    const response = await sendGithub(router.url, { event: "push", body, id: "large-1" });
    expect(response.status).toBe(202);
    await response.arrayBuffer();
    const message = await waitFor(
      "the message",
      () => consumed.requests.map(({ body: text }) => text.toString()).find((text) => text.includes('"large-1"')),
      20_000,
    );
    const event = JSON.parse(message) as { readonly dataref: string };
    expect(event).toMatchObject({ id: "large-1", type: "com.github.push", datacontenttype: "application/json" });
    expect(event).not.toHaveProperty("data");
    dataref = event.dataref;
    expect(dataref.startsWith(`${router.url}/data/`)).toBe(true);
    // Miniflare compresses what the edge would leave alone.
    const fetched = await fetch(dataref, { headers: { "accept-encoding": "identity" } });
    expect(fetched.headers.get("content-length")).toBe(String(Buffer.byteLength(body)));
    expect(await fetched.text()).toBe(body);
  }, 30_000);

  it("gives its data in part, and not to who has it", async () => {
    const part = await fetch(dataref, { headers: { range: "bytes=1-5" } });
    expect([part.status, await part.text()]).toEqual([206, body.slice(1, 6)]);
    const tail = await fetch(dataref, { headers: { range: "bytes=-2" } });
    expect([tail.status, await tail.text()]).toEqual([206, '"}']);
    const beyond = await fetch(dataref, { headers: { range: "bytes=999999999-" } });
    expect(beyond.status).toBe(416);
    await beyond.arrayBuffer();
    const head = await fetch(dataref, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(Buffer.byteLength(body))]);
    const known = await fetch(dataref, { headers: { "if-none-match": head.headers.get("etag") ?? "" } });
    expect([known.status, await known.text()]).toEqual([304, ""]);
  });

  it("gives it to nobody without the very token", async () => {
    const changed = await fetch(dataref.replace(/.$/, (last) => (last === "A" ? "B" : "A")));
    expect(changed.status).toBe(404);
    await changed.arrayBuffer();
    const posted = await fetch(dataref, { method: "POST" });
    expect(posted.status).toBe(404);
    await posted.arrayBuffer();
  });

  it("keeps it when the router starts again", async () => {
    await router.close();
    router = await startRouter({ ...options(), port: Number(new URL(router.url).port) });
    expect(await (await fetch(dataref)).text()).toBe(body);
  }, 30_000);
});
