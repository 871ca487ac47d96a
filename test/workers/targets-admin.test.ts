/** Targets through the whole Worker: limits aside, what their gates and partitions do when one is paused, gone or failing. */
import { createExecutionContext, createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GatePort } from "../../src/bus/gate-ports.ts";
import { gateName, partitionName } from "../../src/core/receipt.ts";
import worker from "../../src/index.ts";
import type { Answer, SentRequest } from "./router.ts";
import {
  admin,
  adminToken,
  answerTargets,
  eventById,
  eventOf,
  eventWithStatus,
  partition,
  problemOf,
  receiptOf,
  send,
  sendWith,
  structuredCall,
} from "./router.ts";

/** The one target of the sample rules. */
const TARGET = "printer";
/** Enough to outweigh what the other tests have delivered in the last minute, and then to be counted by the gate. */
const FAILING_EVENTS = 40;

interface ShownTarget {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
  readonly until?: string;
  readonly version: number;
}

let sent: readonly SentRequest[] = [];
let targetAnswer: (request: SentRequest) => Response = () => new Response("ok");
let ids = 0;

beforeEach(async () => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  targetAnswer = () => new Response("ok");
  sent = answerTargets((request) => targetAnswer(request));
  await resume();
});

afterEach(() => {
  vi.restoreAllMocks();
});

function change(action: "pause" | "resume", target = TARGET): Promise<Answer> {
  return send(`/api/targets/${target}/${action}`, { headers: adminToken() });
}

async function shown(answer: Promise<Answer>): Promise<ShownTarget> {
  const { status, json } = await answer;
  expect({ status, json }).toMatchObject({ status: 200 });
  return json as ShownTarget;
}

const pause = () => shown(change("pause"));
const resume = () => shown(change("resume"));

async function listed(): Promise<ShownTarget> {
  const { targets } = await admin<{ readonly targets: readonly ShownTarget[] }>("/targets");
  const found = targets.find(({ name }) => name === TARGET);
  if (found === undefined) throw new Error("the sample target is not listed");
  return found;
}

function gate(): GatePort {
  return env.GATE.get(env.GATE.idFromName(gateName(TARGET))) as unknown as GatePort;
}

/** An event of a source of its own, so that the four partitions share them. */
async function publish(): Promise<string> {
  const id = `held-${++ids}`;
  return receiptOf(await send("/events", structuredCall(eventOf({ id, source: `/tests/${id}` })))).id;
}

async function publishMany(count: number): Promise<readonly string[]> {
  const receipts: string[] = [];
  for (let index = 0; index < count; index++) receipts.push(await publish());
  return receipts;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 600));

describe("who may look at targets and change them", () => {
  it.each([
    ["GET", "/api/targets"],
    ["POST", `/api/targets/${TARGET}/pause`],
    ["POST", `/api/targets/${TARGET}/resume`],
    ["POST", "/api/targets/nobody/pause"],
  ])("%s %s needs the admin's token", async (method, path) => {
    expect(problemOf(await send(path, { method }))).toBe("401 wrong-admin-token");
    expect(problemOf(await sendWith({ ADMIN_TOKEN: undefined }, path, { method }))).toBe("403 admin-closed");
    expect((await listed()).state).toBe("free");
  });

  it("a target that is not there is not found, and a wrong method neither", async () => {
    expect(problemOf(await change("pause", "nobody"))).toBe("404 not-found");
    expect(problemOf(await send(`/api/targets/${TARGET}/pause`, { method: "GET", headers: adminToken() }))).toBe(
      "404 not-found",
    );
  });
});

