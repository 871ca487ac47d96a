/**
 * One call of a method of another Worker, by Workers RPC.
 * Reference: https://developers.cloudflare.com/workers/runtime-apis/rpc/ (and there error-handling, lifecycle)
 */
import type { CloudEvent } from "../core/event.ts";
import { decodeUtf8, isJsonMediaType, toBase64 } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import { formatDuration } from "../core/read-object.ts";
import type { Json, Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import { RETRY_AFTER_MS_MAX } from "../core/retry.ts";
import type { ServiceCall, ServiceEvent } from "../core/service-call.ts";
import type { ServiceBinding, Shipment, TargetIo } from "../core/target.ts";
import { beforeDeadline } from "./_deadline.ts";
import { describeFailure } from "./_failure-text.ts";
import { deliver } from "./_http-delivery.ts";
import { REPLY_BYTES_MAX, readReply } from "./_reply.ts";

/** How the method gets the event's data: `json` parses what is JSON, `bytes` hands over all data as it was received. */
export const DATA_FORMS = ["json", "bytes"] as const;
export type DataForm = (typeof DATA_FORMS)[number];

/** An error of this name asks for no further attempts, as one with `retryable: false` does. Workflows call theirs so, too. */
const NON_RETRYABLE = "NonRetryableError";

const STRUCTURED = new Headers({ "content-type": "application/cloudevents+json" });

export interface ServiceMethod {
  readonly binding: string;
  readonly method: string;
}

/** The argument of the call; a body that stands in the body store becomes a link to it. */
export async function callOf(
  shipment: Shipment,
  form: DataForm,
  io: Pick<TargetIo, "claim">,
): Promise<Result<ServiceCall, Outcome>> {
  const { deliveryId, attempt, event, large } = shipment;
  const attributes: ServiceEvent = { ...event.attributes };
  if (large !== undefined) {
    const claimed = await io.claim({ large });
    if (claimed.ok) return ok({ event: { ...attributes, dataref: claimed.value }, deliveryId, attempt });
    const { reason, detail } = claimed.error;
    const isFinal = reason === "configuration";
    return err(isFinal ? { kind: "permanent", reason, detail } : { kind: "retryable", reason: "service", detail });
  }
  const data = dataOf(event, form);
  return ok({ event: data === undefined ? attributes : { ...attributes, data }, deliveryId, attempt });
}

function dataOf({ attributes, body }: CloudEvent, form: DataForm): Json | Uint8Array | undefined {
  if (body === null) return undefined;
  const text = form === "json" && isJsonMediaType(attributes.datacontenttype) ? decodeUtf8(body) : null;
  try {
    if (text !== null) return JSON.parse(text) as Json;
  } catch {
    // Sources refuse JSON that does not parse; what comes here all the same is handed over as it is.
  }
  // A copy: RPC would send the whole buffer that a part of it looks into, and with it other events of a batch.
  return body.slice();
}

/** Calls the method and judges how it ends. An RPC call takes no signal: one that is late goes on, and its result is let go. */
export async function callMethod(
  service: ServiceBinding,
  { binding, method }: ServiceMethod,
  call: ServiceCall,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
  io: Pick<TargetIo, "now">,
): Promise<Outcome> {
  const name = `${method} of the service ${binding}`;
  let result: unknown;
  try {
    const stub = service as unknown as Readonly<Record<string, unknown>>;
    if (stub[method] === undefined) return missing(name);
    const timed = await beforeDeadline(invoke(service, method, call), signal, dispose);
    if (timed.late) {
      const detail = `${name} did not end within ${formatDuration(timeoutMs)}`;
      return { kind: "retryable", reason: "timeout", detail };
    }
    result = timed.value;
  } catch (error) {
    return outcomeOfError(error, method, name);
  }
  try {
    if (result instanceof Response) {
      const answer = Promise.resolve(result);
      const request = {
        url: `https://${binding.toLowerCase()}.service/`,
        headers: {},
        body: new Uint8Array(),
        secrets: [],
      };
      return await deliver(request, { signal, timeoutMs }, { fetch: () => answer, now: io.now });
    }
    return { kind: "delivered", ...replyOf(result) };
  } finally {
    dispose(result);
  }
}

async function invoke(service: ServiceBinding, method: string, call: ServiceCall): Promise<unknown> {
  // A stub has every name; the name is one that targets.yaml gives and that RPC does not keep for itself.
  const stub = service as unknown as Readonly<Record<string, (call: ServiceCall) => unknown>>;
  return stub[method]?.(call);
}

/** What RPC returns holds the other Worker's memory until it is disposed of. */
function dispose(value: unknown): void {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return;
  try {
    (value as Partial<Disposable>)[Symbol.dispose]?.();
  } catch {
    // The call has ended, and how is known; nothing is left to be done about its memory.
  }
}

type ReadReply = ReturnType<typeof readReply>;

/** A returned object with `specversion` claims to be a CloudEvent in the JSON format; its `data` may be bytes. */
function replyOf(result: unknown): ReadReply | undefined {
  if (typeof result !== "object" || result === null || !Object.hasOwn(result, "specversion")) return undefined;
  const text = jsonOf(result);
  if (text === undefined) {
    return { ignoredReply: "the CloudEvent in the answer was not published: it can't be written as JSON" };
  }
  return readReply(STRUCTURED, new TextEncoder().encode(text));
}

/** Undefined for what JSON can't hold: a circle, a bigint. */
function jsonOf(event: object): string | undefined {
  try {
    const { data, ...attributes } = event as { readonly data?: unknown };
    if (!(data instanceof Uint8Array)) return JSON.stringify(event);
    // What is too large is cut: the reader says so, and needs no more of it.
    return JSON.stringify({ ...attributes, data_base64: toBase64(data.subarray(0, REPLY_BYTES_MAX)) });
  } catch {
    return undefined;
  }
}

/**
 * An error keeps its message on the way. Its own properties and name it keeps where the Worker that throws has the flag
 * `enhanced_error_serialization`, the default from compatibility date 2026-04-21; an object that is no error always does.
 */
function outcomeOfError(error: unknown, method: string, name: string): Outcome {
  const message = ownProperty(error, "message");
  if (error instanceof TypeError && message === `The RPC receiver does not implement the method "${method}".`) {
    return missing(name);
  }
  const described = describe(error, message);
  const detail = `${name} failed: ${described}`;
  if (ownProperty(error, "retryable") === false || ownProperty(error, "name") === NON_RETRYABLE) {
    return { kind: "permanent", reason: "aborted-by-target", detail: `${detail}; it asked for no further attempts` };
  }
  const retryAfterMs = delayOf(ownProperty(error, "retryAfterMs"));
  return { kind: "retryable", reason: "service", detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function missing(name: string): Outcome {
  const detail = `there is no method ${name}: see method: in targets.yaml, and entrypoint in wrangler.toml`;
  return { kind: "permanent", reason: "configuration", detail };
}

function describe(error: unknown, message: unknown): string {
  try {
    return describeFailure(error instanceof Error || typeof message !== "string" ? error : new Error(message));
  } catch {
    return describeFailure(undefined);
  }
}

/** Undefined also for what fails to be read: what is thrown need not be an error, nor behave. */
function ownProperty(value: unknown, name: string): unknown {
  try {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    return (value as Readonly<Record<string, unknown>>)[name];
  } catch {
    return undefined;
  }
}

/** As Retry-After: from 0 to 24 h; anything else says nothing. */
function delayOf(value: unknown): number | undefined {
  if (typeof value !== "number" || !(value >= 0)) return undefined;
  return Math.min(Math.ceil(value), RETRY_AFTER_MS_MAX);
}
