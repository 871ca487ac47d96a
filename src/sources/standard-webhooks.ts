/**
 * Webhooks signed as Standard Webhooks 1.0 says, by whomever: https://github.com/standard-webhooks/standard-webhooks. Svix's own
 * headers (`svix-id` and so on) are the kind `svix`.
 */
import { standardWebhooks } from "./_standard-webhooks.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "standard-webhooks",
  vendor: "any sender of Standard Webhooks",
  ...standardWebhooks("webhook"),
  type: "com.standardwebhooks",
  source: "urn:standard-webhooks",
  map: ({ text, header }) => ({
    type: text("type"),
    id: header("webhook-id"),
    // The specification's own members: type, timestamp, data.
    subject: text("data.id"),
    time: { text: text("timestamp") },
  }),
});
