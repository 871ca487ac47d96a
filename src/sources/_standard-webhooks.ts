/**
 * How everybody signs who follows Standard Webhooks 1.0, with a shared secret (`v1`) or a key pair (`v1a`).
 * Reference: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import type { SignatureScheme } from "../core/signature-scheme.ts";
import type { WebhookDescription } from "./_webhook-source.ts";

/** `brand`: what the headers begin with: `webhook` as the specification has it, `svix` for Svix's own. */
export function standardWebhooks(
  brand: "webhook" | "svix",
): Pick<WebhookDescription, "signature" | "otherSignature" | "rawHeaders"> {
  const header = `${brand}-signature`;
  const shared = {
    encoding: "base64",
    signature: { header },
    separator: " ",
    content: "{id}.{timestamp}.{body}",
    values: { id: { header: `${brand}-id` }, timestamp: { header: `${brand}-timestamp` } },
    timestamp: { value: "timestamp", unit: "s" },
    key: "prefixed",
  } as const;
  const signature: SignatureScheme = { ...shared, algorithm: "hmac-sha256", prefix: "v1," };
  const scheme: SignatureScheme = { ...shared, algorithm: "ed25519", prefix: "v1a," };
  return {
    signature,
    otherSignature: {
      scheme,
      isUsed(head, secrets) {
        const publicKeys = secrets.filter((secret) => secret.trim().startsWith("whpk_")).length;
        if (publicKeys === 0) return false;
        return publicKeys === secrets.length || /(?:^|\s)v1a,/.test(head.headers.get(header) ?? "");
      },
    },
    rawHeaders: [`${brand}-id`],
  };
}
