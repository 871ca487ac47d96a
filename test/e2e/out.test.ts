/**
 * What goes out signed, compressed, with tokens and by permission, and what comes in compressed, through the whole router as
 * its users run it.
 */
import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, verify } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReceivedRequest, TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { SECRETS, admin, createWorkspace, waitFor } from "../support/router-process.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const NEW_KEY = `whsk_${privateKey.export({ format: "der", type: "pkcs8" }).subarray(16).toString("base64")}`;
const OLD_KEY = SECRETS.TARGET_SIGNING_SECRET;
const CLIENT_SECRET = "client-secret-for-tests";

let workspace: Workspace;
let router: RouterProcess;
let issuer: TestServer;
let target: TestServer;
let shy: TestServer;
let partner: TestServer;
/** When the partner got each delivery, in milliseconds. */
const arrivals: number[] = [];
/** Tokens that the target takes, and how many were given out. */
const right = new Set<string>();
let given = 0;

beforeAll(async () => {
  issuer = await startServer((response) => {
    given += 1;
    right.add(`token-${given}`);
    const body = JSON.stringify({ access_token: `token-${given}`, token_type: "Bearer", expires_in: 3_600 });
    setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end(body), 100);
  });
  target = await startServer((response, { method, headers }) => {
    if (method === "OPTIONS") {
      response.writeHead(200, { "webhook-allowed-origin": "events.example.com", "webhook-allowed-rate": "*" }).end();
    } else {
      response.writeHead(right.has(headers.authorization?.replace("Bearer ", "") ?? "") ? 204 : 401).end();
    }
  });
  shy = await startServer((response) => response.writeHead(200, { allow: "POST" }).end());
  partner = await startServer((response, { method }) => {
    if (method === "OPTIONS") {
      response.writeHead(200, { "webhook-allowed-origin": "*", "webhook-allowed-rate": "60" }).end();
    } else {
      arrivals.push(performance.now());
      response.writeHead(204).end();
    }
  });
  workspace = await createWorkspace();
  await writeFile(join(workspace.dir, ".dev.vars"), `NEW_KEY="${NEW_KEY}"\nCLIENT_SECRET="${CLIENT_SECRET}"\n`);
  const auth = `auth: { oauth2: { token-url: "${issuer.url}", client-id: sluice, client-secret: CLIENT_SECRET } }`;
  await workspace.writeRules({
    "sources.yaml": [
      "github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET], gzip: true }",
      "plain: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }",
      "",
    ].join("\n"),
    "targets.yaml": [
      `ci: { http: "${target.url}", sign: [NEW_KEY, TARGET_SIGNING_SECRET], compress: gzip, handshake: events.example.com, ${auth} }`,
      `shy: { http: "${shy.url}", handshake: events.example.com }`,
      `partner: { http: "${partner.url}", handshake: { origin: events.example.com, rate: 120/m } }`,
      "",
    ].join("\n"),
    "default/push.yaml": "pattern: { type: [com.github.push] }\ntargets: [ci]\n",
    "default/issues.yaml": "pattern: { type: [{ prefix: com.github.issues }] }\ntargets: [shy]\n",
    "default/release.yaml": "pattern: { type: [{ prefix: com.github.release }] }\ntargets: [partner]\n",
  });
  router = await workspace.start();
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await Promise.all([issuer, target, shy, partner].map((server) => server.close()));
});

interface Sent {
  readonly event?: string;
  readonly body: Buffer;
  readonly encoding?: string;
  /** What the signature is over. */
  readonly signed?: Buffer;
  readonly source?: string;
}

