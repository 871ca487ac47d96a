/**
 * Sentry's webhooks of its integration platform. Reference:
 * https://docs.sentry.io/organization/integrations/integration-platform/webhooks/ (signature and payload).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "sentry",
  vendor: "Sentry",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "Sentry-Hook-Signature" },
    content: "{body}",
  },
  type: "com.sentry",
  source: "https://sentry.io",
  map: ({ text, header }) => ({
    type: [header("sentry-hook-resource"), text("action")].filter((part) => part !== undefined).join("."),
    // An issue that is resolved twice has the same payload twice.
    id: header("request-id"),
    source:
      text("installation.uuid") && `https://sentry.io/api/0/sentry-app-installations/${text("installation.uuid")}/`,
    subject:
      text("data.issue.id") ??
      text("data.event.issue_id") ??
      text("data.error.issue_id") ??
      text("data.metric_alert.id") ??
      text("data.issue_id"),
    time: { s: header("sentry-hook-timestamp") },
  }),
  hasUnsignedId: true,
  rawHeaders: ["request-id", "sentry-hook-resource", "sentry-hook-timestamp"],
});
