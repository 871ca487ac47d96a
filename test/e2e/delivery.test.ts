/** The whole router, as its users run it, between real HTTP on both sides. */
import { CloudEvent, emitterFor, HTTP, Mode } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { githubExamples } from "../support/github-examples.ts";
import type { ReceivedRequest, TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, SECRETS, sendGithub, waitFor } from "../support/router-process.ts";

interface Receipt {
  readonly id: string;
  readonly status: string;
  readonly rules: readonly string[];
}

interface ShownEvent {
  readonly status: string;
  readonly deliveries: readonly {
    readonly state: string;
    readonly reason?: string;
    readonly target: string;
    readonly attemptCount: number;
    readonly attempts: readonly { readonly answer?: { readonly status: number } }[];
  }[];
}

const header = (request: ReceivedRequest, name: string): string => String(request.headers[name] ?? "");

let workspace: Workspace;
let router: RouterProcess;
let steady: TestServer;
let twice: TestServer;
let broken: TestServer;
let repaired = false;

beforeAll(async () => {
  steady = await startServer((response) => response.writeHead(204).end());
  const failures = new Map<string, number>();
  twice = await startServer((response, request) => {
    const id = String(request.headers["webhook-id"]);
    const failed = failures.get(id) ?? 0;
    failures.set(id, failed + 1);
    response.writeHead(failed < 2 ? 500 : 200).end("seen");
  });
  broken = await startServer((response) => response.writeHead(repaired ? 200 : 503).end("out of order"));
  workspace = await createWorkspace();
  await workspace.writeRules({
    "sources.yaml": `
github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }
events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }
`,
    "targets.yaml": `
steady: { http: "${steady.url}", sign: TARGET_SIGNING_SECRET }
steady-structured: { http: "${steady.url}", format: structured }
twice: { http: "${twice.url}", retry: [1s, 1s, 1s] }
broken: { http: "${broken.url}", retry: [1s] }
`,
    "default/github.yaml": "pattern: { type: [{ prefix: com.github. }] }\ntargets: [steady]\n",
    "default/sdk.yaml": "pattern: { type: [com.example.sdk] }\ntargets: [steady, steady-structured]\n",
    "default/retry.yaml": "pattern: { type: [com.example.retry] }\ntargets: [twice]\n",
    "default/dead.yaml": "pattern: { type: [com.example.dead] }\ntargets: [broken]\n",
  });
  router = await workspace.start();
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await Promise.all([steady.close(), twice.close(), broken.close()]);
});

async function sendCloudEvent(type: string, id: string): Promise<Receipt> {
  const response = await fetch(`${router.url}/events`, {
    method: "POST",
    body: JSON.stringify({ n: 1 }),
    headers: {
      authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "https://example.com/tests",
      "ce-type": type,
    },
  });
  expect(response.status).toBe(202);
  return (await response.json()) as Receipt;
}

const eventOf = (receipt: Receipt) => admin<ShownEvent>(router.url, `events/${receipt.id}`);

const ended = (receipt: Receipt) =>
  waitFor(`the end of ${receipt.id}`, async () => {
    const event = await eventOf(receipt);
    return event.status === "pending" ? undefined : event;
  });

describe("GitHub's published examples", () => {
  it("are each accepted once, answered duplicate the second time, and delivered byte for byte", async () => {
    const examples = githubExamples();
    expect(examples.length).toBe(329);
    const sent = examples.map((example, index) => ({ ...example, id: `example-${index}` }));
    const statuses = new Map<string, number>();
    for (const round of ["accepted", "duplicate"]) {
      for (let at = 0; at < sent.length; at += 16) {
        await Promise.all(
          sent.slice(at, at + 16).map(async (webhook) => {
            const response = await sendGithub(router.url, webhook);
            const receipt = (await response.json()) as Receipt;
            expect([response.status, receipt.status, receipt.rules]).toEqual([202, round, ["default/github"]]);
            statuses.set(round, (statuses.get(round) ?? 0) + 1);
          }),
        );
      }
    }
    expect(Object.fromEntries(statuses)).toEqual({ accepted: 329, duplicate: 329 });

    const received = (id: string) => steady.requests.filter((request) => header(request, "ce-id") === id);
    await waitFor("all 329 deliveries", () => (steady.requests.length >= 329 ? true : undefined), 30_000);
    const webhooks = new Webhook(SECRETS.TARGET_SIGNING_SECRET);
    for (const webhook of sent) {
      const requests = received(webhook.id);
      expect(requests.length, webhook.id).toBe(1);
      const [request] = requests;
      if (request === undefined) continue;
      expect(request.body.equals(Buffer.from(webhook.body)), webhook.id).toBe(true);
      webhooks.verify(request.body, request.headers as Record<string, string>);
    }
  }, 90_000);
});

