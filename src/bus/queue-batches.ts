/**
 * Messages to one queue that are sent at about the same time leave in one `sendBatch`: one call, and one connection, for all.
 * Made for one invocation: what another request is waiting for can't be waited for here (Workers, "I/O on behalf of a different
 * request").
 */
import { queueMessageBytes, readQueueRefusal } from "../core/queue-message.ts";
import type { QueueBinding, QueueMessage } from "../core/target.ts";

/** https://developers.cloudflare.com/queues/platform/limits/: messages of a `sendBatch`, and its bytes, 1 KB being 1,000. */
export const QUEUE_BATCH_MESSAGES_MAX = 100;
export const QUEUE_BATCH_BYTES_MAX = 256_000;

/** A message waits so long for others. */
export const QUEUE_BATCH_WAIT_MS = 20;

/**
 * A call that takes longer holds up the messages behind it no more; seen in production: 57 s (cloudflare/workerd#6053). Each
 * message of it still waits for its own deadline.
 */
export const QUEUE_CALL_MS_MAX = 5_000;

/** Calls of one queue that are under way: nothing ends one that hangs, and each has one of the invocation's six connections. */
export const QUEUE_CALLS_MAX = 2;

export interface QueueBatchPorts {
  readonly sleep: (ms: number) => Promise<void>;
  readonly within: <Value>(work: Promise<Value>, timeoutMs: number) => Promise<Value | "timeout">;
}

type FindQueue = (binding: string) => QueueBinding | undefined;

interface Waiting extends QueueMessage {
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
  readonly sent: () => void;
  readonly failed: (error: unknown) => void;
}

/** Finds the queues that `find` finds, with a `send` that waits for others. */
export function batchQueues(find: FindQueue, ports: QueueBatchPorts): FindQueue {
  const known = new Map<string, QueueBinding>();
  return (binding) => {
    const queue = find(binding);
    if (queue === undefined || !takesBatches(queue)) return queue;
    const batching = known.get(binding) ?? batchingQueue(queue, ports);
    known.set(binding, batching);
    return batching;
  };
}

function takesBatches(queue: QueueBinding): queue is Required<QueueBinding> {
  return queue.sendBatch !== undefined;
}

function batchingQueue(queue: Required<QueueBinding>, { sleep, within }: QueueBatchPorts): QueueBinding {
  // Bounded by the leases that one invocation works on.
  let waiting: readonly Waiting[] = [];
  let running = false;
  const underWay = new Set<Promise<void>>();

  /** One call at a time, so that the queue holds one connection, or another where the first one hangs. Never rejects. */
  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      if (underWay.size >= QUEUE_CALLS_MAX) await Promise.race(underWay);
      if (firstBatch(waiting).length === waiting.length) await sleep(QUEUE_BATCH_WAIT_MS);
      // Sent now, it would be sent twice, and after its successor where there is an order: its delivery has gone on.
      for (const gone of waiting.filter(isGivenUp)) gone.failed(new Error(GIVEN_UP));
      waiting = waiting.filter((message) => !isGivenUp(message));
      const batch = firstBatch(waiting);
      waiting = waiting.slice(batch.length);
      if (batch.length > 0) await within(start(batch), QUEUE_CALL_MS_MAX);
    }
    running = false;
  }

  function start(batch: readonly Waiting[]): Promise<void> {
    const call = sendAll(batch).finally(() => void underWay.delete(call));
    underWay.add(call);
    return call;
  }

  async function sendAll(batch: readonly Waiting[]): Promise<void> {
    const [only] = batch;
    if (only !== undefined && batch.length === 1) return sendOne(only);
    try {
      await queue.sendBatch(batch.map(({ body, contentType }) => ({ body, contentType })));
    } catch (error) {
      // Which of them is too large is not said; nothing of a refused batch was stored.
      if (readQueueRefusal(String(error)) === "too-large") {
        for (const message of batch) await sendOne(message);
        return;
      }
      for (const { failed } of batch) failed(error);
      return;
    }
    for (const { sent } of batch) sent();
  }

  async function sendOne(message: Waiting): Promise<void> {
    const { body, contentType, sent, failed } = message;
    try {
      if (isGivenUp(message)) throw new Error(GIVEN_UP);
      await queue.send(body, { contentType });
      sent();
    } catch (error) {
      failed(error);
    }
  }

  return {
    send: (body, { contentType, signal }) =>
      new Promise((resolve, reject) => {
        const message = { body, contentType, signal, bytes: queueMessageBytes(body) };
        waiting = [...waiting, { ...message, sent: () => resolve(undefined), failed: reject }];
        if (!running) void run();
      }),
  };
}

const GIVEN_UP = "nobody waits for the message any more";

function isGivenUp({ signal }: Waiting): boolean {
  return signal?.aborted === true;
}

/** As many from the front as fit into one call; at least one. */
function firstBatch(waiting: readonly Waiting[]): readonly Waiting[] {
  let bytes = 0;
  const over = waiting.findIndex((message, index) => {
    bytes += message.bytes;
    return index > 0 && (index >= QUEUE_BATCH_MESSAGES_MAX || bytes > QUEUE_BATCH_BYTES_MAX);
  });
  return over === -1 ? waiting : waiting.slice(0, over);
}
