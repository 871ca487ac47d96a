/**
 * The validation handshake of the CloudEvents HTTP webhook specification: a sender asks for permission with OPTIONS, and the
 * receiver's answer grants it, by its headers and not by its status.
 * Reference: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md, section 4
 */

export const ORIGIN_HEADER = "webhook-request-origin";
export const REQUEST_RATE_HEADER = "webhook-request-rate";
const ALLOWED_ORIGIN_HEADER = "webhook-allowed-origin";
const ALLOWED_RATE_HEADER = "webhook-allowed-rate";

/** Of a DNS name (RFC 1035, section 2.3.4, as text). */
export const ORIGIN_CHARS_MAX = 253;

/** Requests per minute; what is beyond it is as good as no limit. */
export const RATE_PER_MINUTE_MAX = 10_000;

export type Permission =
  /** `ratePerMinute` is absent when there is no limit. */
  | { readonly kind: "granted"; readonly ratePerMinute?: number }
  | { readonly kind: "refused"; readonly detail: string }
  /** The receiver could not answer as it would: ask again later. */
  | { readonly kind: "unavailable"; readonly detail: string };

/** A DNS name, as it identifies a sender: `eventemitter.example.com`. */
export const ORIGIN =
  /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;

export function isOrigin(text: string): boolean {
  return text.length <= ORIGIN_CHARS_MAX && ORIGIN.test(text);
}

/** What the answer to the validation request says about `origin` (section 4.2). */
export function readPermission(status: number, headers: Pick<Headers, "get">, origin: string): Permission {
  const allowed = headers.get(ALLOWED_ORIGIN_HEADER)?.trim();
  if (allowed === undefined || allowed === "") {
    const mayPass = status === 408 || status === 425 || status === 429 || status >= 500;
    if (mayPass) return { kind: "unavailable", detail: `answered ${status} to OPTIONS` };
    return { kind: "refused", detail: `its answer to OPTIONS (${status}) has no WebHook-Allowed-Origin` };
  }
  // Names of hosts have no case.
  if (allowed !== "*" && allowed.toLowerCase() !== origin.toLowerCase()) {
    return { kind: "refused", detail: "its WebHook-Allowed-Origin names another sender" };
  }
  const rate = headers.get(ALLOWED_RATE_HEADER)?.trim() ?? "*";
  // One that is no rate grants none, but the permission stands in the other header.
  if (!/^[1-9]\d{0,8}$/.test(rate)) return { kind: "granted" };
  return { kind: "granted", ratePerMinute: Math.min(Number(rate), RATE_PER_MINUTE_MAX) };
}

/**
 * The headers by which a receiver grants what a request asks, at any rate; none when it names no origin. They are all of the
 * answer: who grants at once calls no `WebHook-Request-Callback`, which is for those who withhold the headers (section 4.2).
 */
export function grantHeaders(request: Pick<Headers, "get">): Readonly<Record<string, string>> {
  const origin = request.get(ORIGIN_HEADER);
  // Whatever a sender takes for its name is given back, as far as a header can hold it.
  if (origin === null || origin.length > ORIGIN_CHARS_MAX || !/^[\x21-\x7e]+$/.test(origin)) return {};
  return { [ALLOWED_ORIGIN_HEADER]: origin, [ALLOWED_RATE_HEADER]: "*" };
}
