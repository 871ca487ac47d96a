/**
 * One run of everything with secrets that are known here: sources, publish, dispatch, gates, pipes and replies, the admin API
 * and the command line, over a fake network that echoes each request in every way it can. Whatever the run leaves behind is
 * searched for them.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { runSluice } from "../bin/run-sluice.ts";
import { githubSignature } from "../sources/_context.ts";
import { openRouter } from "./router.ts";

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

const REPLY = { "ce-specversion": "1.0", "ce-id": "reply-of-", "ce-source": "/replies", "ce-type": "reply" };

/** What answers a request, by the target's name. Nearly every one of them gives away what it got. */
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
  gone: (sent) => new Response([...sent].flat().join("\n"), { status: 410 }),
  limited: (sent) => new Response([...sent].flat().join("\n"), { status: 429, headers: { "retry-after": "7" } }),
  replies: () => new Response('{"a":"reply"}', { headers: { ...REPLY, "ce-id": "a-reply" } }),
  "echoed-data": (sent) => new Response(JSON.stringify([...sent]), { headers: { ...REPLY, "ce-id": "echoed-data" } }),
  "echoed-attribute": (sent) =>
    new Response("{}", { headers: { ...REPLY, "ce-got": encodeURIComponent(sent.get("x-api-key") ?? "") } }),
  "echoed-mistake": (sent) =>
    new Response(`{"specversion":"1.0","${sent.get("authorization")?.slice(7)}`, {
      headers: { "content-type": `application/cloudevents+json; x=${sent.get("x-api-key") ?? ""}` },
    }),
};
for (const header of ["authorization", "x-api-key", "x-api-key-next", "webhook-signature"]) {
  // The end of what is kept falls into the secret.
  (ANSWERS as Record<string, (sent: Headers) => Response>)[`cut-${header}`] = (sent) =>
    new Response("x".repeat(8_192 - 14) + (sent.get(header) ?? ""), { status: 503 });
}
const ENDPOINTS = Object.keys(ANSWERS);
const TIMES = { timeoutMs: 1_000, retryDelaysMs: [1_000], maxAgeMs: 3_600_000 };
const ANYTHING = { id: [{ exists: true }] };

