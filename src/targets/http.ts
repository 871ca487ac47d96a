/**
 * Delivers to an HTTP endpoint: one POST per attempt, as a CloudEvent or as the vendor's webhook, signed on request.
 * An answer of 200 with a CloudEvent in it is a reply, which goes on to the bus.
 *
 * ```yaml
 * ci:
 *   http: https://ci.example.com/hooks
 *   local: print                      # instead of the URL under `npm start`: print, or a URL
 *   format: binary                    # binary (default) | structured | raw
 *   headers: { X-Key: { secret: CI_KEY }, X-Team: build }
 *   auth: { bearer: CI_TOKEN }        # or basic, or oauth2
 *   sign: CI_SIGNING_SECRET           # or a list, to sign with several
 *   compress: gzip
 *   handshake: events.example.com     # ask for permission first, in this name
 * ```
 */
import entry from "#entry/targets/_http-entry.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Shipment, Target, TargetIo } from "../core/target.ts";
import { accessToken, dropToken } from "./_access-token.ts";
import type { AttemptTime } from "./_access-token.ts";
import { compressed } from "./_gzip.ts";
import { allowedLimits, takePermission } from "./_handshake.ts";
import { deliver } from "./_http-delivery.ts";
import { prepareLarge, previewLarge } from "./_http-large.ts";
import {
  isStandIn,
  localOnly,
  misconfigured,
  prepareRequest,
  previewRequest,
  secretNames,
  unreachable,
  urlOf,
} from "./_http-request.ts";
import type { HttpConfig } from "./_http-request.ts";
import type { Oauth2 } from "./_target-auth.ts";

const UNAUTHORIZED = 401;

async function send(shipment: Shipment, config: HttpConfig, timeoutMs: number, io: TargetIo): Promise<Outcome> {
  const time = { signal: io.timeoutSignal(timeoutMs), timeoutMs };
  const problem = unreachable(config, io.local);
  if (problem !== undefined) return misconfigured(problem);
  const { auth, handshake } = isStandIn(config, io.local) ? {} : config;
  if (handshake !== undefined) {
    const permission = await takePermission(handshake, urlOf(config, io.local), time, io);
    if (!permission.ok) return permission.error;
  }
  if (auth?.kind === "oauth2") return sendWithToken(auth.oauth2, shipment, config, time, io);
  return sendOnce(shipment, config, time, io);
}

/** A kept token may have been withdrawn: what the endpoint answers to it with 401 is sent once more with a new one. */
async function sendWithToken(
  oauth2: Oauth2,
  shipment: Shipment,
  config: HttpConfig,
  time: AttemptTime,
  io: TargetIo,
): Promise<Outcome> {
  const startedAt = io.now();
  const token = await accessToken(oauth2, time, io);
  if (!token.ok) return token.error;
  const outcome = await sendOnce(shipment, config, time, io, token.value.value);
  if (!("answer" in outcome) || outcome.answer?.status !== UNAUTHORIZED) return outcome;
  dropToken(oauth2, token.value);
  // One that was got for this attempt is as new as another would be.
  if (token.value.askedAt >= startedAt) return outcome;
  const renewed = await accessToken(oauth2, time, io);
  return renewed.ok ? sendOnce(shipment, config, time, io, renewed.value.value) : renewed.error;
}

async function sendOnce(
  shipment: Shipment,
  config: HttpConfig,
  time: AttemptTime,
  io: TargetIo,
  token?: string,
): Promise<Outcome> {
  const { large } = shipment;
  const prepared =
    large === undefined
      ? prepareRequest(shipment, config, io, token)
      : await prepareLarge(shipment, large, config, { ...io, ...time }, token);
  return prepared.ok ? deliver(await compressed(prepared.value), time, io) : prepared.error;
}

const http: Target<HttpConfig> = {
  kind: "http",
  ...entry(),
  secretNames,
  queueBindings: () => [],
  serviceBindings: () => [],
  urls: ({ target, auth }) => [target.url, ...(auth?.kind === "oauth2" ? [auth.oauth2.tokenUrl.url] : [])],
  localOnly,
  limits: ({ handshake }) => (handshake === undefined ? undefined : allowedLimits(handshake)),
  preview: (shipment, config, { local }) => previewLarge(shipment, (whole) => previewRequest(whole, config, local)),
  send,
};

export default http;
