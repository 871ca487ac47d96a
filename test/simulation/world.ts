/**
 * The whole router on one simulated day: senders, ingest and dispatch isolates that may die, partitions, targets. Real code:
 * publish, dispatch, the engine with its SQL, the matcher, the http target. Simulated: time, network, processes, answers.
 */
import { dispatch, DISPATCH_TIME_MS } from "../../src/bus/dispatch.ts";
import type { DispatchJob, PartitionPort, SettleReply, SettleRequest } from "../../src/bus/ports.ts";
import type { PublishPorts } from "../../src/bus/publish.ts";
import { publish } from "../../src/bus/publish.ts";
import type { RulesVersion, Settlement } from "../../src/core/delivery.ts";
import { payloadFingerprint } from "../../src/core/event.ts";
import { parseReceipt, partitionName } from "../../src/core/receipt.ts";
import type { ReceivedEvent } from "../../src/core/source.ts";
import type { TargetIo } from "../../src/core/target.ts";
import { hashing } from "../../src/hashing.ts";
import type { Engine } from "../../src/objects/engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger.ts";
import { createChance } from "./chance.ts";
import type { Seen } from "./endings.ts";
import { endingProblem, RETRY_DELAYS_MS } from "./endings.ts";
import type { Faults, PartitionHost } from "./partition-host.ts";
import { openPartitionHost } from "./partition-host.ts";
import { rulesAt } from "./rules.ts";
import type { Timeline } from "./timeline.ts";
import { createTimeline } from "./timeline.ts";

const START = Date.UTC(2026, 0, 1);
const CHAOS_MS = 600_000;
const NO_FAULTS: Faults = { crashBefore: 0, crashAfter: 0, loseRequest: 0, loseReply: 0, repeatCall: 0, failWrite: 0 };

export interface Acknowledged {
  readonly id: string;
  readonly receipt: string;
  readonly rules: readonly string[];
}

export interface World {
  readonly seed: number;
  readonly timeline: Timeline;
  readonly hosts: ReadonlyMap<string, PartitionHost>;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly acknowledged: ReadonlyMap<string, Acknowledged>;
  readonly accepted: readonly string[];
  readonly violations: readonly string[];
  /** Whether rules deployed since the event was matched have lost the rule or its target. */
  readonly isUnwanted: (matchedUnder: RulesVersion, rule: string, target: string) => boolean;
  readonly run: (afterEach: () => void) => Promise<void>;
  readonly counts: { readonly events: number; crashes: number; readonly requests: () => number };
}

