/** Calendly's webhooks. Reference: https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures. */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "calendly",
  vendor: "Calendly",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "Calendly-Webhook-Signature", part: "v1" },
    separator: ",",
    content: "{timestamp}.{body}",
    values: { timestamp: { header: "Calendly-Webhook-Signature", part: "t" } },
    timestamp: { value: "timestamp", unit: "s" },
  },
  type: "com.calendly",
  source: "https://api.calendly.com",
  map: ({ text }) => ({
    type: text("event"),
    id: undefined,
    subject: text("payload.uri"),
    time: { text: text("created_at") },
  }),
});
