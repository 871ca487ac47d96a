/**
 * Shopify's webhooks. References: https://shopify.dev/docs/apps/build/webhooks/subscribe/https (signature),
 * https://shopify.dev/docs/apps/build/webhooks (headers) and
 * https://shopify.dev/docs/apps/build/webhooks/ignore-duplicates (X-Shopify-Event-Id).
 */
import { webhookSource } from "./_webhook-source.ts";

const SHOP_DOMAIN = /^[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com$/;

export default webhookSource({
  kind: "shopify",
  vendor: "Shopify",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "base64",
    signature: { header: "X-Shopify-Hmac-SHA256" },
    content: "{body}",
  },
  type: "com.shopify",
  source: "https://shopify.com",
  // The headers are not signed: neither the topic nor the shop, nor the ids.
  hasUnsignedId: true,
  map({ text, header }) {
    const shop = header("X-Shopify-Shop-Domain") ?? "";
    const [topic, eventId] = [header("X-Shopify-Topic"), header("X-Shopify-Event-Id")];
    return {
      type: topic,
      // With the topic: an event that is told under two topics is two events here.
      id: eventId === undefined ? header("X-Shopify-Webhook-Id") : topic && `${eventId}:${topic}`,
      source: SHOP_DOMAIN.test(shop) ? `https://${shop}` : undefined,
      subject: text("admin_graphql_api_id") ?? text("id"),
      time: { text: header("X-Shopify-Triggered-At") },
    };
  },
  rawHeaders: [
    "x-shopify-topic",
    "x-shopify-shop-domain",
    "x-shopify-webhook-id",
    "x-shopify-event-id",
    "x-shopify-api-version",
    "x-shopify-triggered-at",
  ],
});
