/**
 * Webhooks of Meta: WhatsApp, Instagram, Messenger, Pages and the rest of the Graph API. Reference:
 * https://developers.facebook.com/docs/graph-api/webhooks/getting-started (handshake, signature and payload). The secret is the
 * app's.
 */
import { decodeUtf8 } from "../core/event.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { HandshakeAnswer, SourceContext, SourceRequestHead } from "../core/source.ts";
import type { WebhookConfig } from "./_webhook-entry.ts";
import type { Webhook } from "./_webhook-event.ts";
import { webhookSource } from "./_webhook-source.ts";

/** Meta's are numbers of some ten digits. */
const CHALLENGE_CHARACTERS_MAX = 256;

export default webhookSource({
  kind: "meta",
  vendor: "Meta",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Hub-Signature-256" },
    prefix: "sha256=",
    content: "{escapedBody}",
  },
  type: "com.meta",
  source: "https://graph.facebook.com",
  map: (webhook) => {
    const { text } = webhook;
    return {
      type: [text("object"), fieldOf(webhook)].filter((part) => part !== undefined).join("."),
      // There is none for the whole.
      id: undefined,
      source: text("entry.0.id") && `https://graph.facebook.com/${text("entry.0.id")}`,
      subject: text("entry.0.changes.0.value.metadata.phone_number_id") ?? text("entry.0.messaging.0.sender.id"),
      time: timeOf(webhook),
    };
  },
  // A letter and its escape are signed as the same: as another text it would be another event.
  hasUnsignedId: { signed: "escapedBody", isUnique: true },
  answer: { status: 200 },
  signedParts: ({ body }) => ({ escapedBody: escaped(decodeUtf8(body) ?? "") }),
  otherSecret: {
    key: "verify-token",
    description: "The secret that holds the verify token as it was typed in at Meta.",
  },
  handshake,
});

/** The field that has changed, where all changes of the request are of one: several may come together. */
function fieldOf({ text }: Webhook): string | undefined {
  const fields = new Set<string>();
  for (let entry = 0; text(`entry.${entry}.id`) !== undefined; entry++) {
    for (let change = 0; ; change++) {
      const field = text(`entry.${entry}.changes.${change}.field`);
      if (field === undefined) break;
      fields.add(field);
    }
    for (const channel of ["messaging", "standby"]) {
      if (text(`entry.${entry}.${channel}.0.sender.id`) !== undefined) fields.add(channel);
    }
  }
  const [field] = fields;
  return fields.size === 1 ? field : undefined;
}

/** Seconds of most objects, milliseconds of Messenger; WhatsApp's entries have none. */
function timeOf({ text }: Webhook): { readonly s: string | undefined } | { readonly ms: string | undefined } {
  const value = "entry.0.changes.0.value";
  const time = text("entry.0.time") ?? text(`${value}.messages.0.timestamp`) ?? text(`${value}.statuses.0.timestamp`);
  return (time?.length ?? 0) > 10 ? { ms: time } : { s: time };
}

/** "We generate the signature using an escaped unicode version of the payload, with lowercase hex digits", says the page. */
function escaped(text: string): string {
  return text.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The verification request: the token is the one that was typed in at Meta, and its challenge is answered. */
function handshake(
  { method, url }: SourceRequestHead,
  { otherSecret }: WebhookConfig,
  { hashing, secret }: SourceContext,
): Result<HandshakeAnswer, Rejection> {
  const refused = (detail: string) => err<Rejection>({ reason: "wrong-challenge", detail });
  const query = new URL(url).searchParams;
  const [mode, challenge, given] = ["hub.mode", "hub.challenge", "hub.verify_token"].map((name) => query.get(name));
  if (method !== "GET" || mode !== "subscribe") return refused("expected GET with hub.mode=subscribe");
  if (otherSecret === undefined) return refused("the source has no verify-token in rules/sources.yaml");
  const token = secret(otherSecret) ?? "";
  if (token === "") return err({ reason: "source-not-configured", secretNames: [otherSecret] });
  const isRight = hashing.equalBytes(hashing.sha256(token), hashing.sha256(given ?? ""));
  if (!isRight) return refused("hub.verify_token is not the source's verify-token");
  if (!/^[\w.-]+$/.test(challenge ?? "") || (challenge ?? "").length > CHALLENGE_CHARACTERS_MAX) {
    return refused(`expected hub.challenge of letters and digits, ${CHALLENGE_CHARACTERS_MAX} at most`);
  }
  const headers = { "content-type": "text/plain" };
  return ok({ status: 200, headers, body: challenge ?? "", verifiedBy: [otherSecret] });
}
