/**
 * Where GitHub's webhooks go beyond the published schemas of `@octokit/webhooks-schemas` 7.6.1. Without these, rules that are
 * right would be called wrong. Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */

/** What follows `com.github.<event>.` in types that the schemas lack. */
export const ADDED_TYPE_PARTS: Readonly<Record<string, readonly string[]>> = {
  code_scanning_alert: ["updated_assignment"],
  content_reference: ["created"],
  custom_property: ["promote_to_enterprise", "updated"],
  dependabot_alert: ["assignees_changed", "auto_dismissed", "auto_reopened"],
  deployment_status: ["inactive"],
  discussion: ["closed", "reopened"],
  issue_comment: ["pinned", "unpinned"],
  issue_dependencies: ["blocked_by_added", "blocked_by_removed", "blocking_added", "blocking_removed"],
  issues: ["field_added", "field_removed", "typed", "untyped"],
  membership: ["organization.added", "organization.removed", "team.added", "team.removed"],
  personal_access_token_request: ["approved", "cancelled", "created", "denied"],
  projects_v2: ["closed", "created", "deleted", "edited", "reopened"],
  projects_v2_status_update: ["created", "deleted", "edited"],
  pull_request: ["queued"],
  repository_advisory: ["published", "reported"],
  repository_ruleset: ["created", "deleted", "edited"],
  secret_scanning_alert: ["assigned", "publicly_leaked", "unassigned", "validated"],
  secret_scanning_scan: ["completed"],
  sub_issues: ["parent_issue_added", "parent_issue_removed", "sub_issue_added", "sub_issue_removed"],
};

/**
 * Members that a payload of any event may have at its top, with the definition that they meet; without one nobody knows what
 * is in them.
 */
export const ADDED_PAYLOAD_MEMBERS: ReadonlyMap<string, string | undefined> = new Map([
  ["enterprise", undefined],
  ["installation", "installation-lite"],
  ["organization", "organization"],
  ["repository", "repository"],
  ["sender", "user"],
  // Of the events that have no schema at all.
  ["blocked_issue", "issue"],
  ["blocked_issue_id", undefined],
  ["blocked_issue_repo", "repository"],
  ["blocking_issue", "issue"],
  ["blocking_issue_id", undefined],
  ["blocking_issue_repo", "repository"],
  ["content_reference", undefined],
  ["parent_issue", "issue"],
  ["parent_issue_id", undefined],
  ["parent_issue_repo", "repository"],
  ["personal_access_token_request", undefined],
  ["projects_v2", undefined],
  ["projects_v2_status_update", undefined],
  ["repository_advisory", undefined],
  ["repository_ruleset", undefined],
  ["sub_issue", "issue"],
  ["sub_issue_id", undefined],
  ["sub_issue_repo", "repository"],
]);

/** Members that have come to the definitions of the schemas, by the definition's name. */
export const ADDED_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  discussion: ["labels", "reactions", "timeline_url"],
  issue: ["closed_by", "issue_dependencies_summary", "parent_issue_url", "repository", "sub_issues_summary", "type"],
  release: ["immutable", "mentions_count", "reactions"],
  "release-asset": ["digest"],
  repository: [
    "has_pull_requests",
    "network_count",
    "pull_request_creation_policy",
    "role_name",
    "score",
    "security_and_analysis",
    "subscribers_count",
    "temp_clone_token",
    "template_repository",
  ],
  team: ["members_count", "organization_id", "repos_count", "type"],
  user: ["deleted", "user_view_type"],
};

/** Values that have come to lists of several strings, by the name of the member that has them. */
export const ADDED_VALUES: Readonly<Record<string, readonly string[]>> = {
  conclusion: [
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "skipped",
    "stale",
    "startup_failure",
    "success",
    "timed_out",
  ],
  dismissed_reason: ["false positive", "used in tests", "won't fix"],
  field_type: ["assignees", "labels", "milestone", "repository", "reviewers", "title"],
  reason: ["ready", "removed", "requeued"],
  resolution: ["pattern_deleted", "pattern_edited"],
  severity: ["critical", "high", "low", "medium"],
  status: ["completed", "in_progress", "pending", "queued", "requested", "waiting"],
  type: ["Bot", "EnterpriseUserAccount", "Mannequin", "Organization", "User"],
  value_type: ["multi_select", "true_false", "url"],
};

/** Paths of payloads, by event, where the published examples have other values than the schemas, or values the schemas lack. */
export const LOOSE_PATHS: Readonly<Record<string, readonly string[]>> = {
  code_scanning_alert: ["alert.fixed_at", "alert.updated_at"],
  release: ["release.body", "release.name"],
  repository_vulnerability_alert: ["sender.avatar_url"],
  workflow_run: ["workflow_run.conclusion"],
};

/** Members that the schemas call required and that some published example lacks, by name. */
export const OPTIONAL_MEMBERS: ReadonlySet<string> = new Set([
  "active_lock_reason",
  "actor",
  "alert",
  "created_at",
  "cve_id",
  "cvss",
  "deliveries_url",
  "description",
  "display_title",
  "draft",
  "head_branch",
  "installation",
  "is_template",
  "line",
  "original_line",
  "original_start_line",
  "path",
  "reactions",
  "run_attempt",
  "side",
  "start_line",
  "start_side",
  "suspended_at",
  "tier",
  "triggering_actor",
  "visibility",
  "web_commit_signoff_required",
  "workflow_name",
]);
