/**
 * Trello's webhooks. Reference: https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/ (handshake, signature
 * and payload). The callback URL that the webhook was created with is signed too.
 */
import { err, ok } from "../core/result.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "trello",
  vendor: "Trello",
  signature: {
    algorithm: "hmac-sha1",
    encoding: "base64",
    signature: { header: "X-Trello-Webhook" },
    content: "{body}{url}",
  },
  type: "com.trello",
  source: "https://api.trello.com",
  map: ({ text }) => ({
    type: text("action.type"),
    id: text("action.id"),
    // A board's and a card's webhook bring the same action.
    source: text("model.id") && `https://api.trello.com/1/models/${text("model.id")}`,
    subject: text("action.data.card.id") ?? text("action.data.board.id"),
    time: { text: text("action.date") },
  }),
  // They say how things are when it is sent, such as the failures so far.
  volatile: ["model", "webhook"],
  answer: { status: 200 },
  // Sent when a webhook is created; there is nothing to check.
  handshake: ({ method }) =>
    method === "HEAD" ? ok({ status: 200 }) : err({ reason: "wrong-challenge", detail: "expected HEAD" }),
});
