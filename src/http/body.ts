/** Reads a request's body: raw, bounded in bytes and in time. */
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";

/** Until large bodies are kept outside the partition, a row of SQLite (2 MB) is the bound. */
export const BODY_BYTES_MAX = 1_048_576;
/** A sender that is slower than this would hold the answer past GitHub's 10 s. */
export const BODY_TIMEOUT_MS = 4_000;

/** The bytes as they came. Counts them while they stream: Content-Length is only a reason to refuse early. */
export async function readBody(
  request: Request,
  bytesMax: number = BODY_BYTES_MAX,
  timeoutMs: number = BODY_TIMEOUT_MS,
): Promise<Result<Uint8Array, Rejection>> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (encoding !== "" && encoding !== "identity") {
    return err({ reason: "unsupported-content-encoding", found: encoding.slice(0, 40) });
  }
  if (Number(request.headers.get("content-length") ?? "0") > bytesMax)
    return err({ reason: "body-too-large", bytesMax });
  if (request.body === null) return ok(new Uint8Array());

  const reader = request.body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), timeoutMs);
  });
  let bytes = new Uint8Array();
  let length = 0;
  try {
    for (;;) {
      const part = await Promise.race([reader.read(), late]);
      if (part === "late") return err({ reason: "body-timeout", timeoutMs });
      // A copy, not a view: what crosses to a partition takes its whole buffer along.
      if (part.done) return ok(length === bytes.byteLength ? bytes : bytes.slice(0, length));
      const chunk = part.value as Uint8Array;
      if (length + chunk.byteLength > bytesMax) return err({ reason: "body-too-large", bytesMax });
      bytes = withRoom(bytes, length, chunk.byteLength);
      bytes.set(chunk, length);
      length += chunk.byteLength;
    }
  } catch {
    return err({ reason: "body-unreadable" });
  } finally {
    clearTimeout(timer);
    // Lets go of what is left unread; a sender that has hung up makes this reject, which changes nothing.
    reader.cancel().catch(() => undefined);
  }
}

/**
 * One buffer that doubles, instead of a list of chunks: a body that comes byte by byte would otherwise hold a hundred times its
 * size.
 */
function withRoom(bytes: Uint8Array<ArrayBuffer>, length: number, added: number): Uint8Array<ArrayBuffer> {
  if (length + added <= bytes.byteLength) return bytes;
  const larger = new Uint8Array(Math.max(length + added, 2 * bytes.byteLength));
  larger.set(bytes.subarray(0, length));
  return larger;
}
