/**
 * Notion's webhooks. Reference: https://developers.notion.com/reference/webhooks (the verification token, which is the secret) and
 * https://developers.notion.com/reference/webhooks-events-delivery (payload, attempts).
 */
import { isJsonObject, ownMember } from "../core/result.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "notion",
  vendor: "Notion",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Notion-Signature" },
    prefix: "sha256=",
    content: "{body}",
  },
  type: "com.notion",
  source: "https://www.notion.so",
  map: ({ text }) => ({
    type: text("type") ?? (text("verification_token") === undefined ? undefined : "verification"),
    id: text("id"),
    source: text("workspace_id") && `https://www.notion.so/${text("workspace_id")}`,
    subject: text("entity.id"),
    time: { text: text("timestamp") },
  }),
  volatile: ["attempt_number"],
  // With `auth: none`, as before the token is known, it becomes an event, so that its owner can read it.
  challenge: ({ json }, { auth }) =>
    auth === "signature" && isJsonObject(json) && ownMember(json, "verification_token") !== undefined
      ? { status: 200 }
      : undefined,
});
