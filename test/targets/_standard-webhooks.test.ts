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
    const key = signingKey(secret);
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
    const key = signingKey(secret);
    expect(key.ok).toBe(false);
    if (!key.ok && secret !== "whsec_") expect(key.error).not.toContain(secret.slice(6));
  });
});
