/** OpenAI's webhooks. Reference: https://platform.openai.com/docs/guides/webhooks */
import { standardWebhooks } from "./_standard-webhooks.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "openai",
  vendor: "OpenAI",
  ...standardWebhooks("webhook"),
  type: "com.openai",
  source: "https://api.openai.com",
  map: ({ text, header }) => ({
    type: text("type"),
    // What the guide says to tell duplicates by.
    id: header("webhook-id"),
    subject: text("data.id"),
    time: { s: text("created_at") },
  }),
});
