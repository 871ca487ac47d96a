// Written by scripts/generate.ts from rules/; npm run generate writes it again.
import type { RulesDocument } from "../core/rule.ts";

export const rules: RulesDocument = {
  version: "9aa6a8dc26fa",
  sources: [
    { "name": "events", "kind": "cloudevents", "bus": "default", "entry": { "auth": { "bearer": ["INGEST_TOKEN"] } } },
    { "name": "github", "kind": "github", "bus": "default", "entry": { "secrets": ["GITHUB_WEBHOOK_SECRET"] } },
  ],
  targets: [
    { "name": "printer", "kind": "http", "entry": { "http": "https://example.com/hooks", "local": "print", "sign": "PRINTER_SIGNING_SECRET" }, "timeoutMs": 15000, "retryDelaysMs": [5000, 30000, 300000, 1800000, 7200000, 18000000, 36000000, 36000000], "maxAgeMs": 259200000 },
  ],
  rules: [
    { "path": "default/deploy-on-main", "bus": "default", "description": "Build every push to main", "pattern": { "type": ["com.github.push"], "data": { "ref": ["refs/heads/main"] } }, "transform": { "template": { "paths": { "repo": "$.data.repository.full_name", "sha": "$.data.after" }, "body": { "text": "<repo> is at <sha>", "commit": "<sha>" } } }, "targets": ["printer"], "mode": "live" },
    { "path": "default/issue-title", "bus": "default", "description": "The title of an issue that was opened or got a label", "pattern": { "type": ["com.github.issues.opened", "com.github.issues.labeled"] }, "transform": { "path": "$.data.issue.title" }, "targets": ["printer"], "mode": "live" },
    { "path": "default/order-placed", "bus": "default", "description": "An order that some service sent to /events", "pattern": { "type": ["com.example.order.placed"] }, "targets": ["printer"], "mode": "live" },
    { "path": "default/pull-request-opened", "bus": "default", "description": "Someone opened a pull request; the printer gets GitHub's payload as it came", "pattern": { "type": ["com.github.pull_request.opened"] }, "targets": ["printer"], "mode": "live" },
    { "path": "default/push", "bus": "default", "description": "Every push, to any branch or tag", "pattern": { "type": ["com.github.push"] }, "targets": ["printer"], "mode": "live" },
  ],
};
