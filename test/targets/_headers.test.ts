import { describe, expect, it } from "vitest";
import type { Json, Mistake } from "../../src/core/result.ts";
import { HEADERS_MAX, readHeaders } from "../../src/targets/_headers-entry.ts";
import { HEADER_NAME_CHARS_MAX, HEADER_VALUE_BYTES_MAX, headerValueProblem } from "../../src/targets/_headers.ts";

function read(value: Json) {
  const mistakes: Mistake[] = [];
  return { headers: readHeaders(value, ["headers"], mistakes), mistakes };
}

describe("a target's own headers", () => {
  it("are constants and secrets, their names in lower case", () => {
    expect(read({ "X-Team": "build us", Authorization: { secret: "CI_TOKEN" } })).toEqual({
      headers: [
        { name: "x-team", constant: "build us" },
        { name: "authorization", secret: "CI_TOKEN" },
      ],
      mistakes: [],
    });
  });

  it.each([
    "Host",
    "content-length",
    "Content-Type",
    "content-encoding",
    "connection",
    "Transfer-Encoding",
    "keep-alive",
    "TE",
    "trailer",
    "Upgrade",
    "expect",
    "Cookie",
    "CF-Connecting-IP",
    "X-Forwarded-For",
    "ce-id",
    "CE-Type",
    "Webhook-Signature",
    "webhook-id",
    "proxy-authorization",
  ])("can't be %s", (name) => {
    const { mistakes } = read({ [name]: "x" });
    expect(mistakes).toMatchObject([{ path: ["headers", name], at: "key" }]);
  });

  it.each(["", "a b", "a:b", "a\r\nb", "é", "a".repeat(HEADER_NAME_CHARS_MAX + 1)])("can't be named %j", (name) => {
    expect(read({ [name]: "x" }).mistakes).toMatchObject([{ at: "key" }]);
  });

  it("can be named as long as the limit, and as an object's own parts", () => {
    const name = "a".repeat(HEADER_NAME_CHARS_MAX);
    expect(read({ [name]: "x" }).mistakes).toEqual([]);
    const hostile = JSON.parse('{"__proto__":"x","constructor":"y"}') as Json;
    expect(read(hostile).headers).toEqual([
      { name: "__proto__", constant: "x" },
      { name: "constructor", constant: "y" },
    ]);
  });

  it.each<Json>(["a\r\nX-Other: b", "a\nb", "a\u0000b", "naïve", "\u007f", "", 5, true, null, [], {}])(
    "can't hold %j",
    (value) => {
      expect(read({ "X-Team": value }).mistakes).toMatchObject([{ path: ["headers", "X-Team"] }]);
    },
  );

  it("never repeat a value in a message", () => {
    for (const value of ["hunter22\n", { secret: "hunter 22" }, { secrets: "hunter22" }] as Json[]) {
      const { mistakes } = read({ "X-Team": value });
      expect(mistakes).toHaveLength(1);
      expect(mistakes[0]?.message).not.toContain("hunter");
    }
  });

  it("keep credentials out of rule files", () => {
    const { mistakes } = read({ authorization: "Bearer hunter22" });
    expect(mistakes).toMatchObject([{ message: expect.stringContaining("{ secret: NAME }") as string }]);
    expect(mistakes[0]?.message).not.toContain("hunter22");
  });

  it("are refused when one stands there twice in another case", () => {
    expect(read({ "X-Team": "a", "x-team": "b" }).mistakes).toMatchObject([{ path: ["headers", "x-team"], at: "key" }]);
  });

  it("are at most as many as the limit", () => {
    const many = (count: number): Json =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, "v"]));
    expect(read(many(HEADERS_MAX)).mistakes).toEqual([]);
    expect(read(many(HEADERS_MAX + 1)).mistakes).toHaveLength(1);
  });

  it("have values up to the limit", () => {
    expect(headerValueProblem("a".repeat(HEADER_VALUE_BYTES_MAX))).toBeUndefined();
    expect(headerValueProblem("a".repeat(HEADER_VALUE_BYTES_MAX + 1))).toContain("longer");
    expect(headerValueProblem("a\tb c")).toBeUndefined();
  });
});
