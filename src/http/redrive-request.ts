/** The body of `POST /api/redrive`: `{event, delivery?}`, or `{items: [{event, delivery?}, …]}`. */
import { decodeUtf8 } from "../core/event.ts";
import { parseJson } from "../core/json.ts";
import type { Json, Result } from "../core/result.ts";
import { err, isJsonObject, ok, ownMember } from "../core/result.ts";

export const REDRIVE_EVENTS_MAX = 100;
export const REDRIVE_BODY_BYTES_MAX = 65_536;

export interface RedriveItem {
  /** A receipt, not checked yet. */
  readonly event: string;
  /** One delivery only; all dead ones of the event without it. */
  readonly delivery?: string;
}

/** The items, at least one, or what is wrong. An unknown member is refused: `delivery` misspelt would redrive all of them. */
export function parseRedrive(bytes: Uint8Array): Result<readonly RedriveItem[], string> {
  const text = decodeUtf8(bytes);
  const body = text === null ? null : parseJson(text);
  if (body === null || !body.ok) return err("the body is not JSON");
  if (!isJsonObject(body.value)) return err("expected an object");
  const list = ownMember(body.value, "items");
  if (list !== undefined && Object.keys(body.value).length > 1) return err("expected nothing else beside items");
  const items = list ?? [body.value];
  if (!Array.isArray(items) || items.length === 0) return err("items: expected a non-empty list");
  if (items.length > REDRIVE_EVENTS_MAX) return err(`items: at most ${REDRIVE_EVENTS_MAX} at a time`);
  const parsed: RedriveItem[] = [];
  for (const item of items as readonly Json[]) {
    const read = readItem(item);
    if (read === null) {
      return err(
        'expected {"event": "evt_…"}, with "delivery": "dlv_…" for one delivery only, or {"items": [ … ]} of these',
      );
    }
    parsed.push(read);
  }
  return ok(parsed);
}

function readItem(item: Json): RedriveItem | null {
  if (!isJsonObject(item)) return null;
  if (Object.keys(item).some((name) => name !== "event" && name !== "delivery")) return null;
  const event = ownMember(item, "event");
  const delivery = ownMember(item, "delivery");
  if (typeof event !== "string" || (delivery !== undefined && typeof delivery !== "string")) return null;
  return delivery === undefined ? { event } : { event, delivery };
}
