import { createPacer } from "../../src/bus/pacer.ts";
import { describe, expect, it } from "vitest";
import {
  DISPATCH_LEASES_MAX,
  DISPATCH_TIME_MS,
  SETTLE_MARGIN_MS,
  SETTLE_WAIT_MS,
  dispatch,
} from "../../src/bus/dispatch.ts";
import { GONE_DELAY_MS } from "../../src/bus/permit.ts";
import type { TargetStatus } from "../../src/bus/gate-ports.ts";
import type {
  AcceptReply,
  AcceptRequest,
  DispatchJob,
  LeasedWork,
  SettleReply,
  SettleRequest,
  StoredEvent,
} from "../../src/bus/ports.ts";
import { REPLY_MARGIN_MS } from "../../src/bus/publish-again.ts";
import type { Lease, Settlement } from "../../src/core/delivery.ts";
import { LEASE_MARGIN_MS } from "../../src/core/delivery.ts";
import { HOPS_MAX } from "../../src/core/hops.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { OLDER_RULES_DELAY_MS } from "../../src/core/step.ts";
import { PARTITION, storedEvent } from "../support/accept-requests.ts";
import type { GateScript } from "../support/gates.ts";
import { denied, FREE, GATED, GONE, granted, PAUSED, replyOf, scriptedGates, statusOf } from "../support/gates.ts";
import type { RuleSetParts, Send } from "../support/rule-sets.ts";
import { ruleSetOf } from "../support/rule-sets.ts";
import { hashing } from "../../src/hashing.ts";
import type { TargetIo } from "../../src/core/target.ts";
import { targetIo } from "../support/target-io.ts";
import { createTimeline } from "../simulation/timeline.ts";

const DELIVERED: Outcome = { kind: "delivered" };
const TIMEOUT_MS = 15_000;
const noop = () => {};

let tokens = 0;

function leaseFor(target: string, changes: Partial<Lease> = {}): Lease {
  const token = `lease-${++tokens}`;
  const timeoutMs = changes.timeoutMs ?? TIMEOUT_MS;
  return {
    seq: 1,
    deliveryId: `dlv_${token}`,
    rule: "default/all",
    target,
    token,
    attempt: 1,
    failures: 0,
    timeoutMs,
    leaseMs: timeoutMs + LEASE_MARGIN_MS,
    expiresInMs: 3_600_000,
    ageMs: 0,
    ...changes,
  };
}

function workFor(target: string, changes: Partial<Lease> = {}, event: StoredEvent = storedEvent("a")): LeasedWork {
  return { lease: leaseFor(target, changes), event };
}

interface BenchParts {
  readonly targets?: RuleSetParts["targets"];
  readonly rules?: RuleSetParts["rules"];
  readonly rulesVersion?: { readonly hash: string; readonly deployedAt: number };
  /** What a target does; the timeline is the clock that it takes its time on. */
  readonly send?: (target: string, sleep: (ms: number) => Promise<void>, call: Parameters<Send>) => Promise<Outcome>;
  /** The partition's answer to the nth settle, from 0. */
  readonly settle?: (request: SettleRequest, n: number) => Pick<SettleReply, "work"> | SettleReply | Error;
  /** What becomes of an event that passes through again; without it nothing may. */
  readonly accept?: (request: AcceptRequest) => Promise<AcceptReply>;
  /** Gates; `timeline` is their clock. */
  readonly gates?: (sleep: (ms: number) => Promise<void>) => GateScript;
  /** The body store, whose answers are waited for however long they take: timers of a busy isolate come late. */
  readonly openBody?: (sleep: (ms: number) => Promise<void>) => ReturnType<TargetIo["openBody"]>;
}

/** Runs dispatch on simulated time from zero. */
function openBench({ targets, rules, rulesVersion, send, settle, accept, gates, openBody }: BenchParts = {}) {
  const timeline = createTimeline(0);
  const names = Object.keys(targets ?? { ci: {}, audit: {}, bus: {} });
  const sent: { readonly target: string; readonly at: number; readonly timeoutMs: number; readonly body: string }[] =
    [];
  const settles: {
    readonly at: number;
    readonly partition: string;
    readonly request: SettleRequest;
    readonly mayWaitMs: number | undefined;
  }[] = [];
  const accepts: { readonly at: number; readonly request: AcceptRequest }[] = [];
  const told: { readonly at: number; readonly partition: string; readonly statuses: readonly TargetStatus[] }[] = [];
  const scripted = scriptedGates(gates?.(timeline.sleep));
  const logs: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  const ruleSet = ruleSetOf({
    targets: targets ?? { ci: {}, audit: {}, bus: {} },
    rules: rules ?? { all: { targets: names } },
    send: (shipment, timeoutMs, target) => {
      const body = new TextDecoder().decode(shipment.event.body ?? undefined);
      sent.push({ target, at: timeline.now(), timeoutMs, body });
      return send === undefined
        ? Promise.resolve(DELIVERED)
        : send(target, timeline.sleep, [shipment, timeoutMs, target]);
    },
  });
  return {
    sent,
    settles,
    accepts,
    logs,
    told,
    gates: scripted,
    steps: (): readonly Settlement["step"][] =>
      settles.flatMap(({ request }) => request.settlements.map(({ step }) => step)),
    settlements: (): readonly Settlement[] => settles.flatMap(({ request }) => request.settlements),
    /** Resolves to when dispatch was done. */
    async run(...jobs: readonly (readonly LeasedWork[])[]): Promise<number> {
      return this.runJobs(
        jobs.map((work, index) => ({ partition: index === 0 ? PARTITION : `p${index}`, work, holder: "ingest" })),
      );
    },
    async runJobs(jobs: readonly DispatchJob[]): Promise<number> {
      let doneAt = -1;
      void dispatch(jobs, {
        ruleSet,
        rulesVersion: rulesVersion ?? { hash: "v1", deployedAt: 1 },
        io: targetIo(openBody === undefined ? {} : { openBody: () => openBody(timeline.sleep) }),
        now: timeline.now,
        sleep: timeline.sleep,
        random: () => 0.5,
        log: (message, fields) => void logs.push({ message, fields }),
        partitions: 1,
        partitionsBefore: [],
        hashing,
        newToken: () => `token-${++tokens}`,
        gate: scripted.gate,
        within: (work, timeoutMs) =>
          openBody === undefined
            ? Promise.race([work, timeline.sleep(timeoutMs).then(() => "timeout" as const)])
            : work,
        pacer: createPacer(),
        allPartitions: () => [PARTITION, "other"],
        adminPartition: (partition) => ({
          setTargetStatuses: async (statuses) => void told.push({ at: timeline.now(), partition, statuses }),
        }),
        partition: (name) => ({
          accept: async (request) => {
            accepts.push({ at: timeline.now(), request });
            if (accept === undefined) throw new Error("dispatch accepts nothing");
            return accept(request);
          },
          known: () => Promise.reject(new Error("dispatch asks no older layout")),
          openLanes: () => Promise.reject(new Error("dispatch asks no lanes")),
          settle: async (request, mayWaitMs) => {
            const n = settles.length;
            settles.push({ at: timeline.now(), partition: name, request, mayWaitMs });
            await timeline.sleep(10);
            const reply = settle?.(request, n) ?? { work: [] };
            if (reply instanceof Error) throw reply;
            return { records: [], ...reply };
          },
        }),
      }).then(() => {
        doneAt = timeline.now();
      });
      // Something must happen for promises to run on.
      timeline.after(0, noop);
      await timeline.run(120_000, noop);
      expect(doneAt).toBeGreaterThanOrEqual(0);
      return doneAt;
    },
  };
}

