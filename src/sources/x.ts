/**
 * Webhooks of X. Reference: https://docs.x.com/x-api/webhooks/quickstart (handshake and signature),
 * https://docs.x.com/x-api/account-activity/introduction and https://docs.x.com/x-api/activity/introduction (payloads). The secret
 * is the app's consumer secret, which X calls API secret key too.
 */
import { encodeBase64 } from "../core/byte-text.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { SourceAnswer, SourceContext, SourceRequestHead } from "../core/source.ts";
import type { WebhookConfig } from "./_webhook-entry.ts";
import type { Webhook } from "./_webhook-event.ts";
import { webhookSource } from "./_webhook-source.ts";

const CRC_TOKEN_CHARACTERS_MAX = 256;

/**
 * Anyone may ask for the challenge, and webhooks are signed by the same key in the same way: what could be a payload must never be
 * signed here. JSON objects and lists have none of these characters alone.
 */
const CRC_TOKEN = /^[A-Za-z0-9+/=_.~ -]+$/;

export default webhookSource({
  kind: "x",
  vendor: "X",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "base64",
    signature: { header: "x-twitter-webhooks-signature" },
    prefix: "sha256=",
    content: "{body}",
  },
  type: "com.x",
  source: "https://api.x.com",
  map: (webhook) => {
    const { text } = webhook;
    const user = text("for_user_id") ?? text("data.filter.user_id");
    const list = activityOf(webhook);
    return {
      type:
        text("data.event_type") ?? list ?? (webhook.names.includes("matching_rules") ? "filtered_stream" : undefined),
      // Account Activity's lists say when; X Activity says the same when somebody follows, unfollows and follows again.
      id: undefined,
      occurrence: list === undefined ? String(webhook.arrivedMs) : undefined,
      source: user && `https://api.x.com/2/users/${user}`,
      subject: text(`${list}.0.id_str`) ?? text(`${list}.0.id`) ?? text("data.payload.id") ?? text("data.id"),
      time: { ms: text(`${list}.0.timestamp_ms`) ?? text(`${list}.0.created_timestamp`) },
    };
  },
  hasUnsignedId: true,
  answer: { status: 200 },
  handshake,
});

/** Account Activity names what happened by the payload's member that lists it: `tweet_create_events`. */
function activityOf({ names }: Webhook): string | undefined {
  return names.find((name) => name.endsWith("_events") || name === "user_event");
}

/**
 * The challenge-response check, on registration and then every hour. It is answered with the first secret that is set: X has one
 * only.
 */
function handshake(
  { method, url }: SourceRequestHead,
  { secretNames }: WebhookConfig,
  { hashing, secret }: SourceContext,
): Result<SourceAnswer, Rejection> {
  const token = new URL(url).searchParams.get("crc_token") ?? "";
  if (method !== "GET" || !CRC_TOKEN.test(token) || token.length > CRC_TOKEN_CHARACTERS_MAX) {
    const detail = `expected GET with crc_token, at most ${CRC_TOKEN_CHARACTERS_MAX} letters and digits`;
    return err({ reason: "wrong-challenge", detail });
  }
  const key = secretNames.map((name) => secret(name)).find((value) => value !== undefined && value !== "");
  if (key === undefined) return err({ reason: "source-not-configured", secretNames });
  const response = `sha256=${encodeBase64(hashing.hmacSha256(key, token))}`;
  return ok({
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ response_token: response }),
  });
}
