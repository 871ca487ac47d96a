/**
 * Delivers to another Worker of the account by a service binding of wrangler.toml: to its `fetch`, with the request that an
 * http target would make and its answer meant the same, or to a method of its entry point.
 *
 * ```yaml
 * fn:
 *   service: PROCESSOR                # [[services]] binding = "PROCESSOR", service = "<the Worker's name>"
 *   path: /hooks                      # of the request's URL, https://processor.service/hooks
 *   format: structured                # format, headers and sign as for http
 * fn-rpc:
 *   service: PROCESSOR
 *   method: handle                    # handle({ event, deliveryId, attempt }) instead of fetch
 *   data: json                        # json (default): parsed | bytes: as received
 * ```
 */
import entry from "#entry/targets/_service-entry.ts";
import { structuredJson } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import { formatDuration } from "../core/read-object.ts";
import type { Preview, PreviewIo, Shipment, Target, TargetIo } from "../core/target.ts";
import { beforeDeadline } from "./_deadline.ts";
import { deliver } from "./_http-delivery.ts";
import { prepareLarge } from "./_http-large.ts";
import { prepareRequest, previewRequest, secretNames } from "./_http-request.ts";
import type { HttpConfig } from "./_http-request.ts";
import { callMethod, callOf } from "./_service-call.ts";
import type { ServiceConfig } from "./_service-entry.ts";

/** The link is made when the method is called: it holds a token. */
const DATAREF_SHOWN = "<claimed when sent>";

async function send(shipment: Shipment, config: ServiceConfig, timeoutMs: number, io: TargetIo): Promise<Outcome> {
  const limits = { signal: io.timeoutSignal(timeoutMs), timeoutMs };
  const { binding, call, request } = config;
  const service = io.service(binding);
  if (io.local !== undefined && (request.local !== undefined || service === undefined)) {
    // `npm start` runs no other Worker: what it would get is shown.
    return post(shipment, { ...request, local: request.local ?? "print" }, limits, io);
  }
  if (service === undefined) {
    const detail = `there is no service binding ${binding} in wrangler.toml`;
    return { kind: "permanent", reason: "configuration", detail };
  }
  if (call === undefined) {
    return post(shipment, request, limits, { ...io, fetch: (url, init) => service.fetch(url, init) });
  }
  const argument = await beforeDeadline(callOf(shipment, call.data, io), limits.signal);
  if (argument.late) {
    const detail = `the link to the event's data could not be made within ${formatDuration(timeoutMs)}`;
    return { kind: "retryable", reason: "timeout", detail };
  }
  if (!argument.value.ok) return argument.value.error;
  return callMethod(service, { binding, method: call.method }, argument.value.value, limits, io);
}

type Limits = Parameters<typeof deliver>[1];

async function post(shipment: Shipment, request: HttpConfig, limits: Limits, io: TargetIo): Promise<Outcome> {
  const { large } = shipment;
  const prepared =
    large === undefined
      ? prepareRequest(shipment, request, io)
      : await prepareLarge(shipment, large, request, { ...io, ...limits });
  return prepared.ok ? deliver(prepared.value, limits, io) : prepared.error;
}

/** Of a method, the event as it would stand in JSON; the call itself has its data parsed, or as bytes. */
function preview(shipment: Shipment, { binding, call, request }: ServiceConfig, { local }: PreviewIo): Preview {
  const isReplaced = local !== undefined && request.local !== undefined;
  if (isReplaced) return previewRequest(shipment, request, local);
  if (call === undefined) {
    const shown = previewRequest(shipment, request, local);
    return { ...shown, action: `${shown.action} by service ${binding}` };
  }
  const { deliveryId, attempt, large } = shipment;
  const { attributes, body } = shipment.event;
  const event =
    large === undefined ? { attributes, body } : { attributes: { ...attributes, dataref: DATAREF_SHOWN }, body };
  const text = `{"event":${structuredJson(event)},"deliveryId":${JSON.stringify(deliveryId)},"attempt":${attempt}}`;
  const action = `call ${call.method} of service ${binding}`;
  return { action, headers: {}, body: new TextEncoder().encode(text) };
}

const service: Target<ServiceConfig> = {
  kind: "service",
  ...entry(),
  secretNames: ({ request }) => secretNames(request),
  queueBindings: () => [],
  serviceBindings: ({ binding }) => [binding],
  urls: () => [],
  localOnly: () => [],
  preview,
  send,
};

export default service;
