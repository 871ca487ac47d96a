import { CloudEvent as SdkEvent, HTTP } from "cloudevents";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { structuredJson } from "../../src/core/event.ts";
import { JSON_DEPTH_MAX } from "../../src/core/json.ts";
import type { Rejection } from "../../src/core/rejection.ts";
import type { Received } from "../../src/core/source.ts";
import { ATTRIBUTES_BYTES_MAX, ATTRIBUTE_NAME_CHARACTERS_MAX } from "../../src/core/attributes.ts";
import { BATCH_EVENTS_MAX } from "../../src/core/json-format.ts";
import cloudevents from "../../src/sources/cloudevents.ts";
import type { CloudEventsConfig } from "../../src/sources/_cloudevents-entry.ts";
import { contextWith, requestOf, textOf, utf8 } from "./_context.ts";

const OPEN: CloudEventsConfig = { auth: "none" };
const BEARER: CloudEventsConfig = { auth: "bearer", secretNames: ["NEW", "OLD"] };
const TOKENS = { NEW: "new-token", OLD: "old-token" };

const STRUCTURED = { "content-type": "application/cloudevents+json; charset=utf-8" };
const BATCH = { "content-type": "application/cloudevents-batch+json" };
const BINARY = {
  "ce-specversion": "1.0",
  "ce-id": "A234-1234-1234",
  "ce-source": "/mycontext",
  "ce-type": "com.example.someevent",
  "content-type": "application/json",
};
const ATTRIBUTES = { specversion: "1.0", id: "A234-1234-1234", source: "/mycontext", type: "com.example.someevent" };

type Headers = Readonly<Record<string, string>>;

function receive(
  headers: Headers,
  body: Uint8Array | string = "",
  config: CloudEventsConfig = OPEN,
  secrets: Headers = TOKENS,
): { readonly received?: Received; readonly rejection?: Rejection } {
  const result = cloudevents.receive(requestOf(headers, body), config, "events", contextWith(secrets));
  return result.ok ? { received: result.value } : { rejection: result.error };
}

function binary(headers: Headers, body: Uint8Array | string = "") {
  const { received, rejection } = receive({ ...BINARY, ...headers }, body);
  return { event: received?.events[0]?.event, rejection };
}

/** The event in structured mode; `members` is JSON text, to be placed after the required attributes. */
function structured(members: string) {
  const text = `{"specversion":"1.0","id":"A234-1234-1234","source":"/mycontext","type":"com.example.someevent",${members}}`;
  const { received, rejection } = receive(STRUCTURED, text);
  return { event: received?.events[0]?.event, rejection };
}

