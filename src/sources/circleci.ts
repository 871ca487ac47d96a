/**
 * CircleCI's outbound webhooks. Reference: https://circleci.com/docs/guides/integration/outbound-webhooks/ ("Validate webhooks") and
 * https://circleci.com/docs/reference/outbound-webhooks-reference/ (payload).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "circleci",
  vendor: "CircleCI",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "circleci-signature", part: "v1" },
    separator: ",",
    content: "{body}",
  },
  type: "com.circleci",
  source: "https://circleci.com",
  map: ({ text }) => ({
    type: text("type"),
    id: text("id"),
    source: text("project.slug") && `https://app.circleci.com/pipelines/${text("project.slug")}`,
    subject: text("job.id") ?? text("workflow.id"),
    time: { text: text("happened_at") },
  }),
});
