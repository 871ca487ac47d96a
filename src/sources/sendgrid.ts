/**
 * SendGrid's event webhook. Reference:
 * https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features (signature)
 * and https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event (payload). The secret is the verification key
 * that SendGrid shows, a public one.
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "sendgrid",
  vendor: "SendGrid",
  signature: {
    algorithm: "ecdsa-p256",
    encoding: "base64",
    signature: { header: "X-Twilio-Email-Event-Webhook-Signature" },
    content: "{timestamp}{body}",
    values: { timestamp: { header: "X-Twilio-Email-Event-Webhook-Timestamp" } },
    // SendGrid tries for 24 hours and doesn't say that it signs each try. Ids are signed: a copy is a duplicate.
    timestamp: { value: "timestamp", unit: "s", toleranceMs: 90_000_000 },
    key: "base64",
  },
  payloads: ["json-array"],
  type: "com.sendgrid",
  source: "https://api.sendgrid.com",
  map: ({ text }) => ({
    type: text("event"),
    id: text("sg_event_id"),
    subject: text("sg_message_id"),
    time: { s: text("timestamp") },
  }),
  // Thousands of receipts would be for nobody.
  answer: { status: 200 },
});
