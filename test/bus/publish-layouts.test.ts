import { describe, expect, it } from "vitest";
import { originOf } from "../../src/bus/plan-event.ts";
import type { AcceptRequest } from "../../src/bus/ports.ts";
import type { PublishPorts } from "../../src/bus/publish.ts";
import { MOVES_MAX, publish } from "../../src/bus/publish.ts";
import { payloadFingerprint } from "../../src/core/event.ts";
import { parseReceipt, partitionOf } from "../../src/core/receipt.ts";
import type { ReceivedEvent } from "../../src/core/source.ts";
import { hashing } from "../../src/hashing.ts";
import type { Ledger } from "../../src/objects/ledger.ts";
import { openLedger } from "../../src/objects/ledger.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import { migrate } from "../../src/objects/schema.ts";
import { openNodeSql } from "../support/node-sql.ts";
import { ruleSetOf } from "../support/rule-sets.ts";

const START = Date.UTC(2026, 0, 1);
const OLD = { partitions: 2, partitionsBefore: [], deployedAt: 1_000 };
const NEW = { partitions: 5, partitionsBefore: [2], deployedAt: 2_000 };
const ordered = ruleSetOf({
  targets: { ci: {} },
  rules: {
    all: { targets: ["ci"], order: { by: "key", onFailure: { kind: "block" }, gapWaitMs: 0 } },
    try: { targets: ["ci"], mode: "shadow", transform: { constant: "long" } },
  },
});

function received(id: string, key = "k", content = id): ReceivedEvent {
  const body = new TextEncoder().encode(JSON.stringify({ content }));
  return {
    event: { attributes: { specversion: "1.0", id, source: "/s", type: "t" }, body },
    fingerprint: payloadFingerprint(body, "", hashing.sha256),
    key,
    rawHeaders: {},
  };
}

/** Partitions of every layout, and publishers of two deployments that share them. */
function openBench() {
  const ledgers = new Map<string, Ledger>();
  const calls: string[] = [];
  const requests: AcceptRequest[] = [];
  const broken = new Set<string>();
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
  const portsOf = ({ deployedAt, ...layouts }: typeof NEW | typeof OLD): PublishPorts => ({
    ruleSet: ordered,
    rulesVersion: { hash: `v${deployedAt}`, deployedAt },
    ...layouts,
    hashing,
    newToken: () => `token-${++tokens}`,
    now: () => 0,
    within: async (work) => work,
    log: () => {},
    sleep: () => Promise.resolve(),
    random: () => 0,
    partition: (name) => ({
      accept: async (request) => {
        calls.push(`accept ${name}`);
        requests.push(request);
        if (broken.has(name)) throw new Error("down");
        return ledgerOf(name).accept(request, START);
      },
      known: async (request) => {
        calls.push(`known ${name}`);
        // Only hashes and plans are compared there.
        for (const { event } of request.items) expect([event.body, event.shadow]).toEqual([null, undefined]);
        if (broken.has(name)) throw new Error("down");
        return ledgerOf(name).known(request, START);
      },
      settle: () => Promise.reject(new Error("publish settles nothing")),
      openLanes: () => Promise.reject(new Error("partitions ask this of each other")),
    }),
  });
  const source = ordered.source("events");
  if (source === undefined) throw new Error("every rule set here has it");
  return {
    calls,
    requests,
    broken,
    publish: async (deployment: typeof NEW | typeof OLD, ...events: readonly ReceivedEvent[]) =>
      publish(events, originOf(source), portsOf(deployment)),
    accepted: async (deployment: typeof NEW | typeof OLD, ...events: readonly ReceivedEvent[]) => {
      const result = await publish(events, originOf(source), portsOf(deployment));
      if (!result.ok) throw new Error(result.error.reason);
      return result.value.receipts;
    },
  };
}

const nameIn = (partitions: number, key = "k") => partitionOf("default", key, partitions, hashing.sha256);

