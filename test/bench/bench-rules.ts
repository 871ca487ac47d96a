/**
 * The rules of the benches: a hundred of all kinds of conditions, of which exactly one matches each of the events that
 * `bench-events.ts` makes, and delivers it untransformed to one HTTP target. Further rules match none of them.
 */
import type { Json } from "../../src/core/result.ts";
import type { RuleDefinition, RulesDocument } from "../../src/core/rule.ts";
import { eventTemplates } from "./bench-events.ts";

export const RULES = 100;
/** No repository of the benches' events has a number from here on. */
const FOREIGN_REPOSITORY = 200_000_000;

export interface RulesOptions {
  /** How many in all; at least one for each kind of event, unless one catches all. */
  readonly rules?: number;
  /** Targets of each rule, all at the same URL. */
  readonly fanOut?: number;
  /** One rule matches every event, instead of one for each kind. */
  readonly catchAll?: boolean;
}

export function benchDocument(
  targetUrl: string,
  { rules = RULES, fanOut = 1, catchAll = false }: RulesOptions = {},
): RulesDocument {
  const targets = Array.from({ length: fanOut }, (_, index) => `target-${index + 1}`);
  const names = [...new Set(eventTemplates().map(({ event }) => event))].toSorted();
  const ofKind = (name: string): Json => ({
    type: [`com.github.${name}`, { prefix: `com.github.${name}.` }],
    data: { repository: { id: [{ numeric: [">", 0] }] } },
  });
  const matching = catchAll ? [{ type: [{ prefix: "com.github." }] }] : names.map(ofKind);
  const others = Array.from({ length: Math.max(0, rules - matching.length) }, (_, index) => unmatched(index));
  return {
    version: `bench-${rules}-${fanOut}`,
    sources: [{ name: "github", kind: "github", bus: "default", entry: { secrets: ["GITHUB_WEBHOOK_SECRET"] } }],
    targets: targets.map((name) => ({
      name,
      kind: "http",
      entry: { http: targetUrl },
      timeoutMs: 15_000,
      retryDelaysMs: [5_000, 30_000, 300_000],
      maxAgeMs: 259_200_000,
    })),
    rules: [...others, ...matching].map((pattern, index): RuleDefinition => ({
      path: `default/rule-${index + 1}`,
      bus: "default",
      pattern,
      targets,
      mode: "live",
    })),
  };
}

/** One of eight kinds of condition, none of which an event of the benches meets. */
function unmatched(index: number): Json {
  const patterns: readonly Json[] = [
    { type: ["com.github.push"], data: { ref: [`refs/heads/release-${index}`] } },
    { data: { repository: { full_name: [{ prefix: `team-${index}/` }] } } },
    { data: { sender: { login: [{ suffix: `-bot-${index}` }] } } },
    { data: { repository: { html_url: [{ wildcard: `https://github.com/*/service-${index}` }] } } },
    { data: { repository: { id: [{ numeric: [">=", FOREIGN_REPOSITORY + index] }] } } },
    { data: { action: [{ "anything-but": ["deleted", "closed"] }], organization: { login: [`org-${index}`] } } },
    { data: { sender: { id: [{ exists: true }] }, repository: { name: [`service-${index}`] } } },
    { data: { repository: { default_branch: [{ "equals-ignore-case": `Release-${index}` }] } } },
  ];
  return patterns[index % patterns.length] ?? {};
}
