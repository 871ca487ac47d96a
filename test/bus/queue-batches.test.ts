import { describe, expect, it } from "vitest";
import {
  batchQueues,
  QUEUE_BATCH_BYTES_MAX,
  QUEUE_BATCH_MESSAGES_MAX,
  QUEUE_BATCH_WAIT_MS,
  QUEUE_CALL_MS_MAX,
  QUEUE_CALLS_MAX,
} from "../../src/bus/queue-batches.ts";
import { QUEUE_METADATA_BYTES } from "../../src/core/queue-message.ts";
import type { QueueBinding } from "../../src/core/target.ts";
import { createTimeline } from "../simulation/timeline.ts";

type Answer = (messages: readonly string[], call: number) => Promise<void>;

/** A queue on simulated time from zero; `answer` says what it does with a call, by the messages of it. */
function openBench(answer: Answer = () => Promise.resolve()) {
  const timeline = createTimeline(0);
  const calls: { readonly at: number; readonly kind: "send" | "sendBatch"; readonly messages: readonly string[] }[] =
    [];
  const ends: Record<string, string> = {};
  const call = (kind: "send" | "sendBatch", messages: readonly string[]) => {
    calls.push({ at: timeline.now(), kind, messages });
    return answer(messages, calls.length);
  };
  const queue: QueueBinding = {
    send: (message) => call("send", [message]),
    sendBatch: (messages) =>
      call(
        "sendBatch",
        messages.map(({ body }) => body),
      ),
  };
  const find = batchQueues((binding) => (binding === "AUDIT" ? queue : undefined), {
    sleep: timeline.sleep,
    within: (work, ms) => Promise.race([work, timeline.sleep(ms).then(() => "timeout" as const)]),
  });
  return {
    calls,
    ends,
    sleep: timeline.sleep,
    sizes: () => calls.map(({ messages }) => messages.length),
    /** `forMs`: its sender waits so long for it. */
    sendAt(at: number, message: string, forMs?: number) {
      timeline.after(at, () => {
        const { signal, abort } = createDeadline();
        if (forMs !== undefined) timeline.after(timeline.now() + forMs, abort);
        const sent = find("AUDIT")?.send(message, { contentType: "text", signal });
        sent?.then(
          () => void (ends[message] = `sent at ${timeline.now()}`),
          (error: Error) => void (ends[message] = error.message),
        );
      });
    },
    run: () => timeline.run(120_000, () => {}),
  };
}

