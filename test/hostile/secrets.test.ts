/**
 * One run of everything with secrets that are known here: the HTTP app, publish, the engine on real SQL, dispatch and the http
 * target, whose fake network echoes each request in every way it can. Whatever the run leaves behind is searched for them.
 */
import { expect, it } from "vitest";
import type { DispatchPorts } from "../../src/bus/dispatch.ts";
import { dispatch } from "../../src/bus/dispatch.ts";
import type { AdminPartitionPort, DispatchJob, GatePort, PartitionPort } from "../../src/bus/ports.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import { sources } from "../../src/generated/sources.ts";
import type { HttpPorts } from "../../src/http/app.ts";
import { app } from "../../src/http/app.ts";
import { createRejectionRecorder } from "../../src/http/rejection-recorder.ts";
import { hashing } from "../../src/hashing.ts";
import { openEngine } from "../../src/objects/engine.ts";
import { openGateEngine } from "../../src/objects/gate-engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import http from "../../src/targets/http.ts";
import { githubSignature } from "../sources/_context.ts";
import { openNodeSql } from "../support/node-sql.ts";
import { secretsFrom, targetIo } from "../support/target-io.ts";

const SECRETS = {
  GITHUB_SECRET: "github-Secret-91/+x",
  INGEST_TOKEN: "ingest-Token-82/+x",
  SIGN_NEW: "whsec_c2lnbmluZy1zZWNyZXQtbnVtYmVyLW9uZQ==",
  SIGN_OLD: 'plain-"signing"-secret-73',
  AUTHORIZATION: 'Bearer cred-"quoted"/slashed+64\\u',
  API_KEY: "api-Key-55/+&=?x",
  // Begins as another one does, as the secrets of one rotation may.
  API_KEY_NEXT: "api-Key-55/+&=?x-and-More-46",
};
const ADMIN_TOKEN = "admin-Token-37/+x";

/** What answers a request, by the target's name. Every one of them gives away what it got. */
const ANSWERS: Readonly<Record<string, (sent: Headers) => Response>> = {
  ok: (sent) => new Response(JSON.stringify([...sent])),
  error: (sent) => new Response(JSON.stringify(Object.fromEntries(sent), null, 2), { status: 500 }),
  moved: (sent) => {
    const query = [...sent].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
    return new Response([...sent].flat().join("\n"), {
      status: 302,
      headers: { location: `https://elsewhere.example/?${query}` },
    });
  },
  slashes: (sent) => new Response(JSON.stringify([...sent]).replaceAll("/", "\\/"), { status: 500 }),
  credential: (sent) => new Response(`{"token":"${sent.get("authorization")?.slice(7)}"}`, { status: 400 }),
  controls: (sent) => new Response([...(sent.get("authorization") ?? "")].join("\u0000"), { status: 404 }),
  throws: (sent) => {
    throw new TypeError(`can't send ${[...sent].flat().join(" ")}`);
  },
};
for (const header of ["authorization", "x-api-key", "x-api-key-next", "webhook-signature"]) {
  // The end of what is kept falls into the secret.
  (ANSWERS as Record<string, (sent: Headers) => Response>)[`cut-${header}`] = (sent) =>
    new Response("x".repeat(8_192 - 14) + (sent.get(header) ?? ""), { status: 503 });
}
const TARGETS = Object.keys(ANSWERS);

const ruleSet = compileRules(
  {
    version: "v1",
    sources: [
      { name: "github", kind: "github", bus: "default", entry: { secrets: ["GITHUB_SECRET"] } },
      { name: "events", kind: "cloudevents", bus: "default", entry: { auth: { bearer: ["INGEST_TOKEN"] } } },
      { name: "unset", kind: "github", bus: "default", entry: { secrets: ["NOT_SET"] } },
    ],
    targets: TARGETS.map((name) => ({
      name,
      kind: "http",
      entry: {
        http: `https://${name}.example.com/hook`,
        sign: ["SIGN_NEW", "SIGN_OLD"],
        headers: {
          Authorization: { secret: "AUTHORIZATION" },
          "X-Api-Key": { secret: "API_KEY" },
          "X-Api-Key-Next": { secret: "API_KEY_NEXT" },
        },
      },
      timeoutMs: 1_000,
      retryDelaysMs: [1_000],
      maxAgeMs: 3_600_000,
    })),
    rules: [
      { path: "default/all", bus: "default", pattern: { id: [{ exists: true }] }, targets: TARGETS, mode: "live" },
    ],
  },
  { sources, targets: { http } },
);

