import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DispatchJob, SettleRequest, SettleReply } from "../../src/bus/ports.ts";
import type { AcceptAnswer, AcceptReply, AcceptRequest, LeasedWork, PartitionPort } from "../../src/bus/ports.ts";
import {
  createPartitionGroups,
  GROUP_BYTES_MAX,
  GROUP_REQUESTS_MAX,
  SETTLE_GROUP_MAX,
} from "../../src/bus/partition-groups.ts";
import { SETTLE_WAIT_MS } from "../../src/bus/dispatch.ts";
import type { Lease, Settlement } from "../../src/core/delivery.ts";
import { acceptItem, acceptRequest, NO_TARGETS, PARTITION, storedEvent } from "../support/accept-requests.ts";
import { openInvocation } from "../support/invocations.ts";

const CALL_MS = 5;
const LEASE_MS = 20_000;

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const passed = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function leaseOf(token: string): Lease {
  const base = { seq: 1, deliveryId: `dlv_${token}`, rule: "default/all", target: "ci", token, attempt: 1 };
  return { ...base, failures: 0, timeoutMs: 15_000, leaseMs: LEASE_MS, expiresInMs: 1_000_000, ageMs: 0 };
}

const workOf = (...tokens: readonly string[]): readonly LeasedWork[] =>
  tokens.map((token) => ({ lease: leaseOf(token), event: storedEvent(token) }));

const settlementOf = (token: string): Settlement => ({
  seq: 1,
  deliveryId: `dlv_${token}`,
  token,
  step: { kind: "delivered" },
});

function settleOf(tokens: readonly string[], changes: Partial<SettleRequest> = {}): SettleRequest {
  return { settlements: tokens.map(settlementOf), leasesMax: 6, withinMs: 20_000, ...NO_TARGETS, ...changes };
}

/** A request whose answer can be told from others. */
const answerTo = ({ token }: AcceptRequest): AcceptAnswer => ({
  kind: "accepted",
  items: [{ status: "accepted", seq: token.length, rules: [token] }],
  leases: [leaseOf(token)],
});

interface Options {
  /** From before groups. */
  readonly isOld?: boolean;
  /** What a settle brings. */
  readonly settled?: (request: SettleRequest) => Partial<SettleReply>;
}

function openBench({ isOld = false, settled = () => ({}) }: Options = {}) {
  const groups = createPartitionGroups();
  const accepts: (readonly string[])[] = [];
  const settles: { readonly at: number; readonly request: SettleRequest }[] = [];
  const after = <Value>(value: Value): Promise<Value> =>
    new Promise((resolve) => {
      setTimeout(() => resolve(value), CALL_MS);
    });
  const stub: PartitionPort = {
    accept(request, others) {
      accepts.push([request, ...(others ?? [])].map(({ token }) => token));
      const reply: AcceptReply = answerTo(request);
      return after(isOld || others === undefined ? reply : { ...reply, others: others.map(answerTo) });
    },
    settle(request) {
      settles.push({ at: Date.now(), request });
      return after({ work: [], records: [], ...settled(request) });
    },
    known: () => after({ items: [], openLanes: [], lastSeq: 7, statuses: [] }),
    openLanes: (ids) => after(ids.map((id) => ({ id, firstSeq: 1 }))),
  };
  return {
    groups,
    accepts,
    settles,
    tokensOf: () => settles.map(({ request }) => request.settlements.map(({ token }) => token)),
    port: (name = PARTITION) => groups.port(name, () => stub, openInvocation()),
  };
}

const accepted = (token: string, bytes = 10): AcceptRequest => {
  const item = acceptItem(token, ["ci"]);
  return acceptRequest(token, [{ ...item, event: { ...item.event, body: new Uint8Array(bytes) } }], 1);
};

