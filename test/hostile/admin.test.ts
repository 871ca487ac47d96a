/**
 * The admin API, and every other address, under any request: an answer that is meant, a problem document where it is a
 * refusal, no exception, and nothing that lets a page in somebody's browser use it.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REDRIVE_BODY_BYTES_MAX } from "../../src/http/redrive-request.ts";
import { BROKEN_BODIES, HOSTILE_JSON, HOSTILE_NAMES } from "./corpus.ts";
import type { Answer } from "./router.ts";
import { openRouter } from "./router.ts";

const TOKEN = "admin-token-for-tests";
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

const router = openRouter({
  document: {
    sources: [{ name: "events", kind: "cloudevents", bus: "default", entry: { auth: { bearer: ["INGEST"] } } }],
    targets: [
      {
        name: "ci",
        kind: "http",
        entry: { http: "https://ci.example/" },
        timeoutMs: 1_000,
        retryDelaysMs: [],
        maxAgeMs: 60_000,
      },
    ],
    rules: [
      { path: "default/all", bus: "default", pattern: { id: [{ exists: true }] }, targets: ["ci"], mode: "live" },
    ],
  },
  secrets: { INGEST: "ingest-token-for-tests" },
  adminToken: TOKEN,
  fetch: async () => new Response("no", { status: 400 }),
});
afterAll(() => router.close());

let receipt = "";
let delivery = "";
beforeAll(async () => {
  for (const id of ["one", "two", "three"]) {
    const headers = {
      authorization: "Bearer ingest-token-for-tests",
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "/x",
      "ce-type": "t",
    };
    const answer = await router.ask("/events", { method: "POST", headers, body: "text" });
    receipt = (JSON.parse(answer.text) as { readonly id: string }).id;
  }
  const shown = await router.ask(`/api/events/${receipt}`, { headers: AUTHORIZED });
  delivery =
    (JSON.parse(shown.text) as { readonly deliveries: readonly { readonly delivery: string }[] }).deliveries[0]
      ?.delivery ?? "";
  if (!delivery.startsWith("dlv_")) throw new Error("the event has a delivery");
});

const TYPE = /^urn:sluice:problem:[a-z-]+$/;
const MEANT_503 = ["try-again", "storage-unavailable", "backlog-full", "source-not-configured"];

/** What holds of every answer, whoever asked for what. */
function expectMeant({ status, headers, text }: Answer): void {
  for (const [name] of headers) expect(name).not.toMatch(/^access-control-|^set-cookie$/);
  if (status < 400) {
    expect([200, 202, 204]).toContain(status);
    return;
  }
  // A search that found nothing to re-drive answers with its results, and HEAD with no body.
  if (status === 404 && text.includes('"results"')) return;
  expect(headers.get("content-type")).toBe("application/problem+json");
  if (text === "") return;
  const problem = JSON.parse(text) as Readonly<Record<string, unknown>>;
  expect(Object.keys(problem).toSorted()).toEqual(["detail", "status", "title", "type"]);
  expect(problem["status"]).toBe(status);
  expect(problem["type"]).toMatch(TYPE);
  expect(String(problem["detail"]).length).toBeLessThan(1_500);
  if (status >= 500) {
    expect(status).toBe(503);
    expect(MEANT_503).toContain(String(problem["type"]).slice("urn:sluice:problem:".length));
  }
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const ROUTES = [
  "events",
  "deliveries",
  "redrive",
  "rules",
  "rejections",
  "targets",
  "targets/ci/pause",
  "targets/ci/resume",
  "events/evt_x",
  "",
];
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(...HOSTILE_NAMES),
  fc.constantFrom(
    "1",
    "-1",
    "1e9",
    "dead",
    "2026-01-01",
    "+275760-09-13T00:00:00.001Z",
    "-271822-01-01",
    "99999999999999999999",
  ),
);
const segment = fc.oneof(
  text.map((each) => encodeURIComponent(each.toWellFormed())),
  fc.constantFrom("%", "%E0%A4%A", "%2e%2e", "..", ".", "%00", "%2f", ";x=1", "*", ":name", "events", "targets"),
  fc.constantFrom("r", "d").map((which) => (which === "r" ? receipt : delivery)),
);
const path = fc.oneof(
  fc.constantFrom(...ROUTES),
  fc.tuple(fc.constantFrom("events", "targets", "deliveries", "targets/ci"), segment).map((parts) => parts.join("/")),
  fc.tuple(fc.constant("targets"), segment, fc.constantFrom("pause", "resume", "x")).map((parts) => parts.join("/")),
  fc.array(segment, { maxLength: 5 }).map((parts) => parts.join("/")),
);
const parameter = fc.constantFrom(
  "type",
  "source",
  "id",
  "status",
  "since",
  "until",
  "cursor",
  "limit",
  "state",
  "rule",
  "target",
  "token",
  "x",
  "__proto__",
);
const query = fc
  .array(fc.tuple(parameter, segment), { maxLength: 4 })
  .map((pairs) => (pairs.length === 0 ? "" : `?${pairs.map((pair) => pair.join("=")).join("&")}`));
