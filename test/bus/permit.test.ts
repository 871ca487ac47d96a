import type { PermitPorts } from "../../src/bus/permit.ts";
import { createPacer } from "../../src/bus/pacer.ts";
import { describe, expect, it, vi } from "vitest";
import { GATE_TIMEOUT_MS } from "../../src/bus/gate-call.ts";
import {
  GATE_LOST_DELAY_MS,
  GONE_DELAY_MS,
  PERMIT_CALL_MS,
  PERMIT_WAIT_MS_MAX,
  takePermit,
  YIELD_SHARE,
} from "../../src/bus/permit.ts";
import type { GatePort, TargetStatus } from "../../src/bus/gate-ports.ts";
import { createTargetNews } from "../../src/bus/target-news.ts";
import type { Lease } from "../../src/core/delivery.ts";
import type { Outcome, PermanentReason } from "../../src/core/outcome.ts";
import type { TargetLimits } from "../../src/core/rule.ts";
import { createTimeline } from "../simulation/timeline.ts";
import { denied, FREE, GATED, GONE, granted, PAUSED, replyOf, scriptedGates, statusOf } from "../support/gates.ts";

const PARTITION = "v1/default/1/0";
const LIMITS: TargetLimits = { concurrency: 2 };
const LEASE: Lease = {
  seq: 1,
  deliveryId: "dlv_1",
  rule: "default/all",
  target: "ci",
  token: "lease-1",
  attempt: 1,
  failures: 0,
  timeoutMs: 15_000,
  leaseMs: 20_000,
  expiresInMs: 3_600_000,
  ageMs: 0,
};
const PERMANENT = (reason: PermanentReason): Outcome => ({ kind: "permanent", reason, detail: "" });
const OUTCOMES: readonly (readonly [Outcome, string])[] = [
  [{ kind: "delivered" }, "succeeded"],
  [{ kind: "retryable", reason: "status", detail: "503" }, "failed"],
  [{ kind: "retryable", reason: "timeout", detail: "" }, "failed"],
  [PERMANENT("status"), "succeeded"],
  [PERMANENT("redirect"), "succeeded"],
  [PERMANENT("aborted-by-target"), "succeeded"],
  [PERMANENT("target-gone"), "failed"],
  [PERMANENT("transform-failed"), "unsent"],
  [PERMANENT("too-large"), "unsent"],
  [PERMANENT("configuration"), "unsent"],
  [PERMANENT("hop-limit"), "unsent"],
  [PERMANENT("body-missing"), "unsent"],
  [{ kind: "released", reason: "out-of-time" }, "unsent"],
  [{ kind: "unwanted", reason: "rule-off" }, "unsent"],
  [{ kind: "held", delayMs: 1 }, "unsent"],
];

type Sleep = (ms: number) => Promise<void>;

function openBench(script: (sleep: Sleep) => Partial<GatePort> = () => ({})) {
  const timeline = createTimeline(0);
  const gates = scriptedGates(() => script(timeline.sleep));
  const told: { readonly partition: string; readonly statuses: readonly TargetStatus[] }[] = [];
  const logs: string[] = [];
  const ports: PermitPorts = {
    gate: gates.gate,
    now: timeline.now,
    sleep: timeline.sleep,
    random: () => 0.5,
    within: (work, timeoutMs) => Promise.race([work, timeline.sleep(timeoutMs).then(() => "timeout" as const)]),
    pacer: createPacer(),
    allPartitions: () => [PARTITION],
    adminPartition: (partition) => ({
      setTargetStatuses: async (statuses) => void told.push({ partition, statuses }),
    }),
    log: (message) => void logs.push(message),
  };
  const news = createTargetNews(PARTITION, ports);
  const run = async <Value>(work: Promise<Value>): Promise<Value> => {
    timeline.after(0, () => {});
    await timeline.run(60_000, () => {});
    return work;
  };
  return {
    gates,
    news,
    told,
    logs,
    take: async (changes: { lease?: Partial<Lease>; limits?: TargetLimits; sendBy?: number; endsAt?: number } = {}) => {
      const request = { limits: changes.limits, sendBy: 10_000, endsAt: 20_000, ...changes };
      let at = -1;
      const permit = await run(
        takePermit({ ...request, lease: { ...LEASE, ...changes.lease } }, news, ports).then((taken) => {
          at = timeline.now();
          return taken;
        }),
      );
      return {
        at,
        permit,
        end: async (outcome: Outcome): Promise<Outcome> => {
          if (permit.kind !== "granted") throw new Error("there is no permit");
          return run(permit.end(outcome));
        },
      };
    },
  };
}

