/**
 * Paddle Billing's webhooks. Reference: https://developer.paddle.com/webhooks/signature-verification (signature) and
 * https://developer.paddle.com/webhooks/overview (payload).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "paddle",
  vendor: "Paddle",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "Paddle-Signature", part: "h1" },
    separator: ";",
    content: "{timestamp}:{body}",
    values: { timestamp: { header: "Paddle-Signature", part: "ts" } },
    // Paddle's libraries take 5 s; a slow network or a clock that is a little off would lose events.
    timestamp: { value: "timestamp", unit: "s" },
  },
  type: "com.paddle",
  source: "https://api.paddle.com",
  map: ({ text }) => ({
    type: text("event_type"),
    id: text("event_id"),
    subject: text("data.id"),
    time: { text: text("occurred_at") },
  }),
  // One event has a notification for each destination, and a new one when it is replayed.
  volatile: ["notification_id"],
  answer: { status: 200 },
});
