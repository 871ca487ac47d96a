/** Who looks after a router: people that pause, resume and re-drive, and the sweep. */
import { announce } from "../../src/bus/announce.ts";
import { askStatuses, callGate } from "../../src/bus/gate-call.ts";
import type { GatePort, TargetStatus } from "../../src/bus/gate-ports.ts";
import { sweep } from "../../src/bus/sweep.ts";
import type { Deployments } from "./deployments.ts";
import type { GateWatch } from "./gate-watch.ts";
import type { Isolates } from "./isolates.ts";
import type { PartitionHost } from "./partition-host.ts";
import type { Registry } from "./registry.ts";
import type { Setting } from "./setting.ts";
import { CHAOS_MS } from "./setting.ts";

const MINUTE_MS = 60_000;
/** Once while things go wrong; then every quarter of an hour until all that was redriven is old, and now and then. */
const SWEEP_MINUTES = [7, 15, 30, 45, 60, 75, 90, 120, 150, 180, 210];
/** When a person looks for what is parked, and for all that is dead as well. */
const PARKED_MINUTES = [8, 22];
const DEAD_MINUTES = 60;
const AGAIN_MS = 5_000;
const PAUSABLE = ["steady", "flaky", "slow"];

export interface PeoplePorts {
  readonly isolates: Isolates;
  readonly deployments: Deployments;
  readonly hosts: ReadonlyMap<string, PartitionHost>;
  readonly registry: Registry;
  readonly gates: GateWatch;
}

/** Plans all of it; answers the target that nobody resumes, if there is one. */
export function planPeople(setting: Setting, ports: PeoplePorts): string | undefined {
  const { timeline, chance, features, count, say } = setting;
  const { isolates, deployments, hosts, registry, gates } = ports;

  /** As the admin API does it, until it has come about. */
  async function change(
    target: string,
    make: (gate: GatePort) => ReturnType<GatePort["status"]>,
  ): Promise<TargetStatus> {
    for (;;) {
      const { ports: own } = isolates.start("person", deployments.latest());
      const reply = await callGate(target, make, own);
      if (reply === undefined) {
        await timeline.sleep(AGAIN_MS);
        continue;
      }
      const partitions = own.allPartitions();
      const untold = await announce(partitions, [reply.status], own);
      const { state } = reply.status;
      say(() => `a person makes ${target} ${state.kind}, ${untold.length} not told`);
      if (state.kind === "held" && state.reason === "paused") {
        gates.paused(
          reply.status,
          partitions.filter((name) => !untold.includes(name)),
        );
      }
      return reply.status;
    }
  }

  async function pause(target: string, forMs: number | undefined): Promise<void> {
    count("pauses");
    await change(target, (gate) => gate.pause(target, "paused"));
    if (forMs === undefined) return;
    await timeline.sleep(forMs);
    await resume(target);
  }

  async function resume(target: string): Promise<void> {
    gates.resuming(target);
    await change(target, (gate) => gate.resume(target));
  }

  async function sweepAll(turn: number): Promise<void> {
    const { ports: own } = isolates.start("sweep", deployments.latest());
    const { ruleSet, rulesVersion } = own;
    const targets = ruleSet.targets.map(({ definition }) => definition.name);
    const wanted = { pairs: ruleSet.pairs, deployedAt: rulesVersion.deployedAt };
    await sweep(deployments.partitions(), turn, { statuses: await askStatuses(targets, own), targets, wanted }, own);
  }

  function redrive(which: "dead" | "parked"): void {
    for (const host of hosts.values()) {
      const request = { before: Number.MAX_SAFE_INTEGER, limit: 100, which, filter: {} };
      for (const { seq } of host.engine().list(request).events) {
        const redriven = host.call("redrive", (engine) => engine.redrive(seq, null), {
          repeats: false,
          committed(opened) {
            if (typeof opened !== "number" || opened === 0) return;
            count("redriven");
            registry.reopened(host, seq);
          },
        });
        redriven.catch(() => say(() => "a re-drive failed"));
      }
    }
  }

  const forGood = features.pausedForGood ? chance.pick(PAUSABLE) : undefined;
  if (forGood !== undefined) timeline.after(chance.below(CHAOS_MS), () => void pause(forGood, undefined));
  if (features.pauses) {
    for (let times = chance.between(1, 2); times > 0; times--) {
      const target = chance.pick(PAUSABLE.filter((name) => name !== forGood));
      const forMs = chance.between(MINUTE_MS, 10 * MINUTE_MS);
      timeline.after(chance.below(CHAOS_MS / 2), () => void pause(target, forMs));
    }
  }
  if (features.gone) {
    // After the last 410, and before.
    for (const at of [CHAOS_MS / 2, CHAOS_MS + chance.between(MINUTE_MS, 5 * MINUTE_MS)]) {
      timeline.after(at, () => {
        for (const target of ["flaky", "echo"]) if (target !== forGood) void resume(target);
      });
    }
  }
  for (const minutes of SWEEP_MINUTES) {
    timeline.after(minutes * MINUTE_MS, () => void sweepAll(minutes));
  }
  if (!features.parkedForGood) {
    for (const minutes of [...PARKED_MINUTES, DEAD_MINUTES]) {
      timeline.after(minutes * MINUTE_MS, () => redrive("parked"));
    }
  }
  timeline.after(DEAD_MINUTES * MINUTE_MS, () => redrive("dead"));
  return forGood;
}
