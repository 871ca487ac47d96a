import { describe, expect, it } from "vitest";
import type { AcceptReply, AcceptRequest } from "../../src/bus/ports.ts";
import type { PublishPorts } from "../../src/bus/publish.ts";
import { DELIVERIES_PER_EVENT_MAX, originOf } from "../../src/bus/plan-event.ts";
import { ACCEPT_TIMEOUT_MS, publish } from "../../src/bus/publish.ts";
import { SLOTS_MAX } from "../../src/bus/slots.ts";
import { payloadFingerprint } from "../../src/core/event.ts";
import { parseReceipt, partitionOf } from "../../src/core/receipt.ts";
import type { RuleSet } from "../../src/core/rule-set.ts";
import type { ReceivedEvent } from "../../src/core/source.ts";
import { hashing } from "../../src/hashing.ts";
import type { Ledger } from "../../src/objects/ledger.ts";
import { openLedger } from "../../src/objects/ledger.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { migrate } from "../../src/objects/schema.ts";
import { openNodeSql } from "../support/node-sql.ts";
import { ruleSetOf } from "../support/rule-sets.ts";

const START = Date.UTC(2026, 0, 1);
const PARTITIONS = 16;

function received(
  id: string,
  changes: { key?: string; content?: string; type?: string; scope?: string } = {},
): ReceivedEvent {
  const { key = "k", content = id, type = "t", scope = "" } = changes;
  const body = new TextEncoder().encode(JSON.stringify({ content }));
  return {
    event: { attributes: { specversion: "1.0", id, source: "/s", type, datacontenttype: "application/json" }, body },
    fingerprint: payloadFingerprint(body, scope, hashing.sha256),
    key,
    rawHeaders: { "x-github-event": "push" },
  };
}

/** Keys that meet different partitions. */
function keysFor(count: number): readonly string[] {
  const keys = new Map<string, string>();
  for (let n = 0; keys.size < count; n++)
    keys.set(partitionOf("default", `k${n}`, PARTITIONS, hashing.sha256), `k${n}`);
  return [...keys.values()];
}

type Answer = (request: AcceptRequest, accept: (request: AcceptRequest) => AcceptReply) => Promise<AcceptReply>;

/** Publish before real ledgers; `answer` stands between. */
function openBench(rules: RuleSet, answer: Answer = (request, accept) => Promise.resolve(accept(request))) {
  const ledgers = new Map<string, Ledger>();
  const requests: AcceptRequest[] = [];
  const logs: string[] = [];
  let tokens = 0;
  const ledgerOf = (name: string): Ledger => {
    let ledger = ledgers.get(name);
    if (ledger === undefined) {
      const sql = openNodeSql();
      migrate(sql);
      ledgers.set(name, (ledger = openLedger(sql, LEDGER_LIMITS)));
    }
    return ledger;
  };
  const ports: PublishPorts = {
    ruleSet: rules,
    rulesVersion: { hash: "v1", deployedAt: 1 },
    partitions: PARTITIONS,
    partitionsBefore: [],
    hashing,
    newToken: () => `token-${++tokens}`,
    now: () => 0,
    within: async (work, timeoutMs) => {
      expect(timeoutMs).toBe(ACCEPT_TIMEOUT_MS);
      const never = new Promise<"timeout">((resolve) => {
        setTimeout(() => resolve("timeout"), 20);
      });
      return Promise.race([work, never]);
    },
    log: (message) => void logs.push(message),
    sleep: () => Promise.resolve(),
    random: () => 0,
    partition: (name) => ({
      accept(request) {
        expect(request.partition).toBe(name);
        requests.push(request);
        return answer(request, (each) => ledgerOf(name).accept(each, START));
      },
      settle: () => Promise.reject(new Error("publish settles nothing")),
      known: () => Promise.reject(new Error("there is no layout before")),
      openLanes: () => Promise.reject(new Error("partitions ask this of each other")),
    }),
  };
  const source = rules.source("events");
  if (source === undefined) throw new Error("every rule set here has it");
  return {
    requests,
    logs,
    publish: async (events: readonly ReceivedEvent[]) => publish(events, originOf(source), ports),
    accepted: async (events: readonly ReceivedEvent[]) => {
      const result = await publish(events, originOf(source), ports);
      if (!result.ok) throw new Error(result.error.reason);
      return result.value;
    },
  };
}