const headers = fc.dictionary(
  fc.constantFrom(
    "origin",
    "content-type",
    "content-encoding",
    "content-length",
    "accept",
    "range",
    "if-none-match",
    "x-forwarded-host",
    "x-http-method-override",
    "upgrade",
    "expect",
    "cookie",
  ),
  fc.oneof(
    fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 20 }),
    fc.constantFrom("gzip", "identity", "PUT", "application/json", "9".repeat(30)),
  ),
  { maxKeys: 3 },
);

function withBody(method: string, body: Uint8Array | string): RequestInit {
  return method === "GET" || method === "HEAD" ? { method } : { method, body: body as string };
}

describe("any request", () => {
  it("to the admin API with the token has an answer that is meant", async () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(...BROKEN_BODIES.filter(({ length }) => length < 1_000)),
      fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
      fc
        .tuple(
          fc.constantFrom("event", "delivery", "items", "__proto__"),
          fc.constantFrom(...HOSTILE_JSON.filter(({ length }) => length < 1_000)),
        )
        .map(([name, value]) => `{"event":"${receipt}",${JSON.stringify(name)}:${value}}`),
    );
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...METHODS),
        path,
        query,
        headers,
        body,
        async (method, route, search, more, sent) => {
          const answer = await router.ask(`/api/${route}${search}`, {
            ...withBody(method, sent as Uint8Array),
            headers: { ...more, ...AUTHORIZED },
          });
          expectMeant(answer);
          statuses.add(answer.status);
        },
      ),
      { numRuns: 2_000 },
    );
    for (const expected of [200, 400, 404]) expect(statuses).toContain(expected);
  }, 30_000);

  it("to any address has an answer that is meant", async () => {
    const top = fc.oneof(fc.constantFrom("events", "webhooks", "webhooks/events", "healthz", "data", "api", ""), path);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...METHODS),
        top,
        query,
        headers,
        fc.uint8Array({ maxLength: 40 }),
        fc.boolean(),
        async (method, route, search, more, sent, known) => {
          const authorization: Record<string, string> = known ? { authorization: "Bearer ingest-token-for-tests" } : {};
          expectMeant(
            await router.ask(`/${route}${search}`, {
              ...withBody(method, sent),
              headers: { ...more, ...authorization },
            }),
          );
        },
      ),
      { numRuns: 1_500 },
    );
  }, 30_000);

  it("to re-drive with any JSON for a body has an answer that is meant, up to its size and beyond", async () => {
    for (const value of [...HOSTILE_JSON, "x".repeat(REDRIVE_BODY_BYTES_MAX + 1)]) {
      for (const body of [
        value,
        `{"event":${value}}`,
        `{"items":${value}}`,
        `{"items":[{"event":"${receipt}","delivery":${value}}]}`,
      ]) {
        const answer = await router.ask("/api/redrive", { method: "POST", headers: AUTHORIZED, body });
        expectMeant(answer);
        if (body.length > REDRIVE_BODY_BYTES_MAX) expect(answer.status).toBe(413);
      }
    }
    expect("polluted" in {}).toBe(false);
  }, 30_000);

  it("has been answered without a bug", () => {
    expect(router.produced.filter((line) => /\bbug\b/.test(line.split(" ", 1)[0] ?? ""))).toEqual([]);
  });
});