describe("dispatching a lease", () => {
  it("sends what was received and settles what came of it", async () => {
    const bench = openBench();
    const work = workFor("ci", { attempt: 3 });
    await bench.run([work]);
    expect(bench.sent).toEqual([{ target: "ci", at: 0, timeoutMs: TIMEOUT_MS, body: '{"id":"a"}' }]);
    expect(bench.settlements()).toEqual([
      {
        seq: 1,
        deliveryId: work.lease.deliveryId,
        token: work.lease.token,
        step: { kind: "delivered" },
        attempt: { token: work.lease.token, startedAt: 0, durationMs: 0, outcome: "delivered", rules: "v1" },
      },
    ]);
    expect(bench.logs).toMatchObject([
      { message: "delivery.attempted", fields: { delivery: work.lease.deliveryId, attempt: 3, outcome: "delivered" } },
    ]);
  });

  it("settles the deliveries of one event that end within a moment in one call", async () => {
    const bench = openBench({ send: (target, sleep) => sleep(target === "ci" ? 100 : 300).then(() => DELIVERED) });
    await bench.run([workFor("ci"), workFor("audit")]);
    expect(bench.settles.map(({ at, request }) => [at, request.settlements.length])).toEqual([[300, 2]]);
  });

  it("lets its settle wait for other dispatchers, by what it has not waited for its own", async () => {
    const took: Readonly<Record<string, number>> = { ci: 100, audit: 300, bus: 2_000 };
    const bench = openBench({ send: (target, sleep) => sleep(took[target] ?? 0).then(() => DELIVERED) });
    await bench.run([workFor("ci"), workFor("audit"), workFor("bus")]);
    expect(bench.settles.map(({ at, mayWaitMs }) => [at, mayWaitMs])).toEqual([
      [100 + SETTLE_WAIT_MS, 0],
      [2_000, SETTLE_WAIT_MS],
    ]);
    const quick = openBench({ send: (target, sleep) => sleep(took[target] ?? 0).then(() => DELIVERED) });
    await quick.run([workFor("ci"), workFor("audit")]);
    expect(quick.settles.map(({ at, mayWaitMs }) => [at, mayWaitMs])).toEqual([[300, SETTLE_WAIT_MS - 200]]);
  });

  it("lets nobody wait for a settlement that a lane, a gate or another dispatcher waits for", async () => {
    const order = { by: "key", onFailure: { kind: "block" }, gapWaitMs: 0 } as const;
    const ordered = openBench({ rules: { all: { targets: ["ci"], order } } });
    await ordered.run([workFor("ci")]);
    const removed = openBench({ rules: { another: { targets: ["ci"] } } });
    await removed.run([workFor("ci")]);
    const released = openBench();
    await released.run([workFor("ci", { leaseMs: 1 })]);
    const gated = openBench();
    await gated.run([workFor("ci", { gated: true })]);
    for (const { settles } of [ordered, removed, released, gated]) {
      expect(settles.map(({ mayWaitMs }) => mayWaitMs)).toEqual([0]);
    }
    const failed = openBench({ send: () => Promise.resolve({ kind: "permanent", reason: "status", detail: "404" }) });
    await failed.run([workFor("ci")]);
    expect(failed.settles.map(({ mayWaitMs }) => mayWaitMs)).toEqual([SETTLE_WAIT_MS]);
  });

  it("does not hold an outcome back for one that takes longer", async () => {
    const bench = openBench({ send: (target, sleep) => sleep(target === "ci" ? 100 : 5_000).then(() => DELIVERED) });
    await bench.run([workFor("ci"), workFor("audit")]);
    expect(bench.settles.map(({ at, request }) => [at, request.settlements.length])).toEqual([
      [100 + SETTLE_WAIT_MS, 1],
      [5_000, 1],
    ]);
  });

  it("settles what ends while a settle is on its way", async () => {
    const settling = 100 + SETTLE_WAIT_MS;
    const bench = openBench({
      send: (target, sleep) => sleep(target === "ci" ? 100 : settling + 5).then(() => DELIVERED),
    });
    const doneAt = await bench.run([workFor("ci"), workFor("audit")]);
    expect(bench.settles.map(({ at, request }) => [at, request.settlements.length])).toEqual([
      [settling, 1],
      [settling + 10, 1],
    ]);
    expect(doneAt).toBe(settling + 20);
  });

  it("is done at once without work", async () => {
    const bench = openBench();
    expect(await bench.run([])).toBe(0);
    expect(await openBench().run()).toBe(0);
    expect(bench.settles).toEqual([]);
  });

  it("settles each partition's leases with that partition", async () => {
    const bench = openBench();
    await bench.run([workFor("ci")], [workFor("audit")]);
    expect(bench.settles.map(({ partition, request }) => [partition, request.settlements.length])).toEqual([
      [PARTITION, 1],
      ["p1", 1],
    ]);
  });
});

