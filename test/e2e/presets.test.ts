/** Chats and APIs as targets, through the whole router: one server plays all vendors, errors that come with a 200 included. */
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, SECRETS, waitFor } from "../support/router-process.ts";

interface Play {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** How a vendor takes a message, refuses one, and says that it is too much for now: for `waitMs`. */
interface Vendor {
  readonly entry: string;
  readonly ok: Play;
  readonly refused: Play;
  readonly busy: Play;
  readonly waitMs: number;
}

/** So long that the schedule alone, 1 s, would come earlier, and as short as a test should wait. */
const SHORT_WAIT_MS = 2_000;
/** Longer than a test should wait: only what is due is looked at. */
const LONG_WAIT_MS = 60_000;

const VENDORS: Readonly<Record<string, Vendor>> = {
  slack: {
    entry: "slack: SLACK_WEBHOOK_URL",
    ok: { status: 200, body: "ok" },
    refused: { status: 404, body: "no_service" },
    busy: { status: 200, headers: { "retry-after": "2" }, body: "rate_limited" },
    waitMs: SHORT_WAIT_MS,
  },
  discord: {
    entry: "discord: DISCORD_WEBHOOK_URL",
    ok: { status: 200, body: '{"id":"1"}' },
    refused: { status: 404, body: '{"message":"Unknown Webhook","code":10015}' },
    busy: { status: 429, body: '{"message":"You are being rate limited.","retry_after":64.57,"global":false}' },
    waitMs: 64_570,
  },
  teams: {
    entry: "teams: TEAMS_WEBHOOK_URL",
    ok: { status: 202 },
    refused: {
      status: 200,
      body: "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 400 with ContextId x..",
    },
    busy: {
      status: 200,
      headers: { "retry-after": "2" },
      body: "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x..",
    },
    waitMs: SHORT_WAIT_MS,
  },
  dingtalk: {
    entry: "dingtalk: DINGTALK_WEBHOOK_URL, sign: DINGTALK_SECRET",
    ok: { status: 200, body: '{"errcode":0,"errmsg":"ok"}' },
    refused: { status: 200, body: '{"errcode":310000,"errmsg":"keywords not in content"}' },
    busy: { status: 200, body: '{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}' },
    waitMs: 600_000,
  },
  feishu: {
    entry: "feishu: FEISHU_WEBHOOK_URL, sign: FEISHU_SECRET",
    ok: { status: 200, body: '{"code":0,"msg":"success","data":{}}' },
    refused: { status: 200, body: '{"code":19024,"msg":"Key Words Not Found"}' },
    busy: {
      status: 200,
      headers: { "x-ogw-ratelimit-reset": "2" },
      body: '{"code":11232,"data":{},"msg":"frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"}',
    },
    waitMs: SHORT_WAIT_MS,
  },
  telegram: {
    entry: 'telegram: TELEGRAM_BOT_TOKEN, chat: "-1001234567890"',
    ok: { status: 200, body: '{"ok":true,"result":{"message_id":1}}' },
    refused: { status: 400, body: '{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}' },
    busy: {
      status: 200,
      body: '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 2","parameters":{"retry_after":2}}',
    },
    waitMs: SHORT_WAIT_MS,
  },
  "github-dispatch": {
    entry: "github-dispatch: octocat/hello, token: DEPLOY_TOKEN",
    ok: { status: 204 },
    refused: { status: 422, body: '{"message":"Invalid request."}' },
    busy: {
      status: 403,
      headers: { "retry-after": "2" },
      body: '{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}',
    },
    waitMs: SHORT_WAIT_MS,
  },
};

const KINDS = Object.keys(VENDORS);

interface ShownDelivery {
  readonly state: string;
  readonly target: string;
  readonly dueAt?: string;
  readonly reason?: string;
  readonly attempts: readonly { readonly answer?: { readonly status: number; readonly body?: string } }[];
}

let workspace: Workspace;
let router: RouterProcess;
let vendors: TestServer;
/** When the requests of each kind and scenario came. */
const cameAt = new Map<string, number[]>();

beforeAll(async () => {
  vendors = await startServer((response, request) => {
    const kind = new URL(request.url ?? "", "http://localhost").pathname.slice(1);
    const text = String(vendors.requests.at(-1)?.body);
    const scenario = /com\.example\.(ok|refused|busy)/.exec(text)?.[1] ?? "ok";
    const times = cameAt.get(`${kind} ${scenario}`) ?? [];
    cameAt.set(`${kind} ${scenario}`, [...times, performance.now()]);
    const vendor = VENDORS[kind];
    const play =
      scenario === "refused" ? vendor?.refused : scenario === "busy" && times.length === 0 ? vendor?.busy : vendor?.ok;
    response.writeHead(play?.status ?? 500, play?.headers ?? {}).end(play?.body);
  });
  const base = new URL(vendors.url).origin;
  workspace = await createWorkspace();
  await workspace.writeRules({
    "sources.yaml": "events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }\n",
    "targets.yaml": KINDS.map(
      (kind) => `${kind}: { ${VENDORS[kind]?.entry}, local: "${base}/${kind}", retry: [1s] }\n`,
    ).join(""),
    "default/all.yaml": `pattern: { type: [{ prefix: com.example. }] }\ntargets: [${KINDS.join(", ")}]\n`,
  });
  router = await workspace.start();
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await vendors.close();
});

async function publish(scenario: string): Promise<string> {
  const response = await fetch(`${router.url}/events`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": scenario,
      "ce-source": "/tests",
      "ce-type": `com.example.${scenario}`,
    },
    body: '{"html_url":"https://ci.example.com/runs/1"}',
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { readonly id: string }).id;
}

