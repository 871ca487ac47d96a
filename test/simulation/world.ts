/**
 * The whole router on one simulated day: senders, ingest and dispatch isolates that may die, partitions, gates, targets. Real
 * code: publish, dispatch, both engines with their SQL, the matcher, the http and bus targets. Simulated: time, network,
 * processes, answers.
 */
import type { RulesVersion } from "../../src/core/delivery.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { createChance } from "./chance.ts";
import type { Counts } from "./counts.ts";
import { NO_COUNTS } from "./counts.ts";
import { openDeployments } from "./deployments.ts";
import type { Policies, Seen } from "./endings.ts";
import { NO_FAULTS, stormyFaults } from "./faults.ts";
import type { Features } from "./features.ts";
import { chooseFeatures } from "./features.ts";
import type { GateHost } from "./gate-host.ts";
import { gatePortOf, openGateHost } from "./gate-host.ts";
import type { GateWatch } from "./gate-watch.ts";
import { openGateWatch } from "./gate-watch.ts";
import { openIsolates } from "./isolates.ts";
import type { LaneWatch } from "./lane-watch.ts";
import { openLaneWatch } from "./lane-watch.ts";
import type { PartitionHost } from "./partition-host.ts";
import { openPartitionHost } from "./partition-host.ts";
import { planPeople } from "./people.ts";
import type { Registry } from "./registry.ts";
import { openRegistry } from "./registry.ts";
import { openSenders } from "./senders.ts";
import type { Setting } from "./setting.ts";
import { CHAOS_MS, DAY_MS, START } from "./setting.ts";
import { openSettleWatch } from "./settle-watch.ts";
import type { ShadowWatch } from "./shadow-watch.ts";
import { openShadowWatch } from "./shadow-watch.ts";
import { openTargets } from "./targets.ts";
import type { Timeline } from "./timeline.ts";
import { createTimeline } from "./timeline.ts";
import { planTraffic } from "./traffic.ts";

const LOST_ALARMS = 0.03;

export interface World {
  readonly timeline: Timeline;
  readonly features: Features;
  readonly hosts: ReadonlyMap<string, PartitionHost>;
  readonly seen: ReadonlyMap<string, Seen>;
  /** Receipts by event id. */
  readonly acknowledged: ReadonlyMap<string, string>;
  readonly violations: readonly string[];
  readonly registry: Registry;
  readonly lanes: LaneWatch;
  readonly gates: GateWatch;
  readonly shadows: ShadowWatch;
  readonly policiesOf: (rule: string) => Policies;
  readonly isUnwanted: (matchedUnder: RulesVersion, rule: string, target: string) => boolean;
  /** Whether a gate has ever held or limited anything. */
  readonly isTouched: () => boolean;
  readonly pausedForGood: string | undefined;
  readonly count: Setting["count"];
  readonly counts: () => Counts;
  readonly run: (afterEach: () => void) => Promise<void>;
  readonly close: () => void;
}

export function createWorld(seed: number, trace?: (text: string) => void): World {
  const chance = createChance(seed);
  const timeline = createTimeline(START);
  const features = chooseFeatures(chance);
  const counts = { ...NO_COUNTS };
  const scale = chance.pick([0, 0.3, 1, 2]);
  const stormy = stormyFaults(scale, features.lostAlarms ? LOST_ALARMS : 0);
  let chaos = true;
  const setting: Setting = {
    timeline,
    chance,
    features,
    chaos: () => chaos,
    isQuiet: scale === 0,
    faults: () => (chaos ? stormy : NO_FAULTS),
    say: (text) => trace?.(`${((timeline.now() - START) / 1_000).toFixed(3).padStart(9)} ${text()}`),
    copy: chance.happens(0.2) ? structuredClone : (value) => value,
    violations: [],
    count(name, by = 1) {
      counts[name] += by;
    },
  };
  setting.say(() => `features: ${JSON.stringify(features)}`);
  timeline.after(CHAOS_MS, () => {
    chaos = false;
    setting.say(() => "calm");
  });
  const limits = {
    ...LEDGER_LIMITS,
    alarmLeasesMax: chance.pick([3, 8, 24]),
    backlogDeliveriesMax: chance.pick([30, 20_000, 20_000]),
  };

  const hosts = new Map<string, PartitionHost>();
  const gateHosts = new Map<string, GateHost>();
  const seen = new Map<string, Seen>();
  const deployments = openDeployments(setting, restart);
  const registry = openRegistry(setting, (id) => settles.forget(id));
  const gates = openGateWatch(setting, deployments.limitsOf);
  const lanes = openLaneWatch({ setting, registry, gates, hosts });
  const { policiesOf, busOf } = deployments;
  const settles = openSettleWatch({ setting, seen, registry, lanes, policiesOf, busOf });
  const shadows = openShadowWatch(setting);
  const targets = openTargets({ setting, seen, registry, lanes, gates });

  function restart(): void {
    for (const host of [...hosts.values(), ...gateHosts.values()]) host.die();
  }
  // An object comes into being when it is first called.
  function partition(name: string): PartitionHost {
    let host = hosts.get(name);
    if (host === undefined) {
      host = openPartitionHost(name, { setting, limits, handOver: isolates.handOver, askOpenLanes });
      hosts.set(name, host);
    }
    return host;
  }
  function gate(target: string) {
    let host = gateHosts.get(target);
    if (host === undefined) gateHosts.set(target, (host = openGateHost(target, setting)));
    return gatePortOf(host, gates);
  }
  function askOpenLanes(name: string, ids: readonly string[]) {
    return partition(name).call("openLanes", (engine) => engine.openLanes(ids));
  }
  const isolates = openIsolates(setting, { partition, gate, deployments, targets, registry, lanes, settles, shadows });
  const senders = openSenders(setting, { isolates, hosts });
  setting.count("events", planTraffic(setting, senders, restart));
  const pausedForGood = planPeople(setting, { isolates, deployments, hosts, registry, gates });

  const deaths = (all: Iterable<{ readonly deaths: () => number }>) =>
    [...all].reduce((sum, host) => sum + host.deaths(), 0);
  return {
    timeline,
    features,
    hosts,
    seen,
    acknowledged: senders.acknowledged,
    violations: setting.violations,
    registry,
    lanes,
    gates,
    shadows,
    policiesOf,
    isUnwanted: deployments.isUnwanted,
    isTouched: gates.isTouched,
    pausedForGood,
    count: setting.count,
    counts: () => ({
      ...counts,
      acknowledged: senders.acknowledged.size,
      partitionDeaths: deaths(hosts.values()),
      gateDeaths: deaths(gateHosts.values()),
    }),
    run: (afterEach) => timeline.run(START + DAY_MS, afterEach),
    close() {
      for (const host of [...hosts.values(), ...gateHosts.values()]) host.close();
    },
  };
}