describe("a page in somebody's browser", () => {
  /** Requests that a browser sends without asking first (Fetch, "CORS-safelisted"): a form, an image, a script. */
  const simple: readonly RequestInit[] = [
    { method: "GET" },
    { method: "HEAD" },
    ...["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"].map((type) => ({
      method: "POST",
      headers: { "content-type": type },
      body: JSON.stringify({ event: "evt_x" }),
    })),
  ];
  const ORIGINS = ["https://evil.example", "null", "https://sluice.example"];

  it.each(ROUTES)(
    "gets nothing of /api/%s and changes nothing, with no header for it to read the answer by",
    async (route) => {
      const state = async () => (await router.ask("/api/targets", { headers: AUTHORIZED })).text;
      const before = await state();
      for (const origin of ORIGINS) {
        for (const init of simple) {
          const all = {
            ...(init.headers as Record<string, string>),
            origin,
            "sec-fetch-site": "cross-site",
            cookie: `token=${TOKEN}; authorization=Bearer ${TOKEN}; ADMIN_TOKEN=${TOKEN}`,
          };
          const answer = await router.ask(`/api/${route}`, { ...init, headers: all });
          expectMeant(answer);
          expect(answer.status).toBe(401);
        }
        // With the token too: an answer is for who asked with the header, never for a page that the browser asks for.
        const known = await router.ask(`/api/${route}`, { headers: { ...AUTHORIZED, origin } });
        expectMeant(known);
        const preflight = {
          method: "OPTIONS",
          headers: {
            origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
          },
        };
        const asked = await router.ask(`/api/${route}`, preflight);
        expectMeant(asked);
        expect(asked.status).toBe(401);
      }
      expect(await state()).toBe(before);
    },
  );

  it("can't give the token in any other place than the header Authorization", async () => {
    const encoded = encodeURIComponent(`Bearer ${TOKEN}`);
    const requests: readonly (readonly [string, RequestInit])[] = [
      ...["token", "access_token", "authorization", "Authorization", "ADMIN_TOKEN", "key", "bearer"].flatMap((name) => [
        [`?${name}=${TOKEN}`, {}] as const,
        [`?${name}=${encoded}`, {}] as const,
        ["", { headers: { cookie: `${name}=${TOKEN}` } }] as const,
        [
          "",
          {
            method: "POST",
            body: `${name}=${TOKEN}`,
            headers: { "content-type": "application/x-www-form-urlencoded" },
          },
        ] as const,
        ["", { method: "POST", body: JSON.stringify({ [name]: TOKEN }) }] as const,
      ]),
      ...["x-authorization", "proxy-authorization", "x-admin-token", "x-api-key", "x-forwarded-authorization"].map(
        (name) => ["", { headers: { [name]: `Bearer ${TOKEN}` } }] as const,
      ),
      ["", { headers: { authorization: `Basic ${btoa(`:${TOKEN}`)}` } }],
      ["", { headers: { authorization: `Bearer ${TOKEN}, Bearer ${TOKEN}` } }],
      [
        "",
        {
          headers: [
            ["authorization", "Bearer x"],
            ["authorization", `Bearer ${TOKEN}`],
          ],
        },
      ],
    ];
    for (const [search, init] of requests) {
      for (const route of ["events", "redrive", "targets/ci/pause"]) {
        const answer = await router.ask(`/api/${route}${search}`, init);
        expect(answer.status, `${search} ${JSON.stringify(init)}`).toBe(401);
        expect(answer.text).not.toContain(TOKEN);
      }
    }
  });

  it("finds the API closed where no token is set, whatever it sends for one", async () => {
    const ports = { ...router.ports, adminToken: undefined };
    const { app } = await import("../../src/http/app.ts");
    for (const authorization of ["", "Bearer", "Bearer ", "Bearer undefined", "Bearer null", `Bearer ${TOKEN}`]) {
      const answer = await app.fetch(new Request("https://sluice.example/api/events", { headers: { authorization } }), {
        ports,
      });
      expect(answer.status).toBe(403);
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });
});

it("the admin's token is compared by its hash, whole, and in a time that does not tell where it differs", async () => {
  const compared: (readonly [number, number])[] = [];
  const { hashing } = router.ports;
  const counting = {
    ...hashing,
    equalBytes: (a: Uint8Array, b: Uint8Array) => {
      compared.push([a.length, b.length]);
      return hashing.equalBytes(a, b);
    },
  };
  const { app } = await import("../../src/http/app.ts");
  const guesses = ["", "a", TOKEN.slice(0, -1), `${TOKEN}x`, "x".repeat(10_000), TOKEN];
  for (const guess of guesses) {
    const request = new Request("https://sluice.example/api/rules", { headers: { authorization: `Bearer ${guess}` } });
    const answer = await app.fetch(request, { ports: { ...router.ports, hashing: counting } });
    expect(answer.status).toBe(guess === TOKEN ? 200 : 401);
  }
  expect(compared).toEqual(guesses.map(() => [32, 32]));
});
