/**
 * Requests whose payload stands in the body store: it is streamed from there to the target, and never in memory as a whole. To
 * be signed it is read from the store once before.
 */
import type { Outcome } from "../core/outcome.ts";
import { formatDuration } from "../core/read-object.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Hashing, RunningHash } from "../core/source.ts";
import type { LargeBody, Preview, Shipment, TargetIo } from "../core/target.ts";
import { beforeDeadline } from "./_deadline.ts";
import { describeFailure } from "./_failure-text.ts";
import type { HttpConfig, HttpRequest } from "./_http-request.ts";
import { prepareRequest } from "./_http-request.ts";

const MISSING: Outcome = {
  kind: "permanent",
  reason: "body-missing",
  detail: "the event's payload is not in the body store any more",
};

/** The text around the payload: of a structured event all but its data, else nothing. */
interface Frame {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** With what bounds the attempt in time. */
export interface LargeIo extends TargetIo {
  readonly signal: AbortSignal;
  /** That time, for words only. */
  readonly timeoutMs: number;
}

/** As `prepareRequest`, with a body that is opened when it is sent. */
export async function prepareLarge(
  shipment: Shipment,
  large: LargeBody,
  config: HttpConfig,
  io: LargeIo,
  token?: string,
): Promise<Result<HttpRequest, Outcome>> {
  // Structured, an empty payload leaves `…,"data":}`: the payload belongs before the last byte.
  const hollow = withEmptyBody(shipment);
  const isFramed = config.format === "structured";
  const at = io.now();
  // First with signatures that are none: that says what is signed, and with which keys.
  const asked: { readonly key: Uint8Array | string; readonly head: Uint8Array }[] = [];
  let isWhole = false;
  const draft = prepareRequest(hollow, config, { ...io, now: () => at, hashing: recorder(io.hashing) }, token);
  if (!draft.ok) return draft;
  if (isWhole) {
    const detail = `an ed25519 signature needs the payload as a whole, and ${large.bytes} bytes are too many for that: sign with whsec_`;
    return err({ kind: "permanent", reason: "too-large", detail });
  }
  const cut = (bytes: Uint8Array): Frame => {
    const end = isFramed ? bytes.length - 1 : bytes.length;
    return { before: bytes.subarray(0, end), after: bytes.subarray(end) };
  };
  const macs = asked.map(({ key, head }) => startMac(key, cut(head), io.hashing));
  const failed = macs.length === 0 ? undefined : await readThrough(large, macs, io);
  if (failed !== undefined) return err(failed);
  const digests = macs.map(({ finish }) => finish());
  const signed: Hashing = { ...io.hashing, hmacSha256: () => digests.shift() ?? new Uint8Array() };
  const prepared = prepareRequest(hollow, config, { ...io, now: () => at, hashing: signed }, token);
  if (!prepared.ok) return prepared;
  const frame = isFramed ? cut(prepared.value.body) : { before: new Uint8Array(), after: new Uint8Array() };
  return ok({
    ...prepared.value,
    stream: async (signal) => {
      const body = await io.openBody(large.key);
      return body === null ? err(MISSING) : ok(framed(body, large.bytes, frame, signal));
    },
  });

  function recorder(hashing: Hashing): Hashing {
    return {
      ...hashing,
      hmacSha256(key, data) {
        asked.push({ key, head: typeof data === "string" ? new TextEncoder().encode(data) : data });
        return new Uint8Array();
      },
      signEd25519() {
        isWhole = true;
        return new Uint8Array();
      },
      // A key pair is looked at before it signs; with signatures that are none it would look wrong.
      verifyEd25519: () => true,
    };
  }
}

/** What is shown of a request whose payload is streamed: all but that. */
export function previewLarge(shipment: Shipment, preview: (shipment: Shipment) => Preview): Preview {
  const { large } = shipment;
  if (large === undefined) return preview(shipment);
  const shown = preview(withEmptyBody(shipment));
  return { ...shown, body: null, bodyBytes: large.bytes + (shown.body?.length ?? 0) };
}

/** An empty payload is one all the same: it has a content type. */
function withEmptyBody(shipment: Shipment): Shipment {
  return { ...shipment, event: { ...shipment.event, body: new Uint8Array() } };
}

interface Mac {
  readonly update: RunningHash["update"];
  readonly finish: () => Uint8Array;
}

function startMac(key: Uint8Array | string, { before, after }: Frame, { startHmac }: Hashing): Mac {
  const mac = startHmac("sha256", key);
  mac.update(before);
  return {
    update: mac.update,
    finish() {
      mac.update(after);
      return mac.digest();
    },
  };
}

/** Answers why the body could not be read to its end, if it could not. */
async function readThrough(
  { key }: LargeBody,
  macs: readonly Mac[],
  { openBody, signal, timeoutMs }: LargeIo,
): Promise<Outcome | undefined> {
  try {
    const timed = await beforeDeadline(readBody(), signal);
    if (!timed.late) return timed.value ? undefined : MISSING;
    const detail = `the stored payload could not be read within ${formatDuration(timeoutMs)}`;
    return { kind: "retryable", reason: "timeout", detail };
  } catch (error) {
    const detail = `the stored payload could not be read: ${describeFailure(error)}`;
    return { kind: "retryable", reason: "network", detail };
  }

  async function readBody(): Promise<boolean> {
    const body = await openBody(key);
    if (body === null) return false;
    const reader = body.getReader();
    // Nobody waits for the rest, which would hold a connection.
    const letGo = () => void reader.cancel().catch(() => undefined);
    if (signal.aborted) letGo();
    signal.addEventListener("abort", letGo, { once: true });
    for (let part = await reader.read(); !part.done && !signal.aborted; part = await reader.read()) {
      for (const { update } of macs) update(part.value);
    }
    return true;
  }
}

/** A stream that knows its length, where the runtime can: a request with one has a Content-Length. */
function framed(
  body: ReadableStream<Uint8Array>,
  bytes: number,
  { before, after }: Frame,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const length = before.length + bytes + after.length;
  const isFixed = typeof FixedLengthStream !== "undefined";
  const { readable, writable } = isFixed
    ? new FixedLengthStream(length)
    : new TransformStream<Uint8Array, Uint8Array>();
  // What goes wrong here the request meets as the end of its body.
  void copy().catch((error: unknown) => writable.abort(error).catch(() => undefined));
  return readable as ReadableStream<Uint8Array>;

  async function copy(): Promise<void> {
    await write(before);
    await body.pipeTo(writable as WritableStream<Uint8Array>, { preventClose: true, signal });
    await write(after);
    await writable.close();
  }

  async function write(part: Uint8Array): Promise<void> {
    if (part.length === 0) return;
    const writer = writable.getWriter();
    await writer.write(part);
    writer.releaseLock();
  }
}
