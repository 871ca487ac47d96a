/**
 * Clerk's webhooks, which Svix sends. References: https://clerk.com/docs/webhooks/overview (payload) and
 * https://clerk.com/docs/references/backend/verify-webhook (signature)
 */
import { standardWebhooks } from "./_standard-webhooks.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "clerk",
  vendor: "Clerk",
  ...standardWebhooks("svix"),
  type: "com.clerk",
  source: "https://api.clerk.com",
  map: ({ text, header }) => ({
    type: text("type"),
    id: header("svix-id"),
    source: text("instance_id") && `https://api.clerk.com/v1/instances/${text("instance_id")}`,
    subject: text("data.id"),
    time: { ms: text("timestamp") },
  }),
});
