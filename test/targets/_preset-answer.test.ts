import { describe, expect, it } from "vitest";
import { RETRY_AFTER_MS_MAX } from "../../src/core/retry.ts";
import {
  RATE_WAIT_MS,
  VENDOR_WORDS_CHARS_MAX,
  failedNow,
  jsonOf,
  overRate,
  secondsToMs,
  shortWords,
  wordsOf,
} from "../../src/targets/_preset-answer.ts";
import { answerOf } from "../support/preset-sending.ts";

describe("a vendor's answer", () => {
  it("is JSON only as a whole object", () => {
    expect(jsonOf(answerOf(200, '{"a":1}'))).toEqual({ a: 1 });
    for (const body of ["", "ok", "[1]", '{"a":', '"a"', "null"]) expect(jsonOf(answerOf(200, body))).toBeUndefined();
  });

  it("gives at most VENDOR_WORDS_CHARS_MAX characters of its words, on one line", () => {
    expect(shortWords(`a\n b${"x".repeat(VENDOR_WORDS_CHARS_MAX - 3)}`)).toBe(
      `a b${"x".repeat(VENDOR_WORDS_CHARS_MAX - 3)}`,
    );
    expect(shortWords("x".repeat(VENDOR_WORDS_CHARS_MAX + 1))).toBe(`${"x".repeat(VENDOR_WORDS_CHARS_MAX)}…`);
    expect(shortWords(`${"x".repeat(VENDOR_WORDS_CHARS_MAX - 1)}😀`).isWellFormed()).toBe(true);
  });

  it("has only its own members, texts and numbers", () => {
    expect(wordsOf({ a: 7 }, "a")).toBe("7");
    expect(wordsOf({ a: "x" }, "a")).toBe("x");
    for (const name of ["a", "toString", "__proto__"]) expect(wordsOf({ b: 1 }, name)).toBe("");
    expect(wordsOf({ a: {} }, "a")).toBe("");
    expect(wordsOf(undefined, "a")).toBe("");
  });

  it("may name a wait in seconds, with a fraction, as a number or a text", () => {
    expect(secondsToMs(64.57)).toBe(64_570);
    expect(secondsToMs(" 1.2 ")).toBe(1_200);
    expect(secondsToMs(0)).toBe(0);
    for (const value of [null, undefined, "", "soon", "1e9", -1, {}, "-1"]) expect(secondsToMs(value)).toBeUndefined();
  });

  it("asks for the longest wait that it names, else for RATE_WAIT_MS, and never for more than is obeyed", () => {
    expect(overRate(answerOf(429), "x", 1_000, undefined, 3_000)).toMatchObject({ retryAfterMs: 3_000 });
    expect(overRate(answerOf(429), "x", undefined)).toMatchObject({ retryAfterMs: RATE_WAIT_MS });
    expect(overRate(answerOf(429), "x", RETRY_AFTER_MS_MAX + 1)).toMatchObject({ retryAfterMs: RETRY_AFTER_MS_MAX });
    expect(failedNow(answerOf(500), "x")).not.toHaveProperty("retryAfterMs");
  });
});