describe("a bearer token", () => {
  const send = (authorization: string | undefined, secrets: Headers = TOKENS) => {
    const headers = authorization === undefined ? BINARY : { ...BINARY, authorization };
    return receive(headers, "{}", BEARER, secrets);
  };

  it("of any named secret is accepted, the scheme in any case", () => {
    for (const value of ["Bearer new-token", "bearer old-token", "BEARER  new-token"]) {
      expect(send(value).received?.events).toHaveLength(1);
    }
    expect(send("Bearer old-token", { OLD: "old-token" }).received?.events).toHaveLength(1);
  });

  it.each(["new-tokem", "new-toke", "new-token2", "New-token", "old", "NEW", "undefined"])("is wrong: %s", (token) =>
    expect(send(`Bearer ${token}`).rejection).toEqual({ reason: "wrong-token" }),
  );

  it("tells which secrets it is right by, all of them where two have one value, and compares with every one", () => {
    expect(send("Bearer new-token").received?.verifiedBy).toEqual(["NEW"]);
    expect(send("Bearer old-token").received?.verifiedBy).toEqual(["OLD"]);
    expect(send("Bearer x", { NEW: "x", OLD: "x" }).received?.verifiedBy).toEqual(["NEW", "OLD"]);
    expect(receive(BINARY, "{}").received).not.toHaveProperty("verifiedBy");
    let compared = 0;
    const context = contextWith(TOKENS);
    const hashing = {
      ...context.hashing,
      equalBytes: (a: Uint8Array, b: Uint8Array) => {
        compared += 1;
        return context.hashing.equalBytes(a, b);
      },
    };
    const headers = { ...BINARY, authorization: "Bearer new-token" };
    cloudevents.receive(requestOf(headers, "{}"), BEARER, "events", { ...context, hashing });
    expect(compared).toBe(2);
  });

  it("of a secret that was taken away is wrong", () => {
    expect(send("Bearer old-token", { NEW: "new-token" }).rejection).toEqual({ reason: "wrong-token" });
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "new-token",
    "Basic new-token",
    "Bearer new-token x",
    "Bearernew-token",
  ])("is missing: %j", (value) => expect(send(value).rejection).toEqual({ reason: "missing-token" }));

  it("can't be checked when no secret is set, or only empty ones", () => {
    for (const secrets of [{}, { NEW: "", OLD: "" }]) {
      expect(send("Bearer new-token", secrets).rejection).toEqual({
        reason: "source-not-configured",
        secretNames: ["NEW", "OLD"],
      });
    }
  });

  it("is checked before anything is read", () => {
    for (const headers of [STRUCTURED, BATCH, { "content-type": "nonsense" }, {}]) {
      expect(receive(headers, "[{", BEARER).rejection).toEqual({ reason: "missing-token" });
    }
  });

  it("is no part of what was received", () => {
    expect(JSON.stringify(send("Bearer new-token").received)).not.toContain("new-token");
  });
});

describe("the content type", () => {
  it("tells the mode, in any case and with parameters", () => {
    const text = JSON.stringify(ATTRIBUTES);
    expect(receive({ "content-type": "Application/CloudEvents+JSON" }, text).received?.batch).toBe(false);
    expect(
      receive({ "content-type": "application/cloudevents-batch+json;charset=UTF-8" }, `[${text}]`).received,
    ).toMatchObject({ batch: true, events: [{ event: { attributes: ATTRIBUTES, body: null } }] });
    expect(receive(BINARY).received?.batch).toBe(false);
  });

  it.each([
    "application/cloudevents",
    "application/cloudevents+avro",
    "application/cloudevents+xml",
    "application/cloudevents-batch",
    "application/cloudevents+jsonx",
  ])("is refused in the format of %s, even with ce- headers", (type) => {
    expect(binary({ "content-type": type }, "{}").rejection).toEqual({
      reason: "unsupported-content-type",
      found: type,
      expected: ["application/cloudevents+json", "application/cloudevents-batch+json"],
    });
  });

  it("of anything else needs ce-specversion", () => {
    for (const headers of [
      {},
      { "content-type": "application/json" },
      { "ce-id": "1", "ce-type": "t", "ce-source": "s" },
    ]) {
      expect(receive(headers, "{}").rejection).toEqual({ reason: "missing-header", header: "ce-specversion" });
    }
  });
});

