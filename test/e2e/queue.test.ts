/** Queue targets against the local queue broker, with a consumer that hands on what it gets. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HTTP } from "cloudevents";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Router } from "../../bin/local/router.ts";
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

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "sluice-queue-"));
  consumed = await startServer((response) => response.writeHead(204).end());
  router = await startRouter({
    document,
    port: 0,
    host: "127.0.0.1",
    stateDir,
    secrets: SECRETS,
    queues: ["AUDIT"],
    printUrl: consumed.url,
    consumerModule: CONSUMER,
    onLog: () => {},
  });
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
