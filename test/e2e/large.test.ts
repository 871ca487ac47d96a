/** Payloads of up to 25 MiB through the whole router: into the body store while they are checked, and out of it to targets. */
import { createHash, createHmac, randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LARGE_BODY_BYTES_MAX } from "../../src/http/large-body.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { largePush } from "../support/large-payload.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, SECRETS, sendGithub, waitFor } from "../support/router-process.ts";

interface Receipt {
  readonly id: string;
  readonly status: string;
  readonly rules: readonly string[];
}

interface ShownEvent {
  readonly status: string;
  readonly large?: { readonly bytes: number };
  readonly deliveries: readonly {
    readonly target: string;
    readonly state: string;
    readonly reason?: string;
    readonly detail?: string;
  }[];
}

interface Explained {
  readonly rules: readonly {
    readonly rule: string;
    readonly matched: boolean;
    readonly deliveries: readonly { readonly request?: object; readonly problem?: string }[];
  }[];
}

let workspace: Workspace;
let router: RouterProcess;
let target: TestServer;

beforeAll(async () => {
  target = await startServer((response) => response.writeHead(204).end());
  workspace = await createWorkspace();
  const entry = (path: string, more = "") => `{ http: "${target.url}&to=${path}"${more} }`;
  await workspace.writeRules({
    "sources.yaml": `
github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }
events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }
`,
    "targets.yaml": `
signed: ${entry("signed", ", sign: TARGET_SIGNING_SECRET")}
structured: ${entry("structured", ", format: structured, sign: TARGET_SIGNING_SECRET")}
made: ${entry("made")}
never: ${entry("never")}
`,
    "default/ref.yaml": "pattern: { data: { ref: [refs/heads/main] } }\ntargets: [signed]\n",
    "default/author.yaml":
      "pattern: { data: { ref: [refs/heads/main], commits: { author: { name: [Mona] } } } }\ntargets: [structured]\n",
    "default/nobody.yaml": "pattern: { data: { commits: { author: { name: [Nobody] } } } }\ntargets: [never]\n",
    "default/made.yaml": `
pattern: { data: { ref: [refs/heads/made] } }
transform: { template: { paths: { sha: "$.data.after", first: "$.data.commits[1].id" }, body: { text: "<sha>", first: <first> } } }
targets: [made]
`,
    "default/expression.yaml": `
pattern: { data: { ref: [refs/heads/made] } }
transform: { jsonata: "data.after" }
targets: [never]
`,
  });
  router = await workspace.start();
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await target.close();
});

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Files that hold what is in the bucket, parts of uploads included. */
async function storedFiles(): Promise<readonly string[]> {
  const all = await readdir(join(workspace.dir, "state"), { recursive: true, withFileTypes: true });
  return all.filter((each) => each.isFile() && each.parentPath.includes("blobs")).map(({ name }) => name);
}

async function eventWith(receipt: Receipt, states: number): Promise<ShownEvent> {
  return waitFor("the deliveries to end", async () => {
    const event = await admin<ShownEvent>(router.url, `events/${receipt.id}`);
    const ended = event.deliveries.filter(({ state }) => state === "delivered" || state === "dead");
    return ended.length === states ? event : undefined;
  });
}

const receivedAt = (path: string) => target.requests.filter((request) => request.path.includes(`to=${path}`));