describe("what comes of an attempt", () => {
  const stepAfter = async (outcome: Outcome, lease: Partial<Lease> = {}) => {
    const bench = openBench({ send: () => Promise.resolve(outcome) });
    await bench.run([workFor("ci", lease)]);
    return bench.settlements()[0];
  };

  it("is a retry by the target's schedule", async () => {
    const outcome: Outcome = {
      kind: "retryable",
      reason: "status",
      detail: "503",
      answer: { status: 503, body: "busy" },
    };
    expect(await stepAfter(outcome, { failures: 1 })).toMatchObject({
      step: { kind: "retry", delayMs: 30_000 },
      attempt: { outcome: "retryable", reason: "status", detail: "503", answer: { status: 503, body: "busy" } },
    });
    expect(await stepAfter(outcome, { failures: 2 })).toMatchObject({
      step: { kind: "dead", reason: "retries-exhausted" },
    });
  });

  it("is the end when the target says so", async () => {
    expect(await stepAfter({ kind: "permanent", reason: "status", detail: "404" })).toMatchObject({
      step: { kind: "dead", reason: "status", detail: "404" },
      attempt: { outcome: "permanent" },
    });
  });

  it("is a retry when the target's code throws, with a line in the log", async () => {
    const bench = openBench({ send: () => Promise.reject(new Error("a bug")) });
    await bench.run([workFor("ci")]);
    expect(bench.settlements()).toMatchObject([{ step: { kind: "retry" }, attempt: { outcome: "retryable" } }]);
    expect(bench.logs.map(({ message }) => message)).toEqual(["delivery.bug", "delivery.attempted"]);
  });
});

describe("the rule of a delivery, as it is now", () => {
  const only = (rules: RuleSetParts["rules"], rulesVersion?: BenchParts["rulesVersion"]) =>
    openBench({ targets: { ci: {}, audit: {} }, rules, ...(rulesVersion === undefined ? {} : { rulesVersion }) });
  const gone = { other: { targets: ["ci"] } };
  const newer = { hash: "v2", deployedAt: 2 };
  const older = { hash: "v0", deployedAt: 0 };

  it.each([
    ["is gone", gone, "rule-removed"],
    ["is off", { all: { targets: ["ci"], mode: "off" as const } }, "rule-off"],
    ["only records what it would send", { all: { targets: ["ci"], mode: "shadow" as const } }, "rule-shadow"],
    ["does not name the target any more", { all: { targets: ["audit"] } }, "target-removed"],
  ])("cancels it without sending when it %s", async (_, rules, reason) => {
    const bench = only(rules, newer);
    await bench.run([workFor("ci")]);
    expect(bench.sent).toEqual([]);
    expect(bench.settlements()).toMatchObject([{ step: { kind: "cancelled", reason } }]);
    expect(bench.settlements()[0]).not.toHaveProperty("attempt");
  });

  it("is left to a newer dispatcher when this one's rules are older than the delivery's", async () => {
    const bench = only(gone, older);
    await bench.run([workFor("ci")]);
    expect(bench.steps()).toEqual([{ kind: "release", delayMs: OLDER_RULES_DELAY_MS }]);
  });

  it("cancels under the very rules that planned it, and under others deployed at the same time", async () => {
    for (const version of [
      { hash: "v1", deployedAt: 0 },
      { hash: "v0", deployedAt: 1 },
    ]) {
      const bench = only(gone, version);
      await bench.run([workFor("ci")]);
      expect(bench.steps()).toEqual([{ kind: "cancelled", reason: "rule-removed" }]);
    }
  });

  it("is sent by older rules too, when they have the rule", async () => {
    const bench = only({ all: { targets: ["ci"] } }, older);
    await bench.run([workFor("ci")]);
    expect(bench.steps()).toEqual([{ kind: "delivered" }]);
    expect(bench.settlements()[0]?.attempt?.rules).toBe("v0");
  });

  it("shapes the body by its transform", async () => {
    const bench = only({ all: { targets: ["ci"], transform: { path: "$.data.id" } } });
    await bench.run([workFor("ci")]);
    expect(bench.sent.map(({ body }) => body)).toEqual(['"a"']);
  });

  it.each([
    [TIMEOUT_MS - 1, [1], "delivered"],
    [TIMEOUT_MS, [], "retry"],
    [TIMEOUT_MS + 1, [], "retry"],
  ])("has what is left of its time after %i ms for a large payload's parts", async (tookMs, sentWithMs, step) => {
    const bench = openBench({
      targets: { ci: {} },
      rules: { all: { targets: ["ci"], transform: { path: "$.data.id" } } },
      openBody: (sleep) => sleep(tookMs).then(() => new Response('{"id":"a"}').body),
    });
    await bench.run([workFor("ci", {}, storedEvent("a", { body: null, large: { key: "bodies/a", bytes: 10 } }))]);
    expect(bench.sent.map(({ timeoutMs }) => timeoutMs)).toEqual(sentWithMs);
    expect(bench.steps()).toMatchObject([{ kind: step }]);
    if (step === "retry") expect(bench.settlements()).toMatchObject([{ attempt: { reason: "timeout" } }]);
  });

  it("ends a delivery at once when its transform can't be done, without sending", async () => {
    const transform = { template: { paths: { id: { path: "$.data.id", required: true } }, body: { id: "<id>" } } };
    const bench = only({ all: { targets: ["ci"], transform } });
    const event = storedEvent("a", { body: new TextEncoder().encode('{"other":1}') });
    await bench.run([workFor("ci", {}, event)]);
    expect(bench.sent).toEqual([]);
    expect(bench.settlements()).toMatchObject([
      { step: { kind: "dead", reason: "transform-failed" }, attempt: { outcome: "permanent" }, counted: true },
    ]);
  });

  it("ends a delivery when its expression finds nothing: there is no empty body", async () => {
    const bench = only({ all: { targets: ["ci"], transform: { jsonata: "data.missing" } } });
    await bench.run([workFor("ci")]);
    expect(bench.sent).toEqual([]);
    expect(bench.settlements()).toMatchObject([
      {
        step: { kind: "dead", reason: "transform-failed" },
        attempt: { outcome: "permanent", detail: expect.stringContaining("the result is undefined") as string },
      },
    ]);
  });

  it("sends the same bytes at every attempt, whenever it is", async () => {
    const transform = { jsonata: "{'at': $now(), 'ms': $millis(), 'draw': $random(), 'order': $shuffle([1..9])}" };
    const lease = { deliveryId: "dlv_same", seq: Date.parse("2026-03-01T09:30:00Z") * 1_024 };
    const bodyOf = async (changes: Partial<Lease>): Promise<string | undefined> => {
      const bench = only({ all: { targets: ["ci"], transform } });
      await bench.run([workFor("ci", { ...lease, ...changes })]);
      return bench.sent[0]?.body;
    };
    const first = await bodyOf({ attempt: 1 });
    expect(first).toContain(`"at":"2026-03-01T09:30:00.000Z"`);
    expect(await bodyOf({ attempt: 5, ageMs: 86_400_000 })).toBe(first);
    expect(await bodyOf({ deliveryId: "dlv_other" })).not.toBe(first);
  });

  it("says of each attempt whether it tells something of its target", async () => {
    const permanent = (reason: "status" | "too-large" | "configuration" | "hop-limit" | "redirect"): Outcome => ({
      kind: "permanent",
      reason,
      detail: "",
    });
    for (const [outcome, counted] of [
      [DELIVERED, undefined],
      [permanent("status"), undefined],
      [permanent("redirect"), undefined],
      [{ kind: "retryable", reason: "timeout", detail: "" }, undefined],
      [permanent("too-large"), true],
      [permanent("configuration"), true],
      [permanent("hop-limit"), true],
    ] as const) {
      const bench = openBench({ send: async () => outcome });
      await bench.run([workFor("ci")]);
      expect(bench.settlements().map((each) => each.counted)).toEqual([counted]);
    }
  });
});

