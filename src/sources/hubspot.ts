/**
 * HubSpot's webhooks, signature version 3. Reference:
 * https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation (signature) and
 * https://developers.hubspot.com/docs/api/webhooks (payload). The secret is the app's client secret.
 */
import type { SourceRequest } from "../core/source.ts";
import { webhookSource } from "./_webhook-source.ts";

/** The escapes that HubSpot's page asks to decode: of : / ? @ ! $ ' ( ) * , and ; */
const DECODED = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi;

export default webhookSource({
  kind: "hubspot",
  vendor: "HubSpot",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "base64",
    signature: { header: "X-HubSpot-Signature-v3" },
    content: "{method}{urlDecoded}{body}{timestamp}",
    values: { timestamp: { header: "X-HubSpot-Request-Timestamp" } },
    timestamp: { value: "timestamp", unit: "ms" },
  },
  payloads: ["json-array"],
  type: "com.hubspot",
  source: "https://api.hubapi.com",
  map: ({ text }) => ({
    type: text("subscriptionType"),
    // HubSpot's eventId need not be unique.
    id: undefined,
    source: text("portalId") && `https://api.hubapi.com/portals/${text("portalId")}`,
    subject: text("objectId"),
    time: { ms: text("occurredAt") },
  }),
  volatile: ["attemptNumber"],
  signedParts: ({ url }: SourceRequest) => ({ urlDecoded: url.replaceAll(DECODED, decodeURIComponent) }),
});
