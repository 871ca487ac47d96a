/**
 * Asking an endpoint for permission before anything is delivered to it, where `handshake` of its target says so. The permission
 * is the isolate's: another asks for itself. The rate that comes with it is kept by the target's gate, for all of them.
 * Reference: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md, section 4
 */
import type { Outcome } from "../core/outcome.ts";
import type { Reader } from "../core/read-object.ts";
import { describe, formatDuration, isMisspelt, readMembers } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import type { Result } from "../core/result.ts";
import { err, isJsonObject, ok } from "../core/result.ts";
import { parseRetryAfterMs } from "../core/retry.ts";
import type { Rate, TargetLimits } from "../core/rule.ts";
import type { TargetIo } from "../core/target.ts";
import type { Permission } from "../core/webhook-permission.ts";
import {
  ORIGIN_CHARS_MAX,
  ORIGIN_HEADER,
  ORIGIN_PATTERN,
  RATE_PER_MINUTE_MAX,
  REQUEST_RATE_HEADER,
  isOrigin,
  readPermission,
} from "../core/webhook-permission.ts";
import type { AttemptTime } from "./_access-token.ts";
import { exchange } from "./_http-exchange.ts";
import { USER_AGENT, misconfigured } from "./_http-request.ts";
import type { Handshake } from "./_http-request.ts";
import type { SharedValue } from "./_shared-value.ts";
import { createSharedValue } from "./_shared-value.ts";

/** A permission is asked for anew after this. */
export const PERMISSION_MS = 3_600_000;
/** A refusal counts for so long, so that deliveries that fail by it don't each ask. */
export const REFUSAL_MS = 60_000;

const MINUTE_MS = 60_000;

const readOrigin: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && isOrigin(value)) return value;
    const message = `expected the name of a host that stands for this router, such as events.example.com, found ${describe(value)}`;
    mistakes.push({ path, message });
    return undefined;
  },
  {
    type: "string",
    minLength: 1,
    maxLength: ORIGIN_CHARS_MAX,
    pattern: ORIGIN_PATTERN,
    examples: ["events.example.com"],
  },
);

const RATE_FORM = /^([1-9]\d{0,4})\/m$/;

const readRate: Reader<number> = withSchema(
  (value, path, mistakes) => {
    const rate = Number((typeof value === "string" ? RATE_FORM.exec(value)?.[1] : undefined) ?? Number.NaN);
    if (rate <= RATE_PER_MINUTE_MAX) return rate;
    const message = `expected requests per minute, from 1/m to ${RATE_PER_MINUTE_MAX}/m, found ${describe(value)}`;
    mistakes.push({ path, message });
    return undefined;
  },
  { type: "string", pattern: RATE_FORM.source, examples: ["120/m"] },
);

const READERS = {
  origin: described(readOrigin, "The name that stands for this router: a host's, such as events.example.com."),
  rate: described(readRate, "The rate to ask for, in requests per minute, such as 120/m."),
};

/** Reads `handshake: events.example.com` and `handshake: { origin: events.example.com, rate: 120/m }`. */
export const readHandshake: Reader<Handshake> = withSchema(
  (value, path, mistakes) => {
    if (!isJsonObject(value)) {
      const origin = readOrigin(value, path, mistakes);
      return origin === undefined ? undefined : { origin };
    }
    const { origin, rate } = readMembers(value, path, READERS, mistakes);
    if (!Object.hasOwn(value, "origin") && !isMisspelt("origin", value, Object.keys(READERS))) {
      mistakes.push({ path, message: "expected { origin: events.example.com }, found no origin" });
    }
    if (origin === undefined) return undefined;
    return rate === undefined ? { origin } : { origin, ratePerMinute: rate };
  },
  { anyOf: [readOrigin.schema ?? {}, membersSchema(READERS, { required: ["origin"] })] },
);