describe("slots", () => {
  it("are six, four for one target, and a slow target does not starve the others", async () => {
    const bench = openBench({
      send: (target, sleep) => sleep(target === "ci" ? 10_000 : 100).then(() => DELIVERED),
    });
    await bench.run([
      ...Array.from({ length: 5 }, () => workFor("ci")),
      workFor("audit"),
      workFor("audit"),
      workFor("bus"),
    ]);
    expect(bench.sent.map(({ target, at }) => [target, at])).toEqual([
      ["ci", 0],
      ["ci", 0],
      ["ci", 0],
      ["ci", 0],
      ["audit", 0],
      ["audit", 0],
      ["bus", 100],
    ]);
    // The fifth for the slow one gets its slot too late for its lease.
    expect(bench.steps().filter(({ kind }) => kind === "release")).toHaveLength(1);
  });

  it("are shared by all jobs of an invocation", async () => {
    const bench = openBench({ send: (_, sleep) => sleep(1_000).then(() => DELIVERED) });
    await bench.run(
      [workFor("ci"), workFor("ci"), workFor("ci"), workFor("audit")],
      [workFor("audit"), workFor("bus"), workFor("bus")],
    );
    expect(bench.sent.map(({ at }) => at)).toEqual([0, 0, 0, 0, 0, 0, 1_000]);
  });

  it("are taken before the target's time starts to run", async () => {
    const bench = openBench({ send: (_, sleep) => sleep(2_500).then(() => DELIVERED) });
    await bench.run(Array.from({ length: 5 }, () => workFor("ci")));
    expect(bench.sent.map(({ at, timeoutMs }) => [at, timeoutMs])).toEqual([
      [0, TIMEOUT_MS],
      [0, TIMEOUT_MS],
      [0, TIMEOUT_MS],
      [0, TIMEOUT_MS],
      [2_500, TIMEOUT_MS],
    ]);
    expect(bench.settlements().at(-1)?.attempt).toMatchObject({ startedAt: 2_500, durationMs: 2_500 });
  });

  it("that come too late for the lease give it back unsent, due at once", async () => {
    const inTime = LEASE_MARGIN_MS - SETTLE_MARGIN_MS;
    for (const [waits, steps] of [
      [inTime, "delivered"],
      [inTime + 1, "release"],
    ] as const) {
      const bench = openBench({ send: (_, sleep) => sleep(waits).then(() => DELIVERED) });
      await bench.run(Array.from({ length: 5 }, () => workFor("ci")));
      const released = steps === "release" ? [{ kind: "release", delayMs: 0 }] : [];
      expect(bench.steps().filter(({ kind }) => kind === "release")).toEqual(released);
      expect(bench.sent).toHaveLength(5 - released.length);
    }
  });
});

