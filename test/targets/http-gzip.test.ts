import { gunzipSync } from "node:zlib";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/result.ts";
import { COMPRESS_BYTES_MIN } from "../../src/targets/_gzip.ts";
import http from "../../src/targets/http.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { LOCAL, eventWith, secretsFrom, shipmentOf, targetIo } from "../support/target-io.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

function configOf(entry: JsonObject) {
  const parsed = http.parse(entry);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

async function received(entry: JsonObject, body: string) {
  const server = await startServer((response) => response.end());
  servers.push(server);
  const io = targetIo({ local: LOCAL, secret: secretsFrom({ CI_SECRET: SECRET }) });
  const outcome = await http.send(shipmentOf(eventWith(body)), configOf({ http: server.url, ...entry }), 2_000, io);
  expect(outcome).toMatchObject({ kind: "delivered" });
  const [request] = server.requests;
  if (request === undefined) throw new Error("nothing arrived");
  return request;
}

/** A JSON document of so many bytes. */
function json(bytes: number): string {
  return JSON.stringify({ text: "é".repeat(50).padEnd(bytes - 61, "x") });
}

describe("compress: gzip", () => {
  it.each(["binary", "structured", "raw"])(
    "compresses the body in %s format, and signs what is in it",
    async (format) => {
      const body = json(20_000);
      const { headers, body: sent } = await received({ compress: "gzip", sign: "CI_SECRET", format }, body);
      expect(headers["content-encoding"]).toBe("gzip");
      expect(headers["content-length"]).toBe(String(sent.length));
      expect(sent.length).toBeLessThan(1_000);
      const plain = gunzipSync(sent).toString();
      expect(plain).toContain(format === "structured" ? body.slice(1, -1) : body);
      expect(new Webhook(SECRET).verify(plain, headers as Record<string, string>)).toEqual(JSON.parse(plain));
    },
  );

  it("leaves alone what is smaller than the least", async () => {
    const atLeast = json(COMPRESS_BYTES_MIN);
    expect(Buffer.byteLength(atLeast)).toBe(COMPRESS_BYTES_MIN);
    expect((await received({ compress: "gzip" }, atLeast)).headers["content-encoding"]).toBe("gzip");
    const { headers, body } = await received({ compress: "gzip" }, json(COMPRESS_BYTES_MIN - 1));
    expect(headers).not.toHaveProperty("content-encoding");
    expect(body).toHaveLength(COMPRESS_BYTES_MIN - 1);
  });

  it("compresses nothing that is printed for people", () => {
    const config = configOf({ http: "https://ci.example.com/hooks", compress: "gzip", local: "print" });
    const shipment = shipmentOf(eventWith(json(20_000)));
    expect(http.preview(shipment, config, { local: LOCAL }).headers).not.toHaveProperty("content-encoding");
    expect(http.preview(shipment, config, { local: undefined }).headers).toHaveProperty("content-encoding");
  });

  it("promises nothing of a body that is streamed, however long the event around it is", () => {
    const config = configOf({ http: "https://ci.example.com/hooks", compress: "gzip", format: "structured" });
    const event = eventWith(null, { subject: "x".repeat(5_000) });
    const small = shipmentOf(event);
    expect(http.preview(small, config, { local: undefined }).headers).toHaveProperty("content-encoding");
    const shipment = { ...small, large: { key: "bodies/a", bytes: 2_000_000 } };
    expect(http.preview(shipment, config, { local: undefined }).headers).not.toHaveProperty("content-encoding");
  });

  it("is nothing that a target gets unasked", async () => {
    expect((await received({}, json(20_000))).headers).not.toHaveProperty("content-encoding");
  });

  it("is previewed by its header, with the body as it is before", () => {
    const config = configOf({ http: "https://ci.example.com/hooks", compress: "gzip" });
    const body = json(20_000);
    const preview = http.preview(shipmentOf(eventWith(body)), config, { local: undefined });
    expect(preview.headers["content-encoding"]).toBe("gzip");
    expect(new TextDecoder().decode(preview.body ?? undefined)).toBe(body);
  });

  it("knows no other encoding", () => {
    const parsed = http.parse({ http: "https://ci.example.com/hooks", compress: "br" });
    expect(parsed).toMatchObject({ ok: false, error: [{ path: ["compress"] }] });
  });
});
