import { createPublicKey, verify as verifyWithNode } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { signingKey, webhookSignature } from "../../src/targets/_standard-webhooks.ts";
import { hashing } from "../../src/hashing.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

function sign(
  secrets: readonly string[],
  body: string,
  timestampSeconds = 1614265330,
  id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
) {
  const keys = secrets.map((secret) => {
    const key = signingKey(secret, hashing);
    if (!key.ok) throw new Error(key.error);
    return key.value;
  });
  return webhookSignature({ id, timestampSeconds, body: new TextEncoder().encode(body) }, keys, hashing);
}

function verify(webhook: Webhook, body: string, signature: string, timestampSeconds: number) {
  return webhook.verify(body, {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signature,
  });
}

describe("Standard Webhooks signatures", () => {
  it("match the vector of the specification's libraries", () => {
    expect(sign([SECRET], '{"test": 2432232314}')).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("are accepted by the standardwebhooks library, each of several too", () => {
    const now = Math.floor(Date.now() / 1_000);
    const body = '{"name":"Zoë 😀"}';
    const signature = sign([SECRET, "plain-text-secret"], body, now, "msg_1");
    expect(signature.split(" ")).toHaveLength(2);
    expect(verify(new Webhook(SECRET), body, signature, now)).toEqual({ name: "Zoë 😀" });
    expect(verify(new Webhook("plain-text-secret", { format: "raw" }), body, signature, now)).toBeTruthy();
    expect(() => verify(new Webhook(SECRET), `${body} `, signature, now)).toThrow("No matching signature");
    expect(() => verify(new Webhook("b3RoZXI="), body, signature, now)).toThrow("No matching signature");
  });

  it("cover an empty body", () => {
    const now = Math.floor(Date.now() / 1_000);
    expect(() => verify(new Webhook(SECRET), "", sign([SECRET], "", now, "msg_1"), now)).not.toThrow();
  });

  it.each(["whsec_", "whsec_not base64", "whsec_abc", "whsec_-_-_"])("have no key for %j", (secret) => {
    const key = signingKey(secret, hashing);
    expect(key.ok).toBe(false);
    if (!key.ok && secret !== "whsec_") expect(key.error).not.toContain(secret.slice(6));
  });
});

/** RFC 8032, section 7.1, test 2. */
const SEED = Buffer.from("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "hex");
const PUBLIC = Buffer.from("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "hex");

function verifyV1a(signature: string, signed: string): boolean {
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: PUBLIC.toString("base64url") }, format: "jwk" });
  return verifyWithNode(null, Buffer.from(signed), key, Buffer.from(signature.replace(/^v1a,/, ""), "base64"));
}

describe("Standard Webhooks signatures with ed25519", () => {
  it.each([
    ["a seed", SEED],
    ["a seed with its public key", Buffer.concat([SEED, PUBLIC])],
  ])("are made with %s and verified with the public key", (_, key) => {
    const signature = sign([`whsk_${key.toString("base64")}`], "{}", 5, "msg_1");
    expect(signature).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
    expect(verifyV1a(signature, "msg_1.5.{}")).toBe(true);
    expect(verifyV1a(signature, "msg_1.6.{}")).toBe(false);
  });

  it("stand beside those with HMAC in the order of the secrets, and each is right by itself", () => {
    const now = Math.floor(Date.now() / 1_000);
    const signature = sign([`whsk_${SEED.toString("base64")}`, SECRET], "{}", now, "msg_1");
    const [asymmetric, symmetric, ...others] = signature.split(" ");
    expect(others).toEqual([]);
    expect(symmetric).toMatch(/^v1,/);
    expect(verifyV1a(asymmetric ?? "", `msg_1.${now}.{}`)).toBe(true);
    expect(verify(new Webhook(SECRET), "{}", signature, now)).toEqual({});
  });

  it.each([
    ["nothing", ""],
    ["no Base64", "not base64"],
    ["31 bytes", Buffer.alloc(31).toString("base64")],
    ["33 bytes", Buffer.alloc(33).toString("base64")],
    ["64 bytes that are no pair", Buffer.concat([SEED, SEED]).toString("base64")],
  ])("have no key for %s, and don't show it", (_, text) => {
    const key = signingKey(`whsk_${text}`, hashing);
    expect(key.ok).toBe(false);
    if (!key.ok && text !== "") expect(key.error).not.toContain(text);
  });
});
