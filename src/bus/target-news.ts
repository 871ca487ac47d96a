/**
 * What gates tell one dispatcher about targets: kept for the next settle with its partition, and told to every other partition
 * when it is a change. Also what the dispatcher does about gates beside its leases, so that none of them waits for it.
 */
import type { AnnouncePorts } from "./announce.ts";
import { announce } from "./announce.ts";
import type { GatePorts } from "./gate-call.ts";
import { callGateOnce } from "./gate-call.ts";
import type { GateReply, TargetRecord, TargetStatus } from "./gate-ports.ts";
import type { SettleRequest, Throttle } from "./ports.ts";

export interface NewsPorts extends AnnouncePorts, GatePorts {
  readonly now: () => number;
}

export interface TargetNews {
  /** `knownGated`: the partition takes the target for gated, so that even "free" is news to it. */
  readonly hear: (reply: GateReply, knownGated: boolean) => void;
  /** The target has no room for so long, counted from now. */
  readonly throttle: (target: string, forMs: number) => void;
  /** A permit was had: the target has room, unless it is said to have none. */
  readonly granted: (target: string) => void;
  /**
   * A permit has ended well: the target has room for one more now, whatever was said before. Others may have it for so long,
   * before this dispatcher asks again.
   */
  readonly free: (target: string, yieldMs: number) => void;
  /** For how long to leave the target to others; asked once for each permit. */
  readonly yieldMs: (target: string) => number;
  /** What the next settle carries, with the room that slots leave; it is forgotten here. */
  readonly take: (room: SettleRequest["targetRoom"]) => Pick<SettleRequest, "statuses" | "throttles" | "targetRoom">;
  /** Tells gates what the partition has counted. */
  readonly report: (records: readonly TargetRecord[]) => void;
  /** Goes on with work that must be done before the dispatcher ends. It must not fail. */
  readonly beside: (work: Promise<void>) => void;
  /** Once no settle follows: what none has carried is told, and everything beside is awaited. */
  readonly close: () => Promise<void>;
}

export function createTargetNews(partition: string, ports: NewsPorts): TargetNews {
  let statuses = new Map<string, TargetStatus>();
  let throttles = new Map<string, number>();
  let grants = new Set<string>();
  let freed = new Map<string, number>();
  const yields = new Map<string, number>();
  /** Everybody has been told of these versions, this partition included. */
  const announced = new Map<string, number>();
  let working: Promise<void>[] = [];
  // One after another, so that no more calls are under way than one announcement makes.
  let announcing = Promise.resolve();

  const beside = (work: Promise<void>): void => void working.push(work);

  function tell(partitions: readonly string[], told: readonly TargetStatus[]): void {
    announcing = announcing.then(async () => void (await announce(partitions, told, ports)));
    beside(announcing);
  }

  function hear({ status, changed }: GateReply, knownGated: boolean): void {
    const { target, version, state } = status;
    if (!changed && state.kind === "free" && !knownGated) return;
    if ((statuses.get(target)?.version ?? -1) <= version) statuses.set(target, status);
    if (!changed) return;
    ports.log("target.changed", {
      target,
      version,
      state: state.kind,
      ...("reason" in state ? { why: state.reason } : {}),
    });
    announced.set(target, Math.max(version, announced.get(target) ?? -1));
    tell(ports.allPartitions(), [status]);
  }

  function grantOf(target: string, now: number): Throttle {
    const yieldMs = (yields.get(target) ?? 0) - now;
    return { target, forMs: 0, ...(yieldMs > 0 ? { yieldMs } : {}) };
  }

  return {
    hear,
    beside,

    throttle: (target, forMs) => void throttles.set(target, ports.now() + forMs),

    granted: (target) => void grants.add(target),

    yieldMs: (target) => Math.max(0, (yields.get(target) ?? 0) - ports.now()),

    free(target, yieldMs) {
      throttles.delete(target);
      grants.add(target);
      yields.set(target, ports.now() + yieldMs);
      freed.set(target, (freed.get(target) ?? 0) + 1);
    },

    take(room) {
      const now = ports.now();
      // As many leases as permits have ended: a further one would only find out that there is no room.
      const narrowed = [...freed].map(([target, count]) => [target, Math.min(count, room[target] ?? count)]);
      const denied = [...throttles]
        .map(([target, until]) => ({ target, forMs: until - now }))
        .filter(({ forMs }) => forMs > 0);
      const granted = [...grants].filter((target) => !denied.some((each) => each.target === target));
      const taken = {
        statuses: [...statuses.values()],
        throttles: [...denied, ...granted.map((target) => grantOf(target, now))],
        targetRoom: { ...room, ...Object.fromEntries(narrowed) },
      };
      statuses = new Map();
      throttles = new Map();
      grants = new Set();
      freed = new Map();
      return taken;
    },

    report(records) {
      for (const record of records) {
        const reported = callGateOnce(record.target, (gate) => gate.report(record), ports);
        beside(reported.then((reply) => reply && hear(reply, false)));
      }
    },

    async close() {
      for (;;) {
        const untold = [...statuses.values()].filter(({ target, version }) => (announced.get(target) ?? -1) < version);
        statuses = new Map();
        if (untold.length > 0) tell([partition], untold);
        if (working.length === 0) return;
        const waiting = working;
        working = [];
        await Promise.all(waiting);
      }
    },
  };
}
