/** How many calls a dispatcher makes to a queue: a ledger, the queue target and the slots as they are, on simulated time. */
import { describe, expect, it } from "vitest";
import { CLAIM_CALL_MS_MAX, dispatch } from "../../src/bus/dispatch.ts";
import { createPacer } from "../../src/bus/pacer.ts";
import type { LeasedWork } from "../../src/bus/ports.ts";
import { SLOTS_MAX, SLOTS_PER_TARGET_MAX } from "../../src/bus/slots.ts";
import { ok } from "../../src/core/result.ts";
import type { TargetDefinition } from "../../src/core/rule.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import type { QueueBinding, TargetIo } from "../../src/core/target.ts";
import { hashing } from "../../src/hashing.ts";
import queue from "../../src/targets/queue.ts";
import { acceptItem, PARTITION } from "../support/accept-requests.ts";
import { scriptedGates } from "../support/gates.ts";
import { openBench as openLedgerBench, START } from "../support/ledger-bench.ts";
import { targetIo } from "../support/target-io.ts";
import { createTimeline } from "../simulation/timeline.ts";

const ROUND_TRIP_MS = 50;

interface BenchParts {
  readonly targets?: Readonly<Record<string, Partial<TargetDefinition>>>;
  /** What the queue does with the nth call. */
  readonly answer?: (call: number) => Promise<void>;
  readonly withoutBatches?: boolean;
  /** The events' payloads stand in the body store. */
  readonly large?: boolean;
  readonly io?: (sleep: (ms: number) => Promise<void>) => Partial<TargetIo>;
}

