/** What targets get in tests: real time, hashing and fetch, and nothing set up unless the test says so. */
import type { CloudEvent } from "../../src/core/event.ts";
import { err, ok } from "../../src/core/result.ts";
import type { Shipment, TargetIo } from "../../src/core/target.ts";
import { hashing } from "../../src/hashing.ts";

export const LOCAL = { printUrl: "http://127.0.0.1:1/" };

export function targetIo(changes: Partial<TargetIo> = {}): TargetIo {
  return {
    now: () => Date.now(),
    fetch: (url, init) => fetch(url, init),
    timeoutSignal: (timeoutMs) => AbortSignal.timeout(timeoutMs),
    hashing,
    secret: () => undefined,
    queue: () => undefined,
    service: () => undefined,
    claim: () => Promise.resolve(err({ reason: "configuration", detail: "there is no body store" })),
    openBody: () => Promise.resolve(null),
    publish: () => Promise.resolve(ok(null)),
    local: undefined,
    ...changes,
  };
}

export function secretsFrom(secrets: Readonly<Record<string, string>>): TargetIo["secret"] {
  return (name) => (Object.hasOwn(secrets, name) ? secrets[name] : undefined);
}

export function eventWith(
  body: string | Uint8Array | null,
  attributes: Record<string, string | number> = {},
): CloudEvent {
  return {
    attributes: {
      specversion: "1.0",
      id: "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      source: "https://github.com/octocat/hello",
      type: "com.github.push",
      ...(body === null ? {} : { datacontenttype: "application/json" }),
      ...attributes,
    },
    body: typeof body === "string" ? new TextEncoder().encode(body) : body,
  };
}

export function shipmentOf(event: CloudEvent, changes: Partial<Shipment> = {}): Shipment {
  return { deliveryId: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", attempt: 1, event, rawHeaders: {}, ...changes };
}
