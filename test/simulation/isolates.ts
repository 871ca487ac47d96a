/** Invocations that publish and dispatch with the real code, in isolates; both may die at any time. */
import { createPacer } from "../../src/bus/pacer.ts";
import type { Settlement } from "../../src/core/delivery.ts";
import { err } from "../../src/core/result.ts";
import type { DispatchPorts } from "../../src/bus/dispatch.ts";
import { dispatch, DISPATCH_TIME_MS } from "../../src/bus/dispatch.ts";
import { partitionNames } from "../../src/bus/layout.ts";
import type { GatePort } from "../../src/bus/gate-ports.ts";
import type {
  AcceptReply,
  AcceptRequest,
  AdminPartitionPort,
  DispatchJob,
  PartitionPort,
} from "../../src/bus/ports.ts";
import type { PublishPorts } from "../../src/bus/publish.ts";
import { hashing } from "../../src/hashing.ts";
import type { Deployment, Deployments } from "./deployments.ts";
import { openHomes } from "./homes.ts";
import type { LaneWatch } from "./lane-watch.ts";
import type { PartitionHost } from "./partition-host.ts";
import type { Registry } from "./registry.ts";
import type { Setting } from "./setting.ts";
import type { SettleWatch } from "./settle-watch.ts";
import type { ShadowWatch } from "./shadow-watch.ts";
import type { Targets } from "./targets.ts";

/** Made once: what an error costs is the stack that it notes. */
const TIME_IS_UP = new DOMException("time is up", "TimeoutError");

type Awaker = Pick<AdminPartitionPort, "setTargetStatuses" | "wake">;

export interface Isolate {
  readonly ports: PublishPorts & DispatchPorts & { readonly adminPartition: (name: string) => Awaker };
  readonly kill: () => void;
  /** As `kill`, by the platform: its time is over. */
  readonly end: () => void;
  readonly lent: (job: DispatchJob) => void;
  /** A promise that never settles once the isolate is dead. */
  readonly guard: <Value>(work: () => Promise<Value>) => Promise<Value>;
}

export interface Isolates {
  /** Of the latest deployment or, unless one is given, of one that lingers. */
  readonly start: (label: string, deployment?: Deployment) => Isolate;
  /** The entry point that alarms hand leases to: resolves when it has them. */
  readonly handOver: (partition: string, job: DispatchJob) => Promise<void>;
}

export interface Surroundings {
  readonly partition: (name: string) => PartitionHost;
  readonly gate: (target: string) => GatePort;
  readonly deployments: Deployments;
  readonly targets: Targets;
  readonly registry: Registry;
  readonly lanes: LaneWatch;
  readonly settles: SettleWatch;
  readonly shadows: ShadowWatch;
}

