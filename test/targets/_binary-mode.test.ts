import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binaryModeHeaders, contentTypeOf, encodeAttribute } from "../../src/targets/_binary-mode.ts";
import { eventWith } from "../support/target-io.ts";

describe("CloudEvents binary mode", () => {
  it("writes each attribute as a ce- header, but the media type", () => {
    const event = eventWith("{}", { subject: "refs/heads/main", count: 3 });
    expect(
      Object.fromEntries(binaryModeHeaders({ ...event, attributes: { ...event.attributes, flag: true } })),
    ).toEqual({
      "ce-specversion": "1.0",
      "ce-id": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      "ce-source": "https://github.com/octocat/hello",
      "ce-type": "com.github.push",
      "ce-subject": "refs/heads/main",
      "ce-count": "3",
      "ce-flag": "true",
    });
  });

  it("encodes the example of the specification", () => {
    expect(encodeAttribute("Euro € 😀")).toBe("Euro%20%E2%82%AC%20%F0%9F%98%80");
  });

  it("encodes space, double quote and percent and no other printable ASCII", () => {
    const printable = Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index)).join("");
    const expected = printable.replace("%", "%25").replace(" ", "%20").replace('"', "%22");
    expect(encodeAttribute(printable)).toBe(expected);
  });

  it("yields printable ASCII that decodes to the attribute, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const encoded = encodeAttribute(text);
        expect(encoded).toMatch(/^[\u0021-\u007e]*$/);
        expect(decodeURIComponent(encoded)).toBe(text);
      }),
    );
  });

  it("names the body's media type, JSON where the event says nothing, and none without a body", () => {
    expect(contentTypeOf(eventWith("<a/>", { datacontenttype: "text/xml" }))).toBe("text/xml");
    const { datacontenttype: _, ...attributes } = eventWith("{}").attributes;
    expect(contentTypeOf({ attributes, body: new Uint8Array() })).toBe("application/json");
    expect(contentTypeOf(eventWith(null, { datacontenttype: "text/xml" }))).toBeUndefined();
  });
});