function sendGithub({ event = "push", body, encoding, signed = body, source = "github" }: Sent): Promise<Response> {
  const signature = createHmac("sha256", SECRETS.GITHUB_WEBHOOK_SECRET).update(signed).digest("hex");
  return fetch(`${router.url}/webhooks/${source}`, {
    method: "POST",
    body: body as unknown as BodyInit,
    headers: {
      "content-type": "application/json",
      ...(encoding === undefined ? {} : { "content-encoding": encoding }),
      "x-github-event": event,
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${signature}`,
    },
  });
}

function deliveries(): readonly ReceivedRequest[] {
  return target.requests.filter(({ method }) => method === "POST");
}

const PAYLOAD = Buffer.from(JSON.stringify({ ref: "refs/heads/main", n: 1, text: "é ".repeat(2_000) }));

describe("a compressed webhook", () => {
  it("is accepted by its signature over the bytes as sent, and delivered as its payload", async () => {
    const answer = await sendGithub({ body: gzipSync(PAYLOAD), encoding: "gzip" });
    expect(await answer.json()).toMatchObject({ status: "accepted", rules: ["default/push"] });
    expect(answer.status).toBe(202);
    const request = await waitFor("the delivery", () => deliveries()[0]);
    expect(request.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(request.body).equals(PAYLOAD)).toBe(true);
    expect(request.headers).toMatchObject({
      authorization: "Bearer token-1",
      "webhook-request-origin": "events.example.com",
    });
    expect(target.requests[0]).toMatchObject({ method: "OPTIONS", path: "/hooks?key=value" });
    expect(issuer.requests[0]?.headers.authorization).toBe(`Basic ${btoa(`sluice:${CLIENT_SECRET}`)}`);

    const headers = request.headers as Record<string, string>;
    const [v1a = "", v1 = ""] = String(headers["webhook-signature"]).split(" ");
    const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), PAYLOAD]);
    expect(
      verify(
        null,
        signed,
        createPublicKey(publicKey.export({ format: "pem", type: "spki" })),
        Buffer.from(v1a.slice(4), "base64"),
      ),
    ).toBe(true);
    expect(v1).toMatch(/^v1,/);
    expect(new Webhook(OLD_KEY).verify(PAYLOAD.toString(), headers)).toEqual(JSON.parse(PAYLOAD.toString()));
  });

  it("is refused by a signature over its payload, and everything that is not what it says", async () => {
    const zipped = gzipSync(PAYLOAD);
    const cases: readonly (readonly [Sent, string])[] = [
      [{ body: zipped, encoding: "gzip", signed: PAYLOAD }, "401 wrong-signature"],
      [{ body: PAYLOAD, encoding: "gzip" }, "400 malformed-gzip"],
      [{ body: zipped.subarray(0, -4), encoding: "gzip" }, "400 malformed-gzip"],
      [{ body: Buffer.concat([zipped, zipped]), encoding: "gzip" }, "400 malformed-gzip"],
      [{ body: gzipSync(zipped), encoding: "gzip, gzip" }, "415 unsupported-content-encoding"],
      [{ body: zipped, encoding: "br" }, "415 unsupported-content-encoding"],
      [{ body: zipped, encoding: "gzip", source: "plain" }, "415 unsupported-content-encoding"],
      [{ body: gzipSync(Buffer.alloc(50 * 1_048_576)), encoding: "gzip" }, "413 body-too-large"],
      [{ body: gzipSync(Buffer.alloc(1_000_000)), encoding: "gzip" }, "413 compression-ratio"],
    ];
    for (const [sent, expected] of cases) {
      const answer = await sendGithub(sent);
      const { type } = (await answer.json()) as { readonly type: string };
      expect(`${answer.status} ${type.replace("urn:sluice:problem:", "")}`).toBe(expected);
    }
  });

  it("is taken plain as well", async () => {
    expect((await sendGithub({ body: Buffer.from('{"plain":true}') })).status).toBe(202);
  });
});

describe("a target with tokens", () => {
  it("gets one for all that is delivered at the same time, when the kept one is not right any more", async () => {
    await waitFor("what was sent before", () => (deliveries().length >= 2 ? true : undefined));
    const [before, givenBefore] = [deliveries().length, given];
    right.clear();
    const bodies = Array.from({ length: 8 }, (_, n) => Buffer.from(JSON.stringify({ n: n + 10 })));
    const answers = await Promise.all(bodies.map((body) => sendGithub({ body })));
    expect(answers.map(({ status }) => status)).toEqual(bodies.map(() => 202));
    const arrived = await waitFor("all of them with a new token", () => {
      const taken = deliveries()
        .slice(before)
        .filter(({ headers }) => headers.authorization !== "Bearer token-1");
      return taken.length >= bodies.length ? taken : undefined;
    });
    expect(arrived.map(({ body }) => String(body)).toSorted()).toEqual(bodies.map(String).toSorted());
    // Those that come while the question is out share its answer; a straggler may have been refused a moment later.
    expect(given - givenBefore).toBeLessThanOrEqual(2);
    expect(JSON.stringify(router.output())).not.toMatch(/token-\d|client-secret-for-tests/);
  });
});

describe("a target that gives no permission", () => {
  it("gets nothing, and the delivery says why", async () => {
    const answer = await sendGithub({ event: "issues", body: Buffer.from('{"action":"opened"}') });
    const { id } = (await answer.json()) as { readonly id: string };
    const dead = await waitFor("its end", async () => {
      const event = await admin<{ readonly status: string; readonly deliveries: readonly object[] }>(
        router.url,
        `events/${id}`,
      );
      return event.status === "dead" ? event.deliveries[0] : undefined;
    });
    expect(dead).toMatchObject({
      state: "dead",
      reason: "configuration",
      detail: expect.stringMatching(
        /does not permit deliveries from events\.example\.com: its answer to OPTIONS \(200\)/,
      ),
    });
    expect(shy.requests.map(({ method }) => method)).toEqual(["OPTIONS"]);
  });
});

describe("a target that allows a rate", () => {
  it("gets as much and no more, though nothing of it stands in the rules", async () => {
    const bodies = Array.from({ length: 12 }, (_, n) => Buffer.from(JSON.stringify({ action: "published", n })));
    await Promise.all(bodies.map((body) => sendGithub({ event: "release", body })));
    await waitFor("more than come at once", () => (arrivals.length >= 9 ? true : undefined));
    const asked = partner.requests.find(({ method }) => method === "OPTIONS");
    expect(asked?.headers).toMatchObject({
      "webhook-request-origin": "events.example.com",
      "webhook-request-rate": "120",
    });
    // 60 a minute: a tenth of them at once, then one in 60/55 s; the first connection may take its time.
    const paced = arrivals.slice(6).map((at, index) => at - (arrivals[index + 5] ?? 0));
    for (const gap of paced) expect(gap).toBeGreaterThan(900);
    expect((arrivals[8] ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(2_500);
  });
});
