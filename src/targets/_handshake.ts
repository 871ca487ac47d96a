/**
 * Asking an endpoint for permission before anything is delivered to it, where `handshake` of its target says so. The permission
 * is the isolate's: another asks for itself. The rate that comes with it is kept by the target's gate, for all of them.
 * Reference: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md, section 4
 */
import type { Outcome } from "../core/outcome.ts";
import { formatDuration } from "../core/read-object.ts";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { parseRetryAfterMs } from "../core/retry.ts";
import type { Rate, TargetLimits } from "../core/rule.ts";
import type { TargetIo } from "../core/target.ts";
import { ORIGIN_HEADER, REQUEST_RATE_HEADER, readPermission } from "../core/webhook-permission.ts";
import type { Permission } from "../core/webhook-permission.ts";
import type { AttemptTime } from "./_access-token.ts";
import { exchange } from "./_http-exchange.ts";
import { USER_AGENT, misconfigured } from "./_http-request.ts";
import type { Handshake } from "./_http-request.ts";
import { createSharedValue } from "./_shared-value.ts";
import type { SharedValue } from "./_shared-value.ts";

/** A permission is asked for anew after this. */
export const PERMISSION_MS = 3_600_000;

/** A refusal counts for so long, so that deliveries that fail by it don't each ask. */
export const REFUSAL_MS = 60_000;

const MINUTE_MS = 60_000;

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
