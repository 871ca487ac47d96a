/** The route of sources, by itself and through the whole router. */
import { createHmac } from "node:crypto";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { partitionNames } from "../../src/bus/layout.ts";
import type { VerificationEntry } from "../../src/bus/ports.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import { sources, targets } from "../support/kinds.ts";
import type { AdminSourcePorts } from "../../src/http/admin-sources.ts";
import { sourceRoutes } from "../../src/http/admin-sources.ts";
import { openRouter } from "../hostile/router.ts";
import { secretsFrom } from "../support/target-io.ts";

const SOURCES = [
  { name: "events", kind: "cloudevents", bus: "default", entry: { auth: { bearer: ["TOKEN"] } } },
  { name: "hub", kind: "github", bus: "other", entry: { secrets: ["NEW", "OLD"] } },
  { name: "open", kind: "cloudevents", bus: "default", entry: { auth: "none" } },
];
const SECRETS = { NEW: "new-value", OLD: "old-value", TOKEN: "token-value" };
const AT = Date.UTC(2026, 0, 31);

interface BenchParts {
  readonly known?: Readonly<Record<string, readonly VerificationEntry[]>>;
  readonly set?: Readonly<Record<string, string>>;
}

async function ask({ known = {}, set = SECRETS }: BenchParts = {}, path = "/sources") {
  const asked: string[] = [];
  const ports: AdminSourcePorts = {
    ruleSet: compileRules({ version: "v", sources: SOURCES, targets: [], rules: [] }, { sources, targets }),
    secret: secretsFrom(set),
    allPartitions: () => partitionNames("default", { partitions: 2, partitionsBefore: [1] }),
    adminPartition: (name) => ({
      listVerifications: async () => {
        asked.push(name);
        return known[name] ?? [];
      },
    }),
  };
  const app = new Hono<{ Variables: { ports: AdminSourcePorts } }>();
  app.use(async (c, next) => {
    c.set("ports", ports);
    await next();
  });
  app.route("/sources", sourceRoutes());
  const response = await app.request(path);
  return { status: response.status, asked, json: (await response.json()) as { readonly sources: readonly unknown[] } };
}

describe("the list of sources", () => {
  it("tells addresses, who is open, and of each secret its name, whether it is set, and when it was last of use", async () => {
    const known = { "v1/default/2/1": [{ source: "hub", secret: "OLD", at: AT }] };
    const { status, json } = await ask({ known, set: { OLD: "old-value" } });
    expect(status).toBe(200);
    expect(json.sources).toEqual([
      {
        name: "events",
        kind: "cloudevents",
        bus: "default",
        paths: ["/webhooks/events", "/events"],
        open: false,
        secrets: [{ name: "TOKEN", set: false, lastVerifiedAt: null }],
      },
      {
        name: "hub",
        kind: "github",
        bus: "other",
        paths: ["/webhooks/hub"],
        open: false,
        secrets: [
          { name: "NEW", set: false, lastVerifiedAt: null },
          { name: "OLD", set: true, lastVerifiedAt: "2026-01-31T00:00:00.000Z" },
        ],
      },
      { name: "open", kind: "cloudevents", bus: "default", paths: ["/webhooks/open"], open: true, secrets: [] },
    ]);
  });

  it("takes the newest time of all partitions, those of an earlier layout too", async () => {
    const entry = (at: number) => [{ source: "hub", secret: "OLD", at }];
    const known = {
      "v1/default/1/0": entry(AT + 2_000),
      "v1/default/2/0": entry(AT + 1_000),
      "v1/default/2/1": entry(AT),
    };
    const { asked, json } = await ask({ known });
    expect(asked.toSorted()).toEqual(Object.keys(known));
    expect(json.sources[1]).toMatchObject({
      secrets: [{ name: "NEW" }, { name: "OLD", lastVerifiedAt: "2026-01-31T00:00:02.000Z" }],
    });
  });

  it("tells nothing of what no rule file names any more", async () => {
    const known = { "v1/default/2/0": [{ source: "gone", secret: "OLD", at: AT }] };
    expect(JSON.stringify((await ask({ known })).json)).not.toContain("gone");
  });

  it("takes no parameters, and never shows a secret", async () => {
    expect(await ask({}, "/sources?name=hub")).toMatchObject({ status: 400 });
    const { json } = await ask();
    for (const value of Object.values(SECRETS)) expect(JSON.stringify(json)).not.toContain(value);
  });
});

