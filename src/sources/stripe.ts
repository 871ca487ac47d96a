/**
 * Stripe's webhooks. References: https://docs.stripe.com/webhooks#verify-manually (signature),
 * https://docs.stripe.com/api/events/object and https://docs.stripe.com/api/v2/core/events/object (payloads).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "stripe",
  vendor: "Stripe",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "Stripe-Signature", part: "v1" },
    separator: ",",
    content: "{timestamp}.{body}",
    values: { timestamp: { header: "Stripe-Signature", part: "t" } },
    timestamp: { value: "timestamp", unit: "s" },
  },
  type: "com.stripe",
  source: "https://api.stripe.com",
  map({ text }) {
    // Connect: events of several accounts come to one address. A v2 event names its account as `context`.
    const account = text("account") ?? text("context");
    const created = text("created");
    return {
      type: text("type"),
      id: text("id"),
      source: account && `https://api.stripe.com/v1/accounts/${account}`,
      subject: text("data.object.id") ?? text("related_object.id"),
      // Seconds, or a date in v2.
      time: created?.includes("T") ? { text: created } : { s: created },
    };
  },
});
