/**
 * Delivers to a Cloudflare Queue, one message per delivery: `audit: { queue: AUDIT }`, where AUDIT is a queue producer
 * binding in wrangler.toml.
 *
 * The message is the event in the structured mode of the CloudEvents JSON format, sent as text: the `json` content type would
 * serialise it again, and a number too large for JavaScript would come out changed. Consumers call `JSON.parse(message.body)`.
 * Queues deliver at least once and so does Sluice: the extension attribute `deliveryid` is the same on every attempt of a
 * delivery, as `webhook-id` is over HTTP, and takes the place of an attribute of that name in the event.
 */
import { structuredJson } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import { formatDuration, readBindingName, readMembers } from "../core/read-object.ts";
import { described, membersSchema } from "../core/reader-schema.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Preview, Shipment, Target, TargetIo } from "../core/target.ts";
import { beforeDeadline } from "./_deadline.ts";
import { describeFailure } from "./_failure-text.ts";

/** https://developers.cloudflare.com/queues/platform/limits/: 128 KB, and there 1 KB is 1,000 bytes. */
export const QUEUE_MESSAGE_BYTES_MAX = 128_000;

/** The same page: about 100 bytes of metadata count towards the limit. */
export const QUEUE_METADATA_BYTES = 100;

/** A queue takes 5,000 messages a second; over that it refuses until the second is over. */
const QUEUE_BUSY_RETRY_AFTER_MS = 1_000;

export interface QueueConfig {
  readonly binding: string;
}

const READERS = {
  queue: described(readBindingName, "The binding of a queue's producer in wrangler.toml.", { examples: ["AUDIT"] }),
};

function parse(entry: JsonObject): Result<QueueConfig, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const read = readMembers(entry, [], READERS, mistakes);
  if (!Object.hasOwn(entry, "queue")) mistakes.push({ path: [], message: "expected the queue's binding under queue" });
  if (read.queue === undefined || mistakes.length > 0) return err(mistakes);
  return ok({ binding: read.queue });
}

async function send(shipment: Shipment, config: QueueConfig, timeoutMs: number, io: TargetIo): Promise<Outcome> {
  const signal = io.timeoutSignal(timeoutMs);
  const queue = io.queue(config.binding);
  if (queue === undefined) {
    const detail = `there is no queue binding ${config.binding} in wrangler.toml`;
    return { kind: "permanent", reason: "configuration", detail };
  }
  const { message, tooLarge } = messageOf(shipment);
  if (tooLarge !== undefined) return { kind: "permanent", reason: "too-large", detail: tooLarge };
  try {
    // A queue's send takes no signal. One that ends after its deadline may have worked: at least once, not exactly once.
    const timed = await beforeDeadline(queue.send(message, { contentType: "text" }), signal);
    if (!timed.late) return { kind: "delivered" };
    const detail = `the queue did not confirm within ${formatDuration(timeoutMs)}`;
    return { kind: "retryable", reason: "timeout", detail };
  } catch (error) {
    return outcomeOfFailure(error);
  }
}

function preview(shipment: Shipment, config: QueueConfig): Preview {
  const { bytes, tooLarge } = messageOf(shipment);
  const problem = tooLarge === undefined ? {} : { problem: tooLarge };
  return { action: `send to queue ${config.binding}`, headers: {}, body: bytes, ...problem };
}

interface Message {
  readonly message: string;
  /** The same in UTF-8. */
  readonly bytes: Uint8Array;
  /** Why no queue takes it. */
  readonly tooLarge: string | undefined;
}

function messageOf({ deliveryId, event }: Shipment): Message {
  const message = structuredJson({ ...event, attributes: { ...event.attributes, deliveryid: deliveryId } });
  const bytes = new TextEncoder().encode(message);
  const counted = bytes.length + QUEUE_METADATA_BYTES;
  const detail = `the message has ${counted} bytes with its metadata, a queue takes ${QUEUE_MESSAGE_BYTES_MAX}`;
  return { message, bytes, tooLarge: counted > QUEUE_MESSAGE_BYTES_MAX ? detail : undefined };
}

/**
 * workerd throws `Queue send failed: <status text>`: "Too Many Requests" over the rate, "Payload Too Large" or "message size
 * of … bytes exceeds limit of … bytes" over the size. "Queue is overloaded. Please back off." is undocumented and passes
 * (workerd#6053), so whatever isn't known to be final is tried again.
 */
function outcomeOfFailure(error: unknown): Outcome {
  const text = describeFailure(error);
  const detail = `the queue refused the message: ${text}`;
  if (/payload too large|\bbytes exceeds limit\b|(?:^|: )413\b/i.test(text)) {
    return { kind: "permanent", reason: "too-large", detail };
  }
  if (!/too many requests|overloaded/i.test(text)) return { kind: "retryable", reason: "queue", detail };
  return { kind: "retryable", reason: "queue", detail, retryAfterMs: QUEUE_BUSY_RETRY_AFTER_MS };
}

const queue: Target<QueueConfig> = {
  kind: "queue",
  summary: "Sends events to a Cloudflare Queue as structured CloudEvents.",
  schema: membersSchema(READERS, { required: ["queue"] }),
  parse,
  secretNames: () => [],
  queueBindings: (config) => [config.binding],
  urls: () => [],
  localOnly: () => [],
  preview,
  send,
};

export default queue;