describe("a permit", () => {
  it("is free where there are neither limits nor a bad record, whatever comes of the attempt", async () => {
    for (const [outcome] of OUTCOMES) {
      if (outcome.kind === "permanent" && outcome.reason === "target-gone") continue;
      const { take, gates } = openBench();
      expect(await (await take()).end(outcome)).toBe(outcome);
      expect(gates.calls).toEqual([]);
    }
  });

  it.each([
    ["because of limits", { limits: LIMITS }, LIMITS],
    ["because of limits of no kind", { limits: {} }, {}],
    ["because the lease is gated", { lease: { gated: true } }, {}],
  ] as const)("is asked of the gate %s", async (_, changes, limits) => {
    const { take, gates } = openBench();
    await take(changes);
    const request = { target: "ci", token: "lease-1", limits, forMs: 20_000, waitMsMax: PERMIT_WAIT_MS_MAX };
    expect(gates.calls).toEqual([{ target: "ci", name: "acquire", args: [request] }]);
  });

  it.each([
    [PERMIT_WAIT_MS_MAX + PERMIT_CALL_MS + 1, PERMIT_WAIT_MS_MAX],
    [PERMIT_WAIT_MS_MAX + PERMIT_CALL_MS, PERMIT_WAIT_MS_MAX],
    [PERMIT_WAIT_MS_MAX + PERMIT_CALL_MS - 1, PERMIT_WAIT_MS_MAX - 1],
    [PERMIT_CALL_MS, 0],
    [0, 0],
  ])("that must be used within %i ms is waited for no longer than %i ms", async (sendBy, waitMsMax) => {
    const { take, gates } = openBench();
    await take({ limits: LIMITS, sendBy });
    expect(gates.calls).toMatchObject([{ args: [{ waitMsMax }] }]);
  });

  it("lets send after its wait, not before", async () => {
    const { take } = openBench(() => ({ acquire: async () => granted("ci", { waitMs: 1_234 }) }));
    expect(await take({ limits: LIMITS })).toMatchObject({ at: 1_234, permit: { kind: "granted" } });
  });

  it("that is denied holds the delivery and throttles the target for as long as the gate says", async () => {
    const { take, news } = openBench(() => ({ acquire: async () => denied("ci", 100_000) }));
    expect((await take({ limits: LIMITS })).permit).toEqual({ kind: "held", delayMs: 100_000 });
    // A minute has passed on the bench's clock.
    expect(news.take({})).toEqual({ statuses: [], throttles: [{ target: "ci", forMs: 40_000 }], targetRoom: {} });
    expect(news.take({})).toEqual({ statuses: [], throttles: [], targetRoom: {} });
  });

  it("is held where the gate fails or says nothing in time", async () => {
    for (const acquire of [
      () => Promise.reject(new Error("gone")),
      (sleep: Sleep) => sleep(GATE_TIMEOUT_MS + 1).then(() => granted("ci")),
    ]) {
      for (const changes of [{ limits: LIMITS }, { lease: { gated: true } }] as const) {
        const { take, logs, gates } = openBench((sleep) => ({ acquire: () => acquire(sleep) }));
        expect((await take(changes)).permit).toEqual({ kind: "held", delayMs: GATE_LOST_DELAY_MS });
        expect(logs).toEqual([expect.stringMatching(/^gate\.(failed|timeout)$/)]);
        // It may have granted all the same.
        expect(gates.calls.at(-1)).toEqual({ target: "ci", name: "finish", args: ["lease-1", "unsent", "ci"] });
      }
    }
  });

  it("is had where the gate answers at the last moment, or at a second try", async () => {
    const late = openBench((sleep) => ({ acquire: () => sleep(GATE_TIMEOUT_MS - 1).then(() => granted("ci")) }));
    expect((await late.take({ limits: LIMITS })).permit.kind).toBe("granted");
    let calls = 0;
    const moved = openBench(() => ({
      acquire: async () => {
        if (++calls === 1) throw Object.assign(new Error("moved"), { retryable: true });
        return granted("ci");
      },
    }));
    expect((await moved.take({ limits: LIMITS })).permit.kind).toBe("granted");
  });
});