describe("the CloudEvents SDK", () => {
  const event = new CloudEvent({
    id: "sdk-1",
    source: "https://example.com/tests",
    type: "com.example.sdk",
    // Plain, because the SDK does not decode what HTTP binding 1.0.2, section 3.1.3.2 makes senders percent-encode.
    subject: "orders/42",
    time: "2026-01-02T03:04:05.678Z",
    datacontenttype: "application/json",
    comexampleextension: "value",
    data: { text: "grüße", list: [1, 2.5, null, true], nested: { empty: {} } },
  });

  const post = async (message: { headers: unknown; body: unknown }): Promise<Response> =>
    fetch(`${router.url}/events`, {
      method: "POST",
      headers: { ...(message.headers as Record<string, string>), authorization: `Bearer ${SECRETS.INGEST_TOKEN}` },
      body: message.body as string,
    });

  const arrived = (id: string) =>
    waitFor(`both deliveries of ${id}`, () => {
      const mine = steady.requests.filter((request) => request.body.includes(id) || header(request, "ce-id") === id);
      return mine.length >= 2 ? mine : undefined;
    });

  it.each([
    ["binary", Mode.BINARY],
    ["structured", Mode.STRUCTURED],
  ])("emits %s events that arrive as the same event, in both modes", async (name, mode) => {
    const mine = event.cloneWith({ id: `sdk-${name}` });
    const answers: Response[] = [];
    const emit = emitterFor(
      async (message) => {
        answers.push(await post(message));
      },
      { mode },
    );
    await emit(mine);
    expect(answers.map((answer) => answer.status)).toEqual([202]);
    for (const request of await arrived(mine.id)) {
      const parsed = HTTP.toEvent({ headers: request.headers, body: request.body.toString() });
      expect(JSON.parse(JSON.stringify(parsed))).toEqual(JSON.parse(JSON.stringify(mine)));
    }
  });

  it("emits a batch that is answered with an array of receipts, in order", async () => {
    const events = ["batch-1", "batch-2", "batch-3"].map((id) => event.cloneWith({ id }));
    const response = await post({
      headers: { "content-type": "application/cloudevents-batch+json" },
      body: JSON.stringify(events),
    });
    expect(response.status).toBe(202);
    const receipts = (await response.json()) as Receipt[];
    expect(receipts.map((receipt) => receipt.status)).toEqual(["accepted", "accepted", "accepted"]);
    for (const each of events) {
      for (const request of await arrived(each.id)) {
        const parsed = HTTP.toEvent({ headers: request.headers, body: request.body.toString() });
        expect(JSON.parse(JSON.stringify(parsed))).toEqual(JSON.parse(JSON.stringify(each)));
      }
    }
  });
});

describe("a target that fails", () => {
  it("twice and then answers gets three attempts with one webhook-id", async () => {
    const receipt = await sendCloudEvent("com.example.retry", "retry-1");
    const event = await ended(receipt);
    expect(event.status).toBe("delivered");
    expect(event.deliveries[0]?.attempts.map((attempt) => attempt.answer?.status)).toEqual([500, 500, 200]);
    expect(twice.requests.length).toBe(3);
    expect(new Set(twice.requests.map((request) => header(request, "webhook-id"))).size).toBe(1);
  }, 30_000);

  it("always ends in the dead list with its attempts, and a re-drive after the repair delivers it", async () => {
    const receipt = await sendCloudEvent("com.example.dead", "dead-1");
    const event = await ended(receipt);
    expect(event.deliveries[0]).toMatchObject({ state: "dead", reason: "retries-exhausted", attemptCount: 2 });
    const listed = await admin<{ deliveries: { event: { id: string } }[] }>(router.url, "deliveries?state=dead");
    expect(listed.deliveries.map((delivery) => delivery.event.id)).toContain(receipt.id);

    repaired = true;
    const body = JSON.stringify({ event: receipt.id });
    expect(await admin(router.url, "redrive", { method: "POST", body })).toMatchObject({ redriven: 1 });
    expect((await ended(receipt)).deliveries[0]).toMatchObject({ state: "delivered", attemptCount: 3 });
    expect(new Set(broken.requests.map((request) => header(request, "webhook-id"))).size).toBe(1);
    expect(await admin(router.url, "deliveries?state=dead")).toMatchObject({ deliveries: [] });
  }, 30_000);
});

it("prints exactly one line on standard output", () => {
  expect(router.output().stdout).toBe(`ready ${router.url}\n`);
});

it("shows no secret in anything that it printed", () => {
  const { stdout, stderr } = router.output();
  for (const secret of Object.values(SECRETS)) expect(stdout + stderr).not.toContain(secret);
});
