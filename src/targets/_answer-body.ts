/** Reads the body of a target's answer: bounded in bytes and in time. */
import { ANSWER_BYTES_MAX } from "./_answer.ts";

/**
 * At most the first `bytesMax` bytes, until the signal aborts. What is left is cancelled, never read: six open bodies would block
 * every other request of the invocation.
 */
export async function readAnswerBytes(response: Response, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  // Content-Length is not believed: beside chunks it says what the target likes, and workerd hands both on.
  const reader = response.body.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    while (length < bytesMax && !signal.aborted) {
      const read = await reader.read();
      if (read.done) break;
      const kept = (read.value as Uint8Array).subarray(0, bytesMax - length);
      chunks.push(kept);
      length += kept.length;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The first `ANSWER_BYTES_MAX` bytes as text. A character that the limit cuts in two stays in the decoder and is dropped. */
export function answerText(bytes: Uint8Array): string {
  const cut = bytes.length >= ANSWER_BYTES_MAX;
  return new TextDecoder().decode(bytes.subarray(0, ANSWER_BYTES_MAX), { stream: cut });
}