describe("a target whose timeout has changed since the lease was planned", () => {
  it("is released with its own when that has grown, so that the next lease is made for it", async () => {
    const bench = openBench({ targets: { ci: { timeoutMs: 25_000 } } });
    await bench.run([workFor("ci", { timeoutMs: 2_000 })]);
    expect(bench.sent).toEqual([]);
    expect(bench.settlements()).toMatchObject([{ step: { kind: "release", delayMs: 0 }, timeoutMs: 25_000 }]);
  });

  it("gets its own when that is shorter", async () => {
    const bench = openBench({ targets: { ci: { timeoutMs: 1_000 } } });
    await bench.run([workFor("ci")]);
    expect(bench.sent).toMatchObject([{ timeoutMs: 1_000 }]);
  });
});

describe("a lease that was asked for long before dispatch began", () => {
  it("is released when it would not last: its time runs from the asking", async () => {
    const stepAfter = async (agoMs: number) => {
      const bench = openBench();
      await bench.runJobs([{ partition: PARTITION, holder: "ingest", work: [workFor("ci")], askedAt: -agoMs }]);
      return bench.steps().map(({ kind }) => kind);
    };
    const longest = LEASE_MARGIN_MS - SETTLE_MARGIN_MS;
    expect(await stepAfter(longest)).toEqual(["delivered"]);
    expect(await stepAfter(longest + 1)).toEqual(["release"]);
  });
});

describe("more work", () => {
  it("is asked for with the targets that have requests, and how much room each has", async () => {
    const bench = openBench({ send: (target, sleep) => sleep(target === "ci" ? 1_000 : 10).then(() => DELIVERED) });
    await bench.run([workFor("ci"), workFor("ci"), workFor("audit")]);
    expect(bench.settles[0]?.request).toMatchObject({ targetRoom: { ci: 2 }, holder: "ingest", leasesMax: 4 });
  });

  it("is taken with each settle, as much as there are free slots, while time lasts", async () => {
    const bench = openBench({
      send: (_, sleep) => sleep(4_000).then(() => DELIVERED),
      settle: ({ leasesMax, withinMs }) => ({
        work: withinMs >= TIMEOUT_MS + LEASE_MARGIN_MS && leasesMax > 0 ? [workFor("ci")] : [],
      }),
    });
    const doneAt = await bench.run([workFor("ci")]);
    expect(bench.sent.map(({ at }) => at)).toEqual([0, 4_010]);
    expect(bench.settles.map(({ request }) => [request.leasesMax, request.withinMs])).toEqual([
      [6, DISPATCH_TIME_MS - 4_000],
      [6, DISPATCH_TIME_MS - 8_010],
    ]);
    expect(doneAt).toBe(8_020);
  });

  it("is not asked for while all slots are held", async () => {
    const bench = openBench({ send: (target, sleep) => sleep(target === "bus" ? 100 : 9_000).then(() => DELIVERED) });
    await bench.run([
      ...["ci", "ci", "ci", "audit", "audit", "bus"].map((target) => workFor(target)),
      workFor("audit"),
    ]);
    expect(bench.settles[0]?.request).toMatchObject({ leasesMax: 0, settlements: [{ step: { kind: "delivered" } }] });
  });

  it("is not taken past the time of an invocation, and what was taken too late is given back", async () => {
    let given = 0;
    const bench = openBench({
      targets: { ci: { timeoutMs: 25_000 } },
      send: (_, sleep) => sleep(24_000).then(() => DELIVERED),
      settle: () => ({ work: given++ === 0 ? [workFor("ci", { timeoutMs: 25_000 })] : [] }),
    });
    const doneAt = await bench.run([workFor("ci", { timeoutMs: 25_000 })]);
    expect(bench.sent).toHaveLength(1);
    expect(bench.steps()).toEqual([{ kind: "delivered" }, { kind: "release", delayMs: 0 }]);
    expect(doneAt).toBeLessThan(DISPATCH_TIME_MS);
  });

  it("is not asked for at all when the time is over", async () => {
    const bench = openBench({
      targets: { ci: { timeoutMs: 25_000 } },
      send: (_, sleep) => sleep(DISPATCH_TIME_MS + 1).then(() => DELIVERED),
    });
    await bench.run([workFor("ci", { timeoutMs: 25_000 })]);
    expect(bench.settles[0]?.request).toMatchObject({ leasesMax: 0, withinMs: -1 });
  });

  it("ends for every timeout that may be set before the platform ends the invocation", async () => {
    for (const timeoutMs of [1_000, 15_000, 25_000]) {
      const bench = openBench({
        targets: { ci: { timeoutMs }, audit: { timeoutMs } },
        send: (_, sleep) =>
          sleep(timeoutMs).then((): Outcome => ({ kind: "retryable", reason: "timeout", detail: "" })),
        settle: ({ leasesMax, withinMs }) => ({
          work:
            timeoutMs + LEASE_MARGIN_MS <= withinMs
              ? Array.from({ length: leasesMax }, (_, n) => workFor(n % 2 === 0 ? "ci" : "audit", { timeoutMs }))
              : [],
        }),
      });
      const doneAt = await bench.run(
        Array.from({ length: 6 }, (_, n) => workFor(n % 2 === 0 ? "ci" : "audit", { timeoutMs })),
      );
      expect(doneAt).toBeLessThan(30_000);
    }
  });
});

