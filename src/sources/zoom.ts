/** Zoom's webhooks, and its question whether the address is ours. Reference: https://developers.zoom.us/docs/api/webhooks/ */
import { toHex } from "../core/event.ts";
import { textAt } from "./_webhook-payload.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "zoom",
  vendor: "Zoom",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "x-zm-signature" },
    prefix: "v0=",
    content: "v0:{timestamp}:{body}",
    values: { timestamp: { header: "x-zm-request-timestamp" } },
    timestamp: { value: "timestamp", unit: "s" },
  },
  type: "com.zoom",
  source: "https://api.zoom.us",
  // Zoom takes 200 and 204 for success, at first.
  answer: { status: 200 },
  challenge({ json }, { secretNames }, { secret, hashing }, verifiedBy) {
    if (textAt(json, "event") !== "endpoint.url_validation") return undefined;
    const plainToken = textAt(json, "payload.plainToken") ?? "";
    // By the secret that Zoom has, of two.
    const value = secret(verifiedBy[0] ?? secretNames[0] ?? "") ?? "";
    const encryptedToken = toHex(hashing.hmacSha256(value, plainToken));
    const body = JSON.stringify({ plainToken, encryptedToken });
    return { status: 200, headers: { "content-type": "application/json" }, body };
  },
  map: ({ text }) => ({
    type: text("event"),
    // Zoom gives its events no id: the same payload is the same event.
    id: undefined,
    source: text("payload.account_id") && `https://api.zoom.us/v2/accounts/${text("payload.account_id")}`,
    subject: text("payload.object.id") ?? text("payload.object.uuid"),
    time: { ms: text("event_ts") },
  }),
});
