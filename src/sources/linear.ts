/** Linear's webhooks. Reference: https://linear.app/developers/webhooks */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "linear",
  vendor: "Linear",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "Linear-Signature" },
    // The time stands in the body, and so is signed with it.
    content: "{body}",
    values: { timestamp: { path: "webhookTimestamp" } },
    timestamp: { value: "timestamp", unit: "ms", toleranceMs: 60_000 },
  },
  type: "com.linear",
  source: "https://linear.app",
  volatile: ["webhookTimestamp"],
  // Linear-Delivery is not signed: within the tolerance a copy could come under another one.
  hasUnsignedId: true,
  // Linear takes only 200 for success.
  answer: { status: 200 },
  map({ text, header }) {
    const [entity, action, organization] = [text("type"), text("action"), text("organizationId")];
    return {
      type: entity && (action === undefined ? entity : `${entity}.${action}`),
      id: header("Linear-Delivery"),
      source: organization && `https://linear.app/organizations/${organization}`,
      subject: text("data.id") ?? text("issueData.id") ?? text("oauthClientId") ?? text("notification.id"),
      time: { text: text("createdAt") },
    };
  },
  rawHeaders: ["linear-delivery", "linear-event"],
});
