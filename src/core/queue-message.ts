/** What a Cloudflare Queue counts of a message, and what its refusals mean. */

/** https://developers.cloudflare.com/queues/platform/limits/: about 100 bytes of metadata count towards a message's limit. */
export const QUEUE_METADATA_BYTES = 100;

/** Bytes of a message as the limits count them. */
export function queueMessageBytes(body: string): number {
  return new TextEncoder().encode(body).length + QUEUE_METADATA_BYTES;
}

/** `busy`: what an HTTP API says with status 429. */
export type QueueRefusal = "too-large" | "busy" | "other";

/**
 * Reads the text of the exception that a producer's `send` or `sendBatch` throws: `Queue send failed: <text> (<code>)`.
 *
 * - https://developers.cloudflare.com/queues/reference/error-codes/: the code stands at the end of the message; 10204 and 10205
 *   are a message and a batch over their size; the "429 type errors" are 10250 overloaded, 10251 storage limit exceeded, 10252
 *   disabled, 10253 free tier limit exceeded.
 * - https://developers.cloudflare.com/queues/platform/limits/: over 5,000 messages a second it is "Too Many Requests", and
 *   workerd (src/workerd/api/queue.c++) hands on the status text; cloudflare/workerd#6053: "Queue is overloaded. Please back
 *   off." Both came without a code before there were codes.
 *
 * What isn't known is `other`, to be tried again.
 */
export function readQueueRefusal(text: string): QueueRefusal {
  if (/\(1020[45]\)|payload too large|\bbytes exceeds limit\b|(?:^|: )413\b/i.test(text)) return "too-large";
  return /\(1025[0-3]\)|too many requests|overloaded|(?:^|: )429\b/i.test(text) ? "busy" : "other";
}
