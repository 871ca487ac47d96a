import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHeaderValue } from "../../src/core/http-binding.ts";
import { decodeFormField } from "../../src/core/percent-encoding.ts";
import { textOf, utf8 } from "../sources/_context.ts";

/** The encoding that section 3.1.3.2 prescribes for senders. */
function encodeHeaderValue(text: string): string {
  return [...utf8(text)]
    .map((byte) =>
      byte <= 0x20 || byte >= 0x7f || byte === 0x22 || byte === 0x25
        ? `%${byte.toString(16).padStart(2, "0")}`
        : String.fromCharCode(byte),
    )
    .join("");
}

describe("the value of a ce- header", () => {
  it.each([
    ["plain", "plain"],
    ["", ""],
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["%e2%82%ac", "€"],
    ["%41%2F", "A/"],
    ["%2541", "%41"],
    ["with spaces as it is", "with spaces as it is"],
    ['"quoted value"', "quoted value"],
    ['"a \\"b\\" \\\\ c"', 'a "b" \\ c'],
    ['"%20"', " "],
    ['a"b c"d', "ab cd"],
    ["back\\slash", "back\\slash"],
    ["%EF%BB%BFa", "\ufeffa"],
    ["100%", "100%"],
    ["%zz%4", "%zz%4"],
  ])("%j reads %j", (header, value) => expect(decodeHeaderValue(header)).toEqual({ ok: true, value }));

  it.each(["%C0%A0", "%FF", "%E2%82", "%ED%A0%80", "€", "\u0080", '"open', '"open\\"', 'a"'])(
    "%j has no meaning",
    (header) => expect(decodeHeaderValue(header).ok).toBe(false),
  );

  it("is what was encoded by the rules for senders", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 40 });
    fc.assert(
      fc.property(text, (value) => {
        expect(decodeHeaderValue(encodeHeaderValue(value))).toEqual({ ok: true, value });
      }),
      { numRuns: 300 },
    );
  });
});

describe("a form's field", () => {
  it("is what URLSearchParams encoded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (value) => {
        const encoded = new URLSearchParams({ a: value }).toString().slice(2);
        expect(textOf(decodeFormField(utf8(encoded)))).toBe(value);
      }),
      { numRuns: 300 },
    );
  });

  it.each(["%", "%4", "a%g0", "%%41"])("is refused with a stray percent sign: %s", (text) =>
    expect(decodeFormField(utf8(text))).toBeNull(),
  );
});
