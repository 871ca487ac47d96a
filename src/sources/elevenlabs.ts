/**
 * ElevenLabs' webhooks. Reference: https://elevenlabs.io/docs/eleven-api/resources/webhooks (signature),
 * https://elevenlabs.io/docs/eleven-agents/workflows/post-call-webhooks (payload, "must return a 200 status code") and the tolerance
 * of https://github.com/elevenlabs/elevenlabs-js/blob/main/src/wrapper/webhooks.ts.
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "elevenlabs",
  vendor: "ElevenLabs",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "ElevenLabs-Signature", part: "v0" },
    separator: ",",
    content: "{timestamp}.{body}",
    values: { timestamp: { header: "ElevenLabs-Signature", part: "t" } },
    timestamp: { value: "timestamp", unit: "s", toleranceMs: 1_800_000 },
  },
  type: "com.elevenlabs",
  source: "https://api.elevenlabs.io",
  map: ({ text }) => ({
    type: text("type"),
    id: undefined,
    subject: text("data.conversation_id") ?? text("data.voice_id"),
    time: { s: text("event_timestamp") },
  }),
  answer: { status: 200 },
});
