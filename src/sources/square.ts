/**
 * Square's webhooks. Reference: https://developer.squareup.com/docs/webhooks/step3validate (signature) and
 * https://developer.squareup.com/docs/webhooks/build-with-webhooks (payload).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "square",
  vendor: "Square",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "base64",
    signature: { header: "x-square-hmacsha256-signature" },
    content: "{url}{body}",
  },
  type: "com.square",
  source: "https://connect.squareup.com",
  map: ({ text }) => ({
    type: text("type"),
    id: text("event_id"),
    // One application hears of every seller that granted it access.
    source: text("merchant_id") && `https://connect.squareup.com/v2/merchants/${text("merchant_id")}`,
    subject: text("data.id"),
    time: { text: text("created_at") },
  }),
});
