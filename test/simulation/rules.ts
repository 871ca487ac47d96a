/** The rules of a simulated day, and those of the deployments in it. */
import type { RulesVersion } from "../../src/core/delivery.ts";
import { ok } from "../../src/core/result.ts";
import type { RuleDefinition, RuleOrder, RulesDocument, TargetDefinition, TargetLimits } from "../../src/core/rule.ts";
import type { RuleSet } from "../../src/core/rule-set.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import type { Source } from "../../src/core/source.ts";
import bus from "../../src/targets/bus.ts";
import http from "../../src/targets/http.ts";
import type { Chance } from "./chance.ts";
import { RETRY_DELAYS_MS } from "./endings.ts";
import type { Features } from "./features.ts";
import { UNHEARD } from "./shadow-watch.ts";

export const MAX_AGE_MS = 3_600_000;
/** Rules with one target: of their deliveries of one event, a dispatcher has more than it sends that target at a time. */
const CROWD = ["c-1", "c-2", "c-3", "c-4", "c-5", "c-6"];

const sim: Source<unknown> = {
  kind: "sim",
  summary: "Stands in for a source; the simulation makes events itself.",
  schema: {},
  parse: () => ok(undefined),
  secretNames: () => [],
  isOpen: () => true,
  receive: () => ok({ events: [], batch: false }),
};

export interface SimulatedRules {
  readonly set: RuleSet;
  readonly version: RulesVersion;
  readonly choices: RuleChoices;
}

/** What a deployment may change. */
export interface RuleChoices {
  /** A later version may have lost a rule or a target: its open deliveries are cancelled, nobody else's. Or it brings one. */
  readonly full: boolean;
  readonly crowded: boolean;
  /** The rule that is live at other times is a shadow rule. */
  readonly turned: boolean;
  /** By the rule's name. */
  readonly orders: ReadonlyMap<string, RuleOrder>;
  /** By the target's name. */
  readonly limits: ReadonlyMap<string, TargetLimits>;
}

export function chooseRules(version: number, features: Features, chance: Chance): RuleChoices {
  const orders = new Map<string, RuleOrder>();
  for (const name of ["all", "a", "b", "s", "pipe", "sink"]) {
    if (features.ordered && chance.happens(0.6)) orders.set(name, { by: "key", ...chooseFailure(chance) });
  }
  if (features.numbered) orders.set("s", { by: "sequence", ...chooseFailure(chance) });
  const limits = new Map<string, TargetLimits>();
  for (const name of ["steady", "flaky", "slow", "broken", "echo"]) {
    if (features.limits && chance.happens(0.6)) limits.set(name, chooseLimits(chance));
  }
  const turned = features.shadows && chance.happens(0.5);
  return { full: chance.happens(version === 0 ? 0.7 : 0.5), crowded: chance.happens(0.25), turned, orders, limits };
}

/** Some of what was, some of what another choice says. */
export function mixRules(before: RuleChoices, after: RuleChoices, chance: Chance): RuleChoices {
  return {
    full: after.full,
    crowded: after.crowded,
    turned: after.turned,
    orders: chance.happens(0.5) ? before.orders : after.orders,
    limits: chance.happens(0.5) ? before.limits : after.limits,
  };
}

function chooseFailure(chance: Chance): Pick<RuleOrder, "onFailure" | "gapWaitMs"> {
  const kind = chance.pick(["block", "skip-after", "park", "latest"] as const);
  const onFailure = kind === "skip-after" ? { kind, failures: chance.between(1, 3) } : { kind };
  return { onFailure, gapWaitMs: chance.pick([5_000, 30_000, 120_000]) };
}

function chooseLimits(chance: Chance): TargetLimits {
  const which = chance.pick(["rate", "concurrency", "both"]);
  const rate = { limit: chance.between(2, 6), periodMs: chance.pick([1_000, 10_000]), burst: chance.between(1, 3) };
  return {
    ...(which === "concurrency" ? {} : { rate }),
    ...(which === "rate" ? {} : { concurrency: chance.between(1, 3) }),
  };
}

export function compileChoices(
  version: number,
  deployedAt: number,
  features: Features,
  choices: RuleChoices,
): SimulatedRules {
  const { full, crowded, turned, orders, limits } = choices;
  const target = (name: string, timeoutMs: number, entry: TargetDefinition["entry"]): TargetDefinition => {
    const own = limits.get(name);
    const kind = Object.hasOwn(entry, "bus") ? "bus" : "http";
    const base = { name, kind, entry, timeoutMs, retryDelaysMs: RETRY_DELAYS_MS, maxAgeMs: MAX_AGE_MS };
    return own === undefined ? base : { ...base, limits: own };
  };
  const hook = (name: string, timeoutMs: number) =>
    target(name, timeoutMs, { http: `https://${name}.example.com/hook` });
  const rule = (path: string, type: string, targets: readonly string[]): RuleDefinition => {
    const [bus = "", name = ""] = path.split("/");
    const order = orders.get(name);
    const pattern = { type: [{ prefix: type }] };
    return { path, bus, pattern, targets, mode: "live", ...(order === undefined ? {} : { order }) };
  };
  const everything = { type: [{ prefix: "sim." }, { prefix: "loop." }, { prefix: "reply." }] };
  const shade = (path: string): RuleDefinition => ({
    ...rule(path, "", [UNHEARD, "steady"]),
    mode: "shadow",
    pattern: everything,
    transform: { template: { paths: { id: "$.id" }, body: { id: "<id>" } } },
  });
  const document: RulesDocument = {
    version: `rules-${version}`,
    sources: [{ name: "sim", kind: "sim", bus: "default", entry: {} }],
    targets: [
      hook("steady", 15_000),
      hook("flaky", 5_000),
      hook("slow", 15_000),
      hook("broken", 2_000),
      hook("echo", 5_000),
      hook(UNHEARD, 5_000),
      target("to-other", 5_000, { bus: "other" }),
      target("to-default", 5_000, { bus: "default" }),
    ],
    rules: [
      rule("default/all", "sim.", ["steady"]),
      rule("default/a", "sim.a", full ? ["flaky", "slow"] : ["slow"]),
      ...(full ? [rule("default/b", "sim.b", ["broken", "flaky"])] : []),
      ...(crowded ? CROWD.map((name) => rule(`default/${name}`, "sim.c", ["slow"])) : []),
      ...(features.numbered ? [rule("default/s", "sim.s", ["flaky", "steady"])] : []),
      ...(features.replies
        ? [
            rule("default/ask", "sim.r", ["echo"]),
            rule("default/loop", "loop.r", ["echo"]),
            rule("default/answers", "reply.", ["steady"]),
          ]
        : []),
      ...(features.pipes
        ? [
            rule("default/pipe", "sim.p", ["to-other"]),
            rule("default/forth", "loop.p", ["to-other"]),
            rule("other/back", "loop.p", ["to-default"]),
            rule("other/sink", "sim.p", ["flaky", "steady"]),
          ]
        : []),
      ...(features.shadows
        ? [
            shade("default/shade"),
            { ...rule("default/turn", "sim.", ["flaky"]), mode: turned ? ("shadow" as const) : ("live" as const) },
            { ...shade("default/flawed"), transform: { path: "$.data.nothing", required: true } },
            ...(features.pipes ? [shade("other/shade")] : []),
          ]
        : []),
    ],
  };
  return {
    set: compileRules(document, { sources: { sim }, targets: { http, bus } }),
    version: { hash: document.version, deployedAt },
    choices,
  };
}