async function deliveriesOf(id: string): Promise<ReadonlyMap<string, ShownDelivery>> {
  const { deliveries } = await admin<{ readonly deliveries: readonly ShownDelivery[] }>(router.url, `events/${id}`);
  return new Map(deliveries.map((delivery) => [delivery.target, delivery]));
}

describe("a real router with all vendors behind it", () => {
  it("delivers to each what it takes, signed where it asks for it", async () => {
    const id = await publish("ok");
    const deliveries = await waitFor("deliveries to all vendors", async () => {
      const found = await deliveriesOf(id);
      return [...found.values()].every(({ state }) => state !== "waiting" && state !== "leased") ? found : undefined;
    });
    expect([...deliveries].map(([kind, { state }]) => `${kind} ${state}`).toSorted()).toEqual(
      KINDS.map((kind) => `${kind} delivered`).toSorted(),
    );
    for (const kind of KINDS) {
      const request = vendors.requests.find(({ path }) => path.startsWith(`/${kind}`));
      expect(String(request?.body), kind).toMatch(/com\.example\.ok/);
      expect(request?.headers["webhook-id"], kind).toMatch(/^dlv_|^msg_|\S{10,}/);
    }
    const secrets = parseEnv(await readFile(join(workspace.dir, ".dev.vars"), "utf8"));
    const dingtalk = vendors.requests.find(({ path }) => path.startsWith("/dingtalk"));
    const query = new URL(dingtalk?.path ?? "", "http://localhost").searchParams;
    const dingtalkSecret = secrets["DINGTALK_SECRET"] ?? "";
    const signed = `${query.get("timestamp")}\n${dingtalkSecret}`;
    expect(query.get("sign")).toBe(createHmac("sha256", dingtalkSecret).update(signed).digest("base64"));
    const feishu = vendors.requests.find(({ path }) => path.startsWith("/feishu"));
    const { timestamp, sign } = JSON.parse(String(feishu?.body)) as Record<string, string>;
    const key = `${timestamp}\n${secrets["FEISHU_SECRET"]}`;
    expect(sign).toBe(createHmac("sha256", key).update("").digest("base64"));
    const github = vendors.requests.find(({ path }) => path.startsWith("/github-dispatch"));
    expect(github?.headers.authorization).toBe(`Bearer ${secrets["DEPLOY_TOKEN"]}`);
  });

  it("ends what a vendor refuses for good, whatever the status, after one attempt", async () => {
    const id = await publish("refused");
    const deliveries = await waitFor("refusals of all vendors", async () => {
      const found = await deliveriesOf(id);
      return [...found.values()].every(({ state }) => state === "dead") ? found : undefined;
    });
    for (const kind of KINDS) {
      const { refused } = VENDORS[kind] ?? {};
      expect(deliveries.get(kind), kind).toMatchObject({
        state: "dead",
        reason: "status",
        attempts: [{ answer: { status: refused?.status, body: refused?.body } }],
      });
      expect(cameAt.get(`${kind} refused`)).toHaveLength(1);
    }
  });

  it("waits as long as a vendor that is busy asks, and then delivers", async () => {
    const startedAt = Date.now();
    const id = await publish("busy");
    const isShort = (kind: string): boolean => (VENDORS[kind]?.waitMs ?? 0) < LONG_WAIT_MS;
    const deliveries = await waitFor("the vendors that ask for a short wait", async () => {
      const found = await deliveriesOf(id);
      const rest = KINDS.filter((kind) => found.get(kind)?.state !== "delivered");
      return rest.every((kind) => !isShort(kind) && found.get(kind)?.state === "waiting") ? found : undefined;
    });
    for (const kind of KINDS) {
      const { waitMs = 0, busy } = VENDORS[kind] ?? {};
      const [first = 0, second] = cameAt.get(`${kind} busy`) ?? [];
      const delivery = deliveries.get(kind);
      expect(delivery?.attempts[0], kind).toMatchObject({
        answer: { status: busy?.status },
      });
      if (isShort(kind)) {
        expect((second ?? 0) - first, kind).toBeGreaterThanOrEqual(waitMs - 50);
      } else {
        expect(second, kind).toBeUndefined();
        expect(Date.parse(delivery?.dueAt ?? "") - startedAt, kind).toBeGreaterThanOrEqual(waitMs);
      }
    }
  });
});
