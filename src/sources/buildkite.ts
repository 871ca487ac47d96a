/** Webhooks of Buildkite's pipelines. Reference: https://buildkite.com/docs/apis/webhooks/pipelines ("Webhook signature"). */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "buildkite",
  vendor: "Buildkite",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Buildkite-Signature", part: "signature" },
    separator: ",",
    content: "{timestamp}.{body}",
    values: { timestamp: { header: "X-Buildkite-Signature", part: "timestamp" } },
    timestamp: { value: "timestamp", unit: "s" },
  },
  type: "com.buildkite",
  source: "https://buildkite.com",
  map: ({ text, signed }) => ({
    type: text("event"),
    id: undefined,
    source: text("pipeline.web_url"),
    subject: text("job.id") ?? text("build.id") ?? text("agent.id"),
    time: { s: signed("timestamp") },
  }),
});