describe("a pause", () => {
  it("holds deliveries of every partition until the target is resumed; nothing is lost", async () => {
    expect(await listed()).toMatchObject({ state: "free" });
    const paused = await pause();
    expect(paused).toMatchObject({ name: TARGET, state: "held", reason: "paused" });
    expect(paused).not.toHaveProperty("until");
    expect(await pause()).toEqual(paused);
    expect(await listed()).toMatchObject({ state: "held", reason: "paused", version: paused.version });

    const receipts = await publishMany(8);
    await settled();
    expect(sent).toEqual([]);
    for (const id of receipts) {
      expect(await eventById(id)).toMatchObject({ status: "pending", deliveries: [{ attemptCount: 0 }] });
    }

    const resumed = await resume();
    expect(resumed).toMatchObject({ state: "free" });
    expect(resumed.version).toBeGreaterThan(paused.version);
    expect(await resume()).toEqual(resumed);
    for (const id of receipts) {
      expect(await eventWithStatus(id, "delivered")).toMatchObject({ deliveries: [{ attemptCount: 1 }] });
    }
    expect(sent).toHaveLength(receipts.length);
  });

  it("that partitions have missed is told them by the sweep", async () => {
    const missed = await gate().pause(TARGET, "paused");
    expect(missed.changed).toBe(true);
    await worker.scheduled(createScheduledController(), env as never, createExecutionContext());
    const id = await publish();
    await settled();
    expect(sent).toEqual([]);
    await resume();
    await eventWithStatus(id, "delivered");
  });

  it("that an object can't be told of answers 503 with its name, and holds all the same where it was heard", async () => {
    const deaf = partitionName("default", 4, 2);
    const namespace = {
      idFromName: (name: string) => name,
      get: (name: string) =>
        name === deaf ? { setTargetStatuses: () => Promise.reject(new Error("down")) } : partition(name),
    };
    const answer = await sendWith({ PARTITION: namespace }, `/api/targets/${TARGET}/pause`, { headers: adminToken() });
    expect(problemOf(answer)).toBe("503 try-again");
    expect(answer.text).toContain(`1 of its partitions (${deaf})`);
    expect(await listed()).toMatchObject({ state: "held", reason: "paused" });
  });
});

describe("a target that answers 410", () => {
  it("is paused; the delivery waits with the attempt on record, and goes out after a resume", async () => {
    targetAnswer = () => new Response("moved away", { status: 410 });
    const first = await publish();
    await vi.waitFor(async () => expect(await listed()).toMatchObject({ state: "held", reason: "target-gone" }));
    const second = await publish();
    await settled();
    expect(sent).toHaveLength(1);
    expect(await eventById(first)).toMatchObject({
      status: "pending",
      deliveries: [
        { attempts: [{ outcome: "permanent", reason: "target-gone", answer: { status: 410, body: "moved away" } }] },
      ],
    });
    expect(await eventById(second)).toMatchObject({ status: "pending", deliveries: [{ attemptCount: 0 }] });

    targetAnswer = () => new Response("ok");
    await resume();
    expect(await eventWithStatus(first, "delivered")).toMatchObject({ deliveries: [{ attemptCount: 2 }] });
    await eventWithStatus(second, "delivered");
  });
});

describe("a target that fails and fails", () => {
  it("is held by its breaker for half a minute, in every partition, and resume lets it go at once", async () => {
    targetAnswer = () => new Response("broken", { status: 500 });
    await publishMany(FAILING_EVENTS);
    await vi.waitFor(async () => expect(await listed()).toMatchObject({ state: "held", reason: "breaker" }), {
      timeout: 5_000,
    });
    const { until = "" } = await listed();
    const leftMs = Date.parse(until) - Date.now();
    expect(leftMs).toBeGreaterThan(20_000);
    expect(leftMs).toBeLessThanOrEqual(30_000);

    await settled();
    const before = sent.length;
    const held = await publishMany(4);
    await settled();
    expect(sent).toHaveLength(before);
    for (const id of held) expect(await eventById(id)).toMatchObject({ deliveries: [{ attemptCount: 0 }] });

    targetAnswer = () => new Response("ok");
    await resume();
    for (const id of held) await eventWithStatus(id, "delivered");
  });
});