describe("accepts of one isolate", () => {
  it("are one call for those that come while one is under way, and each gets its own answer", async () => {
    const { port, accepts } = openBench();
    const replies = ["a", "bb", "ccc", "dddd"].map((token) => port().accept(accepted(token)));
    await passed(2 * CALL_MS);
    expect(accepts).toEqual([["a"], ["bb", "ccc", "dddd"]]);
    const rules = (await Promise.all(replies)).map((reply) => reply.kind === "accepted" && reply.items[0]?.rules);
    expect(rules).toEqual([["a"], ["bb"], ["ccc"], ["dddd"]]);
  });

  it("of different partitions don't wait for each other", async () => {
    const { port, accepts } = openBench();
    void port("v1/default/2/0").accept(accepted("a"));
    void port("v1/default/2/1").accept(accepted("b"));
    expect(accepts).toEqual([["a"], ["b"]]);
    await passed(CALL_MS);
  });

  it("are asked for one by one where the partition takes no notice of the others", async () => {
    const { port, accepts } = openBench({ isOld: true });
    const replies = ["a", "bb", "ccc"].map((token) => port().accept(accepted(token)));
    await passed(3 * CALL_MS);
    expect(accepts).toEqual([["a"], ["bb", "ccc"], ["ccc"]]);
    expect(await replies[2]).toEqual(answerTo(accepted("ccc")));
  });

  it("are GROUP_REQUESTS_MAX in one call at most", async () => {
    const { port, accepts } = openBench();
    void port().accept(accepted("first"));
    for (let n = 0; n < GROUP_REQUESTS_MAX + 1; n++) void port().accept(accepted(`n${n}`));
    await passed(3 * CALL_MS);
    expect(accepts.map(({ length }) => length)).toEqual([1, GROUP_REQUESTS_MAX, 1]);
  });

  it("have GROUP_BYTES_MAX bytes of bodies in one call at most", async () => {
    const { port, accepts } = openBench();
    void port().accept(accepted("first"));
    void port().accept(accepted("half", GROUP_BYTES_MAX / 2));
    void port().accept(accepted("rest", GROUP_BYTES_MAX / 2 - 1));
    expect(accepts).toHaveLength(1);
    void port().accept(accepted("two", 2));
    expect(accepts.slice(1)).toEqual([["two", "half"]]);
    await passed(CALL_MS);
    expect(accepts.slice(2)).toEqual([["rest"]]);
  });

  it("go by themselves when they are larger than a group", async () => {
    const { port, accepts } = openBench();
    void port().accept(accepted("large", GROUP_BYTES_MAX + 1));
    await passed(CALL_MS);
    expect(accepts).toEqual([["large"]]);
  });

  it("leave questions of other layouts alone", async () => {
    const { port, accepts } = openBench();
    void port().accept(accepted("a"));
    const known = port().known(accepted("b"));
    const open = port().openLanes(["l"]);
    await passed(CALL_MS);
    expect(await known).toMatchObject({ lastSeq: 7 });
    expect(await open).toEqual([{ id: "l", firstSeq: 1 }]);
    expect(accepts).toEqual([["a"]]);
  });
});