export function openIsolates(setting: Setting, surroundings: Surroundings): Isolates {
  const { timeline, chance, faults, say, copy, count } = setting;
  const { deployments, targets, registry, lanes, settles, shadows } = surroundings;

  const homes = openHomes(setting);

  /** An invocation's view of the world. Once it is dead nothing it waits for comes, and what it calls does not happen. */
  function start(label: string, deployment: Deployment = deployments.pick()): Isolate {
    let alive = true;
    const home = homes.pick(deployment);
    const onDeath: (() => void)[] = [];
    const { rules, layouts } = deployment;
    const ruleSet = rules.set;
    const guard = <Value>(work: () => Promise<Value>): Promise<Value> =>
      new Promise((resolve, reject) => {
        if (!alive) return;
        work().then(
          (value) => alive && resolve(value),
          (error: unknown) => alive && reject(error as Error),
        );
      });
    const within: PublishPorts["within"] = (work, timeoutMs) =>
      guard(() => Promise.race([work, timeline.sleep(timeoutMs).then(() => "timeout" as const)]));
    const ownPort = (name: string): PartitionPort => {
      const host = surroundings.partition(name);
      const accepting = (requests: readonly AcceptRequest[]) => ({
        committed(reply: AcceptReply) {
          const answers = [reply, ...(reply.others ?? [])];
          registry.accepted(host, requests, reply);
          for (const [index, request] of requests.entries()) {
            const answer = answers[index];
            if (answer !== undefined) shadows.accepted(host, request, answer, ruleSet);
          }
          lanes.leased(
            host,
            answers.flatMap((answer) => (answer.kind === "accepted" ? answer.leases : [])),
          );
        },
      });
      return {
        accept: (request, others = []) =>
          guard(() =>
            host.call(
              "accept",
              (engine) => engine.accept(copy(request), copy(others)),
              accepting([request, ...others]),
            ),
          ),
        known: (request) =>
          guard(() =>
            host.call("known", (engine) => engine.known(copy(request)), {
              committed: (reply) => registry.known(host, request, reply),
            }),
          ),
        openLanes: (ids) => guard(() => host.call("openLanes", (engine) => engine.openLanes(ids))),
        settle(request) {
          count("settledTogether", request.settlements.filter((settlement) => !settled.has(settlement)).length);
          return guard(() => settles.settle(host, request));
        },
      };
    };
    // What it has settled itself; the others are along with it.
    const settled = new Set<Settlement>();
    const invocation = { now: timeline.now, within, later: () => {} };
    const partition = (name: string): PartitionPort => {
      const port = home.groups.port(name, ownPort, invocation);
      return {
        ...port,
        async settle(request, mayWaitMs) {
          for (const settlement of request.settlements) settled.add(settlement);
          const reply = await port.settle(request, mayWaitMs);
          settles.answered(surroundings.partition(name), request);
          return reply;
        },
      };
    };
    const adminPartition = (name: string): Awaker => {
      const host = surroundings.partition(name);
      return {
        setTargetStatuses: (statuses) =>
          guard(() => host.call("statuses", (engine) => engine.setTargetStatuses(copy(statuses)))),
        wake: (statuses, names, wanted) =>
          guard(() =>
            host.call("wake", (engine) => engine.wake(host.alarmAt(), copy(statuses), copy(names), copy(wanted))),
          ),
      };
    };
    const gate = (target: string): GatePort => {
      const port = surroundings.gate(target);
      return {
        acquire: (request) => guard(() => port.acquire(request)),
        finish: (token, result, name) => guard(() => port.finish(token, result, name)),
        report: (record) => guard(() => port.report(record)),
        pause: (name, reason) => guard(() => port.pause(name, reason)),
        resume: (name) => guard(() => port.resume(name)),
        status: (name) => guard(() => port.status(name)),
      };
    };
    const io: DispatchPorts["io"] = {
      now: timeline.now,
      fetch: (url, init) => guard(() => targets.request(url, init, { ruleSet, onDeath })),
      timeoutSignal: (timeoutMs) => {
        const controller = new AbortController();
        timeline.after(timeoutMs, () => alive && controller.abort(TIME_IS_UP));
        return controller.signal;
      },
      hashing,
      secret: () => undefined,
      queue: () => undefined,
      service: () => undefined,
      claim: () => Promise.resolve(err({ reason: "configuration", detail: "there is no body store" })),
      openBody: () => Promise.resolve(null),
      local: undefined,
    };
    const ports: Isolate["ports"] = {
      ruleSet,
      rulesVersion: rules.version,
      ...layouts,
      hashing,
      partition,
      adminPartition,
      pacer: createPacer(),
      allPartitions: () => ruleSet.buses.flatMap((bus) => partitionNames(bus, layouts)),
      gate,
      io,
      now: timeline.now,
      random: chance.next,
      sleep: (ms) => guard(() => timeline.sleep(ms)),
      newToken: () => `token-${chance.below(2 ** 31)}-${chance.below(2 ** 31)}`,
      within,
      log: (message, fields) => say(() => `${label} ${message} ${JSON.stringify(fields)}`),
    };
    const end = () => {
      alive = false;
      home.ends.delete(end);
      for (const each of onDeath.splice(0)) each();
    };
    const kill = () => {
      if (!alive) return;
      count("crashes");
      say(() => `${label} dies`);
      end();
      homes.died(home);
    };
    home.ends.add(end);
    const lent = (job: DispatchJob) => home.groups.lent(job, timeline.now());
    return { ports, kill, end, guard, lent };
  }

  return {
    start,
    handOver(partition, job) {
      lanes.leased(
        surroundings.partition(partition),
        job.work.map(({ lease }) => lease),
      );
      return new Promise((resolve, reject) => {
        timeline.after(chance.between(1, 20), () => {
          if (chance.happens(faults().loseRequest)) return reject(new Error("no dispatcher"));
          const { ports, kill, end, lent } = start("dispatcher");
          if (chance.happens(faults().crashAfter * 2)) timeline.after(chance.below(DISPATCH_TIME_MS), kill);
          // The platform ends an invocation 30 s after its answer.
          timeline.after(30_000, end);
          lent(job);
          void dispatch([copy(job)], ports);
          return resolve();
        });
      });
    },
  };
}
