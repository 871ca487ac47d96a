/**
 * `GET /api/log`: whole events, newest first, for who tries rules on them. It takes the parameters of `/api/events`.
 *
 * It answers `{"events": [{id, acceptedAt, bus, from, rules, event}, …], "next": "…" | null}`: `id` is the receipt, `from` the
 * source's name, `event` the CloudEvent in the JSON format. JSON data stands in it as it was received, so that numbers and the
 * order of members stay what they were.
 */
import type { AdminPartitionPort, StoredEvent } from "../bus/ports.ts";
import { structuredJson } from "../core/event.ts";
import { formatReceipt } from "../core/receipt.ts";
import { readQuery, readSearch, SEARCH_PARAMETERS } from "./admin-query.ts";
import type { FoundEvent, SearchPage } from "./event-search.ts";
import { formatCursor, searchEvents } from "./event-search.ts";
import { problemResponse } from "./problem.ts";
import { createApp } from "./router.ts";

export const LOG_PAGE_EVENTS_MAX = 1_000;

export interface AdminLogPorts {
  readonly allPartitions: () => readonly string[];
  readonly adminPartition: (name: string) => AdminPartitionPort;
}

/** Routes under `/api/log`; the ports of the request at hand are a variable of its context. */
export function logRoutes() {
  const app = createApp<{ Variables: { ports: AdminLogPorts } }>();

  app.get("/", async (c) => {
    const query = readQuery(c.req.url, [...SEARCH_PARAMETERS, "shadow"]);
    const request = query.ok ? readSearch(query.value, "all", LOG_PAGE_EVENTS_MAX) : query;
    if (!request.ok) {
      return problemResponse("invalid-query", { status: 400, title: "Invalid query", detail: request.error });
    }
    const { ports } = c.var;
    const page = await searchEvents(ports.allPartitions(), ports.adminPartition, {
      ...request.value,
      withBodies: true,
    });
    return c.body(streamOf(piecesOf(page)), 200, { "content-type": "application/json" });
  });

  return app;
}

/** Written piece by piece: as one text, 8 MiB of events would be there three times, in an isolate of 128 MB. */
function* piecesOf({ found, next }: SearchPage): Generator<string> {
  yield '{"events":[';
  for (const [index, each] of found.entries()) yield `${index === 0 ? "" : ","}\n${entryOf(each)}`;
  yield `\n],"next":${JSON.stringify(next === null ? null : formatCursor(next))}}`;
}

function entryOf({ partition, event: { seq, acceptedAt, event } }: FoundEvent): string {
  const { bus, source: from, rules, attributes, body, large } = event;
  const id = formatReceipt({ partition, seq });
  const head = JSON.stringify({
    id,
    acceptedAt: new Date(acceptedAt).toISOString(),
    bus,
    from,
    rules,
    ...largeOf(large),
  });
  return `${head.slice(0, -1)},"event":${structuredJson({ attributes, body })}}`;
}

/** The payload is not here: it stands in the body store. */
function largeOf(large: StoredEvent["large"]): { readonly large?: { readonly bytes: number } } {
  return large === undefined ? {} : { large: { bytes: large.bytes } };
}

function streamOf(pieces: Iterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}
