/** What is deployed: rules and how buses are spread. While one changes over to the next, isolates of both run side by side. */
import type { Layouts } from "../../src/bus/layout.ts";
import { partitionNames } from "../../src/bus/layout.ts";
import type { RulesVersion } from "../../src/core/delivery.ts";
import type { TargetLimits } from "../../src/core/rule.ts";
import type { Policies } from "./endings.ts";
import type { SimulatedRules } from "./rules.ts";
import { chooseRules, compileChoices, mixRules } from "./rules.ts";
import type { Setting } from "./setting.ts";
import { CHAOS_MS, START } from "./setting.ts";

/** How likely an isolate is of an earlier deployment, while those linger. */
const EARLIER = 0.35;
/** How likely a bus that was spread anew gets the number of partitions back that it had at first. */
const BACK = 0.6;

export interface Deployment {
  readonly rules: SimulatedRules;
  readonly layouts: Layouts;
}

export interface Deployments {
  readonly latest: () => Deployment;
  /** The one that a new isolate belongs to. */
  readonly pick: () => Deployment;
  /** Partitions of every bus, as the latest deployment knows them. */
  readonly partitions: () => readonly string[];
  readonly policiesOf: (rule: string) => Policies;
  /** What the versions so far have said of a target, each once. */
  readonly limitsOf: (target: string) => readonly (TargetLimits | undefined)[];
  readonly busOf: (target: string) => string | undefined;
  /** Whether rules deployed since the event was matched have lost the rule or its target, or only record what it wants. */
  readonly isUnwanted: (matchedUnder: RulesVersion, rule: string, target: string) => boolean;
}

/** A deployment starts all objects anew. */
export function openDeployments({ timeline, chance, features, say, count }: Setting, restart: () => void): Deployments {
  const lingerMs = chance.pick([20_000, 120_000, CHAOS_MS]);
  const first = compileChoices(0, START, features, chooseRules(0, features, chance));
  const all: Deployment[] = [{ rules: first, layouts: { partitions: chance.between(1, 3), partitionsBefore: [] } }];

  const latest = (): Deployment => {
    const last = all.at(-1);
    if (last === undefined) throw new Error("something is always deployed");
    return last;
  };

  function another(partitions: number): number {
    const first = all[0]?.layouts.partitions ?? 1;
    if (first !== partitions && chance.happens(BACK)) return first;
    return chance.pick([1, 2, 3].filter((each) => each !== partitions));
  }

  function deploy(isMove: boolean): void {
    const { rules, layouts } = latest();
    const version = all.length;
    const mixed = mixRules(rules.choices, chooseRules(version, features, chance), chance);
    const choices = isMove && chance.happens(0.5) ? rules.choices : mixed;
    const partitions = isMove ? another(layouts.partitions) : layouts.partitions;
    const partitionsBefore = isMove
      ? [layouts.partitions, ...layouts.partitionsBefore].filter((each) => each !== partitions)
      : layouts.partitionsBefore;
    all.push({
      rules: compileChoices(version, timeline.now(), features, choices),
      layouts: { partitions, partitionsBefore },
    });
    count("deployments");
    restart();
    say(() => `deploys version ${version}, with ${partitions} partitions after ${partitionsBefore.join(", ")}`);
  }

  for (let moves = features.moves; moves > 0; moves--) timeline.after(chance.below(CHAOS_MS / 2), () => deploy(true));
  if (features.redeploys) timeline.after(chance.below(CHAOS_MS), () => deploy(false));

  const definitions = (target: string) => all.map(({ rules }) => rules.set.target(target)?.definition);

  return {
    latest,
    pick() {
      const now = timeline.now();
      const current = all.filter(({ rules }, index) => {
        const next = all[index + 1]?.rules.version.deployedAt ?? Number.POSITIVE_INFINITY;
        return next + lingerMs > now && rules.version.deployedAt <= now;
      });
      return chance.happens(EARLIER) ? chance.pick(current) : latest();
    },
    partitions: () => {
      const { rules, layouts } = latest();
      return rules.set.buses.flatMap((bus) => partitionNames(bus, layouts));
    },
    policiesOf: (path) =>
      all.flatMap(({ rules }) => {
        const rule = rules.set.rule(path);
        return rule === undefined ? [] : [rule.definition.order?.onFailure];
      }),
    limitsOf(target) {
      const texts = new Set(definitions(target).map((definition) => JSON.stringify(definition?.limits ?? null)));
      return [...texts].map((text) => (JSON.parse(text) as TargetLimits | null) ?? undefined);
    },
    busOf(target) {
      const config = definitions(target)[0]?.config as { readonly bus?: unknown } | undefined;
      return typeof config?.bus === "string" ? config.bus : undefined;
    },
    isUnwanted: (matchedUnder, path, target) =>
      all.some(
        ({ rules: { set, version } }) =>
          version.deployedAt >= matchedUnder.deployedAt && !set.pairs.includes(`${path} ${target}`),
      ),
  };
}
