/** What targets get in tests: real time, hashing and fetch, and nothing set up unless the test says so. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { CloudEvent } from "../../src/core/event.ts";
import { ok } from "../../src/core/result.ts";
import type { Hashing } from "../../src/core/source.ts";
import type { Shipment, TargetIo } from "../../src/core/target.ts";

export const nodeHashing: Hashing = {
  sha256: (data) => new Uint8Array(createHash("sha256").update(data).digest()),
  hmacSha256: (key, data) => new Uint8Array(createHmac("sha256", key).update(data).digest()),
  equalBytes: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

export const LOCAL = { printUrl: "http://127.0.0.1:1/" };

export function targetIo(changes: Partial<TargetIo> = {}): TargetIo {
  return {
    now: () => Date.now(),
    fetch: (url, init) => fetch(url, init),
    timeoutSignal: (timeoutMs) => AbortSignal.timeout(timeoutMs),
    hashing: nodeHashing,
    secret: () => undefined,
    queue: () => undefined,
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
