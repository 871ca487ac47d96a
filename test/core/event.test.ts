import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CloudEvent, EventAttributes, Sha256 } from "../../src/core/event.ts";
import {
  decodeUtf8,
  eventFingerprint,
  eventView,
  fromBase64,
  identityOf,
  isConflict,
  isJsonMediaType,
  payloadFingerprint,
  structuredJson,
  toBase64,
  toHex,
} from "../../src/core/event.ts";

const sha256: Sha256 = (data) => createHash("sha256").update(data).digest();
const bytes = (text: string) => new TextEncoder().encode(text);
const attributes: EventAttributes = { specversion: "1.0", id: "1", source: "/s", type: "t" };

function event(body: string | Uint8Array | null, more: Partial<EventAttributes> = {}): CloudEvent {
  return { attributes: { ...attributes, ...more }, body: typeof body === "string" ? bytes(body) : body };
}

describe("an identity", () => {
  it("is the source's name, the event's source and its id", () => {
    const same = identityOf("github", attributes);
    expect(identityOf("github", { ...attributes, type: "other", time: "2026-01-01T00:00:00Z" })).toBe(same);
    expect(identityOf("other", attributes)).not.toBe(same);
    expect(identityOf("github", { ...attributes, source: "/other" })).not.toBe(same);
    expect(identityOf("github", { ...attributes, id: "2" })).not.toBe(same);
  });

  it("does not run its parts together", () => {
    const parts = fc.tuple(
      ...[0, 1, 2].map(() => fc.string({ maxLength: 4 }).map((text) => text.replaceAll("\n", ""))),
    );
    fc.assert(
      fc.property(parts, parts, ([name = "", source = "", id = ""], [name2 = "", source2 = "", id2 = ""]) => {
        const equal = name === name2 && source === source2 && id === id2;
        const first = identityOf(name, { ...attributes, source, id });
        expect(first === identityOf(name2, { ...attributes, source: source2, id: id2 })).toBe(equal);
      }),
    );
  });
});

describe("a webhook's fingerprint", () => {
  it("is of the payload's bytes and who sent it", () => {
    const first = payloadFingerprint(bytes("{}"), "hook-1", sha256);
    expect(first).toEqual({ scope: "hook-1", hash: `1:${createHash("sha256").update("{}").digest("hex")}` });
    expect(payloadFingerprint(bytes("{ }"), "hook-1", sha256).hash).not.toBe(first.hash);
  });
});