function openRouter() {
  const produced: string[] = [];
  const signatures: string[] = [];
  const sql = openNodeSql();
  let now = Date.UTC(2026, 0, 1);
  let tokens = 0;
  const later: Promise<unknown>[] = [];
  const log = (message: string, fields: unknown) => void produced.push(`${message} ${JSON.stringify(fields)}`);
  const engine = openEngine({
    sql,
    limits: LEDGER_LIMITS,
    setAlarm: () => {},
    handOver: async (job) => void later.push(dispatch([job], ports)),
    askOpenLanes: () => Promise.reject(new Error("there is no other partition")),
    now: () => now,
    newToken: () => `lease-${++tokens}`,
    log,
  });
  engine.start(null);
  const partition: PartitionPort = {
    accept: async (request) => structuredClone(engine.accept(request)),
    settle: async (request) => {
      produced.push(JSON.stringify(request));
      return structuredClone(engine.settle(request));
    },
    known: async (request) => structuredClone(engine.known(request)),
    openLanes: async (ids) => engine.openLanes(ids),
  };
  const admin: AdminPartitionPort = {
    get: async (seq) => engine.get(seq),
    list: async (request) => engine.list(request),
    redrive: async (seq, id) => engine.redrive(seq, id),
    recordRejections: async (entries) => engine.recordRejections(entries),
    listRejections: async (limit) => engine.listRejections(limit),
    wake: async (statuses) => engine.wake(null, statuses),
    setTargetStatuses: async (statuses) => engine.setTargetStatuses(statuses),
  };
  const gates = openGateEngine({ sql: openNodeSql(), now: () => now, random: () => 0.5 });
  const gate: GatePort = {
    acquire: async (request) => gates.acquire(request),
    finish: async (token, result) => gates.finish(token, result),
    report: async (record) => gates.report(record),
    pause: async (target, reason) => gates.pause(target, reason),
    resume: async (target) => gates.resume(target),
    status: async (target) => gates.status(target),
  };
  const secret = secretsFrom(SECRETS);
  const io = targetIo({
    now: () => now,
    hashing,
    secret,
    fetch: async (url, init) => {
      const sent = new Headers(init.headers);
      signatures.push(...(sent.get("webhook-signature") ?? "").split(" "));
      const answer = ANSWERS[new URL(url).hostname.split(".")[0] ?? ""];
      if (answer === undefined) throw new Error(`nobody is at ${url}`);
      return answer(sent);
    },
  });
  const recorder = createRejectionRecorder()({
    now: () => (now += 2_000),
    sleep: () => Promise.resolve(),
    write: async (_source, entries) => engine.recordRejections(entries),
  });
  const ports: HttpPorts & DispatchPorts = {
    ruleSet,
    rulesVersion: { hash: "v1", deployedAt: 0 },
    partitions: 1,
    partitionsBefore: [],
    hashing,
    partition: () => partition,
    adminPartition: () => admin,
    partitionsOf: () => ["v1/default/1/0"],
    gate: () => gate,
    adminToken: ADMIN_TOKEN,
    secret,
    io,
    now: () => now,
    random: () => 0.5,
    sleep: () => Promise.resolve(),
    newToken: () => `accept-${++tokens}`,
    within: (work) => work,
    log,
    later: (work) => void later.push(work),
    dispatch: (jobs: readonly DispatchJob[]) => dispatch(jobs, ports),
    recordRejection: recorder.record,
  };

  async function settled(): Promise<void> {
    while (later.length > 0) await Promise.all(later.splice(0));
  }

  return {
    produced,
    signatures,
    sql,
    ask: async (path: string, init: RequestInit): Promise<{ readonly status: number; readonly text: string }> => {
      const response = await app.fetch(new Request(`https://sluice.example${path}`, init), { ports });
      const text = await response.text();
      produced.push(`${path} ${response.status} ${JSON.stringify([...response.headers])} ${text}`);
      await settled();
      return { status: response.status, text };
    },
    wait: async (ms: number): Promise<void> => {
      now += ms;
      await engine.alarm();
      await settled();
    },
  };
}

