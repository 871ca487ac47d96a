import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LOCATION_CHARS_MAX, outcomeOfAnswer } from "../../src/targets/_answer.ts";

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);

function outcome(status: number, headers: Record<string, string> = {}, body = "") {
  const answer = { status, headers: new Headers(headers), location: headers["location"], body };
  return outcomeOfAnswer(answer, NOW);
}

describe("what a target's answer means", () => {
  it.each([200, 201, 202, 204, 299])("%i is delivered", (status) => {
    expect(outcome(status, {}, "ok")).toEqual({ kind: "delivered", answer: { status, body: "ok" } });
  });

  it.each([300, 301, 302, 303, 304, 307, 308, 399])("%i is a redirect that is never followed", (status) => {
    expect(outcome(status, { location: "https://elsewhere.example/x" })).toMatchObject({
      kind: "permanent",
      reason: "redirect",
      answer: { status, location: "https://elsewhere.example/x" },
    });
  });

  it("keeps a bounded Location, and none when there is none", () => {
    const long = `https://elsewhere.example/${"a".repeat(LOCATION_CHARS_MAX)}`;
    expect(outcome(302, { location: long })).toMatchObject({ answer: { location: long.slice(0, LOCATION_CHARS_MAX) } });
    expect(outcome(302)).toMatchObject({ answer: { status: 302 } });
    expect(JSON.stringify(outcome(302))).not.toContain("location");
  });

  it("410 says that the target is gone", () => {
    expect(outcome(410)).toMatchObject({ kind: "permanent", reason: "target-gone", answer: { status: 410 } });
  });

  it.each([408, 425, 429, 500, 501, 502, 503, 504, 507, 520, 599])("%i is tried again", (status) => {
    expect(outcome(status)).toMatchObject({ kind: "retryable", reason: "status", answer: { status } });
    expect(outcome(status)).not.toHaveProperty("retryAfterMs");
  });

  it.each([408, 429, 500, 503])("%i may say when", (status) => {
    expect(outcome(status, { "retry-after": "30" })).toMatchObject({ retryAfterMs: 30_000 });
    expect(outcome(status, { "retry-after": "Sat, 21 Nov 2026 12:00:10 GMT" })).toMatchObject({ retryAfterMs: 10_000 });
    expect(outcome(status, { "retry-after": "soon" })).not.toHaveProperty("retryAfterMs");
  });

  it.each([400, 401, 403, 404, 405, 409, 413, 415, 422, 426, 428, 431, 451, 499])("%i is final", (status) => {
    expect(outcome(status, { "retry-after": "30" })).toMatchObject({ kind: "permanent", reason: "status" });
  });

  it.each([302, 404, 410, 429, 500, 503])("%i with abort-message is final at the target's wish", (status) => {
    expect(outcome(status, { "webhook-delivery": "abort-message" })).toMatchObject({
      kind: "permanent",
      reason: "aborted-by-target",
    });
  });

  it("takes no other value of the header for a wish, and no wish against a success", () => {
    expect(outcome(503, { "webhook-delivery": "continue" })).toMatchObject({ kind: "retryable" });
    expect(outcome(200, { "webhook-delivery": "abort-message" })).toMatchObject({ kind: "delivered" });
  });

  it.each([0, 100, 101, 199, 600, 999])("%i, which no server should send, is tried again", (status) => {
    expect(outcome(status)).toMatchObject({ kind: "retryable", reason: "status" });
  });

  it("is delivered only for 2xx, whatever else the answer holds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999 }), fc.string(), fc.string(), (status, retryAfter, delivery) => {
        const headers = { get: (name: string) => (name === "retry-after" ? retryAfter : delivery) };
        const { kind } = outcomeOfAnswer({ status, headers, location: undefined, body: "" }, NOW);
        expect(kind === "delivered").toBe(status >= 200 && status <= 299);
      }),
    );
  });
});
