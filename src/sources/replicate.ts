/**
 * Replicate's webhooks: a prediction or a training as it is now. References:
 * https://replicate.com/docs/topics/webhooks/verify-webhook (signature) and
 * https://replicate.com/docs/topics/webhooks/receive-webhook (payload)
 */
import { standardWebhooks } from "./_standard-webhooks.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "replicate",
  vendor: "Replicate",
  ...standardWebhooks("webhook"),
  type: "com.replicate",
  source: "https://api.replicate.com",
  map: ({ text, header }) => ({
    // The payload has no name of an event, only what became of the thing.
    type:
      text("status") && `${text("urls.get")?.includes("/trainings/") ? "training" : "prediction"}.${text("status")}`,
    id: header("webhook-id"),
    subject: text("id"),
    time: { text: text("completed_at") ?? text("started_at") ?? text("created_at") },
  }),
});
