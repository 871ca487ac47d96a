/**
 * What Hookdeck's Event Gateway sends on. Reference: https://hookdeck.com/docs/authentication (signature, and the second one while
 * a secret is rolled) and https://hookdeck.com/docs/guides/how-to-verify-incoming-webhooks.
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "hookdeck",
  vendor: "Hookdeck",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "base64",
    signature: { header: "x-hookdeck-signature" },
    rotated: { header: "x-hookdeck-signature-2" },
    content: "{body}",
  },
  // The body is the first sender's.
  payloads: ["json", "form"],
  type: "com.hookdeck",
  source: "https://hookdeck.com",
  map: ({ header }) => ({
    type: header("x-hookdeck-source-name"),
    id: header("x-hookdeck-eventid"),
  }),
  rawHeaders: ["x-hookdeck-eventid", "x-hookdeck-source-name"],
  hasUnsignedId: true,
});
