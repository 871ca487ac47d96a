/**
 * The official CloudEvents mapping of GitHub's webhooks as data.
 * Reference: https://github.com/cloudevents/spec/blob/main/cloudevents/adapters/github.md
 */

/** A path of member names in the payload, such as `repository.url`. */
export type PayloadPath = string;

export type SourceRule =
  | PayloadPath
  | { readonly literal: string }
  /** Two values with a slash between them. */
  | { readonly join: readonly [PayloadPath, PayloadPath] }
  /** A URL less its last segment. */
  | { readonly parentOf: PayloadPath };

export interface EventMapping {
  /** What follows `com.github.<event>`, each behind a dot, where the payload has it. */
  readonly typeParts?: readonly PayloadPath[];
  readonly source: SourceRule;
  /** Without it, or without a value there, the event has no subject. */
  readonly subject?: PayloadPath;
  /** The first usable one counts, else the time of arrival; `<action>` stands for the payload's action. */
  readonly times?: readonly PayloadPath[];
}

/** Where an event's source comes from when its own place has nothing, in this order. */
export const SOURCE_FALLBACKS: readonly PayloadPath[] = [
  "repository.url",
  "organization.url",
  "installation.account.url",
  "enterprise.url",
  "sender.url",
];

/** The source of an event that names nothing at all, as an app's own ping does. */
export const SOURCE_LAST_RESORT = "https://github.com";

/** Events that the mapping doesn't list, `ping` among them. */
export const UNLISTED_EVENT: EventMapping = { typeParts: ["action"], source: "repository.url" };

