/** Reads a request's body: raw, bounded in bytes and in time. */
import type { Rejection } from "../core/rejection.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import { contentEncodingOf } from "./gzip.ts";

/** What is read into memory as a whole and stored in a partition, where a row of SQLite (2 MB) is the bound. */
export const BODY_BYTES_MAX = 1_048_576;
/** A sender that is slower than this would hold the answer past GitHub's 10 s. */
export const BODY_TIMEOUT_MS = 4_000;

/** A body that is being read. */
export interface BodyReader {
  /** The next part; null at the end. */
  readonly next: () => Promise<Result<Uint8Array, Rejection> | null>;
  /** Sets the time limit anew, counted from now. */
  readonly limitTime: (timeoutMs: number) => void;
  /** Lets go of what is left unread. */
  readonly close: () => void;
}

/** The bytes of the body as far as they were read. */
export interface BodyStart {
  readonly bytes: Uint8Array;
  /** Nothing follows. */
  readonly isWhole: boolean;
}

/** What Content-Length says: only a reason to act early, since the bytes are counted while they stream. */
export function declaredBytes(request: Request): number {
  return Number(request.headers.get("content-length") ?? "0");
}

/** Refuses what is compressed, but for gzip where that is taken. */
export function openBody(
  request: Request,
  timeoutMs: number = BODY_TIMEOUT_MS,
  takesGzip = false,
): Result<BodyReader, Rejection> {
  const encoding = contentEncodingOf(request.headers);
  if (encoding !== "" && encoding !== "identity" && !(takesGzip && encoding === "gzip")) {
    const found = encoding.slice(0, 40);
    return err({ reason: "unsupported-content-encoding", found, ...(takesGzip ? { takesGzip } : {}) });
  }
  const reader = request.body?.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let limitMs = timeoutMs;
  let onLate: (late: "late") => void = () => {};
  const late = new Promise<"late">((resolve) => (onLate = resolve));

  function limitTime(ms: number): void {
    clearTimeout(timer);
    limitMs = ms;
    timer = setTimeout(() => onLate("late"), ms);
  }

  if (reader !== undefined) limitTime(timeoutMs);
  return ok({
    limitTime,
    async next() {
      if (reader === undefined) return null;
      try {
        const part = await Promise.race([reader.read(), late]);
        if (part === "late") return err({ reason: "body-timeout", timeoutMs: limitMs });
        return part.done ? null : ok(part.value as Uint8Array);
      } catch {
        return err({ reason: "body-unreadable" });
      }
    },
    close() {
      clearTimeout(timer);
      // A sender that has hung up makes this reject, which changes nothing.
      reader?.cancel().catch(() => undefined);
    },
  });
}

/** The whole body, or its start where it is longer: then some more than `bytesMax`. */
export async function readStart(reader: BodyReader, bytesMax: number): Promise<Result<BodyStart, Rejection>> {
  let bytes = new Uint8Array();
  let length = 0;
  for (;;) {
    const part = await reader.next();
    // A copy, not a view: what crosses to a partition takes its whole buffer along.
    if (part === null)
      return ok({ bytes: length === bytes.byteLength ? bytes : bytes.slice(0, length), isWhole: true });
    if (!part.ok) return part;
    bytes = withRoom(bytes, length, part.value.byteLength);
    bytes.set(part.value, length);
    length += part.value.byteLength;
    if (length > bytesMax) return ok({ bytes: bytes.subarray(0, length), isWhole: false });
  }
}

/** The bytes as they came. */
export async function readBody(
  request: Request,
  bytesMax: number = BODY_BYTES_MAX,
  timeoutMs: number = BODY_TIMEOUT_MS,
  takesGzip = false,
): Promise<Result<Uint8Array, Rejection>> {
  const reader = openBody(request, timeoutMs, takesGzip);
  if (!reader.ok) return reader;
  try {
    if (declaredBytes(request) > bytesMax) return err({ reason: "body-too-large", bytesMax });
    const start = await readStart(reader.value, bytesMax);
    if (!start.ok) return start;
    return start.value.isWhole ? ok(start.value.bytes) : err({ reason: "body-too-large", bytesMax });
  } finally {
    reader.value.close();
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
