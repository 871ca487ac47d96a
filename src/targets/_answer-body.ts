/** Reads the body of a target's answer: bounded in bytes and in time. */
import { ANSWER_BYTES_MAX } from "./_answer.ts";
import type { Timed } from "./_deadline.ts";
import { beforeDeadline } from "./_deadline.ts";

/**
 * At most the first `bytesMax` bytes. What is left is cancelled, never read: six open bodies would block every other request
 * of the invocation.
 */
export async function readAnswerBytes(
  response: Response,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Timed<Uint8Array>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return { late: false, value: new Uint8Array() };
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    while (length < bytesMax) {
      const read = await beforeDeadline(reader.read(), signal);
      if (read.late) return read;
      if (read.value.done) break;
      const kept = (read.value.value as Uint8Array).subarray(0, bytesMax - length);
      chunks.push(kept);
      length += kept.length;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { late: false, value: bytes };
}

/** The first `ANSWER_BYTES_MAX` bytes as text. A character that the limit cuts in two stays in the decoder and is dropped. */
export function answerText(bytes: Uint8Array): string {
  const cut = bytes.length >= ANSWER_BYTES_MAX;
  return new TextDecoder().decode(bytes.subarray(0, ANSWER_BYTES_MAX), { stream: cut });
}
