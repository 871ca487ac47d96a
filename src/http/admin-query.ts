/** Reads the query of an admin route: only parameters that it knows, each once, each within its limit. */
import type { EventFilter } from "../bus/ports.ts";
import type { EventStatus } from "../core/delivery.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { SearchRequest } from "./event-search.ts";
import { parseCursor } from "./event-search.ts";

export const PAGE_EVENTS_MAX = 200;
export const PAGE_EVENTS = 50;
export const PARAMETER_CHARACTERS_MAX = 1_024;
const SHOWN_NAME_CHARACTERS_MAX = 40;

export const SEARCH_PARAMETERS = ["type", "source", "id", "status", "since", "until", "cursor", "limit"];

const STATUSES: readonly EventStatus[] = ["unmatched", "pending", "delivered", "dead", "cancelled"];

export type Query = ReadonlyMap<string, string>;

/** The parameters of a URL, or what is wrong with them. A filter with a typo must not answer as if it were not there. */
export function readQuery(url: string, known: readonly string[]): Result<Query, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) {
    if (!known.includes(name)) {
      const expected = known.length === 0 ? "this route takes none" : `known: ${known.join(", ")}`;
      return err(`${name.slice(0, SHOWN_NAME_CHARACTERS_MAX)}: unknown parameter (${expected})`);
    }
    if (query.has(name)) return err(`${name}: given more than once`);
    if (value.length > PARAMETER_CHARACTERS_MAX)
      return err(`${name}: longer than ${PARAMETER_CHARACTERS_MAX} characters`);
    query.set(name, value);
  }
  return ok(query);
}

/** `limitMax`: events on a page, at most. */
export function readSearch(
  query: Query,
  which: "all" | "dead" | "parked",
  limitMax = PAGE_EVENTS_MAX,
): Result<SearchRequest, string> {
  const limit = readLimit(query, limitMax);
  if (!limit.ok) return limit;
  const cursorText = query.get("cursor");
  const cursor = cursorText === undefined ? null : parseCursor(cursorText);
  if (cursorText !== undefined && cursor === null) return err("cursor: expected what an earlier page gave as next");
  const status = STATUSES.find((each) => each === query.get("status"));
  if (query.has("status") && status === undefined) return err(`status: expected one of ${STATUSES.join(", ")}`);
  const [sinceMs, untilMs] = [readTime(query, "since"), readTime(query, "until")];
  if (Number.isNaN(sinceMs) || Number.isNaN(untilMs)) {
    return err("since, until: expected a time such as 2026-01-31T12:00:00Z");
  }
  const [type, source, id, shadow] = ["type", "source", "id", "shadow"].map((name) => query.get(name));
  const filter: EventFilter = {
    ...(type === undefined ? {} : { type }),
    ...(source === undefined ? {} : { source }),
    ...(id === undefined ? {} : { id }),
    ...(status === undefined ? {} : { status }),
    ...(shadow === undefined ? {} : { shadow }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
  };
  return ok({ cursor, limit: limit.value, which, filter, untilMs });
}

export function readLimit(query: Query, limitMax = PAGE_EVENTS_MAX): Result<number, string> {
  const text = query.get("limit");
  if (text === undefined) return ok(PAGE_EVENTS);
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= limitMax) return ok(limit);
  return err(`limit: expected a number from 1 to ${limitMax}`);
}

/** Milliseconds, NaN for what is no time, undefined without the parameter. */
function readTime(query: Query, name: string): number | undefined {
  const text = query.get(name);
  return text === undefined ? undefined : Date.parse(text);
}