describe("binary mode", () => {
  it("takes attributes from headers and data from the body", () => {
    const body = '{ "n": 1.0 }';
    const { event } = binary(
      {
        "ce-subject": "Euro%20%E2%82%AC",
        "ce-time": "2018-04-05T03:56:24Z",
        "ce-dataschema": "https://example.com/schema#a",
        "CE-ComExampleExtension1": "value",
        "ce-empty": "",
        "content-type": "application/json; charset=utf-8",
        "x-other": "1",
        traceparent: "not an attribute",
      },
      body,
    );
    expect(event?.attributes).toEqual({
      ...ATTRIBUTES,
      subject: "Euro €",
      time: "2018-04-05T03:56:24Z",
      dataschema: "https://example.com/schema#a",
      comexampleextension1: "value",
      empty: "",
      datacontenttype: "application/json; charset=utf-8",
    });
    expect(textOf(event?.body)).toBe(body);
  });

  it("has no data when the body has no bytes, whatever the content type", () => {
    expect(binary({}).event).toEqual({
      attributes: { ...ATTRIBUTES, datacontenttype: "application/json" },
      body: null,
    });
  });

  it("needs each required attribute", () => {
    for (const name of ["id", "source", "type"]) {
      const { [`ce-${name}`]: _, ...headers } = BINARY as Headers;
      expect(receive(headers).rejection).toMatchObject({ reason: "invalid-event", attribute: name });
    }
  });

  it.each([
    ["ce-specversion", ""],
    ["ce-specversion", "0.3"],
    ["ce-specversion", "1.0.2"],
    ["ce-id", ""],
    ["ce-source", ""],
    ["ce-source", "not a uri"],
    ["ce-source", "/a%20b"],
    ["ce-type", ""],
    ["ce-subject", ""],
    ["ce-subject", "a%0Ab"],
    ["ce-subject", "a%00"],
    ["ce-subject", "a%C2%80"],
    ["ce-subject", "%EF%BF%BE"],
    ["ce-subject", "%FF"],
    ["ce-subject", '"open'],
    ["ce-subject", "caf\u00e9"],
    ["ce-time", "yesterday"],
    ["ce-time", "2018-04-05 03:56:24Z"],
    ["ce-dataschema", "/relative"],
    ["ce-dataschema", ""],
    ["ce-datacontenttype", "application/json"],
    ["ce-my-extension", "1"],
    ["ce-my_extension", "1"],
    ["ce-", "1"],
    ["ce-data", "1"],
    ["ce-data_base64", "MQ=="],
  ])("refuses %s: %j", (header, value) => {
    const { rejection } = binary({ [header]: value }, "{}");
    expect(rejection).toMatchObject({ reason: "invalid-event", attribute: header.slice(3) });
  });

  it("refuses a content type that is none", () => {
    expect(binary({ "content-type": "json" }, "{}").rejection).toMatchObject({ attribute: "datacontenttype" });
    expect(binary({ "content-type": "" }, "{}").rejection).toMatchObject({ attribute: "datacontenttype" });
  });

  it("says how a percent sign is sent, when one may be the mistake", () => {
    expect(binary({ "ce-source": "/a%20b" }).rejection).toMatchObject({
      detail: expect.stringContaining("%25") as string,
    });
    expect(binary({ "ce-source": "/a%2520b" }).event?.attributes.source).toBe("/a%20b");
  });

  it("refuses data declared as JSON that is not", () => {
    expect(binary({}, "{").rejection?.reason).toBe("invalid-json");
    expect(binary({ "content-type": "application/a+json" }, "I'm just a string").rejection?.reason).toBe(
      "invalid-json",
    );
    expect(binary({}, Uint8Array.of(0x22, 0xff, 0x22)).rejection?.reason).toBe("invalid-utf8");
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(binary({}, nested(JSON_DEPTH_MAX)).event).toBeDefined();
    expect(binary({}, nested(JSON_DEPTH_MAX + 1)).rejection?.reason).toBe("json-too-deep");
  });

  it("leaves data of other types alone", () => {
    const bytes = Uint8Array.of(0, 0xff, 0x7b);
    expect(binary({ "content-type": "application/octet-stream" }, bytes).event?.body).toEqual(bytes);
    expect(textOf(binary({ "content-type": "text/plain" }, "{").event?.body)).toBe("{");
  });

  it("assumes a type for data without one only where it is not JSON", () => {
    const { "content-type": _, ...untyped } = BINARY;
    expect(receive(untyped, "[1]").received?.events[0]?.event.attributes).not.toHaveProperty("datacontenttype");
    for (const body of ["plain text", Uint8Array.of(0xff)]) {
      const attributes = receive(untyped, body).received?.events[0]?.event.attributes;
      expect(attributes?.datacontenttype).toBe("application/octet-stream");
    }
  });

  it("bounds the length of a name", () => {
    const name = (length: number) => ({ [`ce-${"a".repeat(length)}`]: "1" });
    expect(binary(name(ATTRIBUTE_NAME_CHARACTERS_MAX)).event).toBeDefined();
    expect(binary(name(ATTRIBUTE_NAME_CHARACTERS_MAX + 1)).rejection?.reason).toBe("invalid-event");
  });
});

