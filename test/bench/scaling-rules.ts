/** What an event costs before its partition by how many rules there are: verified, parsed, matched and planned, in this process. */
import { createHmac } from "node:crypto";
import type { PlanPorts } from "../../src/bus/plan-event.ts";
import { originOf, planEvent } from "../../src/bus/plan-event.ts";
import type { CompiledSource } from "../../src/core/rule-set.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import type { SourceRequest } from "../../src/core/source.ts";
import { sources } from "../../src/generated/sources.ts";
import { targets } from "../../src/generated/targets.ts";
import { hashing } from "../../src/hashing.ts";
import { eventTemplates, writeBody } from "./bench-events.ts";
import { benchDocument } from "./bench-rules.ts";
import { median } from "./percentile.ts";

export interface RulesCost {
  readonly rules: number;
  readonly cpuUsPerEvent: number;
  readonly compileMs: number;
}

const SECRET = "made-up-for-the-scaling-bench";
const BATCHES = 9;
const BATCH_EVENTS = 500;
const WARM_UP_EVENTS = 2_000;

export async function measureRules(counts: readonly number[]): Promise<readonly RulesCost[]> {
  const requests = signedRequests();
  const planners = counts.map((rules) => ({ rules, ...plannerOf(rules, requests) }));
  for (const { plan } of planners) await plan(WARM_UP_EVENTS);
  const batches = planners.map(() => [] as number[]);
  // In turn, so that what else the machine does meets all of them.
  for (let batch = 0; batch < BATCHES; batch += 1) {
    for (const [index, { plan }] of planners.entries()) {
      const before = process.cpuUsage();
      await plan(BATCH_EVENTS);
      const { user, system } = process.cpuUsage(before);
      batches[index]?.push((user + system) / BATCH_EVENTS);
    }
  }
  return planners.map(({ rules, compileMs }, index) => ({
    rules,
    cpuUsPerEvent: median(batches[index] ?? []),
    compileMs,
  }));
}

function plannerOf(rules: number, requests: readonly SourceRequest[]) {
  const startedAt = performance.now();
  const ruleSet = compileRules(benchDocument("https://target.example/hook", { rules, catchAll: true }), {
    sources,
    targets,
  });
  const compileMs = performance.now() - startedAt;
  const source = ruleSet.source("github");
  if (source === undefined) throw new Error("the rules have no source");
  const ports: PlanPorts = {
    ruleSet,
    rulesVersion: { hash: "bench", deployedAt: 1 },
    hashing,
    now: Date.now,
    sleep: () => Promise.resolve(),
    log: () => {},
  };
  return { compileMs, plan: (events: number) => planAll(events, requests, source, ports) };
}

async function planAll(
  events: number,
  requests: readonly SourceRequest[],
  source: CompiledSource,
  ports: PlanPorts,
): Promise<void> {
  const context = { now: Date.now(), hashing, secret: () => SECRET };
  for (let n = 0; n < events; n += 1) {
    const request = requests[n % requests.length];
    if (request === undefined) throw new Error("no requests");
    const received = source.source.receive(request, source.config, "github", context);
    if (!received.ok) throw new Error(`refused: ${received.error.reason}`);
    for (const event of received.value.events) {
      const planned = await planEvent(event, originOf(source), ports, context.now);
      if (!planned.ok || planned.value.deliveries.length !== 1) throw new Error("an event has not met its one rule");
    }
  }
}

function signedRequests(): readonly SourceRequest[] {
  return eventTemplates().map((template, n) => {
    const body = Buffer.alloc(template.body.length);
    writeBody(template, n, body);
    return {
      method: "POST",
      url: "https://sluice.example/webhooks/github",
      headers: new Headers({
        "content-type": "application/json",
        "x-github-event": template.event,
        "x-github-delivery": `scaling-${n}`,
        "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
      }),
      body: new Uint8Array(body),
    };
  });
}
