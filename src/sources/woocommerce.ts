/**
 * WooCommerce's webhooks. Reference: https://woocommerce.com/document/webhooks/ and the code that sends them,
 * https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php (`deliver`,
 * `deliver_ping`, `generate_signature`).
 */
import { bareMediaType } from "../core/media-type.ts";
import { webhookSource } from "./_webhook-source.ts";

const PING = /^webhook_id=\d{1,20}$/;

export default webhookSource({
  kind: "woocommerce",
  vendor: "WooCommerce",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "base64",
    signature: { header: "X-WC-Webhook-Signature" },
    content: "{body}",
  },
  type: "com.woocommerce",
  source: "https://woocommerce.com",
  map: ({ text, header }) => ({
    type: header("x-wc-webhook-topic"),
    id: undefined,
    // A hash of the second and the webhook: two deliveries of one second have the same, so it can't be the id by itself.
    occurrence: header("x-wc-webhook-delivery-id"),
    source: header("x-wc-webhook-source"),
    subject: text("id"),
    time: { text: text("date_modified_gmt")?.replace(/Z?$/, "Z") },
  }),
  rawHeaders: ["x-wc-webhook-topic", "x-wc-webhook-resource", "x-wc-webhook-event", "x-wc-webhook-source"],
  hasUnsignedId: true,
  // The ping of a webhook that is being saved: a form, not signed, and only 200 will do.
  greet: ({ headers, body }) => {
    if (headers.has("x-wc-webhook-signature")) return undefined;
    if (bareMediaType(headers.get("content-type")) !== "application/x-www-form-urlencoded") return undefined;
    return PING.test(new TextDecoder().decode(body.subarray(0, 64))) ? { status: 200 } : undefined;
  },
});
