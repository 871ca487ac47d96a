/**
 * Bodies that come compressed, at sources that take them (`gzip: true`): one member of RFC 1952. What they become is bounded, in
 * bytes and as a multiple of what came, so that a few kilobytes can't be made into work without end.
 */
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";

/** A body may become so many times as large as it came. JSON becomes 5 to 20 times as large. */
export const GZIP_RATIO_MAX = 100;
/** Up to here the ratio does not count: a few bytes may well stand for many alike. */
export const GZIP_RATIO_FLOOR_BYTES = 65_536;

/**
 * The decompressor gets so much at a time: workerd's makes all that it can of what it gets, whether or not anybody reads it, and
 * with that a megabyte would become a gigabyte. So these become 17 MB at most (deflate: 1,032 times as much).
 */
export const FEED_BYTES = 16_384;

/** `gzip` for the one encoding that is taken here; a list of encodings is another, and never taken. */
export function contentEncodingOf(headers: Pick<Headers, "get">): string {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  // RFC 9110, section 8.4.1.3: x-gzip is the same.
  return encoding === "x-gzip" ? "gzip" : encoding;
}

/** The bytes that `encoded` stands for, at most `bytesMax`. */
export async function gunzip(encoded: Uint8Array, bytesMax: number): Promise<Result<Uint8Array, Rejection>> {
  const ratioBytesMax = Math.max(GZIP_RATIO_FLOOR_BYTES, encoded.length * GZIP_RATIO_MAX);
  const { readable, writable } = new DecompressionStream("gzip");
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isOver = false;
  void feed();
  try {
    for (;;) {
      const part = await reader.read();
      if (part.done) break;
      length += part.value.length;
      if (length > bytesMax)
        return err({ reason: "body-too-large", bytesMax, hint: "That is what it decompresses to" });
      if (length > ratioBytesMax) return err({ reason: "compression-ratio", ratioMax: GZIP_RATIO_MAX });
      chunks.push(part.value);
    }
  } catch {
    return err({ reason: "malformed-gzip" });
  } finally {
    isOver = true;
    reader.cancel().catch(() => undefined);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return ok(bytes);

  /** Never rejects: what the decompressor does not take, the reader hears of. */
  async function feed(): Promise<void> {
    const writer = writable.getWriter();
    try {
      for (let fed = 0; fed < encoded.length && !isOver; fed += FEED_BYTES) {
        // A request's body is never shared memory, which is all that this type excludes.
        await writer.write(encoded.subarray(fed, fed + FEED_BYTES) as Uint8Array<ArrayBuffer>);
        await drained();
      }
      if (!isOver) await writer.close();
    } catch {
      // The reader's to say.
    }
  }

  /** Resolves when the reader finds nothing more of what was fed so far. */
  async function drained(): Promise<void> {
    let seen: number;
    do {
      seen = length;
      await new Promise((resolve) => setTimeout(resolve, 0));
    } while (length > seen && !isOver);
  }
}
