/**
 * Xero's webhooks. Reference: https://developer.xero.com/documentation/webhooks/configuring-your-server ("Intent to receive": a
 * series of requests, some signed wrong, and each must be answered right) and
 * https://developer.xero.com/documentation/guides/webhooks/overview/ (payload).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "xero",
  vendor: "Xero",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "base64",
    signature: { header: "x-xero-signature" },
    content: "{body}",
  },
  // Empty while Xero asks whether the address verifies signatures.
  list: "events",
  type: "com.xero",
  source: "https://api.xero.com",
  map: ({ text }) => ({
    type: text("eventType") && `${text("eventCategory") ?? "resource"}.${text("eventType")}`.toLowerCase(),
    id: undefined,
    source: text("tenantId") && `https://api.xero.com/tenants/${text("tenantId")}`,
    subject: text("resourceId"),
    // UTC by its name, mostly written without the Z.
    time: { text: text("eventDateUtc")?.replace(/Z?$/, "Z") },
  }),
  answer: { status: 200 },
  unauthenticatedStatus: 401,
});