interface Permitted {
  readonly permissions: SharedValue<Permission, Outcome>;
  /** As the endpoint has allowed last; undefined when it sets no limit, or nobody has asked. */
  ratePerMinute: number | undefined;
}

/** One for each target of the rules that an isolate runs. */
const permittedBy = new WeakMap<Handshake, Permitted>();

function stateOf(handshake: Handshake): Permitted {
  let state = permittedBy.get(handshake);
  if (state === undefined) {
    permittedBy.set(handshake, (state = { permissions: createSharedValue(), ratePerMinute: undefined }));
  }
  return state;
}

/** What the endpoint has allowed, for the target's gate. */
export function allowedLimits(handshake: Handshake): TargetLimits | undefined {
  const ratePerMinute = permittedBy.get(handshake)?.ratePerMinute;
  return ratePerMinute === undefined ? undefined : { rate: rateOf(ratePerMinute) };
}

/** Never more than `ratePerMinute` starts in any minute; a tenth of them may come at once. */
export function rateOf(ratePerMinute: number): Rate {
  const burst = Math.max(1, Math.floor(ratePerMinute / 10));
  return { limit: ratePerMinute - burst + 1, periodMs: MINUTE_MS, burst };
}

/** Whether the endpoint may be sent to now, or what comes of the attempt instead. */
export async function takePermission(
  handshake: Handshake,
  url: string,
  time: AttemptTime,
  io: Pick<TargetIo, "now" | "fetch">,
): Promise<Result<null, Outcome>> {
  const state = stateOf(handshake);
  const passedBy = state.ratePerMinute;
  const ask = () => askFor(handshake, url, time, io);
  const permission = await state.permissions.get({ now: io.now(), ...time, ask });
  const host = new URL(url).host;
  if (permission === "late") {
    const detail = `${host} did not answer the question for permission within ${formatDuration(time.timeoutMs)}`;
    return err({ kind: "retryable", reason: "timeout", detail });
  }
  if (!permission.ok) return permission;
  const { value } = permission.value;
  if (value.kind !== "granted") {
    return err(misconfigured(`${host} does not permit deliveries from ${handshake.origin}: ${value.detail}`));
  }
  state.ratePerMinute = value.ratePerMinute;
  // The gate has let it pass without knowing of this rate: it comes again, by the gate.
  if (value.ratePerMinute !== undefined && value.ratePerMinute !== passedBy) return err({ kind: "held", delayMs: 0 });
  return ok(null);
}

async function askFor(
  handshake: Handshake,
  url: string,
  time: AttemptTime,
  io: Pick<TargetIo, "now" | "fetch">,
): Promise<Result<{ readonly value: Permission; readonly until: number }, Outcome>> {
  const { origin, ratePerMinute } = handshake;
  // No credentials: whether the endpoint expects anything from here is what is asked.
  const headers = {
    [ORIGIN_HEADER]: origin,
    ...(ratePerMinute === undefined ? {} : { [REQUEST_RATE_HEADER]: String(ratePerMinute) }),
    "user-agent": USER_AGENT,
  };
  const request = { method: "OPTIONS", url, headers, body: new Uint8Array(), secrets: [] };
  const exchanged = await exchange(request, { ...time, bytesMax: () => 0 }, io);
  const host = new URL(url).host;
  if (!exchanged.ok) {
    const { error } = exchanged;
    return err("detail" in error ? { ...error, detail: `no permission of ${host}: ${error.detail}` } : error);
  }
  const { status, headers: answered } = exchanged.value;
  const value = readPermission(status, answered, origin);
  const now = io.now();
  if (value.kind === "unavailable") {
    const retryAfterMs = parseRetryAfterMs(answered.get("retry-after"), now);
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    return err({
      kind: "retryable",
      reason: "status",
      detail: `no permission of ${host}: it ${value.detail}`,
      ...wait,
    });
  }
  return ok({ value, until: now + (value.kind === "granted" ? PERMISSION_MS : REFUSAL_MS) });
}