describe("structured mode", () => {
  it("keeps JSON data as it was written", () => {
    for (const data of [
      '{ "n" : 1.0e2, "n":12345678901234567890 }',
      "[ 1 ,2]",
      '"I\'m just a \\u0073tring"',
      "-0.0",
      "true",
      "null",
    ]) {
      const { event } = structured(`"data" : ${data} , "subject":"s"`);
      expect(textOf(event?.body)).toBe(data);
      expect(event?.attributes).toEqual({ ...ATTRIBUTES, subject: "s" });
      expect(textOf(structured(`"datacontenttype":"application/a+json; b=c","data":${data}`).event?.body)).toBe(data);
    }
  });

  it("decodes text and Base64", () => {
    expect(textOf(structured('"datacontenttype":"text/xml","data":"<much wow=\\"xml\\"/>\\u20ac"').event?.body)).toBe(
      '<much wow="xml"/>€',
    );
    expect(structured('"datacontenttype":"image/png","data_base64":"AP+A"').event?.body).toEqual(
      Uint8Array.of(0, 255, 128),
    );
    expect(textOf(structured('"datacontenttype":"application/json","data_base64":"eyJhIjoxfQ=="').event?.body)).toBe(
      '{"a":1}',
    );
    expect(structured('"data_base64":"AP+A"').event?.attributes.datacontenttype).toBe("application/octet-stream");
    expect(structured('"data_base64":"MQ=="').event?.attributes).not.toHaveProperty("datacontenttype");
  });

  it("decodes Base64 of many megabytes", () => {
    const { event } = structured(`"datacontenttype":"image/png","data_base64":"${"QUJD".repeat(3_000_000)}"`);
    expect(event?.body?.length).toBe(9_000_000);
  });

  it.each([
    '"x":1',
    '"data_base64":null',
    '"data_base64":""',
    '"datacontenttype":"text/plain","data":null',
    '"datacontenttype":"text/plain","data":""',
  ])("has no data: %s", (members) => expect(structured(members).event?.body).toBeNull());

  it("reads null as absent and keeps the types of extensions", () => {
    const { event } = structured('"subject":null,"time":null,"count":-5,"flag":false,"text":"","unset":null,"zero":-0');
    expect(event?.attributes).toEqual({ ...ATTRIBUTES, count: -5, flag: false, text: "", zero: 0 });
    expect(structured('"n":2147483647,"m":-2147483648').event).toBeDefined();
  });

  it("counts the last of two members with one name", () => {
    const { event } = structured(
      '"subject":"a","subject":"b","data":1,"data":{"x":2},"extra":1.5,"extra":"ok","\\u0073ource":"/last"',
    );
    expect(event?.attributes).toEqual({ ...ATTRIBUTES, source: "/last", subject: "b", extra: "ok" });
    expect(textOf(event?.body)).toBe('{"x":2}');
    expect(structured('"id":"","id":null').rejection).toMatchObject({ attribute: "id" });
  });

  it.each([
    ["specversion", '"specversion":"0.3"'],
    ["specversion", '"specversion":1.0'],
    ["specversion", '"specversion":1'],
    ["id", '"id":""'],
    ["id", '"id":5'],
    ["id", '"id":null'],
    ["source", '"source":""'],
    ["source", '"source":"a b"'],
    ["source", '"source":true'],
    ["type", '"type":["a"]'],
    ["subject", '"subject":""'],
    ["subject", '"subject":{}'],
    ["time", '"time":""'],
    ["time", '"time":"2018-02-30T00:00:00Z"'],
    ["time", '"time":1522949460'],
    ["datacontenttype", '"datacontenttype":"xml"'],
    ["datacontenttype", '"datacontenttype":""'],
    ["dataschema", '"dataschema":"#a"'],
    ["ext", '"ext":2147483648'],
    ["ext", '"ext":-2147483649'],
    ["ext", '"ext":1.5'],
    ["ext", '"ext":1.0'],
    ["ext", '"ext":1e3'],
    ["ext", '"ext":[]'],
    ["ext", '"ext":{"a":1}'],
    ["ext", '"ext":"a\\u0000"'],
    ["ext", '"ext":"a\\u001f"'],
    ["ext", '"ext":"a\\u007f"'],
    ["ext", '"ext":"a\\u009f"'],
    ["ext", '"ext":"\\ud800"'],
    ["ext", '"ext":"\\udc00\\ud800"'],
    ["ext", '"ext":"\\ufffe"'],
    ["ext", '"ext":"\\ufdd0"'],
    ["ext", '"ext":"\\ud83f\\udfff"'],
    ["myExt", '"myExt":"a"'],
    ["my_ext", '"my_ext":"a"'],
    ["", '"":"a"'],
    ["é", '"é":"a"'],
    ["__proto__", '"__proto__":"a"'],
    ["__proto__", '"__proto__":{"id":"a"}'],
    ["a".repeat(65), `"${"a".repeat(65)}":1`],
    ["data_base64", '"data":1,"data_base64":"AA=="'],
    ["data_base64", '"data":null,"data_base64":"AA=="'],
    ["data_base64", '"data_base64":"A"'],
    ["data_base64", '"data_base64":"AA-_"'],
    ["data_base64", '"data_base64":5'],
    ["data_base64", '"datacontenttype":"application/json","data_base64":"ew=="'],
    ["data", '"datacontenttype":"text/plain","data":{"a":1}'],
    ["data", '"datacontenttype":"text/plain","data":"\\ud800"'],
  ])("refuses a wrong %s: %s", (attribute, members) => {
    expect(structured(members).rejection).toMatchObject({ reason: "invalid-event", attribute });
  });

  it("accepts names that objects inherit", () => {
    expect(structured('"constructor":"a"').event?.attributes).toMatchObject({ constructor: "a" });
  });

  it.each(["", "null", "[]", '"a"', "{", `${JSON.stringify(ATTRIBUTES)}x`])("refuses the body %s", (text) =>
    expect(receive(STRUCTURED, text).rejection?.reason).toBe("invalid-json"),
  );

  it("needs each required attribute, even where headers have it", () => {
    for (const name of Object.keys(ATTRIBUTES)) {
      const text = JSON.stringify({ ...ATTRIBUTES, [name]: undefined });
      const { rejection } = receive({ ...BINARY, ...STRUCTURED }, text);
      expect(rejection).toMatchObject({ reason: "invalid-event", attribute: name });
    }
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(receive(STRUCTURED, Uint8Array.of(0x7b, 0xff, 0x7d)).rejection).toEqual({ reason: "invalid-utf8" });
  });

  it("bounds the depth of the data as in binary mode", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(structured(`"data":${nested(JSON_DEPTH_MAX)}`).event).toBeDefined();
    expect(structured(`"data":${nested(JSON_DEPTH_MAX + 1)}`).rejection?.reason).toBe("json-too-deep");
  });

  it("bounds the attributes together, not the data", () => {
    const used = structured('"subject":"s"').event?.attributes ?? {};
    const bytes = Object.entries(used).reduce((sum, [name, value]) => sum + name.length + String(value).length, 0);
    const rest = ATTRIBUTES_BYTES_MAX - bytes - "ext".length;
    expect(structured(`"subject":"s","ext":"${"x".repeat(rest)}"`).event).toBeDefined();
    expect(structured(`"subject":"s","ext":"${"x".repeat(rest + 1)}"`).rejection).toMatchObject({ attribute: "ext" });
    expect(structured(`"subject":"s","ext":"${"é".repeat(rest / 2 + 1)}"`).rejection).toMatchObject({
      attribute: "ext",
    });
    expect(structured(`"data":"${"x".repeat(ATTRIBUTES_BYTES_MAX)}"`).event).toBeDefined();
  });

  it("never repeats a value in a rejection", () => {
    for (const members of [
      '"ext":"hunter2\\u0000"',
      '"source":"hunter2 x"',
      '"time":"hunter2"',
      '"data_base64":"hunter2"',
    ]) {
      expect(JSON.stringify(structured(members).rejection)).not.toContain("hunter2");
    }
  });
});