describe("a settle that fails", () => {
  const failure = (flags: object) => Object.assign(new Error("no"), flags);

  it("is tried again, the same one, when the platform says that this may help", async () => {
    const bench = openBench({ settle: (_, n) => (n === 0 ? failure({ retryable: true }) : { work: [] }) });
    await bench.run([workFor("ci")]);
    expect(bench.settles).toHaveLength(2);
    expect(bench.settles[1]?.request).toEqual(bench.settles[0]?.request);
    expect(bench.logs.map(({ message }) => message)).not.toContain("settle.failed");
  });

  it("is not tried again when the object is overloaded, and nothing throws", async () => {
    const bench = openBench({ settle: () => failure({ retryable: true, overloaded: true }) });
    await bench.run([workFor("ci")]);
    expect(bench.settles).toHaveLength(1);
    expect(bench.logs.map(({ message }) => message)).toContain("settle.failed");
  });

  it("keeps neither later outcomes nor other partitions from being settled", async () => {
    const bench = openBench({
      send: (target, sleep) => sleep(target === "ci" ? 100 : 5_000).then(() => DELIVERED),
      settle: (_, n) => (n === 0 ? failure({}) : { work: [] }),
    });
    await bench.run([workFor("ci"), workFor("audit")], [workFor("bus")]);
    expect(bench.settles.map(({ partition }) => partition)).toEqual([PARTITION, PARTITION, "p1"]);
  });
});

describe("a target without limits and without a bad record", () => {
  it("costs no call to its gate", async () => {
    for (const outcome of [
      DELIVERED,
      { kind: "retryable", reason: "status", detail: "503" },
      { kind: "permanent", reason: "status", detail: "404" },
    ] satisfies readonly Outcome[]) {
      const bench = openBench({ send: () => Promise.resolve(outcome) });
      await bench.run([workFor("ci"), workFor("audit")]);
      expect(bench.gates.calls).toEqual([]);
      expect(bench.told).toEqual([]);
      expect(bench.settles[0]?.request).toMatchObject({ statuses: [], throttles: [] });
    }
  });
});

describe("a target with limits", () => {
  const limits = { rate: { limit: 10, periodMs: 1_000, burst: 1 }, concurrency: 2 };
  const targets = { ci: { limits }, audit: {} };

  it("is asked for a permit once the slot is held, and sent to when the permit says", async () => {
    // Without a rate, which would space what this gate lets through at once.
    const crowd = { concurrency: 2 };
    const bench = openBench({
      targets: { ci: { limits: crowd } },
      send: (_, sleep) => sleep(1_000).then(() => DELIVERED),
      gates: () => () => ({ acquire: async () => granted("ci", { waitMs: 400 }) }),
    });
    const work = Array.from({ length: 5 }, () => workFor("ci"));
    await bench.run(work);
    // Four slots at once; the fifth asks when one of them is free.
    expect(bench.sent.map(({ at }) => at)).toEqual([400, 400, 400, 400, 1_800]);
    const asked = bench.gates.calls.map(({ args: [request] }) => request);
    const base = { target: "ci", limits: crowd };
    const left = LEASE_MARGIN_MS - SETTLE_MARGIN_MS - 250;
    expect(asked[0]).toEqual({ ...base, token: work[0]?.lease.token, forMs: 20_000, waitMsMax: left });
    expect(asked[4]).toEqual({ ...base, token: work[4]?.lease.token, forMs: 18_600, waitMsMax: left - 1_400 });
  });

  it("with a rate is sent to no closer than that, however late its permits are used", async () => {
    const bench = openBench({ targets, gates: () => () => ({ acquire: async () => granted("ci", { waitMs: 0 }) }) });
    await bench.run(Array.from({ length: 4 }, () => workFor("ci")));
    const starts = bench.sent.map(({ at }) => at);
    expect(starts).toHaveLength(4);
    for (const [index, at] of starts.entries()) {
      if (index > 0) expect(at - (starts[index - 1] ?? 0)).toBeGreaterThanOrEqual(100);
    }
  });

  it("holds what has no permit, and tells the partition for how long there is no room", async () => {
    const bench = openBench({ targets, gates: () => () => ({ acquire: async () => denied("ci", 7_000) }) });
    await bench.run([workFor("ci"), workFor("audit")]);
    expect(bench.sent.map(({ target }) => target)).toEqual(["audit"]);
    const ci = bench.settlements().find(({ step }) => step.kind === "release");
    expect(ci).toMatchObject({ step: { kind: "release", delayMs: 7_000 } });
    expect(ci).not.toHaveProperty("attempt");
    const [settle] = bench.settles;
    expect(settle?.request.throttles).toEqual([{ target: "ci", forMs: 7_000 - (settle?.at ?? 0) }]);
    // A limit that is kept is no news.
    expect(settle?.request.statuses).toEqual([]);
    expect(bench.told).toEqual([]);
  });

  it("is not sent to while its gate is out of reach", async () => {
    for (const acquire of [
      () => Promise.reject(new Error("no gate")),
      (sleep: (ms: number) => Promise<void>) => sleep(60_000).then(() => granted("ci")),
    ]) {
      const bench = openBench({ targets, gates: (sleep) => () => ({ acquire: () => acquire(sleep) }) });
      await bench.run([workFor("ci")]);
      expect(bench.sent).toEqual([]);
      expect(bench.steps()).toEqual([{ kind: "release", delayMs: 5_000 }]);
      expect(bench.settles[0]?.request.throttles).toMatchObject([{ target: "ci" }]);
      expect(bench.logs.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^gate\./));
    }
  });

  it("is not sent to when the permit comes too late for the lease, and the permit is given back", async () => {
    const longest = LEASE_MARGIN_MS - SETTLE_MARGIN_MS;
    for (const [waitMs, sent, result] of [
      [longest, 1, "succeeded"],
      [longest + 1, 0, "unsent"],
    ] as const) {
      const bench = openBench({
        targets,
        gates: () => () => ({ acquire: async () => granted("ci", { waitMs, finish: true }) }),
      });
      const work = workFor("ci");
      await bench.run([work]);
      expect(bench.sent).toHaveLength(sent);
      expect(bench.gates.calls.at(-1)).toEqual({
        target: "ci",
        name: "finish",
        args: [work.lease.token, result, "ci"],
      });
      expect(bench.steps()).toEqual([sent === 1 ? { kind: "delivered" } : { kind: "release", delayMs: 0 }]);
    }
  });

  it("hears what came of the attempt only where its permit asks for it", async () => {
    for (const finish of [true, false]) {
      const bench = openBench({ targets, gates: () => () => ({ acquire: async () => granted("ci", { finish }) }) });
      await bench.run([workFor("ci")]);
      expect(bench.gates.names()).toEqual(finish ? ["acquire ci", "finish ci"] : ["acquire ci"]);
      // What the gate counts by that, the partition must not count again.
      expect(bench.settlements().map(({ counted }) => counted)).toEqual([finish ? true : undefined]);
    }
  });

  it("does not keep a settle waiting for a gate that hears of an end", async () => {
    const bench = openBench({
      targets,
      gates: (sleep) => () => ({
        acquire: async () => granted("ci", { finish: true }),
        finish: () => sleep(60_000).then(() => replyOf("ci", FREE, false)),
      }),
    });
    await bench.run([workFor("ci")]);
    expect(bench.settles.map(({ at }) => at)).toEqual([0]);
  });
});

