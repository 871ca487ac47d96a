import { describe, expect, it } from "vitest";
import { LOG_ITEMS_MAX, LOG_TEXT_CHARS_MAX, logLine } from "../../src/bus/log-line.ts";

describe("a line of the log", () => {
  it("is JSON with the message first", () => {
    const line = logLine("delivery.attempted", { target: "ci", attempt: 1, none: undefined });
    expect(line).toBe('{"message":"delivery.attempted","target":"ci","attempt":1}');
  });

  it("has texts and lists up to their limits, and says where it cut longer ones", () => {
    const most = { text: "x".repeat(LOG_TEXT_CHARS_MAX), list: Array.from({ length: LOG_ITEMS_MAX }, () => "y") };
    expect(JSON.parse(logLine("m", most))).toEqual({ message: "m", ...most });
    const more = { text: `${most.text}x`, list: [...most.list, "z"], inner: { text: `${most.text}x` } };
    expect(JSON.parse(logLine("m", more))).toEqual({
      message: "m",
      text: `${most.text}…`,
      list: [...most.list, "…"],
      inner: { text: `${most.text}…` },
    });
  });
});