const two = ruleSetOf({
  targets: { ci: {}, audit: { timeoutMs: 5_000, maxAgeMs: 60_000 } },
  rules: { all: { targets: ["audit"] }, typed: { pattern: { type: ["t"] }, targets: ["ci", "audit"] } },
});

describe("publishing", () => {
  it("plans one delivery for each rule that matches and each of its targets", async () => {
    const { accepted, requests } = openBench(two);
    await accepted([received("a"), received("b", { type: "other" })]);
    const plans = requests[0]?.items.map(({ deliveries }) =>
      deliveries.map(({ rule, target, timeoutMs, maxAgeMs }) => [rule, target, timeoutMs, maxAgeMs]),
    );
    expect(plans).toEqual([
      [
        ["default/all", "audit", 5_000, 60_000],
        ["default/typed", "ci", 15_000, 3_600_000],
        ["default/typed", "audit", 5_000, 60_000],
      ],
      [["default/all", "audit", 5_000, 60_000]],
    ]);
    const ids = requests[0]?.items.flatMap(({ deliveries }) => deliveries.map(({ id }) => id));
    expect(new Set(ids).size).toBe(4);
    expect(requests[0]?.items[0]?.event).toMatchObject({
      source: "events",
      bus: "default",
      rules: ["default/all", "default/typed"],
      rulesVersion: { hash: "v1" },
      rawHeaders: { "x-github-event": "push" },
    });
  });

  it("answers one receipt for each event in the order of the request, each telling its partition", async () => {
    const { accepted, requests } = openBench(two);
    const keys = keysFor(3);
    const events = [0, 1, 2, 0, 1, 2].map((key, index) => received(`e${index}`, { key: keys[key] ?? "" }));
    const { receipts } = await accepted(events);
    expect(receipts.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => "accepted"));
    expect(receipts.map(({ id }) => parseReceipt(id)?.partition)).toEqual(
      events.map(({ key }) => partitionOf("default", key, PARTITIONS, hashing.sha256)),
    );
    expect(new Set(receipts.map(({ id }) => id)).size).toBe(6);
    expect(requests).toHaveLength(3);
    expect(requests.map(({ items }) => items.map(({ event }) => event.attributes.id))).toEqual([
      ["e0", "e3"],
      ["e1", "e4"],
      ["e2", "e5"],
    ]);
  });

  it("sends the same key to the same partition, request after request", async () => {
    const { accepted, requests } = openBench(two);
    for (const id of ["a", "b", "c"]) await accepted([received(id, { key: "repository" })]);
    expect(new Set(requests.map(({ partition }) => partition)).size).toBe(1);
    expect(new Set(requests.map(({ token }) => token)).size).toBe(3);
  });

  it("answers repeats and conflicts one by one, with the first receipt", async () => {
    const { accepted } = openBench(two);
    const first = await accepted([received("a"), received("b")]);
    const again = await accepted([received("b"), received("a", { content: "other" }), received("c")]);
    expect(again.receipts.map(({ status }) => status)).toEqual(["duplicate", "conflict", "accepted"]);
    expect(again.receipts[0]?.id).toBe(first.receipts[1]?.id);
    expect(again.receipts[1]?.id).toBe(first.receipts[0]?.id);
    expect(again.receipts[0]?.rules).toEqual(["default/all", "default/typed"]);
  });

  it("answers an event that no rule wants with its receipt and no work", async () => {
    const { accepted } = openBench(ruleSetOf({ targets: {}, rules: {} }));
    expect(await accepted([received("a")])).toMatchObject({ receipts: [{ status: "accepted", rules: [] }], jobs: [] });
  });
});

