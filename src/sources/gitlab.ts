/**
 * GitLab's webhooks, by a secret token or a signing token, as the official CloudEvents mapping has them. References:
 * https://docs.gitlab.com/user/project/integrations/webhooks/ (headers, secret token, signing token) and
 * https://github.com/cloudevents/spec/blob/main/cloudevents/adapters/gitlab.md (attributes).
 */
import { standardWebhooks } from "./_standard-webhooks.ts";
import type { MappedEvent, Webhook } from "./_webhook-event.ts";
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "gitlab",
  vendor: "GitLab",
  signature: {
    algorithm: "token",
    encoding: "text",
    signature: { header: "X-Gitlab-Token" },
    content: "",
  },
  // As GitLab advises: what has a signature must pass by it, and never by the token.
  otherSignature: {
    scheme: standardWebhooks("webhook").signature,
    isUsed: ({ headers }) => headers.has("webhook-signature"),
  },
  type: "com.gitlab",
  source: "https://gitlab.com",
  hasUnsignedId: true,
  map: (webhook) => ({
    type: typeOf(webhook),
    // The same for every retry; X-Gitlab-Event-UUID is not: hooks that an event's hook sets off share it.
    id: webhook.header("Idempotency-Key") ?? webhook.header("webhook-id"),
    source: sourceOf(webhook),
    ...detailsOf(webhook),
  }),
  rawHeaders: [
    "x-gitlab-event",
    "x-gitlab-event-uuid",
    "x-gitlab-webhook-uuid",
    "x-gitlab-instance",
    "idempotency-key",
    "webhook-id",
  ],
});

function kindOf({ text }: Webhook): string | undefined {
  const kind = text("object_kind") ?? text("event_name");
  // The mapping's name of a job; GitLab's payloads say build.
  return kind === "build" ? "job" : kind;
}

function typeOf(webhook: Webhook): string | undefined {
  const { text } = webhook;
  const kind = kindOf(webhook);
  const more = {
    issue: text("object_attributes.state"),
    note: text("object_attributes.noteable_type")
      ?.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_")
      .toLowerCase(),
    merge_request: text("object_attributes.action"),
    wiki_page: text("object_attributes.action"),
    pipeline: text("object_attributes.status"),
    job: text("job_status") ?? text("build_status"),
  };
  const part = kind !== undefined && Object.hasOwn(more, kind) ? more[kind as keyof typeof more] : undefined;
  return kind && (part === undefined ? kind : `${kind}.${part}`);
}

function sourceOf(webhook: Webhook): string | undefined {
  const { text } = webhook;
  const project = text("project.web_url") ?? text("repository.homepage") ?? text("group.web_url");
  switch (kindOf(webhook) ?? "") {
    case "note":
      return text("commit.url") ?? text("object_attributes.url")?.replace(/#note_.*$/, "") ?? project;
    case "wiki_page":
    case "pipeline":
      return project;
    default:
      return text("repository.homepage") ?? project;
  }
}

function detailsOf(webhook: Webhook): Pick<MappedEvent, "subject" | "time"> {
  const { text } = webhook;
  switch (kindOf(webhook) ?? "") {
    case "push":
      return { subject: text("checkout_sha") };
    case "tag_push":
      return { subject: text("ref") };
    case "merge_request":
      return { subject: text("object_attributes.iid"), time: { text: text("object_attributes.created_at") } };
    case "note":
      return { subject: text("object_attributes.id"), time: { text: text("object_attributes.created_at") } };
    case "wiki_page":
      return { subject: text("object_attributes.slug") };
    case "job":
      return { subject: text("job_id") ?? text("build_id") };
    default:
      return { subject: text("object_attributes.iid") ?? text("object_attributes.id") ?? text("id") };
  }
}
