import { describe, expect, it } from "vitest";
import type { AcceptReply, AcceptRequest, PartitionPort, StoredEvent } from "../../src/bus/ports.ts";
import type { PublishPorts } from "../../src/bus/publish.ts";
import { pipeOf, publishReply } from "../../src/bus/publish-again.ts";
import type { Lease } from "../../src/core/delivery.ts";
import type { CloudEvent, Fingerprint } from "../../src/core/event.ts";
import { isConflict, toHex } from "../../src/core/event.ts";
import { HOPS_MAX } from "../../src/core/hops.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { parseReceipt, partitionOf } from "../../src/core/receipt.ts";
import { hashing } from "../../src/hashing.ts";
import { storedEvent } from "../support/accept-requests.ts";
import { ruleSetOf } from "../support/rule-sets.ts";

const PARTITIONS = 16;
const WITHIN_MS = 3_000;

const ruleSet = ruleSetOf({
  targets: { ci: {}, audit: {} },
  rules: {
    built: { pattern: { type: ["build.done"] }, targets: ["audit"] },
    other: { bus: "other", path: "other/all" },
  },
});

interface BenchParts {
  /** The partition's answer instead of its own. */
  readonly answer?: (request: AcceptRequest) => AcceptReply | Error | "never";
}

/** A partition that remembers what it accepted, and nothing else. */
function openBench({ answer }: BenchParts = {}) {
  const requests: AcceptRequest[] = [];
  const logs: (readonly [message: string, fields: Readonly<Record<string, unknown>>])[] = [];
  const accepted = new Map<string, { readonly seq: number; readonly fingerprint: Fingerprint }>();
  const accept = async (request: AcceptRequest): Promise<AcceptReply> => {
    requests.push(request);
    const own = answer?.(request);
    if (own === "never") return new Promise(() => {});
    if (own instanceof Error) throw own;
    if (own !== undefined) return own;
    const items = request.items.map(({ identity, fingerprint }) => {
      const first = accepted.get(toHex(identity));
      if (first !== undefined) {
        const status = isConflict(first.fingerprint, fingerprint) ? "conflict" : "duplicate";
        return { status, seq: first.seq, rules: [] } as const;
      }
      const seq = accepted.size + 1;
      accepted.set(toHex(identity), { seq, fingerprint });
      return { status: "accepted", seq, rules: [] } as const;
    });
    return { kind: "accepted", items, leases: [] };
  };
  const ports: PublishPorts = {
    ruleSet,
    rulesVersion: { hash: "v1", deployedAt: 1 },
    partitions: PARTITIONS,
    partitionsBefore: [],
    hashing,
    newToken: () => "token",
    now: () => 0,
    sleep: () => Promise.resolve(),
    random: () => 0,
    log: (message, fields) => void logs.push([message, fields]),
    within: async (work, timeoutMs) => {
      expect(timeoutMs).toBeLessThanOrEqual(4_000);
      const never = new Promise<"timeout">((resolve) => {
        setTimeout(() => resolve("timeout"), 20);
      });
      return Promise.race([work, never]);
    },
    partition: () => ({ accept }) as unknown as PartitionPort,
  };
  return { ports, requests, logs, items: () => requests.flatMap(({ items }) => items) };
}

function leaseOf(target: string, id = "dlv_1"): Lease {
  return {
    seq: 1,
    deliveryId: id,
    rule: "default/built",
    target,
    token: "lease-token",
    attempt: 1,
    failures: 0,
    timeoutMs: 15_000,
    leaseMs: 20_000,
    expiresInMs: 3_600_000,
    ageMs: 0,
  };
}

function eventWithHops(hops?: string | number): StoredEvent {
  const { attributes, ...rest } = storedEvent("a", {
    key: "original-key",
    orderKey: "original-order",
    rawHeaders: { "x-a": "1" },
  });
  return { ...rest, attributes: hops === undefined ? attributes : { ...attributes, sluicehops: hops } };
}

function builtEvent(changes: Readonly<Record<string, string | number>> = {}, body = "{}"): CloudEvent {
  const attributes = {
    specversion: "1.0",
    id: "r1",
    source: "/ci",
    type: "build.done",
    subject: "main",
    ...changes,
  } as const;
  return { attributes, body: new TextEncoder().encode(body) };
}

const ANSWER = { status: 200, body: "{}" };
const replied = (event: CloudEvent = builtEvent()): Outcome => ({
  kind: "delivered",
  answer: ANSWER,
  reply: { event },
});

