/**
 * Mailgun's webhooks: JSON with its signature inside. Reference:
 * https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks (signature) and
 * https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-retries (answers and retries).
 *
 * Only the time and a token are signed, not the event: so a token counts once.
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "mailgun",
  vendor: "Mailgun",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { path: "signature.signature" },
    content: "{timestamp}{token}",
    values: { timestamp: { path: "signature.timestamp" }, token: { path: "signature.token" } },
    // The last of the tries comes after eight hours, with the signature of the first one.
    timestamp: { value: "timestamp", unit: "s", toleranceMs: 32_400_000 },
  },
  type: "com.mailgun",
  source: "https://api.mailgun.net",
  map: ({ text }) => ({
    type: text("event-data.event"),
    id: text("event-data.id"),
    subject: text("event-data.message.headers.message-id"),
    time: { s: text("event-data.timestamp") },
  }),
  hasUnsignedId: { signed: "token", isUnique: true },
  // A domain's and an account's webhook bring the same event, each with a signature of its own.
  volatile: ["signature", "parent-signature"],
  // Anything but 200 is sent again, but 406. That isn't answered even for a wrong signature: a key that was set wrongly can be
  // set right before the last try.
  answer: { status: 200 },
});