/** By the name in `X-GitHub-Event`; read own members only. */
export const GITHUB_MAPPING: Readonly<Record<string, EventMapping>> = {
  branch_protection_configuration: { typeParts: ["action"], source: "repository.url" },
  branch_protection_rule: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "rule.id",
    times: ["rule.updated_at"],
  },
  check_run: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "check_run.id",
    times: ["check_run.completed_at", "check_run.started_at"],
  },
  check_suite: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "check_suite.id",
    times: ["check_suite.updated_at"],
  },
  code_scanning_alert: { typeParts: ["action"], source: "repository.url", subject: "alert.number" },
  commit_comment: {
    typeParts: ["action"],
    source: { join: ["comment.url", "comment.commit_id"] },
    subject: "comment.id",
    times: ["comment.updated_at"],
  },
  content_reference: { typeParts: ["action"], source: "repository.url", subject: "content_reference.id" },
  create: { typeParts: ["ref_type"], source: "repository.url", subject: "ref" },
  custom_property: { typeParts: ["action"], source: "repository.url", subject: "definition.property_name" },
  custom_property_values: { typeParts: ["action"], source: "repository.url" },
  delete: { typeParts: ["ref_type"], source: "repository.url", subject: "ref" },
  dependabot_alert: { typeParts: ["action"], source: "repository.url", subject: "alert.id" },
  deploy_key: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "key.id",
    times: ["key.deleted_at", "key.created_at"],
  },
  deployment: { source: "repository.url", subject: "deployment.id", times: ["deployment.updated_at"] },
  deployment_protection_rule: { typeParts: ["action"], source: "deployment.url", subject: "deployment.id" },
  deployment_review: { typeParts: ["action"], source: "deployment.url", subject: "workflow_run.id" },
  deployment_status: {
    typeParts: ["deployment_status.state"],
    source: "deployment.url",
    subject: "deployment_status.url",
    times: ["deployment_status.updated_at"],
  },
  discussion: { typeParts: ["action"], source: "repository.url", subject: "discussion.id" },
  discussion_comment: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "discussion.id",
    times: ["comment.updated_at"],
  },
  fork: { source: "repository.url", subject: "forkee.url", times: ["forkee.created_at"] },
  github_app_authorization: { source: "sender.url" },
  gollum: { source: "repository.url" },
  installation: {
    typeParts: ["action"],
    source: "installation.account.url",
    subject: "installation.id",
    times: ["installation.updated_at"],
  },
  installation_repositories: {
    typeParts: ["action"],
    source: "installation.account.url",
    subject: "installation.id",
    times: ["installation.updated_at"],
  },
  installation_target: { typeParts: ["action"], source: "installation.account.url", subject: "installation.id" },
  issue_comment: { typeParts: ["action"], source: "issue.url", subject: "comment.id", times: ["comment.updated_at"] },
  issues: { typeParts: ["action"], source: "repository.url", subject: "issue.number", times: ["issue.updated_at"] },
  label: { typeParts: ["action"], source: "repository.url", subject: "label.name" },
  marketplace_purchase: {
    typeParts: ["action"],
    source: { parentOf: "sender.url" },
    subject: "marketplace_purchase.account.login",
    times: ["effective_date"],
  },
  member: { typeParts: ["action"], source: "repository.url", subject: "member.login" },
  membership: { typeParts: ["scope", "action"], source: "team.url", subject: "member.login" },
  merge_group: { typeParts: ["action"], source: "repository.url", subject: "merge_group.head_ref" },
  meta: { typeParts: ["action"], source: "repository.url", subject: "hook_id", times: ["hook.updated_at"] },
  milestone: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "milestone.number",
    times: ["milestone.updated_at"],
  },
  organization: { typeParts: ["action"], source: "organization.url", subject: "membership.user.login" },
  org_block: { typeParts: ["action"], source: "organization.url", subject: "blocked_user.login" },
  package: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "package.id",
    times: ["package.updated_at", "package.created_at"],
  },
  page_build: { source: "repository.url", subject: "build.url", times: ["pusher.updated_at"] },
  project_card: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "project_card.id",
    times: ["project_card.updated_at"],
  },
  project_column: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "project_column.id",
    times: ["project_column.updated_at"],
  },
  project: { typeParts: ["action"], source: "repository.url", subject: "project.id", times: ["project.updated_at"] },
  projects_v2: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "projects_v2.id",
    times: ["projects_v2.updated_at"],
  },
  projects_v2_item: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "projects_v2_item.id",
    times: ["projects_v2_item.updated_at"],
  },
  projects_v2_status_update: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "projects_v2_status_update.id",
    times: ["projects_v2_status_update.updated_at"],
  },
  public: { source: "repository.owner.url", subject: "repository.name", times: ["repository.updated_at"] },
  pull_request: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "number",
    times: ["pull_request.updated_at"],
  },
  pull_request_review: {
    typeParts: ["action"],
    source: "pull_request.url",
    subject: "review.id",
    times: ["review.submitted_at"],
  },
  pull_request_review_comment: {
    typeParts: ["action"],
    source: "pull_request.url",
    subject: "comment.id",
    times: ["pull_request.updated_at"],
  },
  pull_request_review_thread: { typeParts: ["action"], source: "pull_request.url", subject: "pull_request.id" },
  push: { source: "repository.url", subject: "ref" },
  registry_package: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "registry_package.html_url",
    times: ["registry_package.updated_at"],
  },
  release: { typeParts: ["action"], source: "repository.url", subject: "release.id", times: ["release.<action>_at"] },
  repository: {
    typeParts: ["action"],
    source: "repository.owner.url",
    subject: "repository.name",
    times: ["repository.updated_at"],
  },
  repository_advisory: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "repository_advisory.ghsa_id",
    times: ["repository_advisory.updated_at"],
  },
  repository_dispatch: { typeParts: ["action"], source: "repository.owner.url" },
  repository_import: { source: "repository.owner.url", subject: "repository.name", times: ["repository.updated_at"] },
  repository_ruleset: {
    typeParts: ["action"],
    source: "repository.owner.url",
    subject: "repository.name",
    times: ["repository.updated_at"],
  },
  repository_vulnerability_alert: { typeParts: ["action"], source: "repository.url", subject: "alert.id" },
  secret_scanning_alert: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "alert.number",
    times: ["alert.updated_at", "alert.created_at"],
  },
  secret_scanning_alert_location: {
    typeParts: ["action"],
    source: "repository.url",
    subject: "alert.number",
    times: ["alert.updated_at", "alert.created_at"],
  },
  security_advisory: {
    typeParts: ["action"],
    source: { literal: "github.com" },
    subject: "security_advisory.ghsa_id",
    times: ["security_advisory.updated_at"],
  },
  security_and_analysis: { source: "repository.url" },
  sponsorship: { typeParts: ["action"], source: "repository.url", subject: "sponsorship.sponsor.login" },
  star: { typeParts: ["action"], source: "repository.url", times: ["starred_at"] },
  status: { typeParts: ["state"], source: "repository.url", subject: "sha", times: ["updated_at"] },
  team: { typeParts: ["action"], source: "repository.url", subject: "team.id", times: ["updated_at"] },
  team_add: { typeParts: ["action"], source: "repository.url", subject: "team.id" },
  watch: { typeParts: ["action"], source: "repository.url" },
  workflow_dispatch: { source: "repository.url", subject: "workflow" },
  workflow_job: { typeParts: ["action"], source: "repository.url", subject: "workflow_job.name" },
  workflow_run: { typeParts: ["action"], source: "repository.url", subject: "workflow.name" },
};
