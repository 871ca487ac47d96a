import { describe, expect, it } from "vitest";
import type { CloudEvent } from "../../src/core/event.ts";
import { decodeUtf8, eventView } from "../../src/core/event.ts";
import type { Json } from "../../src/core/result.ts";
import { toShipment } from "../../src/core/shipment.ts";
import { jsonataEngine } from "../../src/core/jsonata.ts";
import { parseTransform } from "../../src/core/read-transform.ts";

const attributes = {
  specversion: "1.0",
  id: "7",
  source: "/shop",
  type: "com.example.order",
  datacontenttype: "application/json",
} as const;
const event: CloudEvent = {
  attributes: { ...attributes, sluicehops: 3 },
  body: new TextEncoder().encode('{"price":  12}'),
};

async function ship(
  transform: Json | undefined,
  changes: { readonly attempt?: number; readonly of?: CloudEvent; readonly id?: string } = {},
) {
  const parsed = transform === undefined ? undefined : parseTransform(transform, jsonataEngine);
  if (parsed?.ok === false) throw new Error(JSON.stringify(parsed.error));
  const of = changes.of ?? event;
  return toShipment(
    { transform: parsed?.value },
    {
      event: of,
      view: () => eventView(of),
      deliveryId: changes.id ?? "dlv_1",
      attempt: changes.attempt ?? 1,
      rawHeaders: { "x-vendor": "1" },
      acceptedAt: Date.parse("2026-03-01T09:30:00Z"),
    },
  );
}

const bodyOf = (made: Awaited<ReturnType<typeof ship>>): string | null | undefined =>
  made.ok && made.value.event.body ? decodeUtf8(made.value.event.body) : undefined;

describe("a shipment", () => {
  it("says whether a transform has made it", async () => {
    const made = async (transform?: Json) => {
      const shipment = await ship(transform);
      return shipment.ok && shipment.value.transformed;
    };
    expect(await made()).toBeUndefined();
    expect(await made({ path: "$.data" })).toBe(true);
    expect(await made({ constant: { specversion: "1.0", id: "1", source: "/", type: "t" } })).toBe(true);
  });

  it("without a transform is the event itself, its bytes as they came", async () => {
    expect(await ship(undefined)).toEqual({
      ok: true,
      value: { deliveryId: "dlv_1", attempt: 1, rawHeaders: { "x-vendor": "1" }, event },
    });
  });

  it("with a body of the transform's keeps the attributes, and says that it is JSON", async () => {
    const text: CloudEvent = {
      attributes: { ...attributes, datacontenttype: "text/plain" },
      body: new TextEncoder().encode("hi"),
    };
    const made = await ship({ jsonata: "{'said': data}" }, { of: text });
    expect(bodyOf(made)).toBe('{"said":"hi"}');
    expect(made.ok && made.value.event.attributes).toEqual(attributes);
  });

  it("with an event of the transform's is that event, but for the hops, which only Sluice counts", async () => {
    const jsonata = `{"specversion": "1.0", "id": id & "-vip", "source": "/vip", "type": "com.example.vip",
      "sluicehops": 0, "data": {"price": data.price}}`;
    const made = await ship({ jsonata });
    expect(made.ok && made.value.event.attributes).toEqual({
      specversion: "1.0",
      id: "7-vip",
      source: "/vip",
      type: "com.example.vip",
      sluicehops: 3,
    });
    expect(bodyOf(made)).toBe('{"price":12}');
    const fresh = await ship({ jsonata }, { of: { ...event, attributes } });
    expect(fresh.ok && Object.hasOwn(fresh.value.event.attributes, "sluicehops")).toBe(false);
  });

  it("is the same at every attempt, and another for another delivery", async () => {
    const transform = { jsonata: "[$now(), $millis(), $random(), $shuffle([1..9])]" };
    const first = bodyOf(await ship(transform));
    expect(bodyOf(await ship(transform, { attempt: 7 }))).toBe(first);
    expect(bodyOf(await ship(transform, { id: "dlv_2" }))).not.toBe(first);
  });

  it.each([
    ["nothing", "the result is undefined: the expression found nothing; write a default with ??"],
    ["{'specversion': '1.0', 'id': '1', 'source': '/x'}", "the result has a specversion and is no CloudEvent: type: "],
    ["{'specversion': '2.0', 'id': '1', 'source': '/x', 'type': 'y'}", "is no CloudEvent: specversion: "],
    ["{'specversion': '1.0', 'id': '1', 'source': '/x', 'type': 'y', 'Bad-Name': 1}", "is no CloudEvent: Bad-Name: "],
    ["{'specversion': '1.0', 'id': '1', 'source': '/x', 'type': 'y', 'note': [1]}", "is no CloudEvent: note: "],
  ])("is none of %s", async (jsonata, detail) => {
    const made = await ship({ jsonata });
    expect(made).toMatchObject({
      ok: false,
      error: { reason: "transform-failed", detail: expect.stringContaining(detail) },
    });
  });
});
