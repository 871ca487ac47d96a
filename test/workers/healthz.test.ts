import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
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
