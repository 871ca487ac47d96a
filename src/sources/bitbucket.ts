/**
 * Webhooks of Bitbucket Cloud and Data Center. References:
 * https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/ (signature),
 * https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/ (headers, payloads) and
 * https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html (Data Center).
 */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "bitbucket",
  vendor: "Bitbucket",
  signature: {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Hub-Signature" },
    prefix: "sha256=",
    content: "{body}",
  },
  type: "com.bitbucket",
  source: "https://bitbucket.org",
  hasUnsignedId: true,
  map: ({ text, header }) => ({
    type: header("X-Event-Key"),
    // The same for each attempt; Data Center says Id for UUID.
    id: header("X-Request-UUID") ?? header("X-Request-Id"),
    source: text("repository.links.html.href") ?? text("repository.links.self.0.href"),
    subject:
      text("pullrequest.id") ??
      text("pullRequest.id") ??
      text("issue.id") ??
      text("push.changes.0.new.name") ??
      text("push.changes.0.old.name"),
    time: { text: text("comment.updated_on") ?? text("pullrequest.updated_on") ?? text("issue.updated_on") },
  }),
  rawHeaders: ["x-event-key", "x-request-uuid", "x-request-id", "x-hook-uuid", "x-attempt-number"],
});
