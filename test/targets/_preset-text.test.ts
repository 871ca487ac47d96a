import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  LINK_CHARS_MAX,
  SUMMARY_PART_CHARS_MAX,
  cutText,
  jsonBytes,
  summaryOf,
  utf16Units,
  withMembers,
} from "../../src/targets/_preset-text.ts";
import type { JsonObject } from "../../src/core/result.ts";
import { eventWith } from "../support/target-io.ts";

const linkIn = (data: unknown): string | undefined => summaryOf({ event: eventWith(JSON.stringify(data)) }).link;
const page = "https://github.com/octocat/hello/issues/1";

describe("a text that is cut", () => {
  it("stays as it is at the limit, and has … at its end one character over it", () => {
    expect(cutText("abcd", 4, utf16Units)).toBe("abcd");
    expect(cutText("abcde", 4, utf16Units)).toBe("abc…");
    expect(cutText("ab😀", 4, utf16Units)).toBe("ab😀");
    expect(cutText("ab😀d", 4, utf16Units)).toBe("ab…");
    expect(cutText("grün", 5, jsonBytes)).toBe("grün");
    expect(cutText("grüne", 5, jsonBytes)).toBe("gr…");
  });

  it("costs no more than allowed, whatever it holds, and is well-formed", () => {
    const texts = fc.string({
      unit: fc.oneof(fc.constantFrom("\n", '"', "\\", "\u0001", "é", "漢", "😀", "\ud800"), fc.string()),
    });
    fc.assert(
      fc.property(texts, fc.integer({ min: 3, max: 60 }), (text, max) => {
        const inUnits = cutText(text, max, utf16Units);
        const inBytes = cutText(text, max, jsonBytes);
        expect(inUnits.length).toBeLessThanOrEqual(max);
        expect(Buffer.byteLength(JSON.stringify(inBytes)) - 2).toBeLessThanOrEqual(max);
        for (const cut of [inUnits, inBytes]) {
          expect(cut.isWellFormed()).toBe(true);
          expect(text.toWellFormed().startsWith(cut.replace(/…$/, ""))).toBe(true);
        }
      }),
    );
  });
});

describe("the link of an event", () => {
  it.each<[string, unknown, string | undefined]>([
    ["the page of the data itself", { html_url: page, repository: { html_url: "https://github.com/x" } }, page],
    ["the narrowest page", { repository: { html_url: "https://github.com/x" }, issue: { html_url: page } }, page],
    ["GitLab's url", { object_attributes: { url: page } }, page],
    [
      "no address of an API",
      { url: "https://api.github.com/x", issue: { url: "https://ghe.example/api/v3/x" } },
      undefined,
    ],
    ["no script", { html_url: "javascript:alert(1)" }, undefined],
    ["nothing with spaces or brackets", { html_url: "https://x.example/> <b>" }, undefined],
    ["nothing of a list", [{ html_url: page }], undefined],
    ["nothing inherited", JSON.parse('{"__proto__":{"html_url":"https://x.example/"}}'), undefined],
  ])("is %s", (_what, data, link) => expect(linkIn(data)).toBe(link));

  it("has at most LINK_CHARS_MAX characters", () => {
    const link = `https://x.example/${"a".repeat(LINK_CHARS_MAX - 18)}`;
    expect(linkIn({ url: link })).toBe(link);
    expect(linkIn({ url: `${link}a` })).toBeUndefined();
  });
});

it("shows at most SUMMARY_PART_CHARS_MAX characters of an attribute, on one line", () => {
  const { title, source } = summaryOf({
    event: eventWith(null, {
      type: "t",
      subject: `a\nb\u202e${"s".repeat(SUMMARY_PART_CHARS_MAX - 3)}`,
      source: "s".repeat(SUMMARY_PART_CHARS_MAX + 1),
    }),
  });
  expect(title).toBe(`t: a b${"s".repeat(SUMMARY_PART_CHARS_MAX - 3)}`);
  expect(source).toBe(`${"s".repeat(SUMMARY_PART_CHARS_MAX - 1)}…`);
});

it("adds members in front of those that an object has, and replaces none", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (own, more) => {
      const json = ` ${JSON.stringify(own)}\n`;
      const value = JSON.parse(json) as JsonObject;
      const added = JSON.parse(withMembers(json, value, more as JsonObject)) as JsonObject;
      const expected = Object.entries({ ...more, ...value });
      expect(new Map(Object.entries(added))).toEqual(
        new Map(expected.map(([name, member]) => [name, JSON.parse(JSON.stringify(member)) as unknown])),
      );
    }),
  );
});
