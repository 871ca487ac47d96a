/**
 * Delivers to a Cloudflare Queue, one message per delivery: `audit: { queue: AUDIT }`, where AUDIT is a queue producer
 * binding in wrangler.toml. docs/queues.md describes the message for its consumers.
 *
 * The message is the event in the structured mode of the CloudEvents JSON format, sent as text: the `json` content type would
 * serialise it again, and a number too large for JavaScript would come out changed. Consumers call `JSON.parse(message.body)`.
 * Queues deliver at least once and so does Sluice: the extension attribute `deliveryid` is the same on every attempt of a
 * delivery, as `webhook-id` is over HTTP, and takes the place of an attribute of that name in the event.
 *
 * An event that is too large for a message leaves its data in the body store and refers to it by the extension attribute
 * `dataref` (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/dataref.md): what is fetched there is the
 * data as bytes, of the content type `datacontenttype`.
 */
import entry from "#entry/targets/_queue-entry.ts";
import { structuredJson } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import { queueMessageBytes, readQueueRefusal } from "../core/queue-message.ts";
import { formatDuration } from "../core/read-object.ts";
import type { Claim, Preview, QueueBinding, Shipment, Target, TargetIo } from "../core/target.ts";
import { beforeDeadline } from "./_deadline.ts";
import { describeFailure } from "./_failure-text.ts";
import type { QueueConfig } from "./_queue-entry.ts";

/** https://developers.cloudflare.com/queues/platform/limits/: 128 KB, and there 1 KB is 1,000 bytes. */
export const QUEUE_MESSAGE_BYTES_MAX = 128_000;

/** Stands in a preview where a message would refer to its data. */
export const DATAREF_SHOWN = "<claimed when sent>";

async function send(shipment: Shipment, config: QueueConfig, timeoutMs: number, io: TargetIo): Promise<Outcome> {
  const signal = io.timeoutSignal(timeoutMs);
  const queue = io.queue(config.binding);
  if (queue === undefined) {
    const detail = `there is no queue binding ${config.binding} in wrangler.toml`;
    return { kind: "permanent", reason: "configuration", detail };
  }
  try {
    // Neither a queue nor the body store takes a signal. What ends after its deadline may have worked: at least once, not
    // exactly once. What has not begun by then never does.
    const timed = await beforeDeadline(sendMessage(shipment, queue, signal, io), signal);
    if (!timed.late) return timed.value;
    const detail = `the queue did not confirm within ${formatDuration(timeoutMs)}`;
    return { kind: "retryable", reason: "timeout", detail };
  } catch (error) {
    return outcomeOfFailure(error);
  }
}

async function sendMessage(
  shipment: Shipment,
  queue: QueueBinding,
  signal: AbortSignal,
  io: TargetIo,
): Promise<Outcome> {
  const claim = claimOf(shipment);
  let message = messageOf(shipment);
  if (claim !== undefined) {
    const claimed = await io.claim(claim);
    if (!claimed.ok) {
      const { reason, detail } = claimed.error;
      return reason === "configuration"
        ? { kind: "permanent", reason, detail: `${describeSize(shipment)}, and ${detail}` }
        : { kind: "retryable", reason: "queue", detail };
    }
    message = messageOf(shipment, claimed.value);
  }
  const tooLarge = sizeProblem(message);
  if (tooLarge !== undefined) return { kind: "permanent", reason: "too-large", detail: tooLarge };
  signal.throwIfAborted();
  await queue.send(message, { contentType: "text", signal });
  return { kind: "delivered" };
}

function preview(shipment: Shipment, config: QueueConfig): Preview {
  const message = claimOf(shipment) === undefined ? messageOf(shipment) : messageOf(shipment, DATAREF_SHOWN);
  const tooLarge = sizeProblem(message);
  const problem = tooLarge === undefined ? {} : { problem: tooLarge };
  const body = new TextEncoder().encode(message);
  return { action: `send to queue ${config.binding}`, headers: {}, body, ...problem };
}

/** What the message must only refer to; undefined when it holds the data itself. */
function claimOf(shipment: Shipment): Claim | undefined {
  const { deliveryId, event, large } = shipment;
  if (large !== undefined) return { large };
  if (event.body === null || queueMessageBytes(messageOf(shipment)) <= QUEUE_MESSAGE_BYTES_MAX) return undefined;
  // CloudEvents JSON format, section 3.1: data without a content type is JSON.
  return { deliveryId, contentType: event.attributes.datacontenttype ?? "application/json", body: event.body };
}

/** The event as a message; with `dataref`, without its data. */
function messageOf({ deliveryId, event }: Shipment, dataref?: string): string {
  const attributes = { ...event.attributes, deliveryid: deliveryId };
  if (dataref === undefined) return structuredJson({ ...event, attributes });
  return structuredJson({ attributes: { ...attributes, dataref }, body: null });
}

function describeSize(shipment: Shipment): string {
  return shipment.large === undefined
    ? sizeText(messageOf(shipment))
    : `the body has ${shipment.large.bytes} bytes, a queue takes ${QUEUE_MESSAGE_BYTES_MAX}`;
}

function sizeText(message: string): string {
  return `the message has ${queueMessageBytes(message)} bytes with its metadata, a queue takes ${QUEUE_MESSAGE_BYTES_MAX}`;
}

/** Why no queue takes it. */
function sizeProblem(message: string): string | undefined {
  return queueMessageBytes(message) > QUEUE_MESSAGE_BYTES_MAX ? sizeText(message) : undefined;
}

/** A queue that is busy has answered with status 429 (workerd keeps only its text), and is given the time that one asks for. */
function outcomeOfFailure(error: unknown): Outcome {
  const text = describeFailure(error);
  const detail = `the queue refused the message: ${text}`;
  switch (readQueueRefusal(text)) {
    case "too-large":
      return { kind: "permanent", reason: "too-large", detail };
    case "busy":
      return { kind: "retryable", reason: "queue", detail, answer: { status: 429 } };
    case "other":
      return { kind: "retryable", reason: "queue", detail };
  }
}

const queue: Target<QueueConfig> = {
  kind: "queue",
  ...entry(),
  secretNames: () => [],
  queueBindings: (config) => [config.binding],
  sharesSlot: (config) => config.binding,
  serviceBindings: () => [],
  urls: () => [],
  localOnly: () => [],
  preview,
  send,
};

export default queue;