/** Accepts `events`, each of them to all targets, and dispatches the leases that ingest gets; then the alarm's, until nothing is due. */
async function deliver(events: number, parts: BenchParts = {}, body?: string) {
  const timeline = createTimeline(START);
  const { ledger, accept, takeDue } = openLedgerBench();
  const calls: number[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  async function call(messages: number): Promise<void> {
    calls.push(messages);
    mostUnderWay = Math.max(mostUnderWay, (underWay += 1));
    await timeline.sleep(ROUND_TRIP_MS);
    await parts.answer?.(calls.length).finally(() => (underWay -= 1));
    if (parts.answer === undefined) underWay -= 1;
  }
  const binding: QueueBinding = {
    send: () => call(1),
    ...(parts.withoutBatches === true ? {} : { sendBatch: (messages) => call(messages.length) }),
  };
  const entries = Object.entries(parts.targets ?? { audit: {} });
  const targets = entries.map(([name, changes]) => ({
    name,
    kind: "queue",
    entry: { queue: "AUDIT" },
    timeoutMs: 15_000,
    retryDelaysMs: [5_000],
    maxAgeMs: 3_600_000,
    ...changes,
  }));
  const names = targets.map(({ name }) => name);
  const kind = parts.withoutBatches === true ? { ...queue, sharesSlot: undefined } : queue;
  const ruleSet = compileRules(
    {
      version: "v1",
      sources: [],
      targets,
      rules: [
        { path: "default/all", bus: "default", pattern: { id: [{ exists: true }] }, targets: names, mode: "live" },
      ],
    },
    { sources: {}, targets: { queue: kind as typeof queue } },
  );
  let tokens = 0;
  const newToken = () => `lease-${++tokens}`;
  const items = Array.from({ length: events }, (_, n) => {
    const item = acceptItem(`e${n}`, names, body === undefined ? {} : { content: `${n}${body}` });
    const large = { key: `bodies/${n}`, bytes: 2_000_000 };
    return parts.large === true ? { ...item, event: { ...item.event, body: null, large } } : item;
  });
  const reply = accept("accept", items, SLOTS_MAX, timeline.now());
  const rounds: number[] = [];
  async function work(jobs: readonly LeasedWork[], holder: "ingest" | "alarm"): Promise<void> {
    await dispatch([{ partition: PARTITION, work: jobs, holder }], {
      ruleSet,
      rulesVersion: { hash: "v1", deployedAt: 1 },
      io: targetIo({
        queue: () => binding,
        timeoutSignal: () => new AbortController().signal,
        ...parts.io?.(timeline.sleep),
      }),
      now: timeline.now,
      sleep: timeline.sleep,
      random: () => 0.5,
      log: () => {},
      partitions: 1,
      partitionsBefore: [],
      hashing,
      newToken,
      gate: scriptedGates().gate,
      within: (value, timeoutMs) => Promise.race([value, timeline.sleep(timeoutMs).then(() => "timeout" as const)]),
      pacer: createPacer(),
      allPartitions: () => [PARTITION],
      adminPartition: () => ({ setTargetStatuses: () => Promise.resolve() }),
      partition: () => ({
        accept: () => Promise.reject(new Error("dispatch accepts nothing")),
        known: () => Promise.reject(new Error("dispatch asks no older layout")),
        openLanes: () => Promise.reject(new Error("dispatch asks no lanes")),
        settle: async (request) => {
          await timeline.sleep(10);
          const settled = ledger().settle(request, timeline.now(), newToken);
          rounds.push(settled.work.length);
          return settled;
        },
      }),
    });
  }
  let endedAt = Number.POSITIVE_INFINITY;
  const done = (async () => {
    await work(
      reply.leases.map((lease) => {
        const event = ledger().get(lease.seq)?.event;
        if (event === undefined) throw new Error("a lease is of an event that is there");
        return { lease, event };
      }),
      "ingest",
    );
    for (;;) {
      const due = takeDue(timeline.now());
      if (due.length === 0) break;
      await work(due, "alarm");
    }
    endedAt = timeline.now();
  })();
  timeline.after(0, () => {});
  await timeline.run(START + 300_000, () => {});
  await done;
  return { calls, rounds, mostUnderWay, open: ledger().backlog().deliveries, endedAt };
}

function deadlineOn(sleep: (ms: number) => Promise<void>): TargetIo["timeoutSignal"] {
  return (ms) => {
    const controller = new AbortController();
    void sleep(ms).then(() => controller.abort());
    return controller.signal;
  };
}

describe("a hundred deliveries to one queue", () => {
  it("are two calls: what ingest may begin with, and all the rest", async () => {
    const { calls, open, mostUnderWay } = await deliver(100);
    expect(calls).toEqual([SLOTS_MAX, 100 - SLOTS_MAX]);
    expect(open).toBe(0);
    expect(mostUnderWay).toBe(1);
  });

  it("were a hundred calls without batches, four at a time", async () => {
    const { calls, open, mostUnderWay } = await deliver(100, { withoutBatches: true });
    expect(calls).toHaveLength(100);
    expect(open).toBe(0);
    expect(mostUnderWay).toBe(SLOTS_PER_TARGET_MAX);
  });
});

describe("deliveries to a queue", () => {
  it("of two targets with the same queue leave together", async () => {
    const { calls, open, mostUnderWay } = await deliver(50, { targets: { audit: {}, archive: {} } });
    expect(calls).toEqual([SLOTS_MAX, 100 - SLOTS_MAX]);
    expect([open, mostUnderWay]).toEqual([0, 1]);
  });

  it("leave together when they only refer to payloads that stand in the body store", async () => {
    const io = () => ({ claim: () => Promise.resolve(ok("https://sluice.example/data/x")) });
    const { calls, open } = await deliver(100, { large: true, io });
    expect(calls).toEqual([SLOTS_MAX, 100 - SLOTS_MAX]);
    expect(open).toBe(0);
  });

  it("are a hundred in one call at most", async () => {
    const { calls, open } = await deliver(250);
    expect(calls.reduce((sum, messages) => sum + messages)).toBe(250);
    expect(Math.max(...calls)).toBe(100);
    expect(calls.length).toBeLessThanOrEqual(4);
    expect(open).toBe(0);
  });

  it("have a slot each where their target has limits, and a permit for each", async () => {
    const limits = { concurrency: 3 };
    const { rounds } = await deliver(10, { targets: { audit: { limits } } });
    expect(Math.max(...rounds)).toBeLessThanOrEqual(SLOTS_MAX);
  });

  it("are all tried again when the queue refuses their call, none sooner than after a 429", async () => {
    const { calls, open, endedAt } = await deliver(50, {
      answer: () => Promise.reject(new Error("Queue sendBatch failed: Too Many Requests")),
    });
    expect(calls).toEqual([SLOTS_MAX, 50 - SLOTS_MAX]);
    expect(open).toBe(50);
    expect(endedAt - START).toBeLessThan(60_000);
  });

  it("end in time when their call never does, those behind it too", async () => {
    const { open, endedAt } = await deliver(20, {
      targets: { audit: { timeoutMs: 2_000 } },
      answer: () => new Promise(() => {}),
      io: (sleep) => ({
        timeoutSignal: deadlineOn(sleep),
      }),
    });
    expect(open).toBe(20);
    expect(endedAt - START).toBeLessThan(30_000);
  });

  it("are not held up for ever by the body of one that is never stored", async () => {
    const heldUp = (ms: number) => {
      let claims = 0;
      const io: BenchParts["io"] = (sleep) => ({
        timeoutSignal: deadlineOn(sleep),
        claim: () =>
          (claims += 1) === 1 ? new Promise(() => {}) : Promise.resolve(ok("https://sluice.example/data/x")),
      });
      return deliver(6, { io, targets: { audit: { timeoutMs: ms } } }, "x".repeat(128_000));
    };
    const { calls, open } = await heldUp(CLAIM_CALL_MS_MAX + 1_000);
    expect(calls.reduce((sum, messages) => sum + messages)).toBe(5);
    expect(open).toBe(1);
    const late = await heldUp(CLAIM_CALL_MS_MAX - 1);
    expect([late.calls, late.open]).toEqual([[], 6]);
  });

  it("that are too large claim their bodies one at a time", async () => {
    let claiming = 0;
    let most = 0;
    const { calls, open } = await deliver(
      6,
      {
        io: (sleep) => ({
          claim: async () => {
            most = Math.max(most, (claiming += 1));
            await sleep(10);
            claiming -= 1;
            return ok("https://sluice.example/data/x");
          },
        }),
      },
      "x".repeat(128_000),
    );
    expect(most).toBe(1);
    expect(calls.reduce((sum, messages) => sum + messages)).toBe(6);
    expect(open).toBe(0);
  });
});