describe("what came of the attempt", () => {
  it.each(OUTCOMES)("%o ends the permit as %s", async (outcome, result) => {
    const { take, gates, news } = openBench(() => ({ acquire: async () => granted("ci", { finish: true }) }));
    const ended = await (await take({ limits: LIMITS })).end(outcome);
    await news.close();
    expect(gates.calls.at(-1)).toEqual({ target: "ci", name: "finish", args: ["lease-1", result, "ci"] });
    if (outcome.kind !== "permanent" || outcome.reason !== "target-gone") expect(ended).toBe(outcome);
  });

  it("is not told to the gate when its permit does not ask for it", async () => {
    const { take, gates } = openBench();
    await (await take({ limits: LIMITS })).end({ kind: "delivered" });
    expect(gates.names()).toEqual(["acquire ci"]);
  });

  it("pauses a target that is gone, limits or not, and holds the delivery", async () => {
    for (const changes of [{}, { limits: LIMITS }]) {
      const { take, gates, news, told } = openBench(() => ({ pause: async () => replyOf("ci", GONE, true, 2) }));
      expect(await (await take(changes)).end(PERMANENT("target-gone"))).toEqual({
        kind: "held",
        delayMs: GONE_DELAY_MS,
      });
      expect(gates.calls.at(-1)).toEqual({ target: "ci", name: "pause", args: ["ci", "target-gone"] });
      await news.close();
      expect(told).toEqual([{ partition: PARTITION, statuses: [statusOf("ci", GONE, 2)] }]);
    }
  });

  it("leaves a target that is gone to the retry schedule while its gate is out of reach, with the answer", async () => {
    const { take } = openBench(() => ({ pause: () => Promise.reject(new Error("gone")) }));
    const outcome: Outcome = { kind: "permanent", reason: "target-gone", detail: "410", answer: { status: 410 } };
    expect(await (await take()).end(outcome)).toEqual({
      kind: "retryable",
      reason: "status",
      detail: "410",
      answer: { status: 410 },
    });
  });
});

describe("who has just ended a request", () => {
  it("leaves the target to others for a share of the time that it took", async () => {
    for (const [outcome, calls] of [
      [{ kind: "delivered" }, [["ci", 60_000 * YIELD_SHARE]]],
      [{ kind: "retryable", reason: "status", detail: "503" }, []],
    ] as const) {
      const { take, news } = openBench(() => ({ acquire: async () => granted("ci", { finish: true }) }));
      const free = vi.spyOn(news, "free");
      const { end } = await take({ limits: LIMITS });
      // A minute has passed on the bench's clock.
      await end(outcome);
      expect(free.mock.calls).toEqual(calls);
    }
  });

  it("asks for the next permit after that, but not later than it must send", async () => {
    for (const [sendBy, at] of [
      [10_000, 500],
      [200, 200],
    ] as const) {
      const { take, news, gates } = openBench();
      news.free("ci", 500);
      news.free("audit", 800);
      expect((await take({ limits: LIMITS, sendBy })).at).toBe(at);
      expect(gates.calls).toMatchObject([{ name: "acquire", args: [{ forMs: 20_000 - at }] }]);
    }
  });
});

