import { expect, it } from "vitest";
import { QUEUE_METADATA_BYTES, queueMessageBytes, readQueueRefusal } from "../../src/core/queue-message.ts";

it("counts bytes of UTF-8 and the metadata", () => {
  expect(queueMessageBytes("")).toBe(QUEUE_METADATA_BYTES);
  expect(queueMessageBytes("aé€")).toBe(QUEUE_METADATA_BYTES + 6);
});

it.each([
  ["Queue send failed: Payload Too Large", "too-large"],
  ["batch size of 291898 bytes exceeds limit of 256000 bytes (10205)", "too-large"],
  ["Queue send failed: Message size out of bounds (10204)", "too-large"],
  ["Queue send failed: Too Many Requests", "busy"],
  ["Queue sendBatch failed: Queue is overloaded. Please back off.", "busy"],
  ["Queue send failed: Queue is overloaded (10250)", "busy"],
  ["Queue send failed: Queue storage limit exceeded (10251)", "busy"],
  ["Queue send failed: Queue disabled (10252)", "busy"],
  ["Queue send failed: Free tier limit exceeded (10253)", "busy"],
  ["Queue send failed: Unknown error (15000)", "other"],
  ["Queue send failed: Queue does not exist (10104)", "other"],
  ["internal error; reference = 41341353 413 429", "other"],
])("reads %j as %s", (text, expected) => {
  expect(readQueueRefusal(text)).toBe(expected);
});
