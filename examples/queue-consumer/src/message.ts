/** The message that Sluice puts into a queue. Copy this file: it imports nothing. */

/** A CloudEvent in the JSON format, with what Sluice adds. Other attributes are the event's own extensions. */
export interface QueuedEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time?: string;
  readonly subject?: string;
  readonly datacontenttype?: string;
  /** The same on every attempt of a delivery: what to tell repeats by. */
  readonly deliveryid: string;
  /** JSON as it is, other text as a string. */
  readonly data?: unknown;
  /** What is neither JSON nor text. */
  readonly data_base64?: string;
  /** Where the data stands that is too large for a message. */
  readonly dataref?: string;
  readonly [extension: string]: unknown;
}

export interface EventData {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** Throws for what is no event of Sluice's. */
export function parseMessage(body: unknown): QueuedEvent {
  if (typeof body !== "string") throw new Error("expected a message of the content type text");
  const event = JSON.parse(body) as QueuedEvent | null;
  if (typeof event?.deliveryid !== "string") throw new Error("expected a CloudEvent with a deliveryid");
  return event;
}

/**
 * The event's data, null when it has none. Fetches what the message only refers to, from `sluiceUrl` and from nowhere else: a
 * `dataref` that the event's own sender wrote must not choose where this Worker sends requests.
 */
export async function readData(event: QueuedEvent, sluiceUrl: string): Promise<EventData | null> {
  const contentType = event.datacontenttype ?? "application/json";
  if (event.data_base64 !== undefined) {
    const bytes = Uint8Array.from(atob(event.data_base64), (character) => character.charCodeAt(0));
    return { contentType, bytes };
  }
  if (event.data !== undefined) {
    const isText = typeof event.data === "string" && !/[/+]json\b/i.test(contentType);
    const text = isText ? (event.data as string) : JSON.stringify(event.data);
    return { contentType, bytes: new TextEncoder().encode(text) };
  }
  if (event.dataref === undefined) return null;
  if (new URL(event.dataref).origin !== new URL(sluiceUrl).origin) {
    throw new Error(`the data of ${event.id} is not kept by ${sluiceUrl}`);
  }
  const response = await fetch(event.dataref);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the data of ${event.id} was answered with ${response.status}`);
  }
  return { contentType, bytes: new Uint8Array(await response.arrayBuffer()) };
}
