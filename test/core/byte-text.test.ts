import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, decodeBase64Url, decodeHex, encodeBase64 } from "../../src/core/byte-text.ts";

const bytes = fc.uint8Array({ maxLength: 80 });

describe("bytes as text", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(decodeHex(Buffer.from(data).toString("hex"))).toEqual(data);
        expect(decodeBase64(Buffer.from(data).toString("base64"))).toEqual(data);
        expect(decodeBase64Url(Buffer.from(data).toString("base64url"))).toEqual(data);
        expect(encodeBase64(data)).toBe(Buffer.from(data).toString("base64"));
      }),
    );
  });

  it("have one spelling each: what is read is written the same again", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9+/=_-]{0,12}$/), (text) => {
        const [hex, base64, url] = [decodeHex(text), decodeBase64(text), decodeBase64Url(text)];
        if (hex !== null) expect(Buffer.from(hex).toString("hex")).toBe(text);
        if (base64 !== null) expect(Buffer.from(base64).toString("base64")).toBe(text);
        if (url !== null) expect(Buffer.from(url).toString("base64url")).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(["a", "0G", "AB", "0x00", " 00", "00\n", "é0"])("are no hexadecimal digits in %j", (text) => {
    expect(decodeHex(text)).toBeNull();
  });

  it.each([
    ["without padding", "QQ"],
    ["with too much padding", "QQ==="],
    ["with padding within", "QQ==QQ=="],
    ["with bits left over", "QR=="],
    ["with a line break", "QUJD\n"],
    ["with a space", "QU D"],
    ["of the other alphabet", "-_-_"],
  ])("are no base64 %s", (_name, text) => {
    expect(decodeBase64(text)).toBeNull();
  });

  it.each([
    ["with padding", "QQ=="],
    ["of an impossible length", "QUJDR"],
    ["with bits left over", "QR"],
    ["of the other alphabet", "+/+/"],
  ])("are no base64url %s", (_name, text) => {
    expect(decodeBase64Url(text)).toBeNull();
  });
});
