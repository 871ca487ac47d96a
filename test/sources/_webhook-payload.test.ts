import { describe, expect, it } from "vitest";
import { BATCH_EVENTS_MAX } from "../../src/core/json-format.ts";
import { FORM_FIELDS_MAX, LISTED_EVENTS_MAX, readPayload, textAt } from "../../src/sources/_webhook-payload.ts";
import type { PayloadForm } from "../../src/sources/_webhook-source.ts";
import { requestOf, textOf } from "./_context.ts";

function read(form: PayloadForm, body: string | Uint8Array, list?: string) {
  const result = readPayload(requestOf({}, body), form, new Map(), list);
  return result.ok ? result.value.items.map(({ bytes }) => textOf(bytes)) : result.error;
}

const listOf = (count: number) => JSON.stringify(Array.from({ length: count }, () => ({})));
const reason = (wanted: string) => expect.objectContaining({ reason: wanted }) as unknown;

describe("a payload", () => {
  it("of JSON is one object, byte for byte", () => {
    const body = '{ "n" : 1.0,\n "é":"\\u00e9" }';
    expect(read("json", body)).toEqual([body]);
    expect(read("json-array", body)).toEqual([body]);
  });

  it("of a list is its elements, each as it was written", () => {
    expect(read("json-array", ' [ {"a" : 1} ,{"b":2}\n]')).toEqual(['{"a" : 1}', '{"b":2}']);
    expect(read("json-array", "[]")).toEqual([]);
  });

  it.each<[PayloadForm, string, string]>([
    ["json", "[]", "invalid-json"],
    ["json", "7", "invalid-json"],
    ["json", "{", "invalid-json"],
    ["json-array", "[1]", "invalid-json"],
    ["json-array", '"a"', "invalid-json"],
    ["json-array", "null", "invalid-json"],
    ["form-payload", "payload=[]", "invalid-json"],
    ["form-payload", "payload=", "invalid-json"],
  ])("of the form %s is not %s", (form, body, wanted) => {
    expect(read(form, body)).toEqual(reason(wanted));
  });

  it("is UTF-8", () => {
    for (const form of ["json", "json-array", "form", "form-payload"] as const) {
      expect(read(form, Uint8Array.of(0x7b, 0xff))).toEqual({ reason: "invalid-utf8" });
    }
  });

  it(`has at most ${LISTED_EVENTS_MAX} elements`, () => {
    expect(read("json-array", listOf(LISTED_EVENTS_MAX))).toHaveLength(LISTED_EVENTS_MAX);
    expect(read("json-array", listOf(LISTED_EVENTS_MAX + 1))).toEqual(reason("batch-too-large"));
  });

  it("that is JSON is no form, whatever it says of itself", () => {
    for (const body of ['{"a":1}', ' \n[{"payload":"{}"}]']) {
      expect(read("form", body)).toEqual(reason("invalid-form"));
      expect(read("form-payload", body)).toEqual(reason("invalid-form"));
    }
  });

  it("of a form is an object of its fields, one that comes several times a list", () => {
    expect(read("form", "a=1&b=%C3%A9+x&a=2&c")).toEqual(['{"a":["1","2"],"b":"é x","c":""}']);
    expect(read("form", "payload=%7B%7D")).toEqual(['{"payload":"{}"}']);
  });

  it("of a form has no members but its own fields", () => {
    const [text] = read("form", "__proto__=1&constructor=2") as readonly string[];
    expect(text).toBe('{"__proto__":"1","constructor":"2"}');
  });

  it("of a form with a payload is that, and without one the form", () => {
    expect(read("form-payload", "payload=%7B%22a%22%3A+1%7D&token=x")).toEqual(['{"a": 1}']);
    expect(read("form-payload", "command=%2Fx")).toEqual(['{"command":"/x"}']);
    // Of two payloads neither is the one.
    expect(read("form-payload", "payload=%7B%7D&payload=%7B%7D")).toEqual(['{"payload":["{}","{}"]}']);
  });

  it(`of a form has at most ${FORM_FIELDS_MAX} fields`, () => {
    const form = (count: number) => Array<string>(count).fill("a=1").join("&");
    expect(read("form", form(FORM_FIELDS_MAX))).toHaveLength(1);
    expect(read("form", form(FORM_FIELDS_MAX + 1))).toEqual(reason("invalid-form"));
  });

  it("may have its events in a member, each as it was written", () => {
    expect(read("json", '{"n":1,"events":[{"a" : 1},{"b":2}]}', "events")).toEqual(['{"a" : 1}', '{"b":2}']);
    expect(read("json", '{"events":[]}', "events")).toEqual([]);
    expect(read("json", '{"events":7}', "events")).toEqual(['{"events":7}']);
    expect(read("json", `{"events":${listOf(BATCH_EVENTS_MAX)}}`, "events")).toHaveLength(BATCH_EVENTS_MAX);
    expect(read("json", `{"events":${listOf(BATCH_EVENTS_MAX + 1)}}`, "events")).toHaveLength(1);
  });
});

describe("a text at a dotted path", () => {
  const json = { a: { b: ["x", { c: 7 }] }, "0": "zero", e: "", n: null, t: true } as const;

  it("is a text or a number, in objects and lists", () => {
    expect(textAt(json, "a.b.0")).toBe("x");
    expect(textAt(json, "a.b.1.c")).toBe("7");
    expect(textAt(json, "0")).toBe("zero");
  });

  it.each(["a", "a.b", "a.b.2", "a.b.-1", "a.b.length", "e", "n", "t", "x.y", "constructor", "__proto__", "a.b.0.0"])(
    "is not there at %s",
    (path) => {
      expect(textAt(json, path)).toBeUndefined();
    },
  );
});
