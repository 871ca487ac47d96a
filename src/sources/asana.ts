/**
 * Asana's webhooks. Reference: https://developers.asana.com/docs/webhooks-guide (handshake, signature, heartbeats) and
 * https://developers.asana.com/reference/createwebhook, whose answer holds the secret.
 */
import { webhookSource } from "./_webhook-source.ts";

/** Asana's secrets have 64 characters. What is echoed is never longer than a header may sensibly be. */
const ECHOED_SECRET = /^[\x21-\x7e]{1,256}$/;

export default webhookSource({
  kind: "asana",
  vendor: "Asana",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Hook-Signature" },
    content: "{body}",
  },
  // An empty list is a heartbeat.
  list: "events",
  type: "com.asana",
  source: "https://app.asana.com",
  map: ({ text }) => ({
    type: text("action") && `${text("resource.resource_type") ?? "resource"}.${text("action")}`,
    // Asana gives its events no id; the time in them has milliseconds.
    id: undefined,
    subject: text("resource.gid"),
    time: { text: text("created_at") },
  }),
  // The secret of a webhook that is being created. Others than ours may ask this too: what they sign is refused.
  greet: ({ headers }) => {
    const secret = headers.get("x-hook-secret");
    if (secret === null || headers.has("x-hook-signature") || !ECHOED_SECRET.test(secret)) return undefined;
    return { status: 200, headers: { "x-hook-secret": secret } };
  },
});