describe("settles of one isolate", () => {
  /** A bench with leases out, as an accept brings them. */
  async function openLent(tokens: readonly string[], options: Options = {}) {
    const bench = openBench(options);
    for (const token of tokens) void bench.port().accept(accepted(token));
    await passed(3 * CALL_MS);
    return { ...bench, start: Date.now() };
  }

  it("leave at once when nothing else of the partition is worked on", async () => {
    const { port, tokensOf } = await openLent(["a"]);
    void port().settle(settleOf(["a"]), SETTLE_WAIT_MS);
    expect(tokensOf()).toEqual([["a"]]);
    await passed(CALL_MS);
  });

  it("wait for the other leases that are worked on, and leave with the last of them", async () => {
    const { port, tokensOf } = await openLent(["a", "b", "c"]);
    const replies = [port().settle(settleOf(["a"]), SETTLE_WAIT_MS)];
    await passed(50);
    replies.push(port().settle(settleOf(["b"]), SETTLE_WAIT_MS));
    await passed(50);
    expect(tokensOf()).toEqual([]);
    replies.push(port().settle(settleOf(["c"]), SETTLE_WAIT_MS));
    expect(tokensOf()).toEqual([["c", "a", "b"]]);
    await passed(CALL_MS);
    expect(await Promise.all(replies)).toHaveLength(3);
  });

  it("wait for so long as their dispatcher says, and no longer", async () => {
    const { port, settles, start } = await openLent(["a", "slow"]);
    void port().settle(settleOf(["a"]), SETTLE_WAIT_MS);
    await passed(SETTLE_WAIT_MS - 1);
    expect(settles).toEqual([]);
    await passed(1 + CALL_MS);
    expect(settles.map(({ at }) => at - start)).toEqual([SETTLE_WAIT_MS]);
  });

  it("that others wait for leave at once, and take along those that wait", async () => {
    const { port, tokensOf } = await openLent(["a", "b", "slow"]);
    void port().settle(settleOf(["a"]), SETTLE_WAIT_MS);
    void port().settle(settleOf(["b"]));
    expect(tokensOf()).toEqual([["b", "a"]]);
    await passed(CALL_MS);
  });

  it("leave when there are SETTLE_GROUP_MAX settlements, and not before", async () => {
    const tokens = Array.from({ length: SETTLE_GROUP_MAX }, (_, index) => `t${index}`);
    const { port, tokensOf } = await openLent(["slow"]);
    for (const token of tokens.slice(1)) void port().settle(settleOf([token]), SETTLE_WAIT_MS);
    expect(tokensOf()).toEqual([]);
    void port().settle(settleOf(["t0"]), SETTLE_WAIT_MS);
    await passed(0);
    expect(tokensOf()).toEqual([tokens]);
    await passed(CALL_MS);
  });

  it("don't wait for leases that have run out: who had them is dead", async () => {
    const { port, tokensOf } = await openLent(["a", "lost"]);
    await passed(LEASE_MS - CALL_MS);
    void port().settle(settleOf(["a"]), SETTLE_WAIT_MS);
    expect(tokensOf()).toEqual([["a"]]);
    await passed(CALL_MS);
  });

  it("know of leases that an alarm has handed over", async () => {
    const { port, groups, tokensOf } = openBench();
    const job: DispatchJob = { partition: PARTITION, work: workOf("a", "b"), holder: "alarm" };
    groups.lent(job, 0);
    void port().settle(settleOf(["a"], { holder: "alarm" }), SETTLE_WAIT_MS);
    expect(tokensOf()).toEqual([]);
    void port().settle(settleOf(["b"], { holder: "alarm" }), SETTLE_WAIT_MS);
    expect(tokensOf()).toEqual([["b", "a"]]);
    await passed(CALL_MS);
  });

  it("of another kind of holder are another group", async () => {
    const { port, groups, settles } = await openLent(["a", "slow"]);
    groups.lent({ partition: PARTITION, work: workOf("b", "c"), holder: "alarm" }, Date.now());
    void port().settle(settleOf(["a"]), SETTLE_WAIT_MS);
    void port().settle(settleOf(["b"], { holder: "alarm" }), SETTLE_WAIT_MS);
    await passed(SETTLE_WAIT_MS + CALL_MS);
    expect(settles.map(({ request }) => [request.holder, request.settlements.length])).toEqual([
      ["ingest", 1],
      ["alarm", 1],
    ]);
  });

  it("give work and records to one dispatcher only: who made the call, as it asked for them", async () => {
    const records = [{ target: "ci", attempts: 3, failures: 3 }] as unknown as SettleReply["records"];
    const { port, settles } = await openLent(["a", "b"], { settled: () => ({ work: workOf("more"), records }) });
    const first = port().settle(settleOf(["a"], { leasesMax: 2 }), SETTLE_WAIT_MS);
    const last = port().settle(settleOf(["b"], { leasesMax: 5, targetRoom: { ci: 1 }, uncounted: ["q"] }));
    await passed(CALL_MS);
    expect(settles.map(({ request }) => request)).toEqual([
      settleOf(["b", "a"], { leasesMax: 5, targetRoom: { ci: 1 }, uncounted: ["q"] }),
    ]);
    expect(await first).toEqual({ work: [], records: [] });
    expect(await last).toEqual({ work: workOf("more"), records });
  });

  it("don't wait while there is more to do than is lent out, and wait again when there is not", async () => {
    let more: readonly LeasedWork[] = workOf("m1", "m2");
    const { port, tokensOf } = await openLent(["a", "slow"], { settled: () => ({ work: more }) });
    void port().settle(settleOf(["a"]));
    await passed(CALL_MS);
    more = [];
    void port().settle(settleOf(["m1"]), SETTLE_WAIT_MS);
    await passed(CALL_MS);
    expect(tokensOf()).toEqual([["a"], ["m1"]]);
    void port().settle(settleOf(["m2"]), SETTLE_WAIT_MS);
    await passed(CALL_MS);
    expect(tokensOf()).toHaveLength(2);
  });

  it("with news of targets leave at once, and with nobody else's call", async () => {
    const { port, tokensOf } = await openLent(["a", "b", "c", "slow"]);
    const throttles = [{ target: "ci", forMs: 0 }];
    void port().settle(settleOf(["a"]));
    void port().settle(settleOf(["b"]));
    void port().settle(settleOf(["c"], { throttles }), SETTLE_WAIT_MS);
    await passed(2 * CALL_MS);
    expect(tokensOf()).toEqual([["a"], ["b"], ["c"]]);
  });

  it("do not wait behind accepts", async () => {
    const { port, tokensOf } = await openLent(["a"]);
    void port().accept(accepted("b"));
    void port().accept(accepted("c"));
    void port().settle(settleOf(["a"]));
    expect(tokensOf()).toEqual([["a"]]);
    await passed(3 * CALL_MS);
  });
});
