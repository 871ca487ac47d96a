/** Webhooks that somebody sends by Svix, with Svix's own headers. Reference: https://docs.svix.com/receiving/verifying-payloads/how-manual */
import { standardWebhooks } from "./_standard-webhooks.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "svix",
  vendor: "senders that use Svix",
  ...standardWebhooks("svix"),
  type: "com.svix",
  source: "urn:svix",
  map: ({ text, header }) => ({
    // Svix leaves the payload to its customers; these are the names that its documentation uses.
    type: text("type") ?? text("event_type") ?? text("eventType"),
    id: header("svix-id"),
    subject: text("data.id"),
    time: { text: text("timestamp") },
  }),
});
