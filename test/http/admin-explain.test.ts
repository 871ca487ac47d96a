/** The route by itself; test/workers has it behind the token, over real partitions. */
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { ListedEvent } from "../../src/bus/ports.ts";
import { deliveryId, formatReceipt, partitionName, seqAtMs } from "../../src/core/receipt.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import type { LocalMode } from "../../src/core/target.ts";
import { LOG_WINDOW_MS } from "../../src/core/windows.ts";
import { sources, targets } from "../support/kinds.ts";
import type { AdminExplainPorts } from "../../src/http/admin-explain.ts";
import { explainRoutes } from "../../src/http/admin-explain.ts";
import { hashing } from "../../src/hashing.ts";
import { LOCAL, eventWith } from "../support/target-io.ts";

const NOW = Date.parse("2026-01-31T12:00:00Z");
const SEQ = seqAtMs(NOW - 1_000);
const PARTITION = partitionName("default", 4, 3);
const RECEIPT = formatReceipt({ partition: PARTITION, seq: SEQ });
const TIMES = { timeoutMs: 1_000, retryDelaysMs: [1_000], maxAgeMs: 3_600_000 };

const RULES = compileRules(
  {
    version: "r1",
    sources: [{ name: "events", kind: "cloudevents", bus: "default", entry: { auth: "none" } }],
    targets: [
      {
        name: "ci",
        kind: "http",
        entry: {
          http: "https://ci.example.com/hooks",
          local: "print",
          format: "raw",
          sign: "CI_SIGNING_SECRET",
          headers: { Authorization: { secret: "CI_TOKEN" } },
        },
        ...TIMES,
      },
      { name: "audit", kind: "queue", entry: { queue: "AUDIT" }, ...TIMES },
    ],
    rules: [
      {
        path: "default/push",
        bus: "default",
        pattern: { type: ["com.github.push"] },
        targets: ["ci", "audit"],
        mode: "live",
      },
      { path: "default/tag", bus: "default", pattern: { data: { tag: ["v1"] } }, targets: ["ci"], mode: "live" },
      { path: "other/all", bus: "other", pattern: { id: [{ exists: true }] }, targets: ["ci"], mode: "live" },
    ],
  },
  { sources, targets },
);

const DELIVERY = deliveryId("x", "default/push", "ci", 0, hashing.sha256);

function stored(): ListedEvent {
  const { attributes, body } = eventWith('{"ref":"refs/heads/main"}');
  const event = { attributes, body, source: "github", bus: "default", rawHeaders: { "x-github-event": "push" } };
  return {
    seq: SEQ,
    event: { ...event, rules: ["default/push"], rulesVersion: { hash: "r0", deployedAt: 0 }, key: "k" },
    // Only what the route reads.
    deliveries: [{ id: DELIVERY, rule: "default/push", target: "ci" }] as unknown as ListedEvent["deliveries"],
    status: "pending",
    acceptedAt: NOW - 1_000,
  };
}

async function ask(path: string, local?: LocalMode, asked: unknown[] = []) {
  const ports: AdminExplainPorts = {
    ruleSet: RULES,
    rulesVersion: { hash: "r1", deployedAt: 0 },
    now: () => NOW,
    io: { local, openBody: () => Promise.resolve(null) },
    adminPartition: (name) => ({
      get: async (seq) => {
        asked.push([name, seq]);
        return seq === SEQ ? stored() : null;
      },
    }),
  };
  const app = new Hono<{ Variables: { ports: AdminExplainPorts } }>();
  app.use(async (c, next) => {
    c.set("ports", ports);
    await next();
  });
  app.route("/explain", explainRoutes());
  const response = await app.request(path);
  return { status: response.status, json: (await response.json()) as Readonly<Record<string, unknown>> };
}

describe("GET /explain/:id", () => {
  it("tells for each rule of the event's bus why, and what is sent, with the delivery's id and no secret", async () => {
    const asked: unknown[] = [];
    const { status, json } = await ask(`/explain/${RECEIPT}`, undefined, asked);
    expect(status).toBe(200);
    expect(asked).toEqual([[PARTITION, SEQ]]);
    expect(json).toMatchObject({
      version: "r1",
      receipt: RECEIPT,
      bus: "default",
      event: { type: "com.github.push" },
      rules: [
        {
          rule: "default/push",
          mode: "live",
          matched: true,
          deliveries: [
            {
              target: "ci",
              kind: "http",
              delivery: DELIVERY,
              request: {
                action: "POST https://ci.example.com/hooks",
                headers: {
                  "x-github-event": "push",
                  authorization: "<secret CI_TOKEN>",
                  "webhook-id": DELIVERY,
                  "webhook-timestamp": "<time of sending>",
                  "webhook-signature": "<signed with CI_SIGNING_SECRET>",
                },
                body: '{"ref":"refs/heads/main"}',
              },
            },
            { target: "audit", kind: "queue", delivery: "<delivery id>", request: { action: "send to queue AUDIT" } },
          ],
        },
        {
          rule: "default/tag",
          matched: false,
          reason: { kind: "no-such-field", path: "data.tag", text: expect.stringMatching(/^data\.tag: expected "v1"/) },
          deliveries: [],
        },
      ],
    });
  });

  it("in local mode tells where a delivery goes on this machine", async () => {
    const { json } = await ask(`/explain/${RECEIPT}?rule=default%2Fpush`, LOCAL);
    expect(json).toMatchObject({ rules: [{ deliveries: [{ request: { url: LOCAL.printUrl } }, {}] }] });
    expect(json["rules"]).toHaveLength(1);
  });

  it.each([
    ["/explain/nonsense", 404, "No receipt looks like this; receipts begin with evt_."],
    [`/explain/${formatReceipt({ partition: PARTITION, seq: SEQ + 1 })}`, 404, /^No event has this receipt/],
    [
      `/explain/${formatReceipt({ partition: PARTITION, seq: seqAtMs(NOW - LOG_WINDOW_MS - 1) })}`,
      410,
      "The event is older than the log, which keeps 14 days.",
    ],
    [`/explain/${RECEIPT}?rule=default%2Fpusch`, 400, /did you mean "default\/push"\?/],
    [`/explain/${RECEIPT}?rule=other%2Fall`, 400, /^rule: unknown rule of the event's bus default "other\/all"/],
    [`/explain/${RECEIPT}?rules=x`, 400, "rules: unknown parameter (known: rule)"],
  ])("answers %s with %i", async (path, status, detail) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(answer.json["detail"]).toEqual(typeof detail === "string" ? detail : expect.stringMatching(detail));
  });
});