const DOCUMENT = {
  sources: [
    { name: "github", kind: "github", bus: "default", entry: { secrets: ["GITHUB_SECRET"], replays: "refuse" } },
    { name: "events", kind: "cloudevents", bus: "default", entry: { auth: { bearer: ["INGEST_TOKEN"] } } },
    { name: "unset", kind: "github", bus: "default", entry: { secrets: ["NOT_SET"] } },
  ],
  targets: [
    ...ENDPOINTS.map((name) => ({
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
      ...TIMES,
      ...(name === "limited" ? { limits: { rate: { limit: 5, periodMs: 1_000, burst: 1 }, concurrency: 2 } } : {}),
    })),
    { name: "pipe", kind: "bus", entry: { bus: "other" }, ...TIMES },
  ],
  rules: [
    {
      path: "default/all",
      bus: "default",
      pattern: { id: [{ "anything-but": { prefix: "a-reply" } }] },
      targets: [...ENDPOINTS, "pipe"],
      mode: "live",
    },
    {
      path: "default/ordered",
      bus: "default",
      pattern: { id: [{ exists: true }] },
      targets: ["error"],
      mode: "live",
      order: { by: "key", onFailure: { kind: "park" }, gapWaitMs: 0 },
    },
    { path: "other/all", bus: "other", pattern: ANYTHING, targets: ["credential"], mode: "live" },
  ],
} as const;

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
  const signatures: string[] = [];
  const router = openRouter({
    document: DOCUMENT,
    secrets: SECRETS,
    adminToken: ADMIN_TOKEN,
    fetch: async (url, init) => {
      const sent = new Headers(init.headers);
      signatures.push(...(sent.get("webhook-signature") ?? "").split(" "));
      const answer = ANSWERS[new URL(url).hostname.split(".")[0] ?? ""];
      if (answer === undefined) throw new Error(`nobody is at ${url}`);
      return answer(sent);
    },
  });
  const { broken, produced } = router;
  const ask = (path: string, init: RequestInit) => router.ask(path, init);
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
  const bearer = `Bearer ${SECRETS.INGEST_TOKEN}`;
  const admin = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };
  const statusOf = async (path: string, init: RequestInit) => (await ask(path, init)).status;

  const accepted = await ask("/webhooks/github", github(received, "one"));
  expect(accepted.status).toBe(202);
  expect(await statusOf("/events", event(bearer))).toBe(202);
  for (const signature of [forged, received.toUpperCase(), received.slice(0, -2), `${received},${received}`, "x"]) {
    expect([400, 401]).toContain(await statusOf("/webhooks/github", github(signature, "two")));
  }
  for (const token of [
    "Bearer wrong-token-guess",
    `Basic ${btoa(`x:${SECRETS.INGEST_TOKEN}`)}`,
    SECRETS.INGEST_TOKEN,
  ]) {
    expect(await statusOf("/events", event(token))).toBe(401);
  }
  expect(await statusOf("/webhooks/unset", github(received, "three"))).toBe(503);
  expect(await statusOf("/events", event(bearer, { "ce-id": "" }))).toBe(400);
  // The same signed content under another id is refused, other content under a known id is a conflict.
  expect(await statusOf("/webhooks/github", github(received, "four"))).toBe(409);
  expect(await statusOf("/events", event(bearer, { "ce-type": "other" }))).toBe(409);
  await router.wait(2_000);
  await router.wait(60_000);

  // Parts out of reach: each leaves a line in the log, and some of them a problem document.
  for (const part of ["gate", "partition", "dispatch"]) {
    broken.add(part);
    await ask("/events", event(bearer, { "ce-id": `without-${part}` }));
    await ask("/api/targets", admin);
    await ask("/api/targets/limited/pause", { ...admin, method: "POST" });
    await router.sweep();
    await router.wait(61_000);
    broken.delete(part);
    await router.wait(61_000);
  }

  const { id } = JSON.parse(accepted.text) as { readonly id: string };
  const post = (path: string, text: string | null = null) =>
    ask(`/api${path}`, { ...admin, method: "POST", ...(text === null ? {} : { body: text }) });
  const paths = [
    "/events",
    `/events/${id}`,
    `/explain/${id}`,
    "/deliveries?state=dead",
    "/deliveries?state=parked",
    "/rules",
    "/targets",
  ];
  for (const path of [...paths, "/rejections", "/events?x=1"]) {
    await ask(`/api${path}`, admin);
    await ask(`/api${path}`, { headers: { authorization: "Bearer wrong-admin-guess" } });
  }
  for (const target of ["ok", "gone", "limited", "nobody"]) {
    await post(`/targets/${target}/pause`);
    await ask("/api/targets", admin);
    await post(`/targets/${target}/resume`);
  }
  await post("/redrive", JSON.stringify({ event: id }));
  await post("/redrive", `{"event": "${ADMIN_TOKEN.slice(0, 3)}`);
  await router.sweep();
  await router.wait(2_000);
  await router.wait(4 * 3_600_000);
  for (const path of paths) await ask(`/api${path}`, admin);

  // The command line, over a real connection.
  const server = createServer((request, response) => {
    const headers = new Headers(request.headers as Record<string, string>);
    void router.fetch(new Request(`http://localhost${request.url}`, { headers })).then(async (answer) => {
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const to = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const commands = [
    ["event", id],
    ["event", id, "--json"],
    ["explain", id],
    ["explain", id, "--json"],
    ["events", "--json"],
    ["dead"],
    ["dead", "--json"],
    ["targets"],
    ["rejections", "--json"],
    ["rules", "--json"],
  ];
  for (const args of commands) {
    for (const token of [ADMIN_TOKEN, "wrong-admin-guess"]) {
      const run = await runSluice([...args, "--to", to], { env: { ADMIN_TOKEN: token } });
      expect(run.code === 0, `${args.join(" ")}: ${run.stderr}`).toBe(token === ADMIN_TOKEN);
      produced.push(`sluice ${args.join(" ")}`, run.stdout, run.stderr);
    }
  }
  await new Promise((resolve) => server.close(resolve));

  const tables = router.tables();
  produced.push(...tables);
  router.close();
  const all = produced.join("\n");

  // The search looks at something: each target answered, and its answers were kept.
  expect(tables.length).toBeGreaterThan(20);
  expect(signatures.length).toBeGreaterThanOrEqual(2 * 2 * ENDPOINTS.length);
  const WORDS =
    "[redacted] elsewhere.example wrong-signature retries-exhausted target-gone parked unknown a-reply target:pipe " +
    "problem:replayed problem:conflict problem:try-again delivery.attempted reply.published reply.ignored pipe.published " +
    "target.changed gate.failed settle.failed announce.failed sweep.failed dispatch.failed";
  const seen = [...ENDPOINTS, ...WORDS.split(" "), "it repeats a secret that the request carried"];
  expect(seen.filter((each) => !all.includes(each))).toEqual([]);
  const guessed = [
    "wrong-token-guess",
    "wrong-admin-guess",
    forged.slice(7),
    received.slice(7),
    received.slice(7).toUpperCase(),
  ];
  const found = [
    ...[...Object.values(SECRETS), ADMIN_TOKEN].flatMap(traces),
    ...guessed,
    ...signatures.flatMap((each) => [each.slice(0, 13), each.slice(3)]),
  ]
    .filter((trace) => all.includes(trace))
    .map((trace) => `${trace}: ${all.slice(Math.max(0, all.indexOf(trace) - 120), all.indexOf(trace) + 60)}`);
  expect(found).toEqual([]);
}, 60_000);
