import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { compileRules } from "../../src/core/rule-set.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import type { Transform } from "../../src/core/transform.ts";
import { parseTransform } from "../../src/core/read-transform.ts";
import { applyTransform } from "../../src/core/transform.ts";
import { rules } from "../../src/generated/rules.ts";

const ORIGIN = "https://sluice.example";

function send(path: string, init?: RequestInit): Promise<Response> {
  return exports.default.fetch(new Request(ORIGIN + path, init));
}

async function problemOf(response: Response): Promise<unknown> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return response.json();
}

describe("the Worker, inside workerd", () => {
  it("says at /healthz that it is alive and which rules it runs", async () => {
    const response = await send("/healthz");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok", rules: rules.version });
    expect(rules.version).toMatch(/^[0-9a-f]{12}$/);
  });

  it("keeps the admin API closed to whoever has no token or a wrong one, and opens it to the right one", async () => {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: env.ADMIN_TOKEN }]) {
      const response = await send("/api/rules", { headers });
      expect(response.status).toBe(401);
      expect(await problemOf(response)).toMatchObject({ type: "urn:sluice:problem:wrong-admin-token", status: 401 });
    }
    const response = await send("/api/rules", { headers: { authorization: `Bearer ${env.ADMIN_TOKEN}` } });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  });

  it("answers a webhook for an unknown source with a 404 problem", async () => {
    const response = await send("/webhooks/nobody", { method: "POST", body: "{}" });
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({ type: "urn:sluice:problem:unknown-source", status: 404 });
  });

  it("answers an address that does not exist with a 404 problem", async () => {
    const response = await send("/nowhere");
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({ type: "urn:sluice:problem:not-found", status: 404 });
  });

  it("answers a wrong method with 405 and the methods that are allowed", async () => {
    for (const path of ["/webhooks/github", "/events"]) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const response = await send(path, { method });
        expect(response.status).toBe(405);
        expect(response.headers.get("allow")).toBe("POST, OPTIONS");
        expect(await problemOf(response)).toMatchObject({ type: "urn:sluice:problem:method-not-allowed", status: 405 });
      }
    }
  });
});

describe("JSONata, inside workerd", () => {
  it("is compiled with the rules, and makes bodies with its own time, chance, Base64 and regular expressions", async () => {
    const jsonata = `{
      "who": $replace(data.name, /^(\\w)(\\w*)$/, "$2$1"), "at": $now("[Y]-[M01]-[D01]"), "all": $sum(data.list),
      "draw": $random(), "order": $shuffle([1..9]), "base64": $base64decode($base64encode("a\u00fc")), "part": $map(["abc"], $substring(?, 1))
    }`;
    const rule = { path: "default/x", bus: "default", pattern: { type: ["a"] }, transform: { jsonata }, targets: [] };
    const document = { ...rules, sources: [], targets: [], rules: [{ ...rule, order: "none", mode: "live" }] };
    const ruleSet = compileRules(document as unknown as RulesDocument, {
      sources: {},
      targets: {},
      jsonata: jsonataEngine,
    });
    const view = { type: "a", data: { name: "luice", list: [1, 2] } };
    const [matched] = ruleSet.match("default", view);
    const apply = () =>
      applyTransform(matched?.transform as Transform, view, { acceptedAt: Date.parse("2026-03-01"), seed: "dlv_1" });
    const made = await apply();
    if (!made.ok || made.value.kind !== "body") throw new Error(JSON.stringify(made));
    expect(JSON.parse(made.value.text)).toMatchObject({
      who: "uicel",
      at: "2026-03-01",
      all: 3,
      base64: "a\u00fc",
      part: "bc",
    });
    expect(await apply()).toEqual(made);
  });

  it("ends what would not end", async () => {
    for (const [jsonata, detail] of [
      ["($f := function($n){ $f($n + 1) }; $f(0))", "steps"],
      ["($f := function($n){ 1 + $f($n + 1) }; $f(0))", "under way at one time"],
      ["$contains($pad('', 500000, 'a') & '!', /^(a+)+$/) ? 1", "undefined"],
    ] as const) {
      const parsed = parseTransform({ jsonata }, jsonataEngine);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
      const made = await applyTransform(parsed.value, {}, { acceptedAt: 0, seed: "" });
      expect(made).toMatchObject({ ok: false, error: { detail: expect.stringContaining(detail) } });
    }
  });
});