describe("a reply", () => {
  const publishFrom = (ports: PublishPorts, outcome: Outcome, event = eventWithHops(), lease = leaseOf("ci")) =>
    publishReply(outcome, { lease, event }, ports, WITHIN_MS);

  it("is published on the bus of the rule before the delivery counts as delivered", async () => {
    const { ports, requests, logs } = openBench();
    expect(await publishFrom(ports, replied())).toEqual({ kind: "delivered", answer: ANSWER });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      partition: partitionOf("default", "/ci", PARTITIONS, hashing.sha256),
      leasesMax: 0,
      items: [
        {
          identity: hashing.sha256("target:ci\n/ci\nr1"),
          redeliver: false,
          event: {
            attributes: { id: "r1", type: "build.done", sluicehops: 1 },
            source: "target:ci",
            bus: "default",
            key: "/ci",
            orderKey: "/ci\nmain",
            rawHeaders: {},
            rules: ["default/built"],
          },
          deliveries: [{ rule: "default/built", target: "audit" }],
        },
      ],
    });
    expect(logs).toEqual([["reply.published", expect.objectContaining({ delivery: "dlv_1", status: "accepted" })]]);
  });

  it("has one hop more than the event that it answers, whatever it says of itself", async () => {
    const { ports, items } = openBench();
    await publishFrom(ports, replied(builtEvent({ sluicehops: 0 })), eventWithHops("4"));
    expect(items()[0]?.event.attributes).toMatchObject({ sluicehops: 5 });
  });

  it("beyond the hop limit makes the delivery dead, though the target took it", async () => {
    const { ports, requests } = openBench();
    expect(await publishFrom(ports, replied(), eventWithHops(HOPS_MAX - 1))).toMatchObject({ kind: "delivered" });
    expect(await publishFrom(ports, replied(), eventWithHops(HOPS_MAX))).toEqual({
      kind: "permanent",
      reason: "hop-limit",
      detail:
        "the target took the event, but its reply was not published: this event has passed through Sluice 8 times; " +
        "the reply to rule default/built -> target ci would be the 9th: it is a loop",
      answer: ANSWER,
    });
    expect(requests).toHaveLength(1);
  });

  it("that came before counts as published", async () => {
    const { ports, requests } = openBench();
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await publishFrom(ports, replied())).toEqual({ kind: "delivered", answer: ANSWER });
    }
    expect(requests).toHaveLength(2);
  });

  it("that came before with other content counts as published, and the attempt says so", async () => {
    const { ports, logs } = openBench();
    await publishFrom(ports, replied());
    const outcome = await publishFrom(ports, replied(builtEvent({}, "[]")));
    expect(outcome).toEqual({
      kind: "delivered",
      answer: ANSWER,
      ignoredReply: expect.stringMatching(/^the reply was not published: other content with its id was, as evt_\S+$/),
    });
    const ignored = logs.filter(([message]) => message === "reply.ignored");
    expect(ignored).toEqual([["reply.ignored", expect.objectContaining({ target: "ci", rule: "default/built" })]]);
    expect(
      parseReceipt(String(outcome.kind === "delivered" && outcome.ignoredReply?.split(" ").at(-1))),
    ).not.toBeNull();
  });

  it("is the target's own: the same id from another target is another event", async () => {
    const { ports, logs } = openBench();
    await publishFrom(ports, replied());
    await publishFrom(ports, replied(), eventWithHops(), leaseOf("audit"));
    expect(logs.map(([, { status }]) => status)).toEqual(["accepted", "accepted"]);
  });

  const unstored: readonly (readonly [what: string, answer: AcceptReply | Error | "never", outcome: object])[] = [
    [
      "the partition fails",
      new Error("gone"),
      { retryAfterMs: 5_000, detail: expect.stringContaining("(storage-unavailable)") },
    ],
    ["its backlog is full", { kind: "backlog-full", retryAfterSeconds: 30 }, { retryAfterMs: 30_000 }],
    [
      "it takes too long",
      "never",
      { detail: expect.stringMatching(/was not published: (it was not stored in time|the bus)/) },
    ],
  ];
  it.each(unstored)("that is not stored makes the delivery retryable: %s", async (_what, answer, expected) => {
    const { ports } = openBench({ answer: () => answer });
    expect(await publishFrom(ports, replied())).toMatchObject({
      kind: "retryable",
      reason: "reply",
      answer: ANSWER,
      ...expected,
    });
  });

  it("that Sluice fails at is tried again and logged", async () => {
    const { ports, logs } = openBench();
    const broken: PublishPorts = {
      ...ports,
      newToken: () => {
        throw new Error("a bug");
      },
    };
    expect(await publishFrom(broken, replied())).toMatchObject({ kind: "retryable", reason: "reply" });
    expect(logs).toEqual([["publish.bug", expect.objectContaining({ origin: "target:ci" })]]);
  });

  it("that the target's answer did not hold up as is logged, and the delivery is delivered", async () => {
    const { ports, requests, logs } = openBench();
    const outcome: Outcome = { kind: "delivered", answer: ANSWER, ignoredReply: "its body has more than 65536 bytes" };
    expect(await publishFrom(ports, outcome)).toEqual(outcome);
    expect(requests).toEqual([]);
    expect(logs).toEqual([
      ["reply.ignored", expect.objectContaining({ detail: "its body has more than 65536 bytes" })],
    ]);
  });

  it("is not looked for in what was not delivered", async () => {
    const { ports, requests, logs } = openBench();
    const outcome: Outcome = { kind: "retryable", reason: "network", detail: "ECONNREFUSED" };
    expect(await publishFrom(ports, outcome)).toBe(outcome);
    expect(await publishFrom(ports, { kind: "delivered" })).toEqual({ kind: "delivered" });
    expect([requests, logs]).toEqual([[], []]);
  });
});

