import { describe, expect, it } from "vitest";
import {
  ORIGIN_CHARS_MAX,
  RATE_PER_MINUTE_MAX,
  grantHeaders,
  isOrigin,
  readPermission,
} from "../../src/core/webhook-permission.ts";

const ORIGIN = "eventemitter.example.com";

function permissionOf(status: number, headers: Record<string, string>) {
  return readPermission(status, new Headers(headers), ORIGIN);
}

describe("the answer to a validation request", () => {
  // The examples of sections 4.2.1 and 4.2.2.
  it.each([
    [
      { "WebHook-Allowed-Origin": ORIGIN, "WebHook-Allowed-Rate": "100" },
      { kind: "granted", ratePerMinute: 100 },
    ],
    [
      { "WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "100" },
      { kind: "granted", ratePerMinute: 100 },
    ],
    [{ "WebHook-Allowed-Origin": ORIGIN, "WebHook-Allowed-Rate": "*" }, { kind: "granted" }],
    [{ "WebHook-Allowed-Origin": "EventEmitter.Example.com" }, { kind: "granted" }],
    [{ "WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "0" }, { kind: "granted" }],
    [
      { "WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "999999" },
      { kind: "granted", ratePerMinute: RATE_PER_MINUTE_MAX },
    ],
  ])("%j is a permission", (headers, permission) => {
    expect(permissionOf(200, headers)).toEqual(permission);
  });

  it("grants by its headers, whatever its status", () => {
    for (const status of [204, 404, 405]) {
      expect(permissionOf(status, { "webhook-allowed-origin": ORIGIN }).kind).toBe("granted");
      expect(permissionOf(status, { allow: "POST, OPTIONS" }).kind).toBe("refused");
    }
    expect(permissionOf(200, { "webhook-allowed-rate": "*" }).kind).toBe("refused");
  });

  it("grants nothing to another sender", () => {
    for (const origin of ["other.example.com", "*.example.com", `${ORIGIN}, *`, "null"]) {
      expect(permissionOf(200, { "webhook-allowed-origin": origin }).kind).toBe("refused");
    }
  });

  it("may come later from a server that is in trouble", () => {
    for (const status of [408, 425, 429, 500, 503]) expect(permissionOf(status, {}).kind).toBe("unavailable");
  });
});

describe("what is granted to a sender", () => {
  it("is what it asks for, at any rate", () => {
    expect(grantHeaders(new Headers({ "WebHook-Request-Origin": ORIGIN, "WebHook-Request-Rate": "120" }))).toEqual({
      "webhook-allowed-origin": ORIGIN,
      "webhook-allowed-rate": "*",
    });
  });

  it("is nothing where it asks for nothing, or for what no header should hold", () => {
    for (const headers of [{}, { "webhook-request-origin": "a b" }, { "webhook-request-origin": "o".repeat(254) }]) {
      expect(grantHeaders(new Headers(headers))).toEqual({});
    }
  });
});

describe("an origin", () => {
  it.each(["eventemitter.example.com", "localhost", "a-b.c_d.example", "EVENTS.example.com", "xn--bcher-kva.example"])(
    "may be %s",
    (text) => expect(isOrigin(text)).toBe(true),
  );

  it.each([
    "",
    "*",
    "https://example.com",
    "example.com/",
    "example.com:80",
    "a b",
    "-a.com",
    "a..b",
    "é.example",
    "a\n",
  ])("is not %j", (text) => expect(isOrigin(text)).toBe(false));

  it("is as long as a name in the DNS and no longer", () => {
    const long = `${"a".repeat(61)}.`.repeat(4);
    expect(isOrigin(long + "b".repeat(ORIGIN_CHARS_MAX - long.length))).toBe(true);
    expect(isOrigin(long + "b".repeat(ORIGIN_CHARS_MAX - long.length + 1))).toBe(false);
  });
});
