/** Dropbox's webhooks. Reference: https://www.dropbox.com/developers/reference/webhooks. */
import { err, ok } from "../core/result.ts";
import { webhookSource } from "./_webhook-source.ts";

/** Dropbox's challenges have some 40 characters. */
const CHALLENGE_CHARACTERS_MAX = 1_024;

export default webhookSource({
  kind: "dropbox",
  vendor: "Dropbox",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Dropbox-Signature" },
    content: "{body}",
  },
  type: "com.dropbox",
  source: "https://www.dropbox.com",
  map: ({ text, arrivedMs }) => ({
    type: "notification",
    id: undefined,
    // It names the accounts that have changes, and neither an id nor a time: the next one may be the same to the byte.
    occurrence: String(arrivedMs),
    subject: text("list_folder.accounts.0"),
  }),
  // A captured one could be sent again at any time.
  hasUnsignedId: true,
  // Anything but 200 is sent again.
  answer: { status: 200 },
  handshake: ({ method, url }) => {
    const [challenge, ...more] = new URL(url).searchParams.getAll("challenge");
    if (challenge === undefined || more.length > 0 || challenge.length > CHALLENGE_CHARACTERS_MAX) {
      return err({ reason: "wrong-challenge", detail: "expected one ?challenge=… of at most 1024 characters" });
    }
    const headers = { "content-type": "text/plain", "x-content-type-options": "nosniff" };
    return ok({ status: 200, headers, ...(method === "HEAD" ? {} : { body: challenge }) });
  },
});