/** Every spelling that would give a secret away, and what a cut in its middle would leave of it. */
function traces(secret: string): readonly string[] {
  const credential = secret.replace(/^Bearer /, "");
  return [secret, credential].flatMap((text) => {
    const inJson = JSON.stringify(text).slice(1, -1);
    const spelled = [text, inJson, inJson.replaceAll("/", "\\/"), encodeURIComponent(text), btoa(text)];
    // Bodies are kept inside of JSON, where their own escapes are escaped once more.
    return [...spelled, ...spelled.map((each) => JSON.stringify(each).slice(1, -1)), text.slice(0, 12), text.slice(-8)];
  });
}

it("nothing that a run leaves behind holds a secret or a signature", async () => {
  const router = openRouter();
  const { ask, produced, signatures, sql } = router;
  const body = '{"action":"opened","issue":{"title":"x"}}';
  const received = githubSignature(SECRETS.GITHUB_SECRET, body);
  const forged = githubSignature("forged-secret", body);
  const github = (signature: string, id: string) => ({
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": "issues",
      "x-github-delivery": id,
      "x-hub-signature-256": signature,
    },
    body,
  });
  const event = (authorization: string, more: Readonly<Record<string, string>> = {}) => ({
    method: "POST",
    headers: { authorization, "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "t", ...more },
    body: "text",
  });
  const admin = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };

  const accepted = await ask("/webhooks/github", github(received, "one"));
  expect(accepted.status).toBe(202);
  expect((await ask("/events", event(`Bearer ${SECRETS.INGEST_TOKEN}`))).status).toBe(202);
  for (const signature of [forged, received.toUpperCase(), received.slice(0, -2), `${received},${received}`, "x"]) {
    expect([400, 401]).toContain((await ask("/webhooks/github", github(signature, "two"))).status);
  }
  for (const token of [
    "Bearer wrong-token-guess",
    `Basic ${btoa(`x:${SECRETS.INGEST_TOKEN}`)}`,
    SECRETS.INGEST_TOKEN,
  ]) {
    expect((await ask("/events", event(token))).status).toBe(401);
  }
  expect((await ask("/webhooks/unset", github(received, "three"))).status).toBe(503);
  expect((await ask("/events", event(`Bearer ${SECRETS.INGEST_TOKEN}`, { "ce-id": "" }))).status).toBe(400);
  await router.wait(2_000);
  await router.wait(60_000);

  const { id } = JSON.parse(accepted.text) as { readonly id: string };
  for (const path of ["/events", `/events/${id}`, "/deliveries?state=dead", "/rules", "/rejections", "/events?x=1"]) {
    await ask(`/api${path}`, admin);
    await ask(`/api${path}`, { headers: { authorization: "Bearer wrong-admin-guess" } });
  }
  const tables = sql.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
  const decoder = new TextDecoder();
  for (const { name } of tables) {
    for (const row of sql.all(`SELECT * FROM "${name}"`)) {
      produced.push(
        `${name} ${Object.values(row)
          .map((value) => (value instanceof Uint8Array ? decoder.decode(value) : String(value)))
          .join(" | ")}`,
      );
    }
  }

  const all = produced.join("\n");
  // The search looks at something: each target answered, and its answers were kept.
  expect(tables.length).toBeGreaterThan(2);
  expect(signatures.length).toBeGreaterThanOrEqual(2 * 2 * TARGETS.length);
  for (const target of TARGETS) expect(all).toContain(`"${target}"`);
  for (const seen of [
    "[redacted]",
    "elsewhere.example",
    "delivery.attempted",
    "wrong-signature",
    "retries-exhausted",
  ]) {
    expect(all).toContain(seen);
  }
  const secrets = [...Object.values(SECRETS), ADMIN_TOKEN];
  const guessed = [
    "wrong-token-guess",
    "wrong-admin-guess",
    forged.slice(7),
    received.slice(7),
    received.slice(7).toUpperCase(),
  ];
  const found = [
    ...secrets.flatMap(traces),
    ...guessed,
    ...signatures.flatMap((each) => [each.slice(0, 13), each.slice(3)]),
  ]
    .filter((trace) => all.includes(trace))
    .map((trace) => `${trace}: ${all.slice(Math.max(0, all.indexOf(trace) - 120), all.indexOf(trace) + 60)}`);
  expect(found).toEqual([]);
  sql.close();
});
