/**
 * Typeform's webhooks. Reference: https://www.typeform.com/developers/webhooks/secure-your-webhooks/ (signature) and
 * https://www.typeform.com/developers/webhooks/example-payload/ (payload).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "typeform",
  vendor: "Typeform",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "base64",
    signature: { header: "Typeform-Signature" },
    prefix: "sha256=",
    content: "{body}",
  },
  type: "com.typeform",
  source: "https://api.typeform.com",
  map: ({ text }) => ({
    type: text("event_type"),
    id: text("event_id"),
    source: text("form_response.form_id") && `https://api.typeform.com/forms/${text("form_response.form_id")}`,
    subject: text("form_response.token"),
    time: { text: text("form_response.submitted_at") },
  }),
});
