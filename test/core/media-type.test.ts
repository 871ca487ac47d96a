import { describe, expect, it } from "vitest";
import { MEDIA_TYPE_CHARACTERS_MAX, bareMediaType, isMediaType } from "../../src/core/media-type.ts";

describe("media types", () => {
  it.each([
    "application/json",
    "application/json;charset=utf-8",
    "application/json ; charset=utf-8 ; a=b",
    'multipart/mixed; boundary="a \\" b;"',
    "application/vnd.apache.thrift.binary",
    "application/cloudevents+json",
    "text/xml;",
  ])("are %s", (text) => expect(isMediaType(text)).toBe(true));

  it.each(["", "json", "/json", "application/", "a/b/c", "a/b c", "a/b; c", "a/b; c=", 'a/b; c="d', "a/b, c/d", "é/b"])(
    "are not %j",
    (text) => expect(isMediaType(text)).toBe(false),
  );

  it("have a bounded length", () => {
    expect(isMediaType(`a/${"b".repeat(MEDIA_TYPE_CHARACTERS_MAX - 2)}`)).toBe(true);
    expect(isMediaType(`a/${"b".repeat(MEDIA_TYPE_CHARACTERS_MAX - 1)}`)).toBe(false);
  });

  it("are decided fast whatever they hold", () => {
    const started = performance.now();
    expect(isMediaType(`a/b${";    ".repeat(200)}!`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(200);
  });

  it("are compared without parameters and case", () => {
    expect(bareMediaType(" Application/JSON ; charset=utf-8")).toBe("application/json");
    expect(bareMediaType(null)).toBe("");
  });
});
