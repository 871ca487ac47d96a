import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../../src/core/outcome.ts";
import http from "../../src/targets/http.ts";
import { eventWith, secretsFrom, shipmentOf, targetIo } from "../support/target-io.ts";

const SIGN = "whsec_dGFyZ2V0LXNlY3JldC1mb3ItdGVzdHMtMzJieXRlcw==";
const PAYLOAD = JSON.stringify({ ref: "refs/heads/main", text: "grüße".repeat(40_000) });
const LARGE = { key: "bodies/2026-11-21T15/default/4/t", bytes: new TextEncoder().encode(PAYLOAD).length };

interface Sent {
  readonly headers: Record<string, string>;
  readonly body: string;
}

async function deliver(entry: Record<string, unknown>, stored: string | null | Error = PAYLOAD, secret = SIGN) {
  const parsed = http.parse({ http: "https://target.example/hooks", ...entry } as never);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const sent: Sent[] = [];
  let opened = 0;
  const io = targetIo({
    secret: secretsFrom({ SIGN: secret, OLD: "whsec_b2xk" }),
    openBody: async (key) => {
      opened += 1;
      expect(key).toBe(LARGE.key);
      if (stored instanceof Error) throw stored;
      return stored === null ? null : (new Blob([stored]).stream() as ReadableStream<Uint8Array>);
    },
    fetch: async (_url, init) => {
      const body = await new Response(init.body as BodyInit).text();
      sent.push({ headers: init.headers as Record<string, string>, body });
      return new Response("fine");
    },
  });
  const event = { ...eventWith(null), attributes: eventWith("{}").attributes };
  const shipment = shipmentOf(event, { large: LARGE, rawHeaders: { "x-github-event": "push" } });
  const outcome: Outcome = await http.send(shipment, parsed.value, 5_000, io);
  return { outcome, sent: sent[0], opened };
}

describe("a payload of the body store", () => {
  test("is streamed as it is, with the headers that it would have had", async () => {
    const { outcome, sent, opened } = await deliver({});
    expect(outcome.kind).toBe("delivered");
    expect(sent?.body).toBe(PAYLOAD);
    expect(sent?.headers).toMatchObject({ "content-type": "application/json", "ce-type": "com.github.push" });
    expect(opened).toBe(1);
  });

  test("is what the vendor sent in raw format", async () => {
    const { sent } = await deliver({ format: "raw" });
    expect(sent?.body).toBe(PAYLOAD);
    expect(sent?.headers).toMatchObject({ "x-github-event": "push", "content-type": "application/json" });
  });

  test("is the data of a structured event", async () => {
    const { sent } = await deliver({ format: "structured" });
    expect(sent?.headers["content-type"]).toContain("application/cloudevents+json");
    expect(JSON.parse(sent?.body ?? "")).toEqual({ ...eventWith("{}").attributes, data: JSON.parse(PAYLOAD) });
    expect(sent?.body.endsWith(`"data":${PAYLOAD}}`)).toBe(true);
  });

  test.each(["binary", "structured", "raw"])(
    "is signed in %s format with each secret, read once more for all of them",
    async (format) => {
      const { outcome, sent, opened } = await deliver({ format, sign: ["OLD", "SIGN"] });
      expect(outcome.kind).toBe("delivered");
      expect(opened).toBe(2);
      expect(sent?.headers["webhook-signature"]).toMatch(/^v1,\S+ v1,\S+$/);
      for (const secret of [SIGN, "whsec_b2xk"]) {
        expect(() => new Webhook(secret).verify(sent?.body ?? "", sent?.headers ?? {})).not.toThrow();
      }
      expect(() => new Webhook(SIGN).verify(`${sent?.body} `, sent?.headers ?? {})).toThrow(
        "No matching signature found",
      );
    },
  );

  test("can't be signed with ed25519, which needs it whole", async () => {
    const seed = `whsk_${Buffer.alloc(32, 7).toString("base64")}`;
    const { outcome, opened } = await deliver({ sign: "SIGN" }, PAYLOAD, seed);
    expect(outcome).toMatchObject({
      kind: "permanent",
      reason: "too-large",
      detail: expect.stringContaining("whsec_"),
    });
    expect(opened).toBe(0);
  });

  test.each([{}, { sign: "SIGN" }])("that is gone ends the delivery: %j", async (entry) => {
    const { outcome } = await deliver(entry, null);
    expect(outcome).toMatchObject({ kind: "permanent", reason: "body-missing" });
  });

  test.each([{}, { sign: "SIGN" }])("that can't be read now is tried again: %j", async (entry) => {
    const { outcome } = await deliver(entry, new Error("R2 is away"));
    expect(outcome).toMatchObject({ kind: "retryable", reason: "network" });
  });
});