describe("the leases that come with an acceptance", () => {
  const one = ruleSetOf({ targets: { ci: {} }, rules: { all: { targets: ["ci"] } } });

  it("are at most six, divided between the partitions", async () => {
    for (const [partitions, each] of [
      [1, 6],
      [2, 3],
      [4, 1],
      [6, 1],
      [7, 0],
    ] as const) {
      const { accepted, requests } = openBench(one);
      const events = keysFor(partitions).flatMap((key) =>
        Array.from({ length: 10 }, (_, n) => received(`${key}-${n}`, { key })),
      );
      const { jobs } = await accepted(events);
      expect(requests.map(({ leasesMax }) => leasesMax)).toEqual(Array.from({ length: partitions }, () => each));
      const leases = jobs.flatMap(({ work }) => work);
      expect(leases).toHaveLength(partitions * each);
      expect(leases.length).toBeLessThanOrEqual(SLOTS_MAX);
    }
  });

  it("carry their events to the dispatcher", async () => {
    const { accepted } = openBench(one);
    const { jobs } = await accepted([received("a"), received("b")]);
    expect(jobs.flatMap(({ work }) => work.map(({ event, lease }) => [event.attributes.id, lease.target]))).toEqual([
      ["a", "ci"],
      ["b", "ci"],
    ]);
  });

  it("carry the content that was accepted, not that of a later item of the same identity", async () => {
    for (const later of [received("a", { content: "other" }), received("a", { content: "other", scope: "hook-2" })]) {
      const { accepted } = openBench(one);
      const { jobs, receipts } = await accepted([received("a"), later]);
      expect(receipts.map(({ status }) => status)).toEqual([
        "accepted",
        later.fingerprint.scope === "" ? "conflict" : "duplicate",
      ]);
      expect(jobs[0]?.work.map(({ event }) => new TextDecoder().decode(event.body ?? undefined))).toEqual([
        '{"content":"a"}',
      ]);
    }
  });
});

describe("a refusal", () => {
  it("is of the whole request when one partition is full", async () => {
    const [first, second] = keysFor(2);
    const { publish: send } = openBench(two, (request, accept) =>
      Promise.resolve(
        request.partition === partitionOf("default", second ?? "", PARTITIONS, hashing.sha256)
          ? { kind: "backlog-full", retryAfterSeconds: 30 }
          : accept(request),
      ),
    );
    expect(await send([received("a", { key: first ?? "" }), received("b", { key: second ?? "" })])).toEqual({
      ok: false,
      error: { reason: "backlog-full", retryAfterSeconds: 30 },
    });
  });

  it("is of the whole request when one partition fails; what the others took is a duplicate next time", async () => {
    let broken = true;
    const [first, second] = keysFor(2);
    const {
      publish: send,
      accepted,
      logs,
    } = openBench(two, (request, accept) =>
      broken && request.partition === partitionOf("default", second ?? "", PARTITIONS, hashing.sha256)
        ? Promise.reject(new Error("gone"))
        : Promise.resolve(accept(request)),
    );
    const events = [received("a", { key: first ?? "" }), received("b", { key: second ?? "" })];
    expect(await send(events)).toMatchObject({ ok: false, error: { reason: "storage-unavailable" } });
    expect(logs).toEqual(["accept.failed"]);
    broken = false;
    expect((await accepted(events)).receipts.map(({ status }) => status)).toEqual(["duplicate", "accepted"]);
  });

  it("comes when the partition takes too long", async () => {
    const { publish: send, logs } = openBench(two, () => new Promise(() => {}));
    expect(await send([received("a")])).toMatchObject({
      ok: false,
      error: { reason: "storage-unavailable", retryAfterSeconds: expect.any(Number) },
    });
    expect(logs).toEqual(["accept.timeout"]);
  });

  it("comes before anything is stored when an event would go to too many targets", async () => {
    const rulesFor = (count: number) =>
      ruleSetOf({
        targets: { ci: {} },
        rules: Object.fromEntries(Array.from({ length: count }, (_, n) => [`r${n}`, { targets: ["ci"] }])),
      });
    const fits = openBench(rulesFor(DELIVERIES_PER_EVENT_MAX));
    expect((await fits.publish([received("a")])).ok).toBe(true);
    const over = openBench(rulesFor(DELIVERIES_PER_EVENT_MAX + 1));
    expect(await over.publish([received("a")])).toEqual({
      ok: false,
      error: { reason: "too-many-deliveries", deliveriesMax: DELIVERIES_PER_EVENT_MAX },
    });
    expect(over.requests).toEqual([]);
  });
});

describe("an accept whose reply is lost", () => {
  it("is tried again with its token, and gets the same answer and the same leases", async () => {
    let calls = 0;
    const { accepted, requests } = openBench(two, (request, accept) => {
      const reply = accept(request);
      calls += 1;
      return calls === 1
        ? Promise.reject(Object.assign(new Error("Network connection lost."), { retryable: true }))
        : Promise.resolve(reply);
    });
    const { receipts, jobs } = await accepted([received("a")]);
    expect(receipts.map(({ status }) => status)).toEqual(["accepted"]);
    expect(jobs.flatMap(({ work }) => work)).toHaveLength(3);
    expect(new Set(requests.map(({ token }) => token)).size).toBe(1);
    expect(requests).toHaveLength(2);
  });
});