describe("batched mode", () => {
  const event = (id: string, members = ""): string =>
    `{"specversion":"1.0","id":"${id}","source":"/s","type":"t"${members}}`;

  it("takes every event, in order, with its data as it was written", () => {
    const { received } = receive(
      BATCH,
      ` [ ${event("1", ',"data":{ "a":[1, "]"] }')} , ${event("2")},${event("3", ',"data": 1.0')}]`,
    );
    expect(received?.batch).toBe(true);
    expect(received?.events.map(({ event }) => [event.attributes.id, textOf(event.body)])).toEqual([
      ["1", '{ "a":[1, "]"] }'],
      ["2", null],
      ["3", "1.0"],
    ]);
  });

  it("may be empty", () => {
    expect(receive(BATCH, "[]").received).toEqual({ events: [], batch: true });
    expect(receive(BATCH, " [ ] ").received).toEqual({ events: [], batch: true });
  });

  it("is refused whole, with the place of the first wrong event", () => {
    expect(receive(BATCH, `[${event("1")},${event("2", ',"time":"x"')},${event("")}]`).rejection).toMatchObject({
      reason: "invalid-event",
      attribute: "time",
      index: 1,
    });
    for (const wrong of ["null", "[]", "1", '"a"']) {
      expect(receive(BATCH, `[${event("1")},${wrong}]`).rejection).toMatchObject({ reason: "invalid-event", index: 1 });
    }
  });

  it.each(["", "{}", "null", event("1"), "[", `[${event("1")},]`])("is refused: %s", (text) =>
    expect(receive(BATCH, text).rejection?.reason).toBe("invalid-json"),
  );

  it("has a bounded number of events", () => {
    const batch = (count: number): string => `[${Array.from({ length: count }, (_, at) => event(`${at}`)).join(",")}]`;
    expect(receive(BATCH, batch(BATCH_EVENTS_MAX)).received?.events).toHaveLength(BATCH_EVENTS_MAX);
    expect(receive(BATCH, batch(BATCH_EVENTS_MAX + 1)).rejection).toEqual({
      reason: "batch-too-large",
      eventsMax: BATCH_EVENTS_MAX,
    });
  });
});

