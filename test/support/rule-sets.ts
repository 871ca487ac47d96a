/** Rule sets with targets that do what a test says. */
import { jsonataEngine } from "../../src/core/jsonata.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { ok } from "../../src/core/result.ts";
import type { RuleDefinition, TargetDefinition } from "../../src/core/rule.ts";
import type { AnySource, AnyTarget, RuleSet } from "../../src/core/rule-set.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import type { Shipment } from "../../src/core/target.ts";

export type Send = (shipment: Shipment, timeoutMs: number, target: string) => Promise<Outcome>;

const source: AnySource = {
  kind: "fake",
  summary: "Never asked.",
  schema: {},
  parse: () => ok(undefined),
  secretNames: () => [],
  isOpen: () => true,
  receive: () => ok({ events: [], batch: false }),
};

export interface RuleSetParts {
  /** Targets by name, with what is different about them. */
  readonly targets: Readonly<Record<string, Partial<TargetDefinition>>>;
  /** Rules by name, with what is different about them; without more they match every event. */
  readonly rules: Readonly<Record<string, Partial<RuleDefinition>>>;
  readonly send?: Send;
}

/** On the bus "default", with a source named "events". */
export function ruleSetOf({ targets, rules, send }: RuleSetParts): RuleSet {
  const target: AnyTarget = {
    kind: "fake",
    summary: "Does what the test says.",
    schema: {},
    parse: (entry) => ok(entry["name"]),
    secretNames: () => [],
    queueBindings: () => [],
    serviceBindings: () => [],
    urls: () => [],
    localOnly: () => [],
    preview: ({ event }, name) => ({ action: `send to ${String(name)}`, headers: {}, body: event.body }),
    send: (shipment, name, timeoutMs) =>
      send === undefined ? Promise.resolve({ kind: "delivered" }) : send(shipment, timeoutMs, String(name)),
  };
  return compileRules(
    {
      version: "v1",
      sources: [{ name: "events", kind: "fake", bus: "default", entry: {} }],
      targets: Object.entries(targets).map(([name, changes]) => ({
        name,
        kind: "fake",
        entry: { name },
        timeoutMs: 15_000,
        retryDelaysMs: [5_000, 30_000],
        maxAgeMs: 3_600_000,
        ...changes,
      })),
      rules: Object.entries(rules).map(([name, changes]) => ({
        path: `default/${name}`,
        bus: "default",
        pattern: { id: [{ exists: true }] },
        targets: [],
        mode: "live",
        ...changes,
      })),
    },
    { sources: { fake: source }, targets: { fake: target }, jsonata: jsonataEngine },
  );
}