export function createWorld(seed: number, trace: (text: string) => void = () => {}): World {
  const chance = createChance(seed);
  const timeline = createTimeline(START);
  const say = (text: string) => trace(`${((timeline.now() - START) / 1_000).toFixed(3).padStart(9)} ${text}`);
  const partitions = chance.between(1, 3);
  const scale = chance.pick([0, 0.3, 1, 2]);
  let chaos = true;
  const faults = (): Faults =>
    chaos
      ? {
          crashBefore: 0.02 * scale,
          crashAfter: 0.03 * scale,
          loseRequest: 0.03 * scale,
          loseReply: 0.05 * scale,
          repeatCall: 0.1 * scale,
          failWrite: 0.02 * scale,
        }
      : NO_FAULTS;
  const rules = [rulesAt(0, START, chance)];
  const seen = new Map<string, Seen>();
  const sendings = new Map<string, number>();
  const acknowledged = new Map<string, Acknowledged>();
  const accepted: string[] = [];
  const violations: string[] = [];
  // The leases after which a delivery was put off by its schedule, since its last re-drive.
  const retried = new Map<string, Set<string>>();
  const counts = {
    events: chance.between(5, 30),
    crashes: 0,
    requests: () => [...seen.values()].reduce((sum, each) => sum + each.requests, 0),
  };
  const limits = {
    ...LEDGER_LIMITS,
    alarmLeasesMax: chance.pick([3, 8, 24]),
    backlogDeliveriesMax: chance.pick([30, 20_000]),
  };

  const hosts = new Map<string, PartitionHost>();
  for (let index = 0; index < partitions; index++) {
    const name = partitionName("default", partitions, index);
    hosts.set(
      name,
      openPartitionHost(name, { timeline, chance, faults, limits, trace: say, handOver: startDispatcher }),
    );
  }

  /** A settle under watch: what has ended stays as it ended, what ends has a cause, and retries stop with their schedule. */
  function settle(engine: Engine, request: SettleRequest, noted: Settlement[]): SettleReply {
    const deliveriesOf = (seq: number) => engine.get(seq)?.deliveries ?? [];
    const before = new Map(request.settlements.map(({ seq }) => [seq, deliveriesOf(seq)]));
    noted.length = 0;
    for (const settlement of request.settlements) {
      const { seq, deliveryId, token, step } = settlement;
      const state = before.get(seq)?.find(({ id }) => id === deliveryId)?.state;
      if (step.kind !== "retry" || state?.kind !== "leased" || state.token !== token) continue;
      noted.push(settlement);
    }
    const reply = engine.settle(structuredClone(request));
    for (const [seq, known] of before) {
      const now = new Map(deliveriesOf(seq).map((delivery) => [delivery.id, delivery]));
      for (const { id, state } of known) {
        const after = now.get(id);
        if (state.kind !== "waiting" && state.kind !== "leased" && after?.state.kind !== state.kind)
          violations.push(`${id} was ${state.kind} and is ${after?.state.kind ?? "gone"} by a settle`);
        const problem = after === undefined ? undefined : endingProblem(after, seen.get(id));
        if (problem !== undefined) violations.push(problem);
      }
    }
    return reply;
  }

  /** Retries that a partition has taken down, by the lease that failed; a crash may have taken others back. */
  function countRetries(settlements: readonly Settlement[]): void {
    for (const { deliveryId, token } of settlements) {
      const tokens = (retried.get(deliveryId) ?? new Set()).add(token);
      retried.set(deliveryId, tokens);
      if (tokens.size > RETRY_DELAYS_MS.length) violations.push(`${deliveryId} is retried beyond its schedule`);
    }
  }

  /** An isolate's view of the world. Once it is dead nothing it waits for comes, and what it calls does not happen. */
  function isolate(label: string) {
    let alive = true;
    const onDeath: (() => void)[] = [];
    // While deployments change over, old rules and new ones run side by side.
    const current = chance.happens(0.8) ? rules.at(-1) : chance.pick(rules);
    if (current === undefined) throw new Error("there are always rules");
    const guard = <Value>(work: () => Promise<Value>): Promise<Value> =>
      new Promise((resolve, reject) => {
        if (!alive) return;
        work().then(
          (value) => alive && resolve(value),
          (error: unknown) => alive && reject(error as Error),
        );
      });
    const partition = (name: string): PartitionPort => {
      const host = hosts.get(name);
      if (host === undefined) throw new Error(`no partition ${name}`);
      return {
        accept: (request) => guard(() => host.call("accept", (engine) => engine.accept(structuredClone(request)))),
        settle: (request) => {
          const noted: Settlement[] = [];
          return guard(() =>
            host.call(
              "settle",
              (engine) => settle(engine, request, noted),
              () => countRetries(noted),
            ),
          );
        },
      };
    };
    const io: TargetIo = {
      now: timeline.now,
      fetch: (url, init) => guard(() => request(url, init, onDeath)),
      timeoutSignal: (timeoutMs) => {
        const controller = new AbortController();
        timeline.after(timeoutMs, () => alive && controller.abort(new DOMException("time is up", "TimeoutError")));
        return controller.signal;
      },
      hashing,
      secret: () => undefined,
      queue: () => undefined,
      local: undefined,
    };
    const ports: PublishPorts & Parameters<typeof dispatch>[1] = {
      ruleSet: current.set,
      rulesVersion: current.version,
      partitions,
      hashing,
      partition,
      io,
      now: timeline.now,
      random: chance.next,
      sleep: (ms) => guard(() => timeline.sleep(ms)),
      newToken: () => `token-${chance.below(2 ** 31)}-${chance.below(2 ** 31)}`,
      within: (work, timeoutMs) =>
        guard(() => Promise.race([work, timeline.sleep(timeoutMs).then(() => "timeout" as const)])),
      log: (message, fields) => say(`${label} ${message} ${JSON.stringify(fields)}`),
    };
    const kill = () => {
      if (!alive) return;
      alive = false;
      counts.crashes += 1;
      say(`${label} dies`);
      for (const each of onDeath) each();
    };
    return { ports, kill, guard };
  }

  function startDispatcher(job: DispatchJob): Promise<void> {
    return new Promise((resolve, reject) => {
      timeline.after(chance.between(1, 20), () => {
        if (chance.happens(faults().loseRequest)) return reject(new Error("no dispatcher"));
        const { ports, kill } = isolate("dispatcher");
        if (chance.happens(faults().crashAfter * 2)) timeline.after(chance.below(DISPATCH_TIME_MS), kill);
        // The platform ends an invocation 30 s after its answer.
        timeline.after(30_000, kill);
        void dispatch([structuredClone(job)], ports);
        return resolve();
      });
    });
  }

  /** A request to a target, which remembers what it saw. */
  function request(url: string, init: RequestInit, onDeath: (() => void)[]): Promise<Response> {
    const name = new URL(url).hostname.split(".")[0] ?? "";
    const id = new Headers(init.headers).get("webhook-id") ?? "";
    const record = seen.get(id) ?? { requests: 0, successes: 0, refusals: 0, inFlight: 0 };
    seen.set(id, record);
    record.requests += 1;
    record.inFlight += 1;
    if (record.inFlight > 1) violations.push(`two requests at once for ${id}`);
    let open = true;
    const end = () => {
      if (open) record.inFlight -= 1;
      open = false;
    };
    onDeath.push(end);
    return new Promise((resolve, reject) => {
      const answer = (status: number, headers: Record<string, string> = {}) => {
        if (open && status < 300) record.successes += 1;
        if (open && status === 404) record.refusals += 1;
        end();
        resolve(new Response(status === 204 ? null : "text", { status, headers }));
      };
      const fail = () => {
        end();
        reject(new Error("Network connection lost."));
      };
      init.signal?.addEventListener("abort", () => {
        end();
        reject(init.signal?.reason as Error);
      });
      const dice = chance.next();
      const slowest = name === "slow" ? 20_000 : name === "flaky" ? 4_900 : 300;
      const wait = chance.between(5, chaos ? slowest : 300);
      timeline.after(wait, () => {
        if (name === "broken" && chaos)
          return dice < 0.2 ? answer(404) : answer(503, { "retry-after": String(chance.below(60)) });
        if (name === "flaky" && chaos) {
          if (dice < 0.2) return fail();
          if (dice < 0.4) return answer(500);
          if (dice < 0.5) return answer(429, { "retry-after": "10" });
          if (dice < 0.6) return undefined; // hangs until the deadline
          if (dice < 0.7) {
            record.successes += 1; // took it, and the answer was lost
            return fail();
          }
        }
        return answer(204);
      });
    });
  }

  function send(id: string, type: string, key: string, content: string): void {
    const { ports, kill, guard } = isolate(`ingest ${id}`);
    sendings.set(id, (sendings.get(id) ?? 0) + 1);
    const source = ports.ruleSet.source("sim");
    if (source === undefined) throw new Error("the source is always there");
    const body = new TextEncoder().encode(JSON.stringify({ content }));
    const event: ReceivedEvent = {
      event: {
        attributes: { specversion: "1.0", id, source: "sim:", type, datacontenttype: "application/json" },
        body,
      },
      fingerprint: payloadFingerprint(body, "", hashing.sha256),
      key,
      rawHeaders: {},
    };
    if (chance.happens(faults().crashAfter)) timeline.after(chance.below(1_000), kill);
    timeline.after(40_000, kill);
    void guard(() => publish([event], source, ports)).then((published) => {
      if (!published.ok) {
        say(`${id} refused: ${published.error.reason}`);
        // A sender that was refused sends again, most of the time.
        if (chance.happens(0.8)) timeline.after(chance.between(1_000, 30_000), () => send(id, type, key, content));
        return;
      }
      const [receipt] = published.value.receipts;
      if (receipt === undefined) throw new Error("one event, one receipt");
      say(`${id} ${receipt.status} ${receipt.rules.join(" ")}`);
      if (receipt.status === "accepted") {
        if (accepted.includes(id)) violations.push(`${id} was accepted twice`);
        accepted.push(id);
      }
      if (receipt.status === "conflict" && content === "first")
        violations.push(`${id} came again unchanged and is a conflict`);
      if (receipt.status === "duplicate" && content !== "first")
        violations.push(`${id} came with other content and is a duplicate`);
      if (receipt.status !== "accepted" && sendings.get(id) === 1)
        violations.push(`${id} was sent once and is a ${receipt.status}`);
      const first = acknowledged.get(id);
      if (first !== undefined && first.receipt !== receipt.id) violations.push(`${id} has two receipts`);
      const parts = parseReceipt(receipt.id);
      const stored = parts === null ? null : hosts.get(parts.partition)?.engine().get(parts.seq);
      if (stored === null || stored === undefined) violations.push(`${id} was acknowledged and is not stored`);
      acknowledged.set(id, { id, receipt: receipt.id, rules: receipt.rules });
      void dispatch(published.value.jobs, ports);
    });
  }

  for (let index = 0; index < counts.events; index++) {
    const id = `event-${index}`;
    const type = `sim.${chance.pick(["a", "b", "c"])}`;
    const key = chance.pick(["x", "y", "z"]);
    const at = chance.below(CHAOS_MS / 2);
    timeline.after(at, () => send(id, type, key, "first"));
    for (let repeats = chance.pick([0, 0, 1, 2]); repeats > 0; repeats--) {
      const content = chance.happens(0.2) ? "other" : "first";
      timeline.after(
        at + 1_000 + chance.below(CHAOS_MS / 2),
        () => acknowledged.has(id) && send(id, type, key, content),
      );
    }
  }
  if (chance.happens(0.5)) timeline.after(chance.below(CHAOS_MS), () => void rules.push(rulesAt(1, START + 1, chance)));
  timeline.after(CHAOS_MS, () => {
    chaos = false;
    say("calm");
  });
  // The sweep, every 15 minutes, and now and then a person who opens what is dead.
  for (let minutes = 15; minutes <= 300; minutes += 15) {
    timeline.after(minutes * 60_000, () => {
      for (const host of hosts.values()) {
        void host.call("wake", (engine) => engine.wake(host.alarmAt()));
        if (minutes !== 60) continue;
        const dead = host
          .engine()
          .list({ before: Number.MAX_SAFE_INTEGER, limit: 100, which: "dead", filter: {} }).events;
        for (const event of dead) {
          for (const { id } of event.deliveries) retried.delete(id);
          void host.call("redrive", (engine) => engine.redrive(event.seq, null));
        }
      }
    });
  }

  return {
    seed,
    timeline,
    hosts,
    seen,
    acknowledged,
    accepted,
    violations,
    isUnwanted: (matchedUnder, rule, target) =>
      rules.some(
        ({ set, version }) =>
          version.deployedAt >= matchedUnder.deployedAt && !set.rule(rule)?.definition.targets.includes(target),
      ),
    counts,
    run: (afterEach) => timeline.run(START + 6 * 3_600_000, afterEach),
  };
}
