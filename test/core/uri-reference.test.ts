import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAbsoluteUri, isUriReference } from "../../src/core/uri-reference.ts";

const ABSOLUTE = [
  "https://github.com/cloudevents",
  "mailto:cncf-wg-serverless@lists.cncf.io",
  "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
  "tag:example.com,2026:a",
  "https://user:pw@example.com:8080/a/b;c=1?d=e/f?g#h/i?j",
  "http://[2001:db8::1]:80/",
  "http://[v1.fe80:a]/",
  "https://example.com/%7Ea%C3%A9",
  "file:///etc/hosts",
  "cloudevents:x",
];

const RELATIVE = ["", "/cloudevents/spec/pull/123", "/sensors/tn-1234567/alerts", "1-555-123-4567", "//host/path"];
const RELATIVE_TOO = ["a/b:c", "./a:b", "?q", "#f", "github.com", "..", "a//b", "%41"];

const NEITHER = [
  "a b",
  "https://example.com/a b",
  "1a:b",
  ":a",
  "%",
  "/a%2",
  "/a%zz",
  "/é",
  "/a\\b",
  "/a|b",
  "/{id}",
  "/a^b",
  "/a`b",
  '/a"b',
  "/<a>",
  "http://[::1",
  "http://[]/",
  "http://exa[mple/",
  "http://a:b/",
  "http://a@b@c/",
  "/a#b#c",
  "/a[0]",
  "/a\n",
];

describe("URI-references of RFC 3986", () => {
  it.each([...ABSOLUTE, ...RELATIVE, ...RELATIVE_TOO])("are %j", (text) => expect(isUriReference(text)).toBe(true));
  it.each(NEITHER)("are not %j", (text) => expect(isUriReference(text)).toBe(false));
  it.each(ABSOLUTE)("with a scheme are URIs: %s", (text) => expect(isAbsoluteUri(text)).toBe(true));
  it.each([...RELATIVE, ...RELATIVE_TOO, ...NEITHER, "https:"])("without one are not: %j", (text) =>
    expect(isAbsoluteUri(text)).toBe(false),
  );

  it("are all web addresses", () => {
    const address = fc.webUrl({ withQueryParameters: true, withFragments: true });
    fc.assert(
      fc.property(address, (url) => isUriReference(url) && isAbsoluteUri(url)),
      { numRuns: 200 },
    );
  });

  it("are decided in a time that grows with the length", () => {
    for (const piece of ["a", "/", ":", "%41", "//", "a/", "?#"]) {
      const started = performance.now();
      isUriReference(`${piece.repeat(100_000)}\n`);
      expect(performance.now() - started).toBeLessThan(1_000);
    }
  });
});