describe("room for one more", () => {
  it.each(OUTCOMES)("after %o is there where that is a success (%s)", async (outcome, result) => {
    for (const finish of [true, false]) {
      const { take, news } = openBench(() => ({ acquire: async () => granted("ci", { finish }) }));
      await (await take({ limits: LIMITS })).end(outcome);
      expect(news.take({}).targetRoom).toEqual(finish && result === "succeeded" ? { ci: 1 } : {});
    }
  });
});

describe("what gates say", () => {
  it("is no news while a target is free, unless the partition takes it for gated", async () => {
    const { news } = openBench();
    news.hear(replyOf("ci", FREE, false), false);
    expect(news.take({}).statuses).toEqual([]);
    news.hear(replyOf("ci", FREE, false), true);
    expect(news.take({}).statuses).toEqual([statusOf("ci", FREE)]);
  });

  it("is kept once a target, in its newest version, whatever order it comes in", () => {
    const { news } = openBench();
    news.hear(replyOf("ci", GATED, false, 3), false);
    news.hear(replyOf("ci", PAUSED, false, 5), false);
    news.hear(replyOf("audit", GATED, false, 1), false);
    news.hear(replyOf("ci", GATED, false, 4), false);
    expect(news.take({}).statuses).toEqual([statusOf("ci", PAUSED, 5), statusOf("audit", GATED, 1)]);
  });

  it("reaches the partition at the end where no settle has carried it, once", async () => {
    const { news, told } = openBench();
    news.hear(replyOf("ci", PAUSED, false, 5), false);
    await news.close();
    expect(told).toEqual([{ partition: PARTITION, statuses: [statusOf("ci", PAUSED, 5)] }]);
    await news.close();
    expect(told).toHaveLength(1);
  });

  it("is not told twice to a partition that an announcement has reached", async () => {
    const { news, told } = openBench();
    news.hear(replyOf("ci", PAUSED, true, 5), false);
    news.hear(replyOf("ci", PAUSED, false, 5), false);
    await news.close();
    expect(told).toHaveLength(1);
  });

  it("ends a throttle once a permit has ended well, with room for as many as have", async () => {
    const { news } = openBench();
    news.throttle("ci", 5_000);
    news.free("ci", 300);
    news.free("ci", 200);
    news.free("audit", 0);
    expect(news.take({ ci: 3, audit: 0, bus: 2 })).toEqual({
      statuses: [],
      throttles: [
        { target: "ci", forMs: 0, yieldMs: 200 },
        { target: "audit", forMs: 0 },
      ],
      targetRoom: { ci: 2, audit: 0, bus: 2 },
    });
    expect(news.take({ ci: 3 })).toEqual({ statuses: [], throttles: [], targetRoom: { ci: 3 } });
    news.free("ci", 0);
    news.throttle("ci", 5_000);
    expect(news.take({}).throttles).toEqual([{ target: "ci", forMs: 5_000 }]);
  });

  it("of room, where a permit was had that nobody finishes, stands back behind what they say of none", () => {
    const { news } = openBench();
    news.granted("ci");
    expect(news.take({ ci: 3 })).toEqual({
      statuses: [],
      throttles: [{ target: "ci", forMs: 0 }],
      targetRoom: { ci: 3 },
    });
    news.throttle("ci", 5_000);
    news.granted("ci");
    expect(news.take({}).throttles).toEqual([{ target: "ci", forMs: 5_000 }]);
    expect(news.take({}).throttles).toEqual([]);
  });

  it("about a throttle is forgotten when its time is over", async () => {
    const { news, take } = openBench(() => ({ acquire: async () => denied("ci", 60_000) }));
    await take({ limits: LIMITS });
    expect(news.take({}).throttles).toEqual([]);
  });
});
