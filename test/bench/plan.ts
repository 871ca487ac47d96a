/**
 * `node test/bench/plan.ts [--events N] [--rules N]`: what a plan takes on this machine, by how much of the rules has changed.
 * The events are GitHub's published payloads, each several times; a rule wants one type of them, half of the rules one action
 * of it too.
 */
import { parseArgs } from "node:util";
import { githubEvent } from "../../bin/event-input.ts";
import type { PlanEvent } from "../../src/core/plan.ts";
import { planChanges } from "../../src/core/plan.ts";
import type { JsonObject } from "../../src/core/result.ts";
import { ownMember } from "../../src/core/result.ts";
import type { RuleDefinition } from "../../src/core/rule.ts";
import { githubExamples } from "../support/github-examples.ts";

const START = Date.UTC(2026, 0, 1);
const BATCH_EVENTS = 500;

const examples = githubExamples();

function eventsOf(count: number): readonly PlanEvent[] {
  const payloads = examples.map(({ body }) => JSON.parse(body) as JsonObject);
  return Array.from({ length: count }, (_, n): PlanEvent => {
    const index = n % examples.length;
    const event = githubEvent(examples[index]?.event ?? "", payloads[index] as JsonObject, START, `guid-${n}`);
    return { name: `evt_${n}`, bus: "default", acceptedAt: START, event };
  });
}

function* inBatches(events: readonly PlanEvent[]) {
  for (let at = 0; at < events.length; at += BATCH_EVENTS) yield events.slice(at, at + BATCH_EVENTS);
}

const template = (word: string) => ({
  template: {
    paths: { repo: "$.data.repository.full_name", who: "$.data.sender.login", action: "$.data.action" },
    body: { text: `<who> ${word} <action> in <repo>`, repo: "<repo>", who: "<who>" },
  },
});
const jsonata = (word: string) => ({
  jsonata: `{ "text": data.sender.login & " ${word} " & data.action, "repo": data.repository.full_name }`,
});

function ruleOf(index: number, changes: Partial<RuleDefinition>): RuleDefinition {
  const { event, body } = examples[index % examples.length] ?? { event: "push", body: "{}" };
  const action = ownMember(JSON.parse(body) as JsonObject, "action");
  const wanted = index % 2 === 0 && typeof action === "string" ? { data: { action: [action] } } : {};
  return {
    path: `default/rule-${index}`,
    bus: "default",
    pattern: { type: [{ prefix: `com.github.${event}` }], ...wanted },
    targets: ["ci"],
    mode: "live",
    ...changes,
  };
}

/** The same rules, each with one more condition, which a fifth of the events meet. */
const withPattern = (rules: readonly RuleDefinition[]) =>
  rules.map((rule) => ({
    ...rule,
    pattern: { ...(rule.pattern as JsonObject), id: [{ suffix: "7" }, { suffix: "3" }] },
  }));

type Case = readonly [name: string, before: readonly RuleDefinition[], after: readonly RuleDefinition[]];

function casesOf(ruleCount: number): readonly Case[] {
  const rulesOf = (changes: Partial<RuleDefinition>) =>
    Array.from({ length: ruleCount }, (_, index) => ruleOf(index, changes));
  const templated = rulesOf({ transform: template("did") });
  const reworded = rulesOf({ transform: template("has done") });
  return [
    ["nothing", templated, templated],
    ["10 rules", templated, [...withPattern(templated.slice(0, 10)), ...templated.slice(10)]],
    ["every target list", templated, rulesOf({ transform: template("did"), targets: ["audit"] })],
    ["every pattern", templated, withPattern(templated)],
    ["every template", templated, reworded],
    ["every pattern and template", templated, withPattern(reworded)],
    ["every JSONata", rulesOf({ transform: jsonata("did") }), rulesOf({ transform: jsonata("has done") })],
  ];
}

export interface PlanCost {
  /** What has changed. */
  readonly changed: string;
  readonly rulesChanged: number;
  /** Pairs of an event and a rule that wants it now. */
  readonly matched: number;
  readonly bodiesChanged: number;
  readonly seconds: number;
  readonly heapMib: number;
}

export async function* measurePlans(eventCount: number, ruleCount: number): AsyncGenerator<PlanCost> {
  const events = eventsOf(eventCount);
  for (const [changed, before, after] of casesOf(ruleCount)) {
    const startedAt = performance.now();
    const planned = await planChanges(before, after, inBatches(events));
    const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(2));
    if (!planned.ok) throw new Error(planned.error.detail);
    const { rules } = planned.value;
    yield {
      changed,
      rulesChanged: rules.length,
      matched: rules.reduce((sum, { live }) => sum + live.stillMatchedCount + live.newlyMatched.count, 0),
      bodiesChanged: rules.reduce((sum, { live }) => sum + live.bodyChanged.count, 0),
      seconds,
      heapMib: Math.round(process.memoryUsage().heapUsed / 1_048_576),
    };
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { events: { type: "string", default: "10000" }, rules: { type: "string", default: "1000" } },
  });
  for await (const cost of measurePlans(Number(values.events), Number(values.rules))) console.log(JSON.stringify(cost));
}
