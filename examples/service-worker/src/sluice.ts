/** What Sluice calls a method with, and what the method may answer. Copy this file; it imports nothing. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The one argument of the method. */
export interface ServiceCall {
  readonly event: ServiceEvent;
  /** The same on every attempt of a delivery: deduplicate by it. Over HTTP it is `webhook-id`. */
  readonly deliveryId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** A CloudEvent, extension attributes included. */
export interface ServiceEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  /** Where to fetch the data from, GET without any token, when it is too large to be handed over: `data` is absent then. */
  readonly dataref?: string;
  /** Parsed JSON; the bytes as received where the data is not JSON or the target says `data: bytes`; absent without data. */
  readonly data?: Json | Uint8Array;
  readonly [extension: string]: Json | Uint8Array | undefined;
}

/** Returned, it is published on the rule's bus before the delivery counts as delivered. */
export interface Reply {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly data?: Json | Uint8Array;
  readonly [attribute: string]: Json | Uint8Array | undefined;
}

/** To be thrown: never again, the delivery is dead and can be re-driven. */
export function neverAgain(message: string): Error {
  return Object.assign(new Error(message), { retryable: false });
}

/** To be thrown: try again, no sooner than in so many milliseconds. */
export function tryAgain(message: string, retryAfterMs: number): Error {
  return Object.assign(new Error(message), { retryAfterMs });
}
