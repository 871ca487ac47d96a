/** From a genuine webhook to CloudEvents, by the vendor's mapping. */
import { isAttributeText } from "../core/attributes.ts";
import type { EventAttributes } from "../core/event.ts";
import { decodeUtf8, payloadFingerprint, toHex } from "../core/event.ts";
import { readJsonPath } from "../core/json-path.ts";
import { memberSpans } from "../core/json.ts";
import type { ReceivedEvent, SourceContext } from "../core/source.ts";
import { isTimestamp } from "../core/timestamp.ts";
import { isUriReference } from "../core/uri-reference.ts";
import { formatTimestamp } from "./_timestamp.ts";
import type { WebhookConfig } from "./_webhook-entry.ts";
import type { PayloadItem, WebhookPayload } from "./_webhook-payload.ts";
import { textAt } from "./_webhook-payload.ts";
import type { WebhookDescription } from "./_webhook-source.ts";

/** Longer texts of a payload are left out of attributes. */
export const ATTRIBUTE_CHARACTERS_MAX = 1_024;
/** Of the payload's hash, for events whose vendor gives them no id: 128 bits. */
const CONTENT_ID_HEX_DIGITS = 32;

/** A time as vendors write it. `s` and `ms` are since the epoch. */
export type WebhookTime =
  | { readonly s: string | undefined }
  | { readonly ms: string | undefined }
  | { readonly text: string | undefined };

/** What a webhook says. What is missing or no valid attribute is left out, or replaced by what stands beside it here. */
export interface MappedEvent {
  /** After the vendor's own prefix: `invoice.paid`; else `webhook`. */
  readonly type: string | undefined;
  /** Else a hash of the payload, so that the same payload is the same event. */
  readonly id: string | undefined;
  /**
   * Where there is no id, and two events may have the same payload: what tells them apart, such as the time of sending. It becomes
   * part of the id.
   */
  readonly occurrence?: string | undefined;
  /** Else the description's. */
  readonly source?: string | undefined;
  readonly subject?: string | undefined;
  /** Else the time of arrival. */
  readonly time?: WebhookTime | undefined;
}

/** How a mapping reads one event. */
export interface Webhook {
  /** The names of the payload's members. */
  readonly names: readonly string[];
  /** A text or number at a dotted path of the event's payload (`data.object.id`, `events.0.id`), as text. */
  readonly text: (path: string) => string | undefined;
  readonly header: (name: string) => string | undefined;
  /** One of the scheme's values. */
  readonly signed: (name: string) => string | undefined;
  /** Where it stands in its list; 0 for a payload that is no list. */
  readonly index: number;
  /** When it arrived, in milliseconds since the epoch. */
  readonly arrivedMs: number;
}

export type MapWebhook = (webhook: Webhook) => MappedEvent;

export function toEvents(
  payload: WebhookPayload,
  description: WebhookDescription,
  config: WebhookConfig,
  sourceName: string,
  context: SourceContext,
): readonly ReceivedEvent[] {
  return payload.items.map((item, index) => toEvent(item, index));

  function toEvent({ json, bytes }: PayloadItem, index: number): ReceivedEvent {
    const mapped = description.map({
      names: Object.keys(json),
      text: (path) => textAt(json, path),
      header: (name) => payload.headers.get(name) ?? undefined,
      signed: (name) => payload.signed.get(name),
      index,
      arrivedMs: context.now,
    });
    const lasting = description.volatile === undefined ? bytes : withoutMembers(bytes, description.volatile);
    const fingerprint = payloadFingerprint(lasting, "", context.hashing.sha256);
    const digest = toHex(context.hashing.sha256(lasting)).slice(0, CONTENT_ID_HEX_DIGITS);
    const contentId = attributeText(mapped.occurrence && `${digest}-${mapped.occurrence}`) ?? digest;
    const attributes: EventAttributes = {
      specversion: "1.0",
      id: attributeText(mapped.id) ?? contentId,
      source: sourceOf(mapped.source) ?? description.source,
      type: description.type === "" ? typeOf(mapped.type) : `${description.type}.${typeOf(mapped.type)}`,
      ...optional("subject", attributeText(mapped.subject)),
      time: timeOf(mapped.time) ?? new Date(context.now).toISOString(),
      datacontenttype: "application/json",
    };
    const replayed = description.hasUnsignedId === undefined ? undefined : replayedContent(fingerprint.hash, index);
    const isReplayWatched = config.auth !== "none" && config.replays !== "ignore";
    return {
      event: { attributes, body: bytes },
      fingerprint,
      data: json,
      key: keyOf(config, json, sourceName),
      ...(isReplayWatched && replayed !== undefined
        ? { replay: { content: replayed, refuse: config.replays === "refuse" } }
        : {}),
      rawHeaders: rawHeaders(payload.headers, description.rawHeaders ?? []),
    };
  }

  /** What a request that was captured has in common with its copies. */
  function replayedContent(payloadHash: string, index: number): string {
    const { hasUnsignedId } = description;
    if (typeof hasUnsignedId !== "object") return payloadHash;
    const value = payload.signed.get(hasUnsignedId.signed) ?? "";
    // The events of one list are no copies of each other.
    return payloadFingerprint(new TextEncoder().encode(`${index}\n${value}`), "", context.hashing.sha256).hash;
  }
}

/** The payload without what changes from one sending of an event to the next; the rest as it was written, big numbers too. */
function withoutMembers(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const text = decodeUtf8(bytes) ?? "";
  const lasting = memberSpans(text).filter(({ name }) => !names.includes(name));
  const members = lasting.map(({ name, start, end }) => `${JSON.stringify(name)}:${text.slice(start, end)}`);
  return new TextEncoder().encode(`{${members.join(",")}}`);
}

/** Vendors separate words by all kinds of signs; rules are easier to write with one. */
function typeOf(name: string | undefined): string {
  const written = (name ?? "").trim().slice(0, ATTRIBUTE_CHARACTERS_MAX);
  const words = written.split(/[^A-Za-z0-9_-]/).filter((word) => word !== "");
  return words.join(".") || "webhook";
}

function attributeText(text: string | undefined): string | undefined {
  if (text === undefined || text === "" || text.length > ATTRIBUTE_CHARACTERS_MAX) return undefined;
  return isAttributeText(text) ? text : undefined;
}

function sourceOf(text: string | undefined): string | undefined {
  const source = attributeText(text);
  return source !== undefined && isUriReference(source) ? source : undefined;
}

function timeOf(time: WebhookTime | undefined): string | undefined {
  if (time === undefined) return undefined;
  if ("text" in time) return time.text !== undefined && isTimestamp(time.text) ? time.text : undefined;
  const [number, factor] = "s" in time ? [time.s, 1_000] : [time.ms, 1];
  return number !== undefined && /^\d+(?:\.\d+)?$/.test(number)
    ? (formatTimestamp(Math.floor(Number(number) * factor)) ?? undefined)
    : undefined;
}

function keyOf({ key }: WebhookConfig, json: PayloadItem["json"], sourceName: string): string {
  const found = key === undefined ? undefined : readJsonPath(key, json);
  return typeof found === "string" || typeof found === "number" ? `key:${found}` : sourceName;
}

function rawHeaders(headers: Headers, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers.get(name);
      return value === null || value.length > ATTRIBUTE_CHARACTERS_MAX ? [] : [[name, value]];
    }),
  );
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [N in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: string };
}
