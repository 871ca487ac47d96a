/**
 * Webflow's webhooks. Reference: https://developers.webflow.com/data/docs/working-with-webhooks (signature, payload) and
 * https://developers.webflow.com/data/reference/error-handling (anything but 200 is a failure).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "webflow",
  vendor: "Webflow",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "x-webflow-signature" },
    content: "{timestamp}:{body}",
    values: { timestamp: { header: "x-webflow-timestamp" } },
    timestamp: { value: "timestamp", unit: "ms" },
  },
  type: "com.webflow",
  source: "https://api.webflow.com",
  map: ({ text, signed }) => ({
    type: text("triggerType"),
    id: undefined,
    // Most payloads have no time: an item's stock may come back to what it was, and that is another event.
    occurrence: signed("timestamp"),
    source: text("payload.siteId") && `https://api.webflow.com/v2/sites/${text("payload.siteId")}`,
    subject: text("payload.id") ?? text("payload.orderId"),
    time: { ms: signed("timestamp") },
  }),
  answer: { status: 200 },
});
