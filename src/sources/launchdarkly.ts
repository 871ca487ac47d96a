/** LaunchDarkly's webhooks: entries of its audit log. Reference: https://launchdarkly.com/docs/api/webhooks and
 * https://launchdarkly.com/docs/integrations/webhooks ("Signing webhooks"). */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "launchdarkly",
  vendor: "LaunchDarkly",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-LD-Signature" },
    content: "{body}",
  },
  type: "com.launchdarkly",
  source: "https://app.launchdarkly.com",
  map: ({ text }) => ({
    // A change may be several actions; the first one names it.
    type: text("kind") && [text("kind"), text("accesses.0.action")].filter((word) => word !== undefined).join("."),
    id: text("_id"),
    subject: text("accesses.0.resource"),
    time: { ms: text("date") },
  }),
});
