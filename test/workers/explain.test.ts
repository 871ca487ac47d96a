/** Explanations through the whole Worker, of events in real partitions. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Explanation } from "../../src/core/explain.ts";
import { admin, answerTargets, eventWithStatus, githubCall, problemOf, pushOf, receiptOf, send } from "./router.ts";
import type { SentRequest } from "./router.ts";

const SECRETS = [
  env.GITHUB_WEBHOOK_SECRET,
  env.INGEST_TOKEN,
  env.ADMIN_TOKEN,
  env.PRINTER_SIGNING_SECRET,
  env.CI_SIGNING_SECRET,
];

let sent: readonly SentRequest[] = [];

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  sent = answerTargets(() => new Response("ok"));
});

afterEach(() => {
  vi.restoreAllMocks();
});

it("an accepted event's explanation is what was sent of it, and holds no secret and no signature", async () => {
  const body = pushOf(771_001);
  const { id } = receiptOf(await send("/webhooks/github", githubCall("push", body)));
  const { deliveries } = await eventWithStatus(id, "delivered");
  const explanation = await admin<Explanation>(`/explain/${id}`);

  const byRule = new Map(explanation.rules.map((rule) => [rule.rule, rule]));
  expect(byRule.get("default/issue-title")).toMatchObject({
    matched: false,
    reason: { path: "type", found: '"com.github.push"' },
  });
  expect(deliveries.map(({ rule }) => rule).toSorted()).toEqual(["default/deploy-on-main", "default/push"]);
  for (const { rule, target, delivery } of deliveries) {
    const told = byRule.get(rule)?.deliveries.find((each) => each.target === target);
    expect(told?.delivery).toBe(delivery);
    const request = sent.find(({ headers }) => headers.get("webhook-id") === delivery);
    expect(told?.request).toMatchObject({ method: "POST", url: request?.url, body: request?.body });
    const masked = {
      "webhook-timestamp": "<time of sending>",
      "webhook-signature": `<signed with ${target.toUpperCase()}_SIGNING_SECRET>`,
    };
    expect(told?.request?.headers).toEqual({ ...Object.fromEntries(request?.headers ?? []), ...masked });
  }

  const text = JSON.stringify(explanation);
  const signatures = sent.map(({ headers }) => headers.get("webhook-signature") ?? "none");
  expect(signatures).toHaveLength(2);
  for (const secret of [...SECRETS, ...signatures, ...signatures.map((each) => each.slice(3))]) {
    expect(secret).toMatch(/.{12}/);
    expect(text).not.toContain(secret);
  }
});

it("is asked for with the admin's token only", async () => {
  expect(problemOf(await send("/api/explain/evt_x", { method: "GET" }))).toBe("401 wrong-admin-token");
});
