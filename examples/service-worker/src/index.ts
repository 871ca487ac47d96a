/**
 * A Worker that Sluice hands events to by a service binding, in both ways: `fetch` gets them as HTTP requests, `handle` as
 * calls of a method. It answers each order with an event of its own.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { Reply, ServiceCall, ServiceEvent } from "./sluice.ts";
import { neverAgain, tryAgain } from "./sluice.ts";

const CLOUD_EVENT = "application/cloudevents+json";

export default {
  /** Binary format: the event's attributes are `ce-` headers, its data is the body. */
  async fetch(request: Request): Promise<Response> {
    const type = request.headers.get("ce-type");
    const id = request.headers.get("ce-id");
    if (request.method !== "POST" || type === null || id === null) {
      return new Response("expected a CloudEvent in binary format\n", { status: 400 });
    }
    if (type !== "com.example.order.placed") return new Response(null, { status: 204 });
    const order = readOrder(await request.json());
    if (typeof order === "string") return new Response(`${order}\n`, { status: 422 });
    // 503 and Retry-After: again, no sooner than in 30 s. Any other 4xx: never again.
    if (order.total === 0) {
      return new Response("the prices are being loaded\n", { status: 503, headers: { "retry-after": "30" } });
    }
    return Response.json(priced(id, order), { headers: { "content-type": CLOUD_EVENT } });
  },
};

/** `entrypoint = "Orders"` of the service binding, and `method: handle` of the target. */
export class Orders extends WorkerEntrypoint {
  /** Ends well: delivered. Throws: tried again, unless the error says never. */
  async handle({ event, deliveryId, attempt }: ServiceCall): Promise<Reply | undefined> {
    console.log(`${deliveryId}, attempt ${attempt}: ${event.type} ${event.id}`);
    if (event.type !== "com.example.order.placed") return undefined;
    const order = readOrder(await dataOf(event));
    if (typeof order === "string") throw neverAgain(order);
    if (order.total === 0) throw tryAgain("the prices are being loaded", 30_000);
    return priced(event.id, order);
  }
}

interface Order {
  readonly order: string;
  readonly total: number;
}

/** The data, fetched where it is too large to come along. */
async function dataOf({ data, dataref }: ServiceEvent): Promise<unknown> {
  if (dataref === undefined) return data;
  const response = await fetch(dataref);
  if (!response.ok) throw new Error(`the event's data can't be fetched: ${response.status}`);
  return response.json();
}

/** The order, or what is wrong with it. */
function readOrder(data: unknown): Order | string {
  if (typeof data !== "object" || data === null) return "the data is not an order";
  const { order, total } = data as Readonly<Record<string, unknown>>;
  if (typeof order !== "string" || order === "") return "the order has no number";
  if (typeof total !== "number" || !(total >= 0)) return "the order has no total";
  return { order, total };
}

/** The same event leads to the same id, so a repeated attempt publishes nothing twice. */
function priced(id: string, { order, total }: Order): Reply {
  return {
    specversion: "1.0",
    id: `priced-${id}`,
    source: "/examples/service-worker",
    type: "com.example.order.priced",
    datacontenttype: "application/json",
    data: { order, total, tax: Math.round(total * 0.2 * 100) / 100 },
  };
}