describe("a CloudEvent's fingerprint", () => {
  const of = (one: CloudEvent) => eventFingerprint(one, sha256).hash;

  it("leaves time and trace context out, and the order of attributes", () => {
    const first = of(event("{}", { time: "2026-01-01T00:00:00Z", subject: "a", traceparent: "x", tracestate: "y" }));
    expect(of({ attributes: { subject: "a", ...attributes }, body: bytes("{}") })).toBe(first);
  });

  it("tells every other attribute and the data apart, and no data from empty data", () => {
    const hashes = [
      event("{}"),
      event("[]"),
      event(null),
      event(""),
      event("-"),
      event("{}", { subject: "a" }),
      event("{}", { extension: 1 }),
      event("{}", { extension: "1" }),
      event("{}", { extension: true }),
    ].map(of);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe("a conflict", () => {
  const first = { scope: "hook-1", hash: "1:aa" };

  it("is other content from the same sender", () => {
    expect(isConflict(first, { scope: "hook-1", hash: "1:bb" })).toBe(true);
    expect(isConflict(first, first)).toBe(false);
  });

  it("is not another sender's copy, nor a hash of another version", () => {
    expect(isConflict(first, { scope: "hook-2", hash: "1:bb" })).toBe(false);
    expect(isConflict(first, { scope: "hook-1", hash: "2:bb" })).toBe(false);
  });
});

describe("media types that say JSON", () => {
  it.each([undefined, "application/json", "text/json", "APPLICATION/JSON; charset=utf-8", "application/vnd.a+json"])(
    "takes %s",
    (mediaType) => {
      expect(isJsonMediaType(mediaType)).toBe(true);
    },
  );

  it.each(["", "json", "text/plain", "application/jsonl", "application/+json", "application/json+xml", "a/b/json"])(
    "leaves %j",
    (mediaType) => {
      expect(isJsonMediaType(mediaType)).toBe(false);
    },
  );
});

describe("UTF-8", () => {
  it("is text without its byte order mark, or null", () => {
    expect(decodeUtf8(bytes("\u{feff}grüß 🎈"))).toBe("grüß 🎈");
    expect(decodeUtf8(Uint8Array.of(0xff))).toBeNull();
    expect(decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80))).toBeNull();
  });
});

describe("what patterns and transforms see", () => {
  it("is the attributes and the data as JSON", () => {
    expect({ ...eventView(event('{"ref":1}', { subject: "a", count: 2 })) }).toEqual({
      ...attributes,
      subject: "a",
      count: 2,
      data: { ref: 1 },
    });
  });

  it("has text where the data is not JSON, whatever says it is, and Base64 where it is no text", () => {
    expect(eventView(event("1", { datacontenttype: "text/plain" }))["data"]).toBe("1");
    expect(eventView(event("{not json"))["data"]).toBe("{not json");
    expect(eventView(event(Uint8Array.of(255, 0)))["data_base64"]).toBe("/wA=");
    expect("data" in eventView(event(null))).toBe(false);
  });

  it("takes what was parsed already, where the data is JSON", () => {
    expect(eventView(event('{"ref":1}'), { ref: 2 })["data"]).toEqual({ ref: 2 });
    expect(eventView(event("1", { datacontenttype: "text/plain" }), 1)["data"]).toBe("1");
    expect("data" in eventView(event(null), { ref: 2 })).toBe(false);
  });

  it("has nothing that the event does not have", () => {
    const view = eventView(event('{"__proto__":{"a":1}}'));
    expect(view["constructor"]).toBeUndefined();
    expect(Object.hasOwn(view["data"] as object, "__proto__")).toBe(true);
  });
});

describe("Base64", () => {
  it("comes back as it went, at any length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
        expect(toBase64(data)).toBe(Buffer.from(data).toString("base64"));
        expect(fromBase64(toBase64(data))).toEqual(data);
      }),
    );
    const large = new Uint8Array(3_000_001).fill(7);
    expect(fromBase64(toBase64(large))).toHaveLength(large.length);
  });

  it.each(["a", "ab", "abc", "abc$", "ab=c", "a===", "====", "YQ= =", "YQ==\n"])("refuses %j", (text) => {
    expect(fromBase64(text)).toBeNull();
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("A", "z", "+", "/", "=", "-", " "), maxLength: 12 }), (text) => {
        const decoded = fromBase64(text);
        if (decoded !== null) expect(Buffer.from(text, "base64")).toHaveLength(decoded.length);
      }),
    );
  });
});

describe("structured mode", () => {
  it("has JSON data as the text that came", () => {
    const text = '{ "n": 1.0, "big": 12345678901234567890, "n": 2 }';
    expect(structuredJson(event(text))).toBe(`{"specversion":"1.0","id":"1","source":"/s","type":"t","data":${text}}`);
  });

  it("has other text as a string, other bytes as Base64, and no data where there is none", () => {
    expect(JSON.parse(structuredJson(event('a"b', { datacontenttype: "text/plain" })))).toMatchObject({ data: 'a"b' });
    expect(JSON.parse(structuredJson(event(Uint8Array.of(255))))).toMatchObject({ data_base64: "/w==" });
    expect(JSON.parse(structuredJson(event(null)))).toEqual(attributes);
  });

  it("is JSON that says what the event says, for any JSON data", () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (data, subject) => {
        expect(JSON.parse(structuredJson(event(data, { subject })))).toEqual({
          ...attributes,
          subject,
          data: JSON.parse(data) as unknown,
        });
      }),
    );
  });
});

describe("hex", () => {
  it("has two digits for each byte", () => {
    expect(toHex(Uint8Array.of(0, 15, 16, 255))).toBe("000f10ff");
  });
});
