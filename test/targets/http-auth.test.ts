/** Who sends, told to real servers: a token endpoint and a target. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import type { TargetIo } from "../../src/core/target.ts";
import { TOKEN_ANSWER_BYTES_MAX } from "../../src/targets/_access-token.ts";
import { AUTH_TEXT_CHARS_MAX } from "../../src/targets/_target-auth-entry.ts";
import http from "../../src/targets/http.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { LOCAL, eventWith, secretsFrom, shipmentOf, targetIo } from "../support/target-io.ts";

const URL_GIVEN = "https://ci.example.com/hooks";
const SECRETS = {
  TOKEN: "hunter2-token",
  PASSWORD: "pass:wörd-7f3a",
  USER: "deployer-7f3a",
  CLIENT: "client-secret-7f3a",
};

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(respond: (response: ServerResponse, request: IncomingMessage) => void): Promise<TestServer> {
  const server = await startServer(respond);
  servers.push(server);
  return server;
}

function configOf(entry: JsonObject) {
  const parsed = http.parse(entry);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

function send(config: ReturnType<typeof configOf>, io: Partial<TargetIo> = {}, timeoutMs = 2_000) {
  const changes = { local: LOCAL, secret: secretsFrom(SECRETS), ...io };
  return http.send(shipmentOf(eventWith('{"a":1}')), config, timeoutMs, targetIo(changes));
}

/** A token endpoint that gives out `token-1`, `token-2`, …, and a target that takes those which `isRight` says. */
async function tokenWorld(isRight: (token: string) => boolean = () => true, lifetimeSeconds = 3_600) {
  let given = 0;
  const issuer = await serve((response) => {
    given += 1;
    const answer = { access_token: `token-${given}`, token_type: "Bearer", expires_in: lifetimeSeconds };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  const target = await serve((response, { headers }) => {
    const token = headers.authorization?.replace("Bearer ", "") ?? "";
    response.writeHead(isRight(token) ? 204 : 401).end();
  });
  const oauth2 = { "token-url": issuer.url, "client-id": "sluice", "client-secret": "CLIENT" };
  return { issuer, target, entry: { http: target.url, auth: { oauth2 } }, oauth2 };
}

describe("auth: bearer and basic", () => {
  it.each([
    [{ bearer: "TOKEN" }, "Bearer hunter2-token"],
    [{ basic: { user: "deployer", password: "PASSWORD" } }, `Basic ${btoa("deployer:pass:w\u00c3\u00b6rd-7f3a")}`],
    [
      { basic: { user: { secret: "USER" }, password: "PASSWORD" } },
      `Basic ${btoa("deployer-7f3a:pass:w\u00c3\u00b6rd-7f3a")}`,
    ],
  ])("%j is sent", async (auth, value) => {
    const server = await serve((response, { headers }) => response.end(`you sent ${headers.authorization}`));
    const outcome = await send(configOf({ http: server.url, auth }));
    expect(server.requests[0]?.headers.authorization).toBe(value);
    expect(outcome).toMatchObject({ kind: "delivered", answer: { body: expect.stringContaining("[redacted]") } });
    expect(JSON.stringify(outcome)).not.toMatch(/hunter2|7f3a|ZGVwbG95/);
  });

  it.each([
    [{ bearer: "NOWHERE" }, {}, "the secret NOWHERE is not set"],
    [
      { bearer: "TOKEN" },
      { TOKEN: "hunter2\n" },
      "the secret TOKEN can't be sent as a bearer token: it holds a line break",
    ],
    [
      { basic: { user: "a", password: "PASSWORD" } },
      { PASSWORD: "hunter2\u0000" },
      "the secret PASSWORD can't be sent as a password",
    ],
    [
      { basic: { user: { secret: "USER" }, password: "PASSWORD" } },
      { USER: "hun:ter2", PASSWORD: "x" },
      "holds a colon",
    ],
  ])("%j with a secret that can't be sent is final and doesn't show it", async (auth, secrets, detail) => {
    const io = { fetch: () => Promise.reject(new Error("fetched")), secret: secretsFrom(secrets) };
    const outcome = await send(configOf({ http: URL_GIVEN, auth }), io);
    expect(outcome).toMatchObject({
      kind: "permanent",
      reason: "configuration",
      detail: expect.stringContaining(detail),
    });
    expect(JSON.stringify(outcome)).not.toMatch(/hun:?ter2/);
  });

  it("names its secrets, and the URL that it asks", () => {
    const oauth2 = {
      "token-url": "https://auth.example.com/token",
      "client-id": { secret: "ID" },
      "client-secret": "CLIENT",
    };
    expect(http.secretNames(configOf({ http: URL_GIVEN, auth: { bearer: "TOKEN" } }))).toEqual(["TOKEN"]);
    const config = configOf({ http: URL_GIVEN, auth: { oauth2 } });
    expect(http.secretNames(config)).toEqual(["ID", "CLIENT"]);
    expect(http.urls(config)).toEqual([URL_GIVEN, "https://auth.example.com/token"]);
    const local = configOf({ http: URL_GIVEN, auth: { oauth2: { ...oauth2, "token-url": "http://localhost:1/" } } });
    expect(http.localOnly(local)).toEqual([expect.stringMatching(/^its token-url names this machine/)]);
  });

  it.each<[JsonObject, string]>([
    [{ auth: "TOKEN" }, "auth"],
    [{ auth: {} }, "auth"],
    [{ auth: { bearer: "A", basic: { user: "u", password: "P" } } }, "auth"],
    [{ auth: { beaer: "A" } }, "auth.beaer"],
    [{ auth: { bearer: "hunter2-hunter2" } }, "auth.bearer"],
    [{ auth: { basic: { user: "u:v", password: "P" } } }, "auth.basic.user"],
    [{ auth: { basic: { user: "u" } } }, "auth.basic"],
    [{ auth: { basic: { user: "u".repeat(AUTH_TEXT_CHARS_MAX + 1), password: "P" } } }, "auth.basic.user"],
    [
      { auth: { oauth2: { "token-url": "http://auth.example.com", "client-id": "a", "client-secret": "B" } } },
      "auth.oauth2.token-url",
    ],
    [{ auth: { oauth2: { "client-id": "a", "client-secret": "B" } } }, "auth.oauth2"],
    [{ auth: { bearer: "A" }, headers: { Authorization: { secret: "B" } } }, "auth"],
  ])("%j is a mistake at %s", (entry, path) => {
    const parsed = http.parse({ http: URL_GIVEN, ...entry });
    expect(parsed.ok ? [] : parsed.error.map((mistake) => mistake.path.join("."))).toEqual([path]);
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
  });

  it.each([
    [{ bearer: "TOKEN" }, "Bearer <secret TOKEN>"],
    [{ basic: { user: "deployer", password: "PASSWORD" } }, "Basic <user deployer and secret PASSWORD>"],
    [
      { oauth2: { "token-url": "https://auth.example.com/t", "client-id": "a", "client-secret": "B" } },
      "Bearer <token from https://auth.example.com/t>",
    ],
  ])("%j is previewed as %s", (auth, shown) => {
    const preview = http.preview(shipmentOf(eventWith("{}")), configOf({ http: URL_GIVEN, auth }), {
      local: undefined,
    });
    expect(preview.headers["authorization"]).toBe(shown);
  });
});

describe("auth: oauth2", () => {
  it("asks once for many deliveries, at the same time and one after the other", async () => {
    const { issuer, target, entry } = await tokenWorld();
    const config = configOf(entry);
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => send(config)));
    expect(outcomes.every(({ kind }) => kind === "delivered")).toBe(true);
    await send(config);
    expect(issuer.requests).toHaveLength(1);
    expect(new Set(target.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(["Bearer token-1"]));
    const [asked] = issuer.requests;
    expect(asked).toMatchObject({ method: "POST", path: "/hooks?key=value" });
    expect(asked?.headers.authorization).toBe(`Basic ${btoa("sluice:client-secret-7f3a")}`);
    expect(asked?.body.toString()).toBe("grant_type=client_credentials");
  });

  it("asks anew a minute before the token's end", async () => {
    const { issuer, target, entry } = await tokenWorld(() => true, 600);
    const config = configOf(entry);
    for (const now of [0, 539_999, 540_000]) await send(config, { now: () => now });
    expect(issuer.requests).toHaveLength(2);
    expect(target.requests.map(({ headers }) => headers.authorization)).toEqual(
      ["token-1", "token-1", "token-2"].map((token) => `Bearer ${token}`),
    );
  });

  it("has tokens of its own for each target", async () => {
    const { issuer, entry } = await tokenWorld();
    await send(configOf(entry));
    await send(configOf(entry));
    expect(issuer.requests).toHaveLength(2);
  });

  it("sends once more with a new token when the target will not have the kept one", async () => {
    const right = new Set(["token-1"]);
    const { issuer, target, entry } = await tokenWorld((token) => right.has(token));
    const config = configOf(entry);
    let now = 0;
    expect(await send(config, { now: () => now })).toMatchObject({ kind: "delivered" });
    right.clear();
    right.add("token-2");
    now = 1_000;
    expect(await send(config, { now: () => now })).toMatchObject({ kind: "delivered" });
    expect(issuer.requests).toHaveLength(2);
    expect(target.requests).toHaveLength(3);

    right.clear();
    now = 2_000;
    expect(await send(config, { now: () => now })).toMatchObject({ kind: "permanent", answer: { status: 401 } });
    expect(target.requests).toHaveLength(5);
  });

  it("doesn't ask for another token when the one just got is refused, but forgets it", async () => {
    const { issuer, target, entry } = await tokenWorld(() => false);
    const config = configOf(entry);
    expect(await send(config)).toMatchObject({ kind: "permanent", reason: "status", answer: { status: 401 } });
    expect([issuer.requests.length, target.requests.length]).toEqual([1, 1]);
    await send(config);
    expect([issuer.requests.length, target.requests.length]).toEqual([2, 2]);
  });

  it.each([
    [
      401,
      '{"error":"invalid_client","error_description":"client-secret-7f3a is wrong"}',
      "permanent",
      /answered 401 \(invalid_client: \[redacted\] is wrong\)$/,
    ],
    [
      401,
      `{"error":"invalid_client","error_description":"${"x".repeat(180)} client-secret-7f3a"}`,
      "permanent",
      /x{180} \[redacted\]\)$/,
    ],
    [
      401,
      `{"error":"invalid_client","error_description":"${"x".repeat(187)} client-secret-7f3a"}`,
      "permanent",
      /x{187} \[redacted\]?\)$/,
    ],
    [
      401,
      `{"error":"${"x".repeat(50)} client-secret-7f3a","error_description":"no"}`,
      "permanent",
      /\(x{50} \[redacted\]: no\)$/,
    ],
    [302, "", "permanent", /token-url must be corrected$/],
    [503, "", "retryable", /answered 503$/],
    [429, "", "retryable", /answered 429$/],
    [200, "<html>", "retryable", /answered without an access_token$/],
  ])("a token endpoint that answers %d %s makes it %s", async (status, body, kind, detail) => {
    const issuer = await serve((response) =>
      response.writeHead(status, { "retry-after": "17", location: "http://127.0.0.1:1/" }).end(body),
    );
    const { target, entry, oauth2 } = await tokenWorld();
    const config = configOf({ ...entry, auth: { oauth2: { ...oauth2, "token-url": issuer.url } } });
    const outcome = await send(config);
    expect(outcome).toMatchObject({ kind, detail: expect.stringMatching(detail) });
    expect("detail" in outcome ? outcome.detail : "").toMatch(/^the token endpoint 127\.0\.0\.1:\d+ answered/);
    if (status === 429) expect(outcome).toMatchObject({ retryAfterMs: 17_000 });
    expect(JSON.stringify(outcome)).not.toContain("7f3a");
    expect(target.requests).toHaveLength(0);
  });

  it("that is not reached, or answers nothing, is tried again, within the attempt's time", async () => {
    const silent = await serve(() => {});
    const gone = await serve(() => {});
    await gone.close();
    const { entry, oauth2 } = await tokenWorld();
    const withUrl = (url: string) => configOf({ ...entry, auth: { oauth2: { ...oauth2, "token-url": url } } });
    expect(await send(withUrl(gone.url))).toMatchObject({
      kind: "retryable",
      reason: "network",
      detail: expect.stringMatching(/^the token endpoint .* gave no token: the request failed: ECONNREFUSED$/),
    });
    const startedAt = performance.now();
    const config = withUrl(silent.url);
    const outcomes = await Promise.all([send(config, {}, 100), send(config, {}, 100)]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: "retryable", reason: "timeout" });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(silent.requests).toHaveLength(1);
  });

  it("is found in an answer as large as the limit, and not in a larger one", async () => {
    const { target, oauth2 } = await tokenWorld();
    for (const [bytes, kind] of [
      [TOKEN_ANSWER_BYTES_MAX, "delivered"],
      [TOKEN_ANSWER_BYTES_MAX + 1, "retryable"],
    ] as const) {
      const sized = await serve((response) => response.end(`{"access_token":"a","pad":"${"x".repeat(bytes - 29)}"}`));
      const config = configOf({ http: target.url, auth: { oauth2: { ...oauth2, "token-url": sized.url } } });
      expect(await send(config)).toMatchObject({ kind });
    }
  });

  it("is not stuck behind a question whose asker has gone", async () => {
    const { issuer, entry } = await tokenWorld();
    const config = configOf(entry);
    let now = 0;
    const never = { fetch: () => new Promise<never>(() => {}), now: () => now };
    // Its signal never aborts: as of a request that the platform has ended.
    void send(config, { ...never, timeoutSignal: () => new AbortController().signal }, 1_000);
    now = 999;
    expect(await send(config, { now: () => now }, 50)).toMatchObject({ kind: "retryable", reason: "timeout" });
    now = 1_000;
    expect(await send(config, { now: () => now })).toMatchObject({ kind: "delivered" });
    expect(issuer.requests).toHaveLength(1);
  });

  it("never lets the token into what is kept of the answer", async () => {
    const { entry, oauth2 } = await tokenWorld();
    const echo = await serve((response, { headers }) => response.end(`got ${headers.authorization}`));
    const outcome = await send(configOf({ ...entry, http: echo.url, auth: { oauth2 } }));
    expect(outcome).toMatchObject({ kind: "delivered", answer: { body: "got Bearer [redacted]" } });
  });

  it("asks for no token where a stand-in gets the delivery", async () => {
    const { issuer, target, entry } = await tokenWorld();
    expect(await send(configOf({ ...entry, http: URL_GIVEN, local: target.url }))).toMatchObject({ kind: "delivered" });
    expect(issuer.requests).toHaveLength(0);
    expect(target.requests[0]?.headers.authorization).toBe(`Bearer <token from ${issuer.url}>`);
  });
});