describe("a gated lease", () => {
  it("takes a permit although the rules set no limits, and the partition learns that the target is free", async () => {
    const bench = openBench();
    await bench.run([workFor("ci", { gated: true })]);
    expect(bench.gates.calls).toMatchObject([{ name: "acquire", args: [{ limits: {} }] }]);
    expect(bench.settles[0]?.request.statuses).toEqual([statusOf("ci", FREE)]);
  });

  it("tells the partition why it got no permit", async () => {
    const bench = openBench({
      gates: () => () => ({ acquire: async () => denied("ci", 30_000, replyOf("ci", PAUSED, false, 4)) }),
    });
    await bench.run([workFor("ci", { gated: true }), workFor("ci", { gated: true })]);
    expect(bench.settles[0]?.request.statuses).toEqual([statusOf("ci", PAUSED, 4)]);
    expect(bench.told).toEqual([]);
  });

  it("whose end changes the target's state makes that known to every partition", async () => {
    const bench = openBench({
      gates: () => () => ({
        acquire: async () => granted("ci", { finish: true, status: statusOf("ci", GATED, 6) }),
        finish: async () => replyOf("ci", FREE, true, 7),
      }),
    });
    await bench.run([workFor("ci", { gated: true })]);
    const statuses = [statusOf("ci", FREE, 7)];
    expect(bench.told).toMatchObject([
      { partition: PARTITION, statuses },
      { partition: "other", statuses },
    ]);
  });
});

describe("a target that answers that it is gone", () => {
  const gone: Outcome = { kind: "permanent", reason: "target-gone", detail: "410", answer: { status: 410 } };
  const goneBench = (gates?: BenchParts["gates"]) =>
    openBench({ send: () => Promise.resolve(gone), ...(gates === undefined ? {} : { gates }) });

  it("is paused everywhere, and its delivery is held with the attempt on record", async () => {
    const bench = goneBench(() => () => ({ pause: async () => replyOf("ci", GONE, true, 3) }));
    await bench.run([workFor("ci")]);
    expect(bench.gates.calls).toEqual([{ target: "ci", name: "pause", args: ["ci", "target-gone"] }]);
    expect(bench.settlements()).toMatchObject([
      {
        step: { kind: "release", delayMs: GONE_DELAY_MS },
        attempt: { outcome: "permanent", reason: "target-gone", answer: { status: 410 } },
      },
    ]);
    expect(bench.settles[0]?.request.statuses).toEqual([statusOf("ci", GONE, 3)]);
    expect(bench.told.map(({ partition }) => partition)).toEqual([PARTITION, "other"]);
  });

  it("is tried again by its schedule while its gate is out of reach", async () => {
    const bench = goneBench(() => () => ({ pause: () => Promise.reject(new Error("no gate")) }));
    await bench.run([workFor("ci", { failures: 1 })]);
    expect(bench.settlements()).toMatchObject([
      { step: { kind: "retry", delayMs: 30_000 }, attempt: { outcome: "permanent", reason: "target-gone" } },
    ]);
  });
});

describe("what a partition has counted of a target", () => {
  const record = { target: "ci", attempts: 12, failures: 11 };
  const held = { kind: "held", reason: "breaker", forMs: 30_000 } as const;

  it("goes to the target's gate, and a state that it changes to every partition", async () => {
    const bench = openBench({
      settle: (_, n) => ({ work: [], records: n === 0 ? [record] : [] }),
      gates: () => () => ({ report: async () => replyOf("ci", held, true, 2) }),
    });
    await bench.run([workFor("ci")]);
    expect(bench.gates.calls).toEqual([{ target: "ci", name: "report", args: [record] }]);
    expect(bench.told.map(({ partition }) => partition)).toEqual([PARTITION, "other"]);
    expect(bench.logs.map(({ message }) => message)).toContain("target.changed");
  });

  it("brings back a state that this partition has missed, with the next settle", async () => {
    const bench = openBench({
      send: (target, sleep) => sleep(target === "ci" ? 0 : 2_000).then(() => DELIVERED),
      settle: (_, n) => ({ work: [], records: n === 0 ? [record] : [] }),
      gates: () => () => ({ report: async () => replyOf("ci", held, false, 2) }),
    });
    await bench.run([workFor("ci"), workFor("audit")]);
    expect(bench.settles.map(({ request }) => request.statuses)).toEqual([[], [statusOf("ci", held, 2)]]);
    expect(bench.told).toEqual([]);
  });

  it("brings it back at once when no settle follows", async () => {
    const bench = openBench({
      settle: () => ({ work: [], records: [record] }),
      gates: () => () => ({ report: async () => replyOf("ci", held, false, 2) }),
    });
    await bench.run([workFor("ci")]);
    expect(bench.told).toMatchObject([{ partition: PARTITION, statuses: [statusOf("ci", held, 2)] }]);
  });

  it("is told to the gate once only, even where that fails", async () => {
    const bench = openBench({
      settle: () => ({ work: [], records: [record] }),
      gates: () => () => ({ report: () => Promise.reject(Object.assign(new Error("no"), { retryable: true })) }),
    });
    await bench.run([workFor("ci")]);
    expect(bench.gates.names()).toEqual(["report ci"]);
  });
});

