/**
 * Resend's webhooks, which Svix sends. References: https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests (signature)
 * and https://resend.com/docs/dashboard/webhooks/event-types (payload)
 */
import { standardWebhooks } from "./_standard-webhooks.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "resend",
  vendor: "Resend",
  ...standardWebhooks("svix"),
  type: "com.resend",
  source: "https://api.resend.com",
  map: ({ text, header }) => ({
    type: text("type"),
    id: header("svix-id"),
    subject: text("data.email_id") ?? text("data.id"),
    time: { text: text("created_at") },
  }),
});
