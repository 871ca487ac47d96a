/**
 * Chargebee's webhooks, which are not signed: they bring a name and password. Reference:
 * https://www.chargebee.com/docs/2.0/webhook_settings.html and https://apidocs.chargebee.com/docs/api/events (payload).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "chargebee",
  vendor: "Chargebee",
  signature: {
    algorithm: "token",
    encoding: "base64",
    signature: { header: "Authorization" },
    prefix: "Basic ",
    content: "",
  },
  type: "com.chargebee",
  source: "https://www.chargebee.com",
  map: ({ text }) => ({
    type: text("event_type"),
    id: text("id"),
    subject: text("content.subscription.id") ?? text("content.invoice.id") ?? text("content.customer.id"),
    time: { s: text("occurred_at") },
  }),
  // How sending it went so far.
  volatile: ["webhook_status", "webhook_failure_reason", "webhooks"],
});