describe("what passes through Sluice again", () => {
  const reply = {
    event: { attributes: { specversion: "1.0", id: "r1", source: "/ci", type: "done" }, body: null },
  } as const;
  const answer = { status: 200, body: "{}" };
  const replying: BenchParts["send"] = () => Promise.resolve({ kind: "delivered", answer, reply });
  const stored = (request: AcceptRequest): AcceptReply => ({
    kind: "accepted",
    items: request.items.map(() => ({ status: "accepted", seq: 7, rules: [] })),
    leases: [],
  });
  const eventWithHops = (sluicehops: number | string): StoredEvent =>
    storedEvent("a", { attributes: { ...storedEvent("a").attributes, sluicehops } });

  it("is a target's reply, stored before its delivery is settled as delivered", async () => {
    const bench = openBench({
      send: replying,
      accept: async (request) => {
        expect(bench.settlements()).toEqual([]);
        return stored(request);
      },
    });
    await bench.run([workFor("ci")]);
    expect(bench.accepts).toMatchObject([
      {
        request: { leasesMax: 0, items: [{ event: { source: "target:ci", attributes: { id: "r1", sluicehops: 1 } } }] },
      },
    ]);
    expect(bench.settlements()).toMatchObject([
      { step: { kind: "delivered" }, attempt: { outcome: "delivered", answer } },
    ]);
  });

  it("is tried again with its delivery when it could not be stored, which is no failure of the target's", async () => {
    const finished: string[] = [];
    const bench = openBench({
      send: replying,
      accept: () => Promise.reject(new Error("no storage")),
      gates: () => () => ({
        acquire: async () => granted("ci", { finish: true }),
        finish: async (_token, result) => {
          finished.push(result);
          return replyOf("ci", FREE, false);
        },
      }),
    });
    await bench.run([workFor("ci", { gated: true })]);
    expect(bench.settlements()).toMatchObject([
      { step: { kind: "retry" }, attempt: { outcome: "retryable", reason: "reply", answer } },
    ]);
    expect(finished).toEqual(["succeeded"]);
  });

  it("does not wait for storage past the target's timeout and a second", async () => {
    const sentFor = TIMEOUT_MS - 100;
    const bench = openBench({
      send: (_target, sleep, call) => sleep(sentFor).then(() => replying(_target, sleep, call)),
      accept: () => new Promise(() => {}),
    });
    await bench.run([workFor("ci")]);
    expect(bench.settles[0]?.at).toBeLessThanOrEqual(TIMEOUT_MS + REPLY_MARGIN_MS + SETTLE_WAIT_MS);
    expect(bench.settlements()).toMatchObject([
      {
        step: { kind: "retry" },
        attempt: { reason: "reply", durationMs: sentFor, detail: expect.stringContaining("in time") },
      },
    ]);
  });

  it("is not a reply that can't be read: the attempt says why", async () => {
    const bench = openBench({ send: async () => ({ kind: "delivered", answer, ignoredReply: "it is too large" }) });
    await bench.run([workFor("ci")]);
    expect(bench.settlements()).toMatchObject([
      { step: { kind: "delivered" }, attempt: { outcome: "delivered", detail: "it is too large", answer } },
    ]);
    expect(bench.logs).toContainEqual({
      message: "reply.ignored",
      fields: expect.objectContaining({ target: "ci", detail: "it is too large" }),
    });
  });

  it("is not what has passed too often: it is dead without being sent", async () => {
    const bench = openBench({ send: replying });
    await bench.run([workFor("ci", {}, eventWithHops(HOPS_MAX + 1)), workFor("audit", {}, eventWithHops("many"))]);
    expect(bench.sent).toEqual([]);
    expect(bench.steps()).toMatchObject([
      { kind: "dead", reason: "hop-limit", detail: expect.stringContaining("more than 8 times") },
      { kind: "dead", reason: "hop-limit", detail: expect.stringContaining("not a whole number") },
    ]);
  });

  it("is not the reply to what has passed as often as it may: sent, but dead", async () => {
    const bench = openBench({ send: replying });
    await bench.run([workFor("ci", {}, eventWithHops(HOPS_MAX))]);
    expect(bench.sent).toHaveLength(1);
    expect(bench.accepts).toEqual([]);
    expect(bench.settlements()).toMatchObject([
      { step: { kind: "dead", reason: "hop-limit" }, attempt: { outcome: "permanent", answer } },
    ]);
  });
});

describe("a dispatcher whose targets answer at once", () => {
  it("works on so many leases and takes no further ones, though it has time", async () => {
    const bench = openBench({
      targets: { ci: {}, audit: {} },
      settle: ({ leasesMax }) => ({
        work: Array.from({ length: leasesMax }, (_, index) => workFor(index < 3 ? "ci" : "audit")),
      }),
    });
    expect(await bench.run([workFor("ci")])).toBeLessThan(DISPATCH_TIME_MS * 2);
    const taken = 1 + bench.settles.reduce((sum, { request }) => sum + request.leasesMax, 0);
    expect(taken).toBeLessThanOrEqual(DISPATCH_LEASES_MAX);
    expect(bench.settlements()).toHaveLength(taken);
  });
});
