/** The rules of a simulated day, and those of a deployment in the middle of it. */
import type { RulesVersion } from "../../src/core/delivery.ts";
import { ok } from "../../src/core/result.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import type { RuleSet } from "../../src/core/rule-set.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import type { Source } from "../../src/core/source.ts";
import http from "../../src/targets/http.ts";
import type { Chance } from "./chance.ts";
import { RETRY_DELAYS_MS } from "./endings.ts";

const MAX_AGE_MS = 3_600_000;
/** Rules with one target: of their deliveries of one event, a dispatcher has more than it sends that target at a time. */
const CROWD = ["c-1", "c-2", "c-3", "c-4", "c-5", "c-6"];

const sim: Source<unknown> = {
  kind: "sim",
  summary: "Stands in for a source; the simulation makes events itself.",
  parse: () => ok(undefined),
  secretNames: () => [],
  isOpen: () => true,
  receive: () => ok({ events: [], batch: false }),
};

export function rulesAt(
  version: number,
  deployedAt: number,
  chance: Chance,
): { readonly set: RuleSet; readonly version: RulesVersion } {
  const target = (name: string, timeoutMs: number) => ({
    name,
    kind: "http",
    entry: { http: `https://${name}.example.com/hook` },
    timeoutMs,
    retryDelaysMs: RETRY_DELAYS_MS,
    maxAgeMs: MAX_AGE_MS,
  });
  const rule = (name: string, targets: readonly string[]) => ({
    path: `default/${name}`,
    bus: "default",
    pattern: { type: [{ prefix: `sim.${name === "all" ? "" : name}` }] },
    targets,
    mode: "live" as const,
  });
  // A later version may have lost a rule or a target: its open deliveries are cancelled, nobody else's. Or it brings one: what
  // is still running with the older rules must leave its deliveries alone.
  const full = chance.happens(version === 0 ? 0.7 : 0.5);
  const crowded = chance.happens(0.3);
  const document: RulesDocument = {
    version: `rules-${version}`,
    sources: [{ name: "sim", kind: "sim", bus: "default", entry: {} }],
    targets: [target("steady", 15_000), target("flaky", 5_000), target("slow", 15_000), target("broken", 2_000)],
    rules: [
      rule("all", ["steady"]),
      rule("a", full ? ["flaky", "slow"] : ["slow"]),
      ...(full ? [rule("b", ["broken", "flaky"])] : []),
      ...(crowded ? CROWD.map((name) => ({ ...rule("c", ["slow"]), path: `default/${name}` })) : []),
    ],
  };
  return {
    set: compileRules(document, { sources: { sim }, targets: { http } }),
    version: { hash: document.version, deployedAt },
  };
}