describe("through the router", () => {
  const body = '{"action":"opened"}';
  const document = {
    sources: [
      { name: "hub", kind: "github", bus: "default", entry: { secrets: ["NEW", "OLD"] } },
      { name: "same", kind: "github", bus: "default", entry: { secrets: ["NEW", "TWIN"] } },
      ...SOURCES.filter(({ bus }) => bus === "default"),
    ],
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
      { path: "default/push", bus: "default", pattern: { type: ["com.github.push"] }, targets: ["ci"], mode: "live" },
    ],
  } as const;
  const open = () =>
    openRouter({
      document,
      secrets: { ...SECRETS, TWIN: SECRETS.NEW },
      adminToken: "admin",
      fetch: async () => new Response(null, { status: 204 }),
    });
  type Router = ReturnType<typeof open>;

  const post = (router: Router, source: string, secret: string, id: string, text = body) =>
    router.ask(`/webhooks/${source}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": id,
        "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`,
      },
      body: text,
    });

  async function verified(router: Router): Promise<Readonly<Record<string, string>>> {
    const { text } = await router.ask("/api/sources", { headers: { authorization: "Bearer admin" } });
    const shown = JSON.parse(text) as {
      sources: { name: string; secrets: { name: string; lastVerifiedAt: string | null }[] }[];
    };
    return Object.fromEntries(
      shown.sources.flatMap(({ name, secrets }) =>
        secrets.flatMap((secret) =>
          secret.lastVerifiedAt === null ? [] : [[`${name} ${secret.name}`, secret.lastVerifiedAt]],
        ),
      ),
    );
  }

  it("each secret that a request was right by has its time, and no other", async () => {
    const router = open();
    expect(await verified(router)).toEqual({});
    expect((await post(router, "hub", SECRETS.OLD, "a")).status).toBe(202);
    expect(await verified(router)).toEqual({ "hub OLD": "2026-01-01T00:00:00.000Z" });
    await router.wait(60_000);
    expect((await post(router, "hub", SECRETS.NEW, "b")).status).toBe(202);
    expect(await verified(router)).toEqual({
      "hub NEW": "2026-01-01T00:01:00.000Z",
      "hub OLD": "2026-01-01T00:00:00.000Z",
    });
    router.close();
  });

  it("two names of one value both count", async () => {
    const router = open();
    await post(router, "same", SECRETS.NEW, "a");
    expect(Object.keys(await verified(router))).toEqual(["same NEW", "same TWIN"]);
    router.close();
  });

  it("a duplicate and a conflict count, as their secret is in use", async () => {
    const router = open();
    await post(router, "hub", SECRETS.OLD, "a");
    await router.wait(60_000);
    expect(JSON.parse((await post(router, "hub", SECRETS.OLD, "a")).text)).toMatchObject({ status: "duplicate" });
    expect(await verified(router)).toEqual({ "hub OLD": "2026-01-01T00:01:00.000Z" });
    await router.wait(60_000);
    expect((await post(router, "hub", SECRETS.OLD, "a", '{"other":1}')).status).toBe(409);
    expect(await verified(router)).toEqual({ "hub OLD": "2026-01-01T00:02:00.000Z" });
    router.close();
  });

  it("a wrong signature counts for nothing, and neither does an open source", async () => {
    const router = open();
    expect((await post(router, "hub", "another", "a")).status).toBe(401);
    const event = JSON.stringify({ specversion: "1.0", id: "1", source: "/s", type: "t" });
    const headers = { "content-type": "application/cloudevents+json" };
    expect((await router.ask("/webhooks/open", { method: "POST", headers, body: event })).status).toBe(202);
    expect(await verified(router)).toEqual({});
    router.close();
  });

  it("costs no row for an event while the minute lasts", async () => {
    const router = open();
    const rowsOf = async (id: string) => {
      const before = router.rowsWritten();
      await post(router, "hub", SECRETS.OLD, id, `{"n":"${id}"}`);
      return router.rowsWritten() - before;
    };
    await rowsOf("first");
    // The identity, the pack and the change; the platform counts the alarm too.
    expect([await rowsOf("a"), await rowsOf("b")]).toEqual([3, 3]);
    await router.wait(60_000);
    expect([await rowsOf("c"), await rowsOf("d")]).toEqual([4, 3]);
    router.close();
  });
});
