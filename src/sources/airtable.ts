/**
 * Airtable's webhooks, which say that a base has changes, not which. Reference:
 * https://airtable.com/developers/web/api/webhooks-overview ("Webhook notification delivery": 200 or 204, and an empty body).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "airtable",
  vendor: "Airtable",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Airtable-Content-MAC" },
    prefix: "hmac-sha256=",
    content: "{body}",
    key: "base64",
  },
  type: "com.airtable",
  source: "https://airtable.com",
  map: ({ text }) => ({
    type: "notification",
    // The payload has a time, in milliseconds.
    id: undefined,
    source: text("base.id") && `https://airtable.com/${text("base.id")}`,
    subject: text("webhook.id"),
    time: { text: text("timestamp") },
  }),
  answer: { status: 200 },
});
