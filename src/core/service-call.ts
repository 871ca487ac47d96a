/** What a method of another Worker is called with when a service target has `method:`. examples/service-worker has a copy. */
import type { AttributeValue } from "./event.ts";
import type { Json } from "./result.ts";

/** The one argument of the method. All of it can be structurally cloned. */
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
  readonly [extension: string]: AttributeValue | Json | Uint8Array | undefined;
}
