import { describe, expect, it } from "vitest";
import type { ClaimPorts } from "../../src/bus/claims.ts";
import { CLAIM_MS, claimBody } from "../../src/bus/claims.ts";
import { readDataToken } from "../../src/core/data-token.ts";
import type { Claim } from "../../src/core/target.ts";
import { hashing } from "../../src/hashing.ts";
import { memoryBodyStore } from "../support/body-store.ts";
import { secretsFrom } from "../support/target-io.ts";

const NOW = Date.UTC(2026, 9, 26, 12, 30);
const HOUR_MS = 3_600_000;
const DATA_SECRET = "a-secret-of-the-data-tokens";
const body = new TextEncoder().encode('{"a": 1}');
const claim: Claim = { deliveryId: "msg_1", contentType: "application/json", body };

function portsWith(changes: Partial<ClaimPorts> = {}) {
  const bodies = memoryBodyStore(() => NOW);
  const ports: ClaimPorts = {
    bodies,
    publicUrl: "https://sluice.example.com",
    secret: secretsFrom({ DATA_SECRET }),
    hashing,
    now: () => NOW,
    isLocal: false,
    ...changes,
  };
  return { ports, bodies };
}

function grantOf(url: string, now = NOW) {
  return readDataToken(url.split("/data/")[1] ?? "", DATA_SECRET, now, hashing);
}

async function urlOf(wanted: Claim, ports: ClaimPorts): Promise<string> {
  const claimed = await claimBody(wanted, ports);
  if (!claimed.ok) throw new Error(claimed.error.detail);
  return claimed.value;
}

describe("a claim", () => {
  it("stores the body under its day and delivery, and answers an address of this router", async () => {
    const { ports, bodies } = portsWith();
    const url = await urlOf(claim, ports);
    expect(url).toMatch(/^https:\/\/sluice\.example\.com\/data\/[\w-]+\.[\w-]+$/);
    const [key = ""] = bodies.objects.keys();
    expect(key).toMatch(/^claims\/2026-10-26\/msg_1\/[0-9a-f]{16}$/);
    expect(bodies.objects.get(key)).toEqual({ bytes: body, contentType: "application/json", uploadedAt: NOW });
    expect(grantOf(url)).toMatchObject({ ok: true, value: { key } });
  });

  it("is good for as long as a queue keeps messages, and an hour longer at most", async () => {
    const url = await urlOf(claim, portsWith().ports);
    expect(grantOf(url, NOW + CLAIM_MS)).toMatchObject({ ok: true });
    expect(grantOf(url, NOW + CLAIM_MS + HOUR_MS)).toEqual({ ok: false, error: "expired" });
  });

  it("is the same on each attempt of an hour, and stores nothing twice", async () => {
    const { ports, bodies } = portsWith();
    const later = { ...ports, now: () => NOW + HOUR_MS / 2 };
    expect(await urlOf(claim, later)).toBe(await urlOf(claim, ports));
    expect(bodies.objects.size).toBe(1);
  });

  it("leaves an earlier message its body when the same delivery has another now", async () => {
    const { ports, bodies } = portsWith();
    await urlOf(claim, ports);
    await urlOf({ ...claim, body: new TextEncoder().encode("other") }, ports);
    expect([...bodies.objects.values()].map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual([
      '{"a": 1}',
      "other",
    ]);
  });

  it("refers to a body that stands in the store already", async () => {
    const { ports, bodies } = portsWith();
    const url = await urlOf({ large: { key: "bodies/1", bytes: 9 } }, ports);
    expect(grantOf(url)).toMatchObject({ ok: true, value: { key: "bodies/1" } });
    expect(bodies.objects.size).toBe(0);
  });

  it("may be fetched over plain http from this machine only where the router runs locally", async () => {
    const publicUrl = "http://127.0.0.1:8787/";
    expect(await urlOf(claim, portsWith({ publicUrl, isLocal: true }).ports)).toMatch(
      /^http:\/\/127\.0\.0\.1:8787\/data\//,
    );
    expect(await claimBody(claim, portsWith({ publicUrl }).ports)).toMatchObject({ ok: false });
  });
});

describe("a claim that can't be made", () => {
  const detailOf = async (changes: Partial<ClaimPorts>) => {
    const claimed = await claimBody(claim, portsWith(changes).ports);
    if (claimed.ok) throw new Error("the claim was made");
    return claimed.error;
  };

  it.each([
    ["the bucket", { bodies: undefined }, /\[\[r2_buckets\]\].*BODIES.*wrangler\.toml/],
    ["the address", { publicUrl: undefined }, /PUBLIC_URL is not set.*wrangler\.toml/],
    ["an address", { publicUrl: "sluice.example.com" }, /PUBLIC_URL is no https address/],
    ["the secret", { secret: () => undefined }, /DATA_SECRET is not set.*wrangler secret put/],
    ["a good secret", { secret: secretsFrom({ DATA_SECRET: "short" }) }, /DATA_SECRET is too short/],
  ])("names what is missing: %s", async (_, changes, expected) => {
    const { reason, detail } = await detailOf(changes);
    expect(reason).toBe("configuration");
    expect(detail).toMatch(expected);
    expect(detail).not.toContain(DATA_SECRET);
  });

  it("names all that is missing at once", async () => {
    const { detail } = await detailOf({ bodies: undefined, publicUrl: undefined, secret: () => undefined });
    expect(detail).toMatch(/BODIES.*PUBLIC_URL.*DATA_SECRET/s);
  });

  it("may be made later when the store does not answer", async () => {
    const bodies = { ...memoryBodyStore(), put: () => Promise.reject(new Error("internal error")) };
    expect(await detailOf({ bodies })).toEqual({
      reason: "unavailable",
      detail: "the body could not be stored: Error: internal error",
    });
  });
});