describe("the key and the fingerprint", () => {
  const first = (headers: Headers, body = "{}") => receive({ ...BINARY, ...headers }, body).received?.events[0];

  it("has its source as the key, so that a repeat with another subject meets its first arrival", () => {
    for (const headers of [{}, { "ce-subject": "s" }, { "ce-partitionkey": "k" }]) {
      expect(first(headers)?.key).toBe("/mycontext");
    }
  });

  it("is ordered by its partitionkey, else by its subject, within its source", () => {
    expect(first({})?.orderKey).toBe("/mycontext\n");
    expect(first({ "ce-subject": "s" })?.orderKey).toBe("/mycontext\ns");
    expect(first({ "ce-subject": "s", "ce-partitionkey": "k" })?.orderKey).toBe("/mycontext\nk");
    expect(first({ "ce-source": "/other", "ce-subject": "s" })?.orderKey).toBe("/other\ns");
    expect(first({})?.repeat).toBeUndefined();
  });

  it("is ordered by a partitionkey of any type, in every event of a batch", () => {
    const events = [{ subject: "s" }, { subject: "s", partitionkey: 7 }, { partitionkey: false }];
    const body = JSON.stringify(events.map((more, id) => ({ ...ATTRIBUTES, id: String(id), ...more })));
    const orderKeys = receive(BATCH, body).received?.events.map(({ orderKey }) => orderKey);
    expect(orderKeys).toEqual(["/mycontext\ns", "/mycontext\n7", "/mycontext\nfalse"]);
  });

  it("tells other content apart, but not another time or trace", () => {
    const { hash, scope } = first({})?.fingerprint ?? { hash: "", scope: "" };
    expect([hash.slice(0, 2), scope]).toEqual(["1:", ""]);
    expect(first({ "ce-time": "2018-04-05T03:56:24Z", "ce-traceparent": "00-1" })?.fingerprint.hash).toBe(hash);
    expect(first({ "ce-subject": "s" })?.fingerprint.hash).not.toBe(hash);
    expect(first({}, "[]")?.fingerprint.hash).not.toBe(hash);
  });

  it("passes no headers on", () => {
    expect(first({ authorization: "Bearer x", "x-a": "b" })?.rawHeaders).toEqual({});
  });
});