describe("a bus that is spread anew", () => {
  it("asks the old owner first, which answers what it knows: the first receipt, or a conflict", async () => {
    const { accepted, calls } = openBench();
    const [first] = await accepted(OLD, received("a"));
    calls.length = 0;
    const [repeat] = await accepted(NEW, received("a"));
    expect(repeat).toEqual({ ...first, status: "duplicate" });
    expect(calls).toEqual([`known ${nameIn(2)}`]);
    const [conflict] = await accepted(NEW, received("a", "k", "other"));
    expect(conflict).toMatchObject({ id: first?.id, status: "conflict" });
  });

  it("accepts what the old owner does not know in the new one", async () => {
    const { accepted, calls, requests } = openBench();
    const [receipt] = await accepted(NEW, received("a"));
    expect(receipt?.status).toBe("accepted");
    expect(requests[0]?.items[0]?.event).toMatchObject({ shadow: [{ rule: "default/try", output: '"long"' }] });
    expect(calls).toEqual([`known ${nameIn(2)}`, `accept ${nameIn(5)}`]);
    expect(parseReceipt(receipt?.id ?? "")?.partition).toBe(nameIn(5));
  });

  it("sends callers of the old layout on to the new owner, so that nothing is accepted twice", async () => {
    const { accepted, calls } = openBench();
    const [first] = await accepted(NEW, received("a"));
    calls.length = 0;
    const [repeat] = await accepted(OLD, received("a"));
    expect(repeat).toEqual({ ...first, status: "duplicate" });
    expect(calls).toEqual([`accept ${nameIn(2)}`, `known ${nameIn(2)}`, `accept ${nameIn(5)}`]);
    const [other] = await accepted(OLD, received("b"));
    expect(parseReceipt(other?.id ?? "")?.partition).toBe(nameIn(5));
    expect(await accepted(NEW, received("b"))).toEqual([{ ...other, status: "duplicate" }]);
  });

  it("goes back to the old layout when that is deployed anew, and knows what was accepted meanwhile", async () => {
    const { accepted } = openBench();
    const [before] = await accepted(OLD, received("before"));
    const [meanwhile] = await accepted(NEW, received("meanwhile"));
    const back = { partitions: 2, partitionsBefore: [5], deployedAt: 3_000 };
    expect(await accepted(back, received("before"), received("meanwhile"))).toEqual([
      { ...before, status: "duplicate" },
      { ...meanwhile, status: "duplicate" },
    ]);
    const [after] = await accepted(back, received("after"));
    expect(parseReceipt(after?.id ?? "")?.partition).toBe(nameIn(2));
    expect(await accepted(NEW, received("after"))).toEqual([{ ...after, status: "duplicate" }]);
  });

  it("refuses what it can't ask about", async () => {
    const { publish: tryPublish, broken, calls } = openBench();
    broken.add(nameIn(2));
    expect(await tryPublish(NEW, received("a"))).toMatchObject({ ok: false, error: { reason: "storage-unavailable" } });
    expect(calls).not.toContain(`accept ${nameIn(5)}`);
  });

  it("answers a batch of old and new events in its order", async () => {
    const { accepted } = openBench();
    await accepted(OLD, received("b", "kb"));
    const receipts = await accepted(NEW, received("a", "ka"), received("b", "kb"), received("c", "kc"));
    expect(receipts.map(({ status }) => status)).toEqual(["accepted", "duplicate", "accepted"]);
  });

  it("tells the new owner which lanes the old one still has open deliveries of", async () => {
    const { accepted, requests } = openBench();
    const [first] = await accepted(OLD, received("a"));
    await accepted(NEW, received("b"));
    const lastSeq = parseReceipt(first?.id ?? "")?.seq;
    const lane = requests[0]?.items[0]?.deliveries[0]?.lane?.id;
    expect(lane).toMatch(/^[\w-]{16}$/);
    expect(requests.at(-1)?.openElsewhere).toEqual([{ partition: nameIn(2), lanes: [lane], lastSeq }]);
    await accepted(NEW, received("c", "another key"));
    expect(requests.at(-1)?.openElsewhere).toEqual([]);
  });

  it("follows no more moves than deployments can change over", async () => {
    const { publish: tryPublish, calls } = openBench();
    for (let step = 0; step <= MOVES_MAX; step++) {
      const partitions = 3 + step;
      await tryPublish(
        { partitions: partitions + 1, partitionsBefore: [partitions], deployedAt: 2_000 + step },
        received("a"),
      );
    }
    calls.length = 0;
    const oldest = { partitions: 3, partitionsBefore: [], deployedAt: 1 };
    const result = await tryPublish(oldest, received("new"));
    expect(calls.filter((call) => call.startsWith("accept")).length).toBeLessThanOrEqual(MOVES_MAX + 1);
    expect(result).toMatchObject({ ok: false, error: { reason: "storage-unavailable" } });
  });
});