describe("a pipe", () => {
  const piped = (deliveryId = "dlv_1", body = "{}") => {
    const { attributes } = eventWithHops();
    return { bus: "other", deliveryId, event: { attributes, body: new TextEncoder().encode(body) } };
  };

  it("publishes on the other bus, under the key and the order key of the original", async () => {
    const { ports, requests } = openBench();
    const publish = pipeOf({ lease: leaseOf("audit"), event: eventWithHops("2") }, ports);
    expect(await publish(piped())).toEqual({ ok: true, value: null });
    expect(requests).toMatchObject([
      {
        partition: partitionOf("other", "original-key", PARTITIONS, hashing.sha256),
        leasesMax: 0,
        items: [
          {
            identity: hashing.sha256("delivery:dlv_1\n/s\na"),
            event: {
              attributes: { id: "a", source: "/s", sluicehops: 3 },
              source: "target:audit",
              bus: "other",
              key: "original-key",
              orderKey: "original-order",
              rawHeaders: { "x-a": "1" },
              rules: ["other/all"],
            },
          },
        ],
      },
    ]);
  });

  it("publishes a delivery once, however often it is tried and whatever its transform has become", async () => {
    const { ports, logs } = openBench();
    const publish = pipeOf({ lease: leaseOf("audit"), event: eventWithHops() }, ports);
    for (const body of ["{}", "{}", "[]"])
      expect(await publish(piped("dlv_1", body))).toEqual({ ok: true, value: null });
    expect(logs.map(([, { status }]) => status)).toEqual(["accepted", "duplicate", "conflict"]);
  });

  it("publishes what two rules pipe twice", async () => {
    const { ports, logs } = openBench();
    const publish = pipeOf({ lease: leaseOf("audit"), event: eventWithHops() }, ports);
    for (const id of ["dlv_1", "dlv_2"]) expect(await publish(piped(id))).toEqual({ ok: true, value: null });
    expect(logs.map(([, { status }]) => status)).toEqual(["accepted", "accepted"]);
  });

  it("ends at the hop limit", async () => {
    const { ports, requests } = openBench();
    const lease = leaseOf("audit");
    expect((await pipeOf({ lease, event: eventWithHops(HOPS_MAX - 1) }, ports)(piped())).ok).toBe(true);
    expect(await pipeOf({ lease, event: eventWithHops(HOPS_MAX) }, ports)(piped())).toEqual({
      ok: false,
      error: {
        reason: "hop-limit",
        detail:
          "this event has passed through Sluice 8 times; rule default/built -> target audit would be the 9th: it is a loop",
      },
    });
    expect(requests).toHaveLength(1);
  });

  it("says when nothing was stored, and when to come again", async () => {
    const { ports } = openBench({ answer: () => ({ kind: "backlog-full", retryAfterSeconds: 30 }) });
    const publish = pipeOf({ lease: leaseOf("audit"), event: eventWithHops() }, ports);
    expect(await publish(piped())).toEqual({
      ok: false,
      error: { reason: "not-stored", detail: "the bus other did not store it (backlog-full)", retryAfterMs: 30_000 },
    });
  });
});