/** Events as the SDK makes them; its binary mode doesn't encode headers, so their text stays in ASCII. */
const sdkEvents = fc
  .record({
    id: fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/),
    source: fc.webUrl().filter((url) => !url.includes("%")),
    type: fc.stringMatching(/^[a-z.]{1,30}$/).filter((type) => type.trim() !== ""),
    subject: fc.option(fc.stringMatching(/^[a-z]([a-z ]{0,20}[a-z])?$/), { nil: undefined }),
    time: fc.constant("2024-05-01T12:00:00.000Z"),
    ext: fc.option(fc.stringMatching(/^[a-z0-9]{1,20}$/), { nil: undefined }),
    data: fc.option(fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue())), { nil: undefined }),
  })
  .map(({ subject, ext, data, ...required }) => {
    const optional = { subject, ext, data, datacontenttype: data === undefined ? undefined : "application/json" };
    const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
    return new SdkEvent({ ...required, ...present });
  });

/** The SDK's event as JSON, which is what must come out here again. */
function expectedJson(event: SdkEvent): unknown {
  return JSON.parse(JSON.stringify(event));
}

describe("the SDK's events", () => {
  it("come through binary mode", () => {
    fc.assert(
      fc.property(sdkEvents, (event) => {
        const { headers, body } = HTTP.binary(event);
        const { received, rejection } = receive(headers as Headers, (body as string | undefined) ?? "");
        expect(rejection).toBeUndefined();
        const expected = expectedJson(event) as object;
        // The SDK sends a content type with an event that has no data.
        const typed = "data" in expected ? {} : { datacontenttype: "application/json; charset=utf-8" };
        const [only] = received?.events ?? [];
        if (only === undefined) throw new Error("the event is accepted");
        expect(JSON.parse(structuredJson(only.event))).toEqual({ ...expected, ...typed });
      }),
      { numRuns: 200 },
    );
  });

  it("come through structured mode and a batch", () => {
    fc.assert(
      fc.property(fc.array(sdkEvents, { minLength: 1, maxLength: 5 }), (events) => {
        const messages = events.map((event) => HTTP.structured(event));
        const batch = receive(BATCH, `[${messages.map(({ body }) => body as string).join(", ")}]`);
        expect(batch.rejection).toBeUndefined();
        for (const [index, event] of events.entries()) {
          const message = messages[index];
          const { received } = receive(message?.headers as Headers, message?.body as string);
          const [only] = received?.events ?? [];
          if (only === undefined) throw new Error("the event is accepted");
          expect(JSON.parse(structuredJson(only.event))).toEqual(expectedJson(event));
          expect(batch.received?.events[index]).toEqual(only);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("come through with binary data", () => {
    const event = new SdkEvent({
      id: "1",
      source: "/s",
      type: "t",
      datacontenttype: "image/png",
      data: Uint8Array.of(0, 255),
    });
    const { headers, body } = HTTP.structured(event);
    const { received } = receive(headers as Headers, body as string);
    expect(received?.events[0]?.event.body).toEqual(Uint8Array.of(0, 255));
  });
});

describe("the entry in sources.yaml", () => {
  it("has a bearer token's names or says that there is none", () => {
    expect(cloudevents.parse({ auth: { bearer: ["A"] } })).toEqual({
      ok: true,
      value: { auth: "bearer", secretNames: ["A"] },
    });
    expect(cloudevents.parse({ auth: "none" })).toEqual({ ok: true, value: { auth: "none" } });
  });

  it.each([
    [{}, []],
    [{ auth: "open" }, ["auth"]],
    [{ auth: null }, ["auth"]],
    [{ auth: {} }, ["auth"]],
    [{ auth: { bearer: [] } }, ["auth", "bearer"]],
    [{ auth: { bearer: "A" } }, ["auth", "bearer"]],
    [{ auth: { bearer: ["A", "a b"] } }, ["auth", "bearer", 1]],
    [{ auth: { bearer: ["A"], basic: ["B"] } }, ["auth", "basic"]],
    [{ auth: { bearer: Array.from({ length: 6 }, (_, at) => `S${at}`) } }, ["auth", "bearer"]],
    [{ secrets: ["A"] }, ["secrets"]],
  ])("is a mistake: %j", (entry, path) => {
    const parsed = cloudevents.parse(entry);
    expect(parsed.ok ? [] : parsed.error.map((mistake) => mistake.path)).toContainEqual(path);
  });

  it("never repeats a token that stands in the wrong place", () => {
    for (const entry of [{ auth: "hunter2" }, { auth: { bearer: "hunter2" } }, { auth: { bearer: ["hunter-2"] } }]) {
      const parsed = cloudevents.parse(entry);
      if (parsed.ok) throw new Error("the entry is a mistake");
      expect(JSON.stringify(parsed.error)).not.toContain("hunter");
    }
  });
});

describe("any request", () => {
  it("is accepted or rejected, never thrown at", () => {
    const value = fc.oneof(fc.stringMatching(/^[ -~]{0,30}$/), fc.constantFrom("1.0", "/s", "t", "%", '"', "%ff"));
    const names = fc.constantFrom(
      "ce-specversion",
      "ce-id",
      "ce-source",
      "ce-type",
      "ce-time",
      "ce-x",
      "ce-data",
      "content-type",
    );
    const types = fc.constantFrom(STRUCTURED, BATCH, BINARY, {});
    const members = fc.dictionary(
      fc.constantFrom("id", "source", "type", "data", "data_base64", "__proto__", "x"),
      fc.jsonValue(),
    );
    const json = members.map((object) => JSON.stringify({ ...ATTRIBUTES, ...object }));
    const body = fc.oneof(
      json.map(utf8),
      json.map((text) => utf8(`[${text}]`)),
      fc.json().map(utf8),
      fc.uint8Array({ maxLength: 60 }),
    );
    fc.assert(
      fc.property(types, fc.dictionary(names, value), body, (type, headers, body) => {
        const { received, rejection } = receive({ ...headers, ...type }, body);
        expect((received === undefined) !== (rejection === undefined)).toBe(true);
        // What was accepted can be sent on: its JSON form is JSON.
        for (const { event } of received?.events ?? []) JSON.parse(structuredJson(event));
      }),
      { numRuns: 1_000 },
    );
  });
});
