/**
 * Intercom's webhooks. Reference: https://developers.intercom.com/docs/webhooks/webhook-notifications/ (signed notifications, the
 * HEAD request when the address is saved) and https://developers.intercom.com/docs/references/webhooks/webhook-models.
 */
import { ok } from "../core/result.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "intercom",
  vendor: "Intercom",
  signature: {
    algorithm: "hmac-sha1",
    encoding: "hex",
    signature: { header: "X-Hub-Signature" },
    prefix: "sha1=",
    content: "{body}",
  },
  type: "com.intercom",
  source: "https://api.intercom.io",
  map: ({ text }) => ({
    type: text("topic"),
    // A ping has none.
    id: text("id"),
    source: text("app_id") && `https://app.intercom.com/a/apps/${text("app_id")}`,
    subject: text("data.item.id"),
    time: { s: text("created_at") },
  }),
  volatile: ["delivery_status", "delivery_attempts", "delivered_at", "first_sent_at"],
  answer: { status: 200 },
  handshake: () => ok({ status: 200 }),
});