describe("a large webhook", () => {
  it("of 25 MiB is matched, acknowledged and delivered byte for byte, signed", async () => {
    const body = largePush({ bytes: LARGE_BODY_BYTES_MAX });
    expect(body).toHaveLength(LARGE_BODY_BYTES_MAX);
    const startedAt = Date.now();
    const response = await sendGithub(router.url, { event: "push", body });
    const acknowledgedMs = Date.now() - startedAt;
    const receipt = (await response.json()) as Receipt;
    expect(receipt).toMatchObject({ status: "accepted", rules: ["default/author", "default/ref"] });
    expect(response.status).toBe(202);
    // What GitHub waits.
    expect(acknowledgedMs).toBeLessThan(10_000);

    const event = await eventWith(receipt, 2);
    expect(event.deliveries.map(({ state }) => state)).toEqual(["delivered", "delivered"]);
    expect(event.large).toEqual({ bytes: LARGE_BODY_BYTES_MAX });
    const [plain] = receivedAt("signed");
    expect(plain?.headers).toMatchObject({
      "content-length": String(body.length),
      "content-type": "application/json",
      "ce-type": "com.github.push",
    });
    expect(sha256(plain?.body ?? Buffer.alloc(0))).toBe(sha256(body));
    const verify = (request = plain) =>
      new Webhook(SECRETS.TARGET_SIGNING_SECRET).verify(
        request?.body.toString("utf8") ?? "",
        request?.headers as Record<string, string>,
      );
    expect(verify()).toMatchObject({ ref: "refs/heads/main" });

    const [structured] = receivedAt("structured");
    expect(structured?.headers["content-type"]).toContain("application/cloudevents+json");
    expect(verify(structured)).toMatchObject({
      specversion: "1.0",
      type: "com.github.push",
      data: { ref: "refs/heads/main" },
    });
    expect(structured?.body.includes(body)).toBe(true);
    expect(receivedAt("never")).toEqual([]);

    const explained = await admin<Explained>(router.url, `explain/${receipt.id}`);
    const matched = explained.rules.filter((each) => each.matched);
    expect(matched.map(({ rule }) => rule)).toEqual(["default/author", "default/ref"]);
    expect(matched[1]?.deliveries[0]?.request).toMatchObject({ bodyBytes: LARGE_BODY_BYTES_MAX, bodyLeftOut: true });
    const { events } = await admin<{ events: readonly unknown[] }>(router.url, "log");
    expect(events).toContainEqual(expect.objectContaining({ id: receipt.id, large: { bytes: LARGE_BODY_BYTES_MAX } }));
  }, 60_000);

  it("that comes in chunks, without a length, is taken as well", async () => {
    const body = largePush({ bytes: 2_500_000, ref: "refs/heads/chunked" });
    const headers = {
      "content-type": "application/json",
      "transfer-encoding": "chunked",
      "x-github-event": "push",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRETS.GITHUB_WEBHOOK_SECRET).update(body).digest("hex")}`,
    };
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(`${router.url}/webhooks/github`, { method: "POST", headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on("error", reject);
      request.end(body);
    });
    expect(status).toBe(202);
  }, 30_000);

  it("is a duplicate when it is sent again, and is stored once", async () => {
    const body = largePush({ bytes: 3_000_000, ref: "refs/heads/once" });
    const id = randomUUID();
    const before = await storedFiles();
    const first = (await (await sendGithub(router.url, { event: "push", body, id })).json()) as Receipt;
    const again = (await (await sendGithub(router.url, { event: "push", body, id })).json()) as Receipt;
    expect(again).toMatchObject({ id: first.id, status: "duplicate" });
    await waitFor("the second body to go", async () =>
      (await storedFiles()).length === before.length + 1 ? true : undefined,
    );
  }, 30_000);

  it("is transformed by what a template names of it; an expression that may read it all is refused", async () => {
    const body = largePush({ bytes: 7_000_000, ref: "refs/heads/made" });
    const receipt = (await (await sendGithub(router.url, { event: "push", body })).json()) as Receipt;
    expect(receipt.rules).toEqual(["default/expression", "default/made"]);
    const event = await eventWith(receipt, 2);
    const payload = JSON.parse(body.toString("utf8")) as { after: string; commits: { id: string }[] };
    expect(JSON.parse(receivedAt("made")[0]?.body.toString("utf8") ?? "")).toEqual({
      text: payload.after,
      first: payload.commits[1]?.id,
    });
    expect(event.deliveries.find((each) => each.target === "never")).toMatchObject({
      state: "dead",
      reason: "too-large",
    });
    const explained = await admin<Explained>(router.url, `explain/${receipt.id}?rule=default/expression`);
    expect(explained.rules[0]?.deliveries[0]?.problem).toContain("the payload is large: a JSONata expression");
    expect(event.deliveries.find((each) => each.target === "never")?.detail).toContain(
      "name what it needs in a template",
    );
  }, 30_000);

  it("that was changed on its way, is no JSON or is too large is refused, and nothing of it stays", async () => {
    const before = await storedFiles();
    const body = largePush({ bytes: 12_000_000 });
    const signature = `sha256=${createHmac("sha256", SECRETS.GITHUB_WEBHOOK_SECRET).update(body).digest("hex")}`;
    body[body.length - 100_000] = 0x79;
    const tampered = await post(body, signature);
    expect(tampered).toMatchObject({ status: 401, type: "urn:sluice:problem:wrong-signature" });

    const broken = await sendGithub(router.url, { event: "push", body: Buffer.concat([body, Buffer.from("}")]) });
    expect(await broken.json()).toMatchObject({ status: 400, type: "urn:sluice:problem:invalid-json" });

    expect(await statusOf(LARGE_BODY_BYTES_MAX + 1)).toBe(413);
    await waitFor("nothing to be left", async () =>
      (await storedFiles()).length === before.length ? true : undefined,
    );
  }, 30_000);

  it("whose sender or router goes away in the middle is forgotten, and the next one comes through", async () => {
    const body = largePush({ bytes: 14_000_000, ref: "refs/heads/cut" });
    const id = randomUUID();
    const { written, ended } = startPost(body, id);
    await written;
    await router.kill();
    await ended;
    router = await workspace.start();
    const { events } = await admin<{ events: readonly unknown[] }>(
      router.url,
      "events?type=com.github.push&limit=1&id=" + id,
    );
    expect(events).toEqual([]);
    const response = await sendGithub(router.url, { event: "push", body, id });
    expect(await response.json()).toMatchObject({ status: "accepted" });
  }, 60_000);
});

async function post(body: Buffer, signature: string): Promise<unknown> {
  const headers = {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": signature,
  };
  const response = await fetch(`${router.url}/webhooks/github`, { method: "POST", body: body as BodyInit, headers });
  return response.json();
}

/** The answer to a request that says how long its body will be, and waits with it: who is refused need not send it. */
async function statusOf(bytes: number): Promise<number | undefined> {
  const headers = {
    "content-type": "application/json",
    "content-length": bytes,
    "x-github-event": "push",
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${router.url}/webhooks/github`, { method: "POST", headers }, (response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    request.on("error", reject);
    request.flushHeaders();
  });
}

/** Sends most of the body, and then nothing more. */
/**
 * All but the last megabyte of a genuine webhook. `written`: the router has taken it but for what the sockets hold, so more than a
 * part of it is on its way into the store.
 */
function startPost(body: Buffer, id: string): { readonly written: Promise<void>; readonly ended: Promise<void> } {
  const headers = {
    "content-type": "application/json",
    "content-length": body.length,
    "x-github-event": "push",
    "x-github-delivery": id,
    "x-hub-signature-256": `sha256=${createHmac("sha256", SECRETS.GITHUB_WEBHOOK_SECRET).update(body).digest("hex")}`,
  };
  const request = httpRequest(`${router.url}/webhooks/github`, { method: "POST", headers });
  const ended = new Promise<void>((resolve) => {
    request.on("error", () => resolve());
    request.on("close", () => resolve());
  });
  const written = new Promise<void>((resolve, reject) => {
    request.write(body.subarray(0, body.length - 1_000_000), (error) => (error ? reject(error) : resolve()));
  });
  return { written, ended };
}
