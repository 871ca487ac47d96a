/**
 * Kills the real router with SIGKILL while it works, starts it again on the same state, and looks for every event that it
 * acknowledged. Queue targets are left out: the local queue broker keeps messages in memory only.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { githubExamples } from "../support/github-examples.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, sendGithub, waitFor } from "../support/router-process.ts";

const KILLS = 3;
const SENDERS = 8;
const LOAD_MS = 1_200;

let workspace: Workspace;
let steady: TestServer;
let flaky: TestServer;

beforeAll(async () => {
  steady = await startServer((response) => response.writeHead(204).end());
  let requests = 0;
  flaky = await startServer((response) => {
    requests += 1;
    if (requests % 5 === 0) response.writeHead(500).end();
    else if (requests % 7 === 0) response.destroy();
    else setTimeout(() => response.writeHead(200).end(), requests % 40);
  });
  workspace = await createWorkspace();
  await workspace.writeRules({
    "sources.yaml": "github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }\n",
    "targets.yaml": `
steady: { http: "${steady.url}", timeout: 1s }
flaky: { http: "${flaky.url}", timeout: 1s, retry: [1s, 1s, 1s, 2s, 2s, 2s, 2s, 2s, 2s] }
`,
    "default/all.yaml": "pattern: { type: [{ prefix: com.github. }] }\ntargets: [steady, flaky]\n",
  });
});

afterAll(async () => {
  await workspace.remove();
  await Promise.all([steady.close(), flaky.close()]);
});

it("delivers every acknowledged event, with one id per delivery, through kills under load", async () => {
  const examples = githubExamples();
  const sent = new Set<string>();
  const acknowledged = new Set<string>();
  let url = "";

  async function sendUntil(endsAt: number): Promise<void> {
    while (Date.now() < endsAt) {
      const id = `crash-${sent.size}`;
      sent.add(id);
      const example = examples[sent.size % examples.length];
      if (example === undefined) throw new Error("there are examples");
      try {
        const response = await sendGithub(url, { ...example, id });
        if (response.status === 202) acknowledged.add(id);
        await response.arrayBuffer();
      } catch {
        return; // The router is dead: this event was not acknowledged.
      }
    }
  }

  let router: RouterProcess | undefined;
  for (let kill = 0; kill <= KILLS; kill++) {
    router = await workspace.start();
    ({ url } = router);
    const endsAt = Date.now() + LOAD_MS;
    const load = Array.from({ length: SENDERS }, () => sendUntil(endsAt));
    if (kill < KILLS) {
      await new Promise((resolve) => setTimeout(resolve, LOAD_MS * (0.5 + kill / 10)));
      await router.kill();
    }
    await Promise.all(load);
  }
  expect(acknowledged.size).toBeGreaterThan(100);

  for (const server of [steady, flaky]) {
    await waitFor(
      "every acknowledged event at its target",
      () => {
        const arrived = new Set(server.requests.map((request) => request.headers["ce-id"]));
        return [...acknowledged].every((id) => arrived.has(id)) ? true : undefined;
      },
      60_000,
    );
    const idOf = new Map<string, string>();
    for (const request of server.requests) {
      const [event, delivery] = [String(request.headers["ce-id"]), String(request.headers["webhook-id"])];
      expect(sent.has(event), `${event} was sent to Sluice before Sluice sent it on`).toBe(true);
      expect(idOf.get(event) ?? delivery, `${event} keeps its webhook-id`).toBe(delivery);
      idOf.set(event, delivery);
    }
  }
  await waitFor(
    "an empty backlog",
    async () => {
      const pending = await admin<{ events: readonly unknown[] }>(url, "events?status=pending&limit=1");
      return pending.events.length === 0 ? true : undefined;
    },
    60_000,
  );
  expect(await admin(url, "deliveries?state=dead")).toMatchObject({ deliveries: [] });
}, 180_000);
