/** Webhooks of Cursor's cloud agents. Reference: https://cursor.com/docs/cloud-agent/api/webhooks. */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "cursor",
  vendor: "Cursor",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Webhook-Signature" },
    prefix: "sha256=",
    content: "{body}",
  },
  type: "com.cursor",
  source: "https://cursor.com",
  map: ({ text }) => ({
    type: text("event"),
    // X-Webhook-ID names a delivery, not an event, and is not signed. The payload has a time.
    id: undefined,
    subject: text("id"),
    time: { text: text("timestamp") },
  }),
});