function createDeadline(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

describe("messages to one queue", () => {
  it("leave together when they are sent at about the same time", async () => {
    const bench = openBench();
    for (const [at, message] of [
      [0, "a"],
      [0, "b"],
      [QUEUE_BATCH_WAIT_MS - 1, "c"],
      [500, "d"],
    ] as const) {
      bench.sendAt(at, message);
    }
    await bench.run();
    expect(bench.calls).toEqual([
      { at: QUEUE_BATCH_WAIT_MS, kind: "sendBatch", messages: ["a", "b", "c"] },
      { at: 500 + QUEUE_BATCH_WAIT_MS, kind: "send", messages: ["d"] },
    ]);
    expect(bench.ends).toEqual({ a: "sent at 20", b: "sent at 20", c: "sent at 20", d: "sent at 520" });
  });

  it("are a hundred to a call, and no more", async () => {
    const bench = openBench();
    for (let n = 0; n <= QUEUE_BATCH_MESSAGES_MAX; n++) bench.sendAt(0, `m${n}`);
    await bench.run();
    expect(bench.sizes()).toEqual([QUEUE_BATCH_MESSAGES_MAX, 1]);
    const exactly = openBench();
    for (let n = 0; n < QUEUE_BATCH_MESSAGES_MAX; n++) exactly.sendAt(0, `m${n}`);
    await exactly.run();
    expect(exactly.sizes()).toEqual([QUEUE_BATCH_MESSAGES_MAX]);
  });

  it("fill a call to its bytes, metadata counted, and not one more", async () => {
    const half = QUEUE_BATCH_BYTES_MAX / 2 - QUEUE_METADATA_BYTES;
    for (const [last, sizes] of [
      ["b", [2]],
      ["bb", [1, 1]],
    ] as const) {
      const bench = openBench();
      bench.sendAt(0, "a".repeat(half));
      bench.sendAt(0, "c".repeat(half - 1) + last);
      await bench.run();
      expect(bench.sizes()).toEqual(sizes);
    }
  });

  it("use one connection: those that come while a call is under way wait for it, and leave together", async () => {
    const bench = openBench(() => bench.sleep(1_000));
    bench.sendAt(0, "a");
    for (const message of ["b", "c", "d"]) bench.sendAt(100, message);
    await bench.run();
    expect(bench.calls.map(({ at, messages }) => [at, messages])).toEqual([
      [20, ["a"]],
      [1_040, ["b", "c", "d"]],
    ]);
  });

  it("are not held up for ever by a call that hangs", async () => {
    const bench = openBench((_, call) => (call === 1 ? new Promise(() => {}) : Promise.resolve()));
    bench.sendAt(0, "a");
    bench.sendAt(100, "b");
    await bench.run();
    expect(bench.ends).toEqual({ b: `sent at ${QUEUE_CALL_MS_MAX + 2 * QUEUE_BATCH_WAIT_MS}` });
  });
});

describe("a queue whose calls hang", () => {
  it("has so many under way and no more: each of them keeps its connection", async () => {
    const bench = openBench((_, call) => (call === 1 ? bench.sleep(57_000) : new Promise(() => {})));
    for (const [index, message] of ["a", "b", "c", "d", "e"].entries()) bench.sendAt(index * 6_000, message);
    await bench.run();
    expect(QUEUE_CALLS_MAX).toBe(2);
    expect(bench.calls.map(({ at, messages }) => [at, messages])).toEqual([
      [QUEUE_BATCH_WAIT_MS, ["a"]],
      [6_000 + QUEUE_BATCH_WAIT_MS, ["b"]],
      [57_000 + 2 * QUEUE_BATCH_WAIT_MS, ["c", "d", "e"]],
    ]);
  });
});

describe("a message whose sender waits no longer", () => {
  it("is not sent after all: by then another attempt may be under way", async () => {
    const bench = openBench((_, call) => (call === 1 ? new Promise(() => {}) : Promise.resolve()));
    bench.sendAt(0, "a");
    bench.sendAt(100, "given up", QUEUE_CALL_MS_MAX - 1_000);
    bench.sendAt(100, "b");
    await bench.run();
    expect(bench.calls.map(({ messages }) => messages)).toEqual([["a"], ["b"]]);
    expect(bench.ends["given up"]).toBe("nobody waits for the message any more");
  });

  it("is not sent alone either when its batch was too large", async () => {
    const bench = openBench((messages) => {
      if (messages.length > 1) return Promise.reject(new Error("Queue sendBatch failed: Payload Too Large"));
      return bench.sleep(1_000);
    });
    bench.sendAt(0, "a");
    bench.sendAt(0, "given up", 500);
    await bench.run();
    expect(bench.calls.map(({ messages }) => messages)).toEqual([["a", "given up"], ["a"]]);
    expect(bench.ends["given up"]).toBe("nobody waits for the message any more");
  });
});

describe("a call that fails", () => {
  it("fails each of its messages with what the queue said", async () => {
    const bench = openBench(() => Promise.reject(new Error("Queue sendBatch failed: Too Many Requests")));
    for (const message of ["a", "b"]) bench.sendAt(0, message);
    await bench.run();
    expect(bench.sizes()).toEqual([2]);
    expect(new Set(Object.values(bench.ends))).toEqual(new Set(["Queue sendBatch failed: Too Many Requests"]));
    expect(Object.keys(bench.ends)).toHaveLength(2);
  });

  it("for its size condemns only the message that is too large", async () => {
    const refusal = "message size of 128001 bytes exceeds limit of 128000 bytes (10204)";
    const bench = openBench((messages) =>
      messages.includes("huge") ? Promise.reject(new Error(refusal)) : Promise.resolve(),
    );
    for (const message of ["a", "huge", "b"]) bench.sendAt(0, message);
    await bench.run();
    expect(bench.calls.map(({ kind, messages }) => [kind, messages])).toEqual([
      ["sendBatch", ["a", "huge", "b"]],
      ["send", ["a"]],
      ["send", ["huge"]],
      ["send", ["b"]],
    ]);
    expect(bench.ends).toEqual({ a: "sent at 20", huge: refusal, b: "sent at 20" });
  });

  it("does not stop those that come after it", async () => {
    const bench = openBench((_, call) => (call === 1 ? Promise.reject(new Error("no")) : Promise.resolve()));
    bench.sendAt(0, "a");
    bench.sendAt(100, "b");
    await bench.run();
    expect(bench.ends).toEqual({ a: "no", b: "sent at 120" });
  });
});

describe("a queue", () => {
  it("that takes no batches is used as it is, and one that is not there is not there", () => {
    const plain: QueueBinding = { send: () => Promise.resolve() };
    const ports = { sleep: () => Promise.resolve(), within: <Value>(work: Promise<Value>) => work };
    const find = batchQueues((binding) => (binding === "PLAIN" ? plain : undefined), ports);
    expect(find("PLAIN")).toBe(plain);
    expect(find("OTHER")).toBeUndefined();
  });
});
