/**
 * Deepgram's callbacks, which are not signed: they bring the name and password of the callback's URL. Reference:
 * https://developers.deepgram.com/docs/callback and https://developers.deepgram.com/changelog/2026/10/27, since when the header
 * `dg-token` proves nothing any more.
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "deepgram",
  vendor: "Deepgram",
  signature: {
    algorithm: "token",
    encoding: "base64",
    signature: { header: "Authorization" },
    prefix: "Basic ",
    content: "",
  },
  type: "com.deepgram",
  source: "https://api.deepgram.com",
  map: ({ text }) => ({
    // Streamed audio has a callback for each result, all of one request, and names their type.
    type: text("type") ?? "callback",
    id: text("type") === undefined ? text("metadata.request_id") : undefined,
    subject: text("metadata.request_id"),
    time: { text: text("metadata.created") },
  }),
});
