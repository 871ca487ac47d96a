/**
 * PagerDuty's webhooks, version 3. Reference: https://developer.pagerduty.com/docs/verifying-webhook-signatures (signature) and
 * https://developer.pagerduty.com/docs/webhooks-overview (payload).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "pagerduty",
  vendor: "PagerDuty",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-PagerDuty-Signature" },
    separator: ",",
    prefix: "v1=",
    content: "{body}",
  },
  type: "com.pagerduty",
  source: "https://api.pagerduty.com",
  map: ({ text }) => ({
    type: text("event.event_type"),
    id: text("event.id"),
    subject: text("event.data.id"),
    time: { text: text("event.occurred_at") },
  }),
});
