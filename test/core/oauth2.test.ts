import { describe, expect, it } from "vitest";
import {
  TOKEN_CHARS_MAX,
  TOKEN_DEFAULT_MS,
  TOKEN_MARGIN_MS,
  TOKEN_MS_MAX,
  readTokenAnswer,
  tokenForm,
  usableUntil,
} from "../../src/core/oauth2.ts";

describe("the request for a token", () => {
  it("is that of RFC 6749, section 4.4.2", () => {
    const form = tokenForm({ clientId: "s6BhdRkqt3", clientSecret: "gX1fBat3bV", credentials: "basic" });
    expect(form.body).toBe("grant_type=client_credentials");
    expect(form.headers).toMatchObject({
      "content-type": "application/x-www-form-urlencoded",
      // The value of the example in the section.
      authorization: "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    });
  });

  it("form-encodes id and secret before the colon comes between them (section 2.3.1)", () => {
    const form = tokenForm({ clientId: "a:b", clientSecret: "c d+é", credentials: "basic" });
    const [, basic = ""] = String(form.headers["authorization"]).split(" ");
    expect(Buffer.from(basic, "base64").toString()).toBe("a%3Ab:c+d%2B%C3%A9");
    expect(form.secrets).toEqual(expect.arrayContaining([basic, "c+d%2B%C3%A9"]));
  });

  it("has everything in the form where the server wants it so", () => {
    const asked = { clientId: "a&b", clientSecret: "c=d", scope: "read write", audience: "https://api.example.com" };
    const form = tokenForm({ ...asked, credentials: "body" });
    expect(Object.fromEntries(new URLSearchParams(form.body))).toEqual({
      grant_type: "client_credentials",
      scope: "read write",
      audience: "https://api.example.com",
      client_id: "a&b",
      client_secret: "c=d",
    });
    expect(form.headers).not.toHaveProperty("authorization");
  });
});

describe("a token endpoint's answer", () => {
  const TOKEN = '{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600}';

  it("is a token with its lifetime", () => {
    expect(readTokenAnswer(200, TOKEN)).toEqual({
      kind: "token",
      token: "2YotnFZFEjr1zCsicMWpAA",
      lifetimeMs: 3_600_000,
    });
  });

  it.each([
    ['{"access_token":"a","token_type":"bearer"}', TOKEN_DEFAULT_MS],
    ['{"access_token":"a"}', TOKEN_DEFAULT_MS],
    ['{"access_token":"a","expires_in":"90"}', 90_000],
    ['{"access_token":"a","expires_in":-1}', TOKEN_DEFAULT_MS],
    ['{"access_token":"a","expires_in":1e12}', TOKEN_MS_MAX],
    ['{"access_token":"a","expires_in":null}', TOKEN_DEFAULT_MS],
  ])("%s lasts %d ms", (text, lifetimeMs) => {
    expect(readTokenAnswer(200, text)).toMatchObject({ kind: "token", lifetimeMs });
  });

  it.each([
    [200, "<html>", "unavailable", /without an access_token/],
    [200, '{"access_token":""}', "unavailable", /without an access_token/],
    [200, '{"__proto__":{"access_token":"a"}}', "unavailable", /without an access_token/],
    [200, '{"access_token":"a","token_type":"mac"}', "refused", /no bearer token/],
    [200, '{"access_token":"a b"}', "refused", /no header can carry/],
    [200, '{"access_token":"a\\r\\nx: 1"}', "refused", /no header can carry/],
    [400, '{"error":"invalid_scope"}', "refused", /^answered 400 \(invalid_scope\)$/],
    [
      401,
      '{"error":"invalid_client","error_description":"no\\n such client"}',
      "refused",
      /\(invalid_client: no such client\)$/,
    ],
    [401, '{"error":"a\\u001b[31m"}', "refused", /^answered 401$/],
    [404, "not found", "refused", /^answered 404$/],
    [302, "", "refused", /redirects are not followed/],
    [408, "", "unavailable", /^answered 408$/],
    [429, '{"error":"slow_down"}', "unavailable", /\(slow_down\)$/],
    [500, "", "unavailable", /^answered 500$/],
    [503, '{"error":"temporarily_unavailable"}', "unavailable", /temporarily_unavailable/],
  ])("%d %s is %s", (status, text, kind, detail) => {
    expect(readTokenAnswer(status, text)).toEqual({ kind, detail: expect.stringMatching(detail) as string });
  });

  it("may have a token as long as the limit and no longer", () => {
    const answer = (chars: number) => readTokenAnswer(200, JSON.stringify({ access_token: "a".repeat(chars) }));
    expect(answer(TOKEN_CHARS_MAX).kind).toBe("token");
    expect(answer(TOKEN_CHARS_MAX + 1).kind).toBe("refused");
  });

  it("is bounded in what it says", () => {
    const reading = readTokenAnswer(
      400,
      JSON.stringify({ error: "e".repeat(9_000), error_description: "d".repeat(9_000) }),
    );
    expect(JSON.stringify(reading).length).toBeLessThan(400);
  });
});

describe("a token", () => {
  it("is used until a minute before its end, or half of its time where that is shorter", () => {
    expect(usableUntil(1_000, 3_600_000)).toBe(1_000 + 3_600_000 - TOKEN_MARGIN_MS);
    expect(usableUntil(1_000, 60_000)).toBe(31_000);
    expect(usableUntil(1_000, 0)).toBe(1_000);
  });
});
