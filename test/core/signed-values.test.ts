import { describe, expect, it } from "vitest";
import type { SignatureScheme, ValuePlace } from "../../src/core/signature-scheme.ts";
import { SIGNED_VALUE_CHARACTERS_MAX } from "../../src/core/signature-scheme.ts";
import { readSignature, readSignedValues, shownPlace } from "../../src/core/signed-values.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

function head(headers: Readonly<Record<string, string>> | readonly (readonly [string, string])[] = {}, query = "") {
  return {
    method: "POST",
    url: `https://sluice.example.com/webhooks/x${query}`,
    headers: new Headers(headers as HeadersInit),
  };
}

function schemeWith(value: ValuePlace, more: Partial<SignatureScheme> = {}): SignatureScheme {
  return {
    algorithm: "hmac-sha256",
    encoding: "hex",
    signature: { header: "X-Signature" },
    content: "{v}",
    values: { v: value },
    ...more,
  };
}

function valueOf(place: ValuePlace, at = head(), body = "", more: Partial<SignatureScheme> = {}) {
  const read = readSignedValues(schemeWith(place, more), at, utf8(body));
  return read.ok ? read.value.get("v") : read.error;
}

describe("a signed value", () => {
  it("is read from a header, a part of it, the query or the body", () => {
    expect(valueOf({ header: "X-Time" }, head({ "x-time": "7" }))).toBe("7");
    expect(valueOf({ header: "X-All", part: "t" }, head({ "x-all": "v1=ab, t=7" }))).toBe("7");
    expect(valueOf({ header: "X-All", part: "t" }, head({ "x-all": "v1=ab;t=7=8" }), "", { separator: ";" })).toBe(
      "7=8",
    );
    expect(valueOf({ query: "t" }, head({}, "?a=1&t=%207"))).toBe(" 7");
    expect(valueOf({ path: "a.t" }, head(), '{"a":{"t":"7"}}')).toBe("7");
    expect(valueOf({ path: "a.t" }, head(), '{"a":{"t":1700000000123}}')).toBe("1700000000123");
  });

  it.each<[string, ValuePlace, ReturnType<typeof head>, string]>([
    ["in no header", { header: "X-Time" }, head(), ""],
    ["in an empty header", { header: "X-Time" }, head({ "x-time": "" }), ""],
    ["not in the query", { query: "t" }, head({}, "?tt=1"), ""],
    ["twice in the query", { query: "t" }, head({}, "?t=1&t=2"), ""],
    ["in no JSON", { path: "t" }, head(), "t=1"],
    ["in no UTF-8", { path: "t" }, head(), "\ud800"],
    ["of another type", { path: "t" }, head(), '{"t":[1]}'],
    ["inherited", { path: "constructor.name" }, head(), "{}"],
    ["of the prototype", { path: "__proto__.a" }, head(), '{"a":"1"}'],
    ["below a text", { path: "t.length" }, head(), '{"t":"abc"}'],
  ])("that is %s is missing", (_name, place, at, body) => {
    expect(valueOf(place, at, body)).toEqual({ reason: "missing-header", header: shownPlace(place) });
  });

  it("is refused when a part of a header comes twice, or is empty, or isn't there", () => {
    for (const header of ["t=1,t=2", "t=,v1=a", "v1=a", "t", "tt=1"]) {
      expect(valueOf({ header: "X-All", part: "t" }, head({ "x-all": header }))).toMatchObject({
        reason: "invalid-header",
        header: "X-All",
      });
    }
  });

  it("of two headers of one name is both, which no time is", () => {
    const two = head([
      ["x-time", "1"],
      ["x-time", "2"],
    ]);
    expect(valueOf({ header: "X-Time" }, two)).toBe("1, 2");
  });

  it("has a greatest length", () => {
    const longest = "7".repeat(SIGNED_VALUE_CHARACTERS_MAX);
    expect(valueOf({ header: "X-Time" }, head({ "x-time": longest }))).toBe(longest);
    expect(valueOf({ header: "X-Time" }, head({ "x-time": `${longest}7` }))).toMatchObject({
      reason: "invalid-header",
    });
    expect(valueOf({ path: "t" }, head(), JSON.stringify({ t: `${longest}7` }))).toMatchObject({
      reason: "invalid-header",
      header: "body:t",
    });
  });

  it("may be the method and the address, which are always there", () => {
    const read = readSignedValues(schemeWith({ header: "X" }), head({ x: "1" }, "?a=b"), utf8(""));
    expect(read.ok && Object.fromEntries(read.value)).toEqual({
      v: "1",
      method: "POST",
      url: "https://sluice.example.com/webhooks/x?a=b",
    });
  });
});

describe("a signature", () => {
  const read = (header: string, more: Partial<SignatureScheme> = {}) =>
    readSignature(schemeWith({ header: "X" }, more), head({ "x-signature": header }), utf8(""));

  it("is the header, or one of its list, or each part of its name", () => {
    expect(read("a b")).toEqual({ ok: true, value: ["a b"] });
    expect(read("a  b", { separator: " " })).toEqual({ ok: true, value: ["a", "", "b"] });
    const parts = { signature: { header: "X-Signature", part: "v1" }, separator: "," } as const;
    expect(read("t=1,v1=a,v0=x,v1=b", parts)).toEqual({ ok: true, value: ["a", "b"] });
    expect(read("t=1,v0=x", parts)).toMatchObject({ error: { reason: "malformed-signature" } });
  });

  it("may stand in the query or the body", () => {
    const place = (signature: ValuePlace, at = head(), body = "") =>
      readSignature(schemeWith({ header: "X" }, { signature }), at, utf8(body));
    expect(place({ query: "sig" }, head({}, "?sig=ab"))).toEqual({ ok: true, value: ["ab"] });
    expect(place({ path: "signature.signature" }, head(), '{"signature":{"signature":"ab"}}')).toEqual({
      ok: true,
      value: ["ab"],
    });
    expect(place({ path: "signature" })).toEqual({
      ok: false,
      error: { reason: "missing-signature", header: "body:signature" },
    });
  });

  it("has a greatest length, and is missing when it is empty", () => {
    expect(read("a".repeat(SIGNED_VALUE_CHARACTERS_MAX))).toMatchObject({ ok: true });
    expect(read("a".repeat(SIGNED_VALUE_CHARACTERS_MAX + 1))).toMatchObject({
      error: { reason: "malformed-signature" },
    });
    expect(read("")).toEqual({ ok: false, error: { reason: "missing-signature", header: "X-Signature" } });
  });
});
